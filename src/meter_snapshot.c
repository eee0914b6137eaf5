/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter_state.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

	snprintf(out->label, sizeof(out->label), "%s", host_label(m->hosts, index, text));
	out->mac[0] = 0;
	if (host->kind == HOST_KIND_MAC)
		mac_format(&host->mac, out->mac);
	for (int j = 0; j < HOST_FAMILIES * 2; j++) {
		out->wan[j / 2][j % 2] = host_count_max(&host->wan[j / 2][j % 2], &host->floor[0][j / 2][j % 2]);
		out->local[j / 2][j % 2] = host_count_max(&host->local[j / 2][j % 2], &host->floor[1][j / 2][j % 2]);
	}
	memcpy(out->connections, host->connections, sizeof(out->connections));
	out->first_seen = host->first_seen;
	out->last_seen = host->last_seen;
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

int meter_snapshot(const struct meter *meter, struct snapshot *snapshot, uint64_t now)
{
	struct link_list links = { 0 };

	*snapshot = (struct snapshot){
		.stats = meter->stats,
		.flows = table_count(meter->flows),
		.flows_undecided = meter->flows_undecided,
		.flows_uncounted = meter->flows_uncounted,
		.flows_offloaded = meter->flows_offloaded,
		.pending_sightings = sightings_count(meter->sightings),
		.waiting_ends = waiting_count(meter->waiting),
		.tombstones = tombs_count(meter->tombs),
		.neighbours = neigh_count(meter->neigh),
		.memory = table_memory(meter->flows),
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
	for (size_t i = 0; i < snapshot->wans; i++)
		name_wan(meter, &snapshot->wan[i]);
	for (uint32_t i = 0; i < hosts_count(meter->hosts); i++) {
		if (hosts_get(meter->hosts, i)->kind != HOST_KIND_GONE)
			copy_host(meter, i, &snapshot->host[snapshot->hosts++]);
	}
	return 0;
}
