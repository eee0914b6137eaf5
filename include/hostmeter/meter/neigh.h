/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * neigh: the MAC of an address, by the kernel's neighbour table (from rtnetlink) and by the latest sighting of each
 * address, which outlives the kernel's entry.
 *
 * Both tables are bounded. When one is full, the entry without news for the longest makes room, but rather one whose
 * MAC is of no host that is worth it, or has very many addresses: anybody can make up both.
 */
#pragma once

#include "hostmeter/decode/rtnl_event.h"

#include <stddef.h>

struct neigh;

/* At most limit neighbours and limit sightings. NULL: out of memory. */
struct neigh *neigh_new(size_t limit);
void neigh_free(struct neigh *neigh);
size_t neigh_count(const struct neigh *neigh);

/*
 * Sets who says whether the entries of a MAC are worth more than others. Nobody: all are alike, then the oldest
 * sighting makes room, and no neighbour does.
 */
void neigh_prefer(struct neigh *neigh, bool (*is_worth)(void *ctx, const struct mac *mac), void *ctx);

/* Takes an RTNL_NEIGH event; others are ignored. An entry without a valid MAC is removed. */
void neigh_rtnl(struct neigh *neigh, const struct rtnl_event *event, uint64_t now);

/* Around a dump of all neighbours: those that it did not list are removed. */
void neigh_sync_begin(struct neigh *neigh);
void neigh_sync_end(struct neigh *neigh);

/* The MAC of addr on this interface, by the kernel's table. */
bool neigh_find(const struct neigh *neigh, uint32_t ifindex, const struct addr *addr, struct mac *mac);

/* A packet with this source address came from mac by ifindex. */
void neigh_saw(struct neigh *neigh, uint32_t ifindex, const struct addr *addr, const struct mac *mac, uint64_t now);

/* The latest sighting of addr on any interface. */
bool neigh_last_seen(const struct neigh *neigh, const struct addr *addr, struct mac *mac, uint32_t *ifindex);

/* Two interfaces on which two MACs had this address, the latest one first. False: there are none. */
bool neigh_had_two(const struct neigh *neigh, const struct addr *addr, uint32_t ifindex[static 2]);

/* Calls each for every sighting, in no order. */
void neigh_each_seen(const struct neigh *neigh,
	void (*each)(void *ctx, const struct addr *addr, const struct mac *mac, uint64_t time), void *ctx);
