/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/wan.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAX_LINKS = 64, /* of a router; what is beyond is counted under "not known which" */
	ETHERNET_HEADER = 14,
};

struct entry {
	struct wan_link link;
	bool has_start;
	uint64_t start_bytes[2], start_packets[2]; /* the interface's own counters when it was first read */
	struct host_count missing[2];              /* at the last dump's end */
};

struct wan {
	struct entry entry[MAX_LINKS];
	size_t count;
};

struct wan *wan_new(void)
{
	return calloc(1, sizeof(struct wan));
}

void wan_free(struct wan *wan)
{
	free(wan);
}

static struct entry *find_or_add(struct wan *wan, uint32_t ifindex)
{
	for (size_t i = 0; i < wan->count; i++) {
		if (wan->entry[i].link.ifindex == ifindex)
			return &wan->entry[i];
	}
	if (wan->count == MAX_LINKS)
		return NULL;
	/* The last place is kept for what could not be told apart. */
	if (wan->count == MAX_LINKS - 1 && ifindex)
		return find_or_add(wan, 0);
	wan->entry[wan->count].link.ifindex = ifindex;
	return &wan->entry[wan->count++];
}

void wan_count(struct wan *wan, uint32_t ifindex, uint32_t host, enum wan_direction direction,
	const struct host_count *delta)
{
	struct entry *entry = find_or_add(wan, ifindex);
	enum wan_kind kind = host == HOST_ROUTER ? WAN_ROUTER : host == HOST_UNKNOWN ? WAN_UNKNOWN : WAN_ATTRIBUTED;

	if (entry)
		host_count_add(&entry->link.count[kind][direction], delta);
}

static uint64_t above(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* What the interface has more than all flows; only what was missing at the last dump already is believed. */
static void compare(struct entry *entry, enum wan_direction direction, uint64_t bytes, uint64_t packets, bool has_mac)
{
	struct wan_link *link = &entry->link;
	struct host_count seen = { 0, 0 }, missing;
	struct host_count *unseen = &link->count[WAN_UNSEEN][direction];

	for (enum wan_kind kind = 0; kind < WAN_UNSEEN; kind++)
		host_count_add(&seen, &link->count[kind][direction]);
	bytes -= entry->start_bytes[direction];
	packets -= entry->start_packets[direction];
	link->header_bytes[direction] = has_mac ? packets * ETHERNET_HEADER : 0;
	missing.bytes = above(bytes, seen.bytes + link->header_bytes[direction]);
	missing.packets = above(packets, seen.packets);
	unseen->bytes += above(smaller(missing.bytes, entry->missing[direction].bytes), unseen->bytes);
	unseen->packets += above(smaller(missing.packets, entry->missing[direction].packets), unseen->packets);
	entry->missing[direction] = missing;
}

struct reconciling {
	struct wan *wan;
	const struct topology *topology;
};

static void reconcile_link(void *ctx, const struct topology_link *state)
{
	const struct reconciling *r = ctx;
	bool has_mac = topology_has_mac(r->topology, state->ifindex);
	struct entry *entry;

	if (state->side != SIDE_WAN || !state->has_stats)
		return;
	entry = find_or_add(r->wan, state->ifindex);
	if (!entry || !entry->link.ifindex)
		return;
	memcpy(entry->link.name, state->name, sizeof(entry->link.name));
	/* An interface whose counters fell was made anew under the same index, or its driver was loaded again. */
	if (!entry->has_start || state->rx_bytes < entry->start_bytes[WAN_RX] || state->tx_bytes < entry->start_bytes[WAN_TX]) {
		entry->has_start = true;
		entry->start_bytes[WAN_RX] = state->rx_bytes;
		entry->start_bytes[WAN_TX] = state->tx_bytes;
		entry->start_packets[WAN_RX] = state->rx_packets;
		entry->start_packets[WAN_TX] = state->tx_packets;
		return;
	}
	compare(entry, WAN_RX, state->rx_bytes, state->rx_packets, has_mac);
	compare(entry, WAN_TX, state->tx_bytes, state->tx_packets, has_mac);
}

void wan_reconcile(struct wan *wan, const struct topology *topology)
{
	struct reconciling r = { wan, topology };

	topology_each_link(topology, reconcile_link, &r);
}

size_t wan_links(const struct wan *wan, struct wan_link *link, size_t size)
{
	for (size_t i = 0; i < wan->count && i < size; i++)
		link[i] = wan->entry[i].link;
	return wan->count;
}
