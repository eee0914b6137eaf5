/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sides: on which side of the router an interface is, and by which evidence (law 12). A pure function of plain facts,
 * so that tests can hold it against a slow model.
 *
 * An interface is a LAN only if the router has an address on it and a WAN is known. Before a WAN is known, any
 * interface may be the one to the provider. An interface that loses its default route stays a WAN, so that it is not
 * opened to the provider while the line is down; only one that was a LAN before the route came is a LAN again.
 */
#pragma once

#include "hostmeter/meter/topology.h"

/* What is known of one interface, and what was decided. */
struct sides_link {
	uint32_t ifindex;
	const struct rtnl_link *state;
	bool has_default; /* a default route that is in use leads out of it */
	bool has_address; /* one of the router's own, link-local ones aside */
	bool is_vrf_port; /* its master is a VRF: a layer-3 interface like any other */
	enum side side;
	enum topology_reason reason;
	uint32_t because_of; /* ifindex of the WAN that it carries, with TOPOLOGY_CARRIES */
	bool was_lan;        /* before a default route came */
	bool was_wan;        /* by a default route, and nothing has told otherwise since */
};

/* Interface names from the configuration, each list NULL or ending with NULL. */
struct sides_config {
	const char *const *lan, *const *wan, *const *carrier, *const *ignore;
};

/* Decides the side of each of the count links. Links keep what they remember from one call to the next. */
void sides_decide(struct sides_link *const *links, size_t count, const struct sides_config *config);
