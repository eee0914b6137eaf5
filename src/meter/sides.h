/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sides: on which side of the router an interface is, and by which evidence (law 12). A pure function of plain facts,
 * so that tests can hold it against a slow model.
 *
 * An interface is never a LAN because nothing else is known of it: it needs an address of its own, and a WAN must be
 * known, else the interface on which the provider is still to answer would be taken for one. Where evidence leaves, the
 * decision stays until there is other evidence: the WAN whose line is down is not opened to the provider.
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
