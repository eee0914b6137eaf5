/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sides: on which side of the router an interface is, and by which evidence (law 12). A pure function of plain facts
 * and the time, so that tests can hold it against a slow model.
 *
 * The default route is the evidence for a WAN. A LAN needs more than its lack, since an interface to a provider may
 * have its address before its route: a WAN is known, the router has an address there that networks of one's own use,
 * and, if it came while the meter ran, it has had the address for SIDES_SETTLE_NS.
 *
 * An interface that loses its default route stays a WAN, so that it is not opened to the provider while the line is
 * down. It is a LAN again only if it was one before the route came, and for longer than the route lasted: a stray
 * route on a LAN is short, and so is the time before the route of a WAN.
 */
#pragma once

#include "hostmeter/meter/topology.h"

#define SIDES_SETTLE_NS (UINT64_C(5) * 1000000000)

/* What a LAN of the meter's start is worth: the meter does not know how long it had been one. */
#define SIDES_START_NS (UINT64_C(60) * 1000000000)

/* What is known of one interface, and what was decided. */
struct sides_link {
	uint32_t ifindex;
	const struct rtnl_link *state;

	/* Facts of now. */
	bool has_default[2];    /* IPv4, IPv6: a default route that is in use leads out of it */
	bool has_address;       /* one of the router's own, link-local ones aside */
	bool has_private;       /* an IPv4 address of those for networks of one's own, for as long as one likes */
	bool has_foreign;       /* its IPv4 addresses are all public ones, or leased to the router */
	bool is_vrf_port;       /* its master is a VRF: a layer-3 interface like any other */
	bool has_translated;    /* an IPv6 route as translators to IPv4 have it leads out of it */
	bool has_host6;         /* an IPv6 route of one address that is not the router's leads out of it */
	bool has_public;        /* a route to a piece of IPv4's Internet leads out of it */
	bool is_pppoe_port;     /* a PPPoE session runs over it */
	bool was_there;         /* with its address when the meter started */
	uint64_t address_since; /* when it got its first address; 0: it has none */

	/* was_wan: by a default route, and nothing has told otherwise since. */
	struct topology_memory memory;
	uint64_t decided_at;
	enum side side;
	enum topology_reason reason;
	uint32_t because_of; /* ifindex of the WAN that it carries, with TOPOLOGY_CARRIES */
};

/* Adds the time since the last call to what the interface was in it. sides_decide() does so itself. */
void sides_account(struct sides_link *link, uint64_t now);

/* Decides the side of each of the count links. */
void sides_decide(struct sides_link *const *links, size_t count, const struct topology_config *config, uint64_t now);

/* When a decision may change by the time alone: the earliest end of a link's settling, or UINT64_MAX. */
uint64_t sides_due(struct sides_link *const *links, size_t count);
