/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * routes: the kernel's routes and rules, as far as they tell on which side an address or an interface is.
 *
 * A lookup goes as the kernel's: table by table in the order of the rules, in each the longest prefix, then the lowest
 * metric. It takes one step for each prefix length that occurs, however many routes there are. Rules that ask for a
 * mark, a source or an interface are not followed, since a flow's addresses do not tell those; their tables do count
 * for which interface is a WAN.
 *
 * The number of next hops is limited. When the table is full, those that lead out of a WAN are dropped first, since the
 * default route says the same of their side. Routes of at most ROUTES_SHORT bits may be parts of a default route and
 * have room of their own.
 */
#pragma once

#include "hostmeter/decode/rtnl_event.h"

#include <stddef.h>

enum { ROUTES_SHORT = 8 };

struct routes;

/* is_wan: asked, with ctx, what the next hops on an interface are worth. NULL: out of memory. */
struct routes *routes_new(size_t limit, bool (*is_wan)(void *ctx, uint32_t ifindex), void *ctx);
void routes_free(struct routes *routes);

/* Takes a route or a rule. */
void routes_take(struct routes *routes, const struct rtnl_event *event);

/* As topology_sync_begin() and topology_sync_end(), for RTNL_ROUTE and RTNL_RULE. */
void routes_sync(struct routes *routes, enum rtnl_type type, uint8_t family, bool begins);

/* When a link goes down the kernel removes its IPv4 routes without an event for each. */
void routes_forget_link(struct routes *routes, uint32_t ifindex);

/* The sides of interfaces changed: when the table is full, there may be something to drop again. */
void routes_sides_changed(struct routes *routes);

/* How many next hops that do not lead out of a WAN found no room. */
uint64_t routes_dropped(const struct routes *routes);

/* A next hop of a route. */
struct routes_hop {
	uint32_t ifindex, table, metric;
	uint8_t kind; /* RTN_UNICAST; RTN_THROW: on to the next table; RTN_LOCAL, only of short routes */
	bool listed;
	struct addr gateway; /* family 0: on the link itself */
	struct prefix dst;
	struct routes_hop *next; /* of the same prefix and table */
};

/*
 * Whether a table that a rule looks at delivers foreign addresses to this machine: a short route of type local, as
 * transparent proxies have it (TPROXY).
 */
bool routes_deliver_locally(const struct routes *routes, uint8_t family);

/* Where packets to this address go that no other rule than for all packets takes. NULL: nowhere. */
const struct routes_hop *routes_find(const struct routes *routes, const struct addr *addr);

/* Whether a rule looks at the hop's table. is_vrf_port: the hop's interface belongs to a VRF. */
bool routes_is_used(const struct routes *routes, const struct routes_hop *hop, bool is_vrf_port);

/*
 * Whether a short route is a default route, or part of one. A route of length 0 is. Longer ones are if those of their
 * table take at least three quarters of the addresses of Internet hosts together, and those of the interface at least a
 * sixteenth: VPN clients write halves, quarters, or dozens of prefixes that leave out the private ones.
 */
bool routes_is_default(const struct routes *routes, const struct routes_hop *hop);

/* Whether a unicast route may be evidence of a translator: of one IPv6 address, or of a prefix as NAT64 has it. */
bool routes_is_host6(const struct prefix *dst);
bool routes_is_translated(const struct prefix *dst);

/* Whether it is a piece of IPv4's Internet, of more than ROUTES_SHORT bits and at most 24. */
bool routes_is_public(const struct prefix *dst);

/* Calls each for every unicast hop that may be evidence: of short routes, translators and pieces of the Internet. */
void routes_each_evidence(const struct routes *routes, void (*each)(void *ctx, const struct routes_hop *hop),
	void *ctx);
