/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include "hostmeter/base/array.h"
#include "hostmeter/base/keyed_uthash.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A snapshot under construction. */
struct taking {
	const struct meter *meter;
	struct snapshot *snapshot;
	struct row *rows; /* for each host of the snapshot */
	struct row *by_mac, *by_label;
	bool failed; /* out of memory */
};

/* A host of the snapshot by its MAC, or by its label if it has none. */
struct row {
	const char *key;
	UT_hash_handle hh;
};

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

static void add_link(void *ctx, const struct topology_link *link)
{
	struct taking *t = ctx;
	struct topology_link *added = array_add(&t->snapshot->link, &t->snapshot->links, sizeof(*added));

	if (added)
		*added = *link;
	t->failed |= !added;
}

/* --- One row per WAN name and per host: a page with a series twice is refused as a whole */

/* A WAN interface without a name was not reconciled yet. */
static void name_wan(const struct meter *m, struct wan_link *link)
{
	if (link->name[0] || !link->ifindex)
		return;
	snprintf(link->name, sizeof(link->name), "%s", topology_name(m->topology, link->ifindex));
	if (!link->name[0])
		snprintf(link->name, sizeof(link->name), "#%" PRIu32, link->ifindex);
}

/* An interface that came back under its old name has two indexes until the next dump. */
static void take_wans(struct taking *t)
{
	struct snapshot *snapshot = t->snapshot;
	size_t count = wan_links(t->meter->wan, NULL, 0);

	snapshot->wan = calloc(count + 1, sizeof(*snapshot->wan));
	t->failed |= !snapshot->wan;
	if (t->failed)
		return;
	wan_links(t->meter->wan, snapshot->wan, count);
	for (size_t i = 0; i < count; i++) {
		struct wan_link *link = &snapshot->wan[i], *same = snapshot->wan;

		name_wan(t->meter, link);
		while (same < &snapshot->wan[snapshot->wans] && strcmp(same->name, link->name) != 0)
			same++;
		if (same < &snapshot->wan[snapshot->wans])
			wan_link_add(same, link);
		else
			snapshot->wan[snapshot->wans++] = *link;
	}
}

static void add_to_row(struct snapshot_host *to, const struct snapshot_host *more)
{
	traffic_add(&to->wan, &more->wan);
	traffic_add(&to->local, &more->local);
	for (int family = 0; family < TRAFFIC_FAMILIES; family++)
		to->connections[family] += more->connections[family];
	if (!to->first_seen || (more->first_seen && more->first_seen < to->first_seen))
		to->first_seen = more->first_seen;
	if (more->last_seen > to->last_seen)
		to->last_seen = more->last_seen;
}

static struct row *find_row(struct row *head, const char *key)
{
	struct row *row = NULL;

	HASH_FIND_STR(head, key, row);
	return row;
}

/* Hosts without a MAC that have the same name are one row: the IPv4 and the IPv6 address of one machine. */
static void take_hosts(struct taking *t)
{
	struct snapshot *snapshot = t->snapshot;
	uint32_t count = hosts_count(t->meter->hosts);

	snapshot->host = calloc(count, sizeof(*snapshot->host));
	t->rows = calloc(count, sizeof(*t->rows));
	t->failed |= !snapshot->host || !t->rows;
	for (uint32_t i = 0; i < count && !t->failed; i++) {
		struct snapshot_host *host = &snapshot->host[snapshot->hosts];
		struct row *row = &t->rows[snapshot->hosts], **head, *same;

		if (hosts_get(t->meter->hosts, i)->kind == HOST_KIND_GONE)
			continue;
		copy_host(t->meter, i, host);
		head = host->mac[0] ? &t->by_mac : &t->by_label;
		row->key = host->mac[0] ? host->mac : host->label;
		same = find_row(*head, row->key);
		if (same) {
			add_to_row(&snapshot->host[same - t->rows], host);
			continue;
		}
		HASH_ADD_KEYPTR(hh, *head, row->key, strlen(row->key), row);
		snapshot->hosts++;
	}
}

/* --- The addresses of each host */

static void add_address(struct taking *t, const struct row *row, const struct addr *addr)
{
	struct snapshot_address *added;

	if (!row)
		return;
	added = array_add(&t->snapshot->address, &t->snapshot->addresses, sizeof(*added));
	if (added)
		*added = (struct snapshot_address){ (uint32_t)(row - t->rows), *addr };
	t->failed |= !added;
}

static void add_seen(void *ctx, const struct addr *addr, const struct mac *mac, uint64_t time)
{
	struct taking *t = ctx;
	const struct names *names = t->meter->options.names;
	struct mac owner = *mac;
	char text[MAC_TEXT];

	(void)time;
	/* An address that is a host of its own is added by take_addresses(). */
	if (!names || names_owner(names, addr, &owner) != NAMES_OWNER_ADDRESS)
		add_address(t, find_row(t->by_mac, mac_format(&owner, text)), addr);
}

static int compare(const void *a, const void *b)
{
	const struct snapshot_address *x = a, *y = b;

	return x->host != y->host ? (x->host > y->host) - (x->host < y->host) : addr_cmp(&x->addr, &y->addr);
}

static void take_addresses(struct taking *t)
{
	neigh_each_seen(t->meter->neigh, add_seen, t);
	for (uint32_t i = 0; i < hosts_count(t->meter->hosts); i++) {
		const struct host *host = hosts_get(t->meter->hosts, i);
		char text[ADDR_TEXT];

		if (host->kind == HOST_KIND_ADDRESS)
			add_address(t, find_row(t->by_label, hosts_label(t->meter->hosts, i, text)), &host->addr);
	}
	if (t->snapshot->addresses)
		qsort(t->snapshot->address, t->snapshot->addresses, sizeof(*t->snapshot->address), compare);
}

int meter_snapshot(const struct meter *meter, struct snapshot *snapshot, uint64_t now)
{
	struct taking taking = { .meter = meter, .snapshot = snapshot };

	*snapshot = (struct snapshot){
		.stats = meter->stats,
		.places = hosts_stats(meter->hosts),
		.flows = hashtable_count(meter->flows),
		.flows_undecided = meter->flows_undecided,
		.flows_uncounted = meter->flows_uncounted,
		.flows_offloaded = meter->flows_offloaded,
		.pending_sightings = sightings_count(meter->sightings),
		.pending_ends = pending_ends_count(meter->pending_ends),
		.tombstones = tombstones_count(meter->tombstones),
		.neighbours = neigh_count(meter->neigh),
		.memory = hashtable_memory(meter->flows),
		.interfaces_missing = topology_missing(meter->topology),
		.proxied = !meter->stats.sightings &&
			(topology_delivers_locally(meter->topology, 4) ||
				topology_delivers_locally(meter->topology, 6)),
		.ready = meter->dumps.ready,
		.now = now,
		.last_dump_end = meter->dumps.last_end,
		.last_dump_ns = meter->dumps.last_ns,
	};
	snapshot->stats.hosts_folded = hosts_folded(meter->hosts);
	snprintf(snapshot->unanswered_on, sizeof(snapshot->unanswered_on), "%s",
		topology_name(meter->topology, snapshot->places.unanswered_on));
	snapshot->stats.routes_dropped = topology_passed_over(meter->topology);
	memcpy(snapshot->source, meter->source, sizeof(snapshot->source));
	topology_each_link(meter->topology, add_link, &taking);
	take_wans(&taking);
	take_hosts(&taking);
	take_addresses(&taking);
	HASH_CLEAR(hh, taking.by_mac);
	HASH_CLEAR(hh, taking.by_label);
	free(taking.rows);
	if (!taking.failed)
		return 0;
	snapshot_clear(snapshot);
	return -ENOMEM;
}

/* --- One flow */

static void describe_host(const struct meter *m, uint32_t index, char label[static SNAPSHOT_LABEL],
	char mac[static MAC_TEXT])
{
	struct snapshot_host row;

	label[0] = mac[0] = 0;
	index = hosts_resolve(m->hosts, index);
	if (index == HOST_NONE)
		return;
	copy_host(m, index, &row);
	memcpy(label, row.label, SNAPSHOT_LABEL);
	memcpy(mac, row.mac, MAC_TEXT);
}

void meter_describe_flow(const struct meter *meter, const struct flow *record, struct meter_flow *flow)
{
	bool has_host = flow_has_host(record);
	int in = record->host_is_reply ? CT_ORIGINAL : CT_REPLY, out = !in;

	*flow = (struct meter_flow){
		.scope = record->scope,
		.by = record->by,
		.inbound = record->host_is_reply,
		.in_bytes = record->counts.bytes[in],
		.in_packets = record->counts.packets[in],
		.out_bytes = record->counts.bytes[out],
		.out_packets = record->counts.packets[out],
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

/* --- The snapshot alone */

static void rename_one(char name[static IFNAME_LEN], uint32_t ifindex, const struct snapshot_alias *alias, size_t count)
{
	const char *taken = NULL;

	for (size_t i = 0; i < count; i++) {
		if (strcmp(alias[i].interface, name) == 0) {
			snprintf(name, IFNAME_LEN, "%s", alias[i].name);
			return;
		}
		if (strcmp(alias[i].name, name) == 0)
			taken = alias[i].name;
	}
	/* Also while the other one is away: its series must not change hands. */
	if (taken)
		snprintf(name, IFNAME_LEN, "#%" PRIu32, ifindex);
}

void snapshot_rename(struct snapshot *snapshot, const struct snapshot_alias *alias, size_t count)
{
	for (size_t i = 0; i < snapshot->links; i++)
		rename_one(snapshot->link[i].name, snapshot->link[i].ifindex, alias, count);
	for (size_t i = 0; i < snapshot->wans; i++)
		rename_one(snapshot->wan[i].name, snapshot->wan[i].ifindex, alias, count);
}

void snapshot_clear(struct snapshot *snapshot)
{
	free(snapshot->host);
	free(snapshot->address);
	free(snapshot->link);
	free(snapshot->wan);
	*snapshot = (struct snapshot){ 0 };
}
