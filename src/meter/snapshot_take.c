/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct link_list {
	struct topology_link *link;
	size_t count, size;
};

static void count_link(void *ctx, const struct topology_link *link)
{
	struct link_list *list = ctx;

	(void)link;
	list->size++;
}

static void copy_link(void *ctx, const struct topology_link *link)
{
	struct link_list *list = ctx;

	if (list->count < list->size)
		list->link[list->count++] = *link;
}

static void copy_host(const struct meter *m, uint32_t index, struct snapshot_host *out)
{
	const struct host *host = hosts_get(m->hosts, index);
	char text[ADDR_TEXT];

	snprintf(out->label, sizeof(out->label), "%s", hosts_label(m->hosts, index, text));
	out->mac[0] = 0;
	if (host->kind == HOST_KIND_MAC)
		mac_format(&host->mac, out->mac);
	out->wan = traffic_max(&host->wan, &host->wan_floor);
	out->local = traffic_max(&host->local, &host->local_floor);
	memcpy(out->connections, host->connections, sizeof(out->connections));
	out->first_seen = host->first_seen;
	out->last_seen = host->last_seen;
	out->name_source = names_source_name(host->name ? host->name_source : NAMES_SOURCES);
	snprintf(out->vendor, sizeof(out->vendor), "%s", host->vendor ? host->vendor : "");
	out->random_mac = host->kind == HOST_KIND_MAC && mac_is_random(&host->mac);
	out->special = host->kind == HOST_KIND_SPECIAL;
}

/* One that was not reconciled yet has no name; two without would be one series. */
static void name_wan(const struct meter *m, struct wan_link *link)
{
	if (link->name[0] || !link->ifindex)
		return;
	snprintf(link->name, sizeof(link->name), "%s", topology_name(m->topology, link->ifindex));
	if (!link->name[0])
		snprintf(link->name, sizeof(link->name), "#%" PRIu32, link->ifindex);
}

/* --- One row per name */

/* An interface that came back under its old name has two indexes until the next dump. */
static void join_wans(const struct meter *m, struct snapshot *snapshot)
{
	size_t kept = 0;

	for (size_t i = 0; i < snapshot->wans; i++) {
		struct wan_link *link = &snapshot->wan[i], *same = NULL;

		name_wan(m, link);
		for (size_t j = 0; j < kept && !same; j++) {
			if (!strcmp(snapshot->wan[j].name, link->name))
				same = &snapshot->wan[j];
		}
		if (same)
			wan_link_add(same, link);
		else
			snapshot->wan[kept++] = *link;
	}
	snapshot->wans = kept;
}

struct named {
	const char *label;
	struct snapshot_host *row;
	UT_hash_handle hh;
};

static void add_row(struct snapshot_host *to, const struct snapshot_host *from)
{
	traffic_add(&to->wan, &from->wan);
	traffic_add(&to->local, &from->local);
	for (int family = 0; family < TRAFFIC_FAMILIES; family++)
		to->connections[family] += from->connections[family];
	if (!to->first_seen || (from->first_seen && from->first_seen < to->first_seen))
		to->first_seen = from->first_seen;
	if (from->last_seen > to->last_seen)
		to->last_seen = from->last_seen;
}

/*
 * A host without MAC may have an IPv4 and an IPv6 address of one name: one row, since label and MAC are what tells
 * series apart, and a page with a series twice is refused as a whole.
 */
static void join_rows(struct snapshot *snapshot)
{
	struct named *rows = calloc(snapshot->hosts ? snapshot->hosts : 1, sizeof(*rows)), *head = NULL, *row;
	size_t kept = 0;

	for (size_t i = 0; rows && i < snapshot->hosts; i++) {
		struct snapshot_host *host = &snapshot->host[i];

		row = NULL;
		if (!host->mac[0])
			HASH_FIND_STR(head, host->label, row);
		if (row) {
			add_row(row->row, host);
			continue;
		}
		if (kept != i)
			snapshot->host[kept] = *host;
		if (!host->mac[0]) {
			rows[kept].label = snapshot->host[kept].label;
			rows[kept].row = &snapshot->host[kept];
			HASH_ADD_KEYPTR(hh, head, rows[kept].label, strlen(rows[kept].label), &rows[kept]);
		}
		kept++;
	}
	if (rows)
		snapshot->hosts = kept;
	HASH_CLEAR(hh, head);
	free(rows);
}

/* --- The addresses of each host */

/* A row of the snapshot by what tells it from others: its MAC, or its label where it has none. */
struct indexed {
	const char *key;
	UT_hash_handle hh;
};

struct collection {
	const struct meter *meter;
	struct snapshot *snapshot;
	struct indexed *rows, *by_mac, *by_label;
	size_t size; /* addresses there is room for */
};

static bool index_rows(struct collection *c)
{
	c->rows = calloc(c->snapshot->hosts + 1, sizeof(*c->rows));
	for (size_t i = 0; c->rows && i < c->snapshot->hosts; i++) {
		const struct snapshot_host *host = &c->snapshot->host[i];
		struct indexed *row = &c->rows[i];

		row->key = host->mac[0] ? host->mac : host->label;
		if (host->mac[0])
			HASH_ADD_KEYPTR(hh, c->by_mac, row->key, strlen(row->key), row);
		else
			HASH_ADD_KEYPTR(hh, c->by_label, row->key, strlen(row->key), row);
	}
	return c->rows;
}

static void add_address(struct collection *c, struct indexed *head, const char *key, const struct addr *addr)
{
	struct indexed *row = NULL;

	HASH_FIND_STR(head, key, row);
	if (row && c->snapshot->addresses < c->size)
		c->snapshot->address[c->snapshot->addresses++] =
			(struct snapshot_address){ .host = (uint32_t)(row - c->rows), .addr = *addr };
}

static void count_seen(void *ctx, const struct addr *addr, const struct mac *mac, uint64_t time)
{
	struct collection *c = ctx;

	(void)addr, (void)mac, (void)time;
	c->size++;
}

static void add_seen(void *ctx, const struct addr *addr, const struct mac *mac, uint64_t time)
{
	struct collection *c = ctx;
	char text[MAC_TEXT];

	(void)time;
	add_address(c, c->by_mac, mac_format(mac, text), addr);
}

static void add_address_hosts(struct collection *c)
{
	for (uint32_t i = 0; i < hosts_count(c->meter->hosts); i++) {
		const struct host *host = hosts_get(c->meter->hosts, i);
		char text[ADDR_TEXT];

		if (host->kind == HOST_KIND_ADDRESS)
			add_address(c, c->by_label, hosts_label(c->meter->hosts, i, text), &host->addr);
	}
}

static int compare(const void *a, const void *b)
{
	const struct snapshot_address *x = a, *y = b;

	return x->host != y->host ? (x->host > y->host) - (x->host < y->host) : addr_cmp(&x->addr, &y->addr);
}

static int take_addresses(const struct meter *meter, struct snapshot *snapshot)
{
	struct collection c = { .meter = meter, .snapshot = snapshot, .size = hosts_count(meter->hosts) };
	bool indexed = index_rows(&c);

	neigh_each_seen(meter->neigh, count_seen, &c);
	snapshot->address = calloc(c.size + 1, sizeof(*snapshot->address));
	if (indexed && snapshot->address) {
		neigh_each_seen(meter->neigh, add_seen, &c);
		add_address_hosts(&c);
		qsort(snapshot->address, snapshot->addresses, sizeof(*snapshot->address), compare);
	}
	HASH_CLEAR(hh, c.by_mac);
	HASH_CLEAR(hh, c.by_label);
	free(c.rows);
	return indexed && snapshot->address ? 0 : -ENOMEM;
}

int meter_snapshot(const struct meter *meter, struct snapshot *snapshot, uint64_t now)
{
	struct link_list links = { 0 };
	int error;

	*snapshot = (struct snapshot){
		.stats = meter->stats,
		.flows = hashtable_count(meter->flows),
		.flows_undecided = meter->flows_undecided,
		.flows_uncounted = meter->flows_uncounted,
		.flows_offloaded = meter->flows_offloaded,
		.pending_sightings = sightings_count(meter->sightings),
		.pending_ends = pending_ends_count(meter->pending_ends),
		.tombstones = tombstones_count(meter->tombstones),
		.neighbours = neigh_count(meter->neigh),
		.memory = hashtable_memory(meter->flows),
		.ready = meter->ready,
		.now = now,
		.last_dump_end = meter->last_dump_end,
		.last_dump_ns = meter->last_dump_ns,
	};
	snapshot->stats.hosts_folded = hosts_folded(meter->hosts);
	memcpy(snapshot->source, meter->source, sizeof(snapshot->source));

	topology_each_link(meter->topology, count_link, &links);
	links.link = calloc(links.size + 1, sizeof(*links.link));
	snapshot->host = calloc(hosts_count(meter->hosts), sizeof(*snapshot->host));
	snapshot->link = links.link;
	snapshot->wans = wan_links(meter->wan, NULL, 0);
	snapshot->wan = calloc(snapshot->wans + 1, sizeof(*snapshot->wan));
	if (!snapshot->host || !snapshot->link || !snapshot->wan) {
		snapshot_clear(snapshot);
		return -ENOMEM;
	}
	topology_each_link(meter->topology, copy_link, &links);
	snapshot->links = links.count;
	wan_links(meter->wan, snapshot->wan, snapshot->wans);
	join_wans(meter, snapshot);
	for (uint32_t i = 0; i < hosts_count(meter->hosts); i++) {
		if (hosts_get(meter->hosts, i)->kind != HOST_KIND_GONE)
			copy_host(meter, i, &snapshot->host[snapshot->hosts++]);
	}
	join_rows(snapshot);
	error = take_addresses(meter, snapshot);
	if (error)
		snapshot_clear(snapshot);
	return error;
}

bool meter_ready(const struct meter *meter)
{
	return meter->ready;
}

static void describe_host(const struct meter *m, uint32_t index, char label[static SNAPSHOT_LABEL],
	char mac[static MAC_TEXT])
{
	struct snapshot_host row;

	label[0] = mac[0] = 0;
	if (index == HOST_NONE)
		return;
	copy_host(m, index, &row);
	memcpy(label, row.label, SNAPSHOT_LABEL);
	memcpy(mac, row.mac, MAC_TEXT);
}

void meter_describe_flow(const struct meter *meter, const struct flow *record, struct meter_flow *flow)
{
	bool has_host = record->scope == FLOW_WAN || record->scope == FLOW_LOCAL;
	int in = record->host_is_reply ? CT_ORIGINAL : CT_REPLY, out = !in;

	*flow = (struct meter_flow){
		.scope = record->scope,
		.by = record->by,
		.inbound = record->host_is_reply,
		.in_bytes = record->bytes[in],
		.in_packets = record->packets[in],
		.out_bytes = record->bytes[out],
		.out_packets = record->packets[out],
	};
	describe_host(meter, has_host ? record->host : HOST_NONE, flow->host, flow->mac);
	describe_host(meter, has_host ? record->peer : HOST_NONE, flow->peer, flow->peer_mac);
}

bool meter_find_flow(const struct meter *meter, const struct ct_event *event, struct meter_flow *flow)
{
	const struct flow *record = hashtable_find(meter->flows, meter_key(meter, event));

	if (record)
		meter_describe_flow(meter, record, flow);
	return record;
}
