/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/wan.h"

#include <stdlib.h>
#include <string.h>

enum {
	MAX_LINKS = 64, /* the traffic of others is counted under ifindex 0 */
	ETHERNET_HEADER = 14,
};

struct entry {
	struct wan_link link;
	bool was_read;
	struct traffic_count read[2];    /* the interface's own counters at the last reading */
	struct traffic_count grown[2];   /* their growth since the first reading */
	struct traffic_count missing[2]; /* from the flows at the end of the last dump */
};

struct wan {
	struct entry entry[MAX_LINKS];
	size_t count;
};

const char *wan_kind_name(enum wan_kind kind)
{
	static const char *const names[WAN_KINDS] = {
		[WAN_ATTRIBUTED] = "attributed",
		[WAN_ROUTER] = "router",
		[WAN_UNKNOWN] = "unknown",
		[WAN_TUNNEL] = "tunnel",
		[WAN_UNSEEN] = "unseen",
	};

	return names[kind];
}

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
	/* The last entry is for ifindex 0. */
	if (ifindex && wan->count >= MAX_LINKS - 1)
		return find_or_add(wan, 0);
	wan->entry[wan->count].link.ifindex = ifindex;
	return &wan->entry[wan->count++];
}

static enum wan_kind kind_of(uint32_t host)
{
	switch (host) {
	case HOST_NONE:
		return WAN_TUNNEL;
	case HOST_ROUTER:
		return WAN_ROUTER;
	case HOST_UNKNOWN:
		return WAN_UNKNOWN;
	default:
		return WAN_ATTRIBUTED;
	}
}

void wan_count(struct wan *wan, uint32_t ifindex, uint32_t host, enum wan_direction direction,
	const struct traffic_count *delta)
{
	traffic_count_add(&find_or_add(wan, ifindex)->link.count[kind_of(host)][direction], delta);
}

static uint64_t above(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void note_growth(struct entry *entry, enum wan_direction direction, struct traffic_count now)
{
	struct traffic_count *read = &entry->read[direction], *grown = &entry->grown[direction];

	/* Counters that fell belong to a new interface: all of them is growth. */
	if (entry->was_read) {
		grown->bytes += now.bytes - (now.bytes < read->bytes ? 0 : read->bytes);
		grown->packets += now.packets - (now.packets < read->packets ? 0 : read->packets);
	}
	*read = now;
}

/* What the interface has more than all flows is unseen, as far as it was missing at the last dump already. */
static void compare(struct entry *entry, enum wan_direction direction, bool has_mac)
{
	struct wan_link *link = &entry->link;
	struct traffic_count seen = { 0, 0 }, missing;
	struct traffic_count *unseen = &link->count[WAN_UNSEEN][direction];
	const struct traffic_count *grown = &entry->grown[direction];

	for (enum wan_kind kind = 0; kind < WAN_UNSEEN; kind++)
		traffic_count_add(&seen, &link->count[kind][direction]);
	link->header_bytes[direction] = has_mac ? grown->packets * ETHERNET_HEADER : 0;
	missing.bytes = above(grown->bytes, seen.bytes + link->header_bytes[direction]);
	missing.packets = above(grown->packets, seen.packets);
	unseen->bytes += above(smaller(missing.bytes, entry->missing[direction].bytes), unseen->bytes);
	unseen->packets += above(smaller(missing.packets, entry->missing[direction].packets), unseen->packets);
	entry->missing[direction] = missing;
}

static struct entry *find_name(struct wan *wan, const char *name)
{
	for (size_t i = 0; i < wan->count; i++) {
		if (!strcmp(wan->entry[i].link.name, name))
			return &wan->entry[i];
	}
	return NULL;
}

/* An interface that comes back under its old name (PPP that dials in again) keeps its entry under a new index. */
static struct entry *of_link(struct wan *wan, const struct topology_link *state)
{
	struct entry *fresh = find_or_add(wan, state->ifindex), *old = find_name(wan, state->name);

	if (!fresh->link.ifindex)
		return NULL;
	memcpy(fresh->link.name, state->name, sizeof(fresh->link.name));
	if (!old || old == fresh)
		return fresh;
	wan_link_add(&old->link, &fresh->link);
	old->link.ifindex = state->ifindex;
	*fresh = wan->entry[--wan->count];
	memset(&wan->entry[wan->count], 0, sizeof(wan->entry[0]));
	return old == &wan->entry[wan->count] ? fresh : old;
}

struct reconciling {
	struct wan *wan;
	const struct topology *topology;
};

static void reconcile_link(void *ctx, const struct topology_link *state)
{
	const struct reconciling *r = ctx;
	struct entry *entry;

	if (state->side != SIDE_WAN || !state->has_stats)
		return;
	entry = of_link(r->wan, state);
	if (!entry)
		return;
	note_growth(entry, WAN_RX, (struct traffic_count){ state->rx_bytes, state->rx_packets });
	note_growth(entry, WAN_TX, (struct traffic_count){ state->tx_bytes, state->tx_packets });
	entry->was_read = true;
	compare(entry, WAN_RX, topology_has_mac(r->topology, state->ifindex));
	compare(entry, WAN_TX, topology_has_mac(r->topology, state->ifindex));
}

void wan_reconcile(struct wan *wan, const struct topology *topology)
{
	struct reconciling r = { wan, topology };

	topology_each_link(topology, reconcile_link, &r);
}

void wan_link_add(struct wan_link *to, const struct wan_link *from)
{
	for (enum wan_kind kind = 0; kind < WAN_KINDS; kind++) {
		for (enum wan_direction direction = WAN_RX; direction <= WAN_TX; direction++)
			traffic_count_add(&to->count[kind][direction], &from->count[kind][direction]);
	}
}

size_t wan_links(const struct wan *wan, struct wan_link *link, size_t size)
{
	for (size_t i = 0; i < wan->count && i < size; i++)
		link[i] = wan->entry[i].link;
	return wan->count;
}
