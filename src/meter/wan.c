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
	bool was_read, has_mac;
	bool fresh;                      /* read since the last comparison */
	struct traffic_count read[2];    /* the interface's own counters at the last reading */
	struct traffic_count grown[2];   /* their growth since the first reading */
	struct traffic_count before[2];  /* what flows had at the first reading */
	struct traffic_count missing[2]; /* from the flows at the end of the last dump */
};

struct wan {
	struct entry entry[MAX_LINKS];
	size_t count;
	bool was_read;
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

static struct entry *find(struct wan *wan, uint32_t ifindex)
{
	for (size_t i = 0; i < wan->count; i++) {
		if (wan->entry[i].link.ifindex == ifindex)
			return &wan->entry[i];
	}
	return NULL;
}

static struct entry *find_or_add(struct wan *wan, uint32_t ifindex)
{
	struct entry *entry = find(wan, ifindex);

	if (entry)
		return entry;
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

/* What flows through this interface had, of all kinds. */
static struct traffic_count seen(const struct entry *entry, enum wan_direction direction)
{
	struct traffic_count sum = { 0, 0 };

	for (enum wan_kind kind = 0; kind < WAN_UNSEEN; kind++)
		traffic_count_add(&sum, &entry->link.count[kind][direction]);
	return sum;
}

/* --- Readings of the interfaces */

static void note_seen(struct entry *entry)
{
	for (enum wan_direction direction = WAN_RX; direction <= WAN_TX; direction++)
		entry->before[direction] = seen(entry, direction);
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

struct reading {
	struct wan *wan;
	const struct topology *topology;
};

static void read_link(void *ctx, const struct topology_link *state)
{
	const struct reading *r = ctx;
	struct entry *entry;

	if (state->side != SIDE_WAN || !state->has_stats)
		return;
	entry = of_link(r->wan, state);
	if (!entry)
		return;
	if (!entry->was_read)
		note_seen(entry);
	note_growth(entry, WAN_RX, (struct traffic_count){ state->rx_bytes, state->rx_packets });
	note_growth(entry, WAN_TX, (struct traffic_count){ state->tx_bytes, state->tx_packets });
	entry->was_read = entry->fresh = true;
	entry->has_mac = topology_has_mac(r->topology, state->ifindex);
}

void wan_read(struct wan *wan, const struct topology *topology)
{
	struct reading r = { wan, topology };
	struct entry *homeless = find(wan, 0);

	if (!wan->was_read && homeless)
		note_seen(homeless);
	wan->was_read = true;
	topology_each_link(topology, read_link, &r);
}

/* --- The comparison */

/*
 * What the interface has more than all flows is unseen, as far as it was missing at the last dump already. homeless:
 * what flows had whose interface is not known; what may have crossed this one is taken off it.
 */
static void compare(struct entry *entry, enum wan_direction direction, const struct traffic_count *held,
	struct traffic_count *homeless)
{
	struct wan_link *link = &entry->link;
	struct traffic_count known = seen(entry, direction), missing = entry->grown[direction], rest, *unseen;

	link->header_bytes[direction] = entry->has_mac ? missing.packets * ETHERNET_HEADER : 0;
	traffic_count_add(&missing, &entry->before[direction]);
	traffic_count_add(&known, held);
	known.bytes += link->header_bytes[direction];
	missing = traffic_count_less(&missing, &known);
	rest = traffic_count_less(&missing, homeless);
	*homeless = traffic_count_less(homeless, &missing);
	missing = traffic_count_min(&rest, &entry->missing[direction]);
	entry->missing[direction] = rest;
	unseen = &link->count[WAN_UNSEEN][direction];
	*unseen = traffic_count_max(unseen, &missing);
}

void wan_reconcile(struct wan *wan, const struct traffic_count *held)
{
	const struct entry *none = find(wan, 0);
	struct traffic_count homeless[2] = { { 0, 0 } };

	for (enum wan_direction direction = WAN_RX; direction <= WAN_TX && none; direction++) {
		homeless[direction] = seen(none, direction);
		homeless[direction] = traffic_count_less(&homeless[direction], &none->before[direction]);
	}
	for (size_t i = 0; i < wan->count; i++) {
		struct entry *entry = &wan->entry[i];

		for (enum wan_direction direction = WAN_RX; direction <= WAN_TX && entry->fresh; direction++)
			compare(entry, direction, held, &homeless[direction]);
		entry->fresh = false;
	}
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
