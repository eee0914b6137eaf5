/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnl_event: what rtnetlink says of links, addresses, routes and neighbours, in plain values.
 */
#pragma once

#include "hostmeter/base/addr.h"

enum { IFNAME_LEN = 16 }; /* IFNAMSIZ */

enum rtnl_type { RTNL_LINK, RTNL_ADDR, RTNL_ROUTE, RTNL_NEIGH };

struct rtnl_link {
	char name[IFNAME_LEN];
	uint32_t master; /* ifindex of its bridge or bond, 0 if none */
	uint32_t flags;  /* IFF_… */
	uint16_t arphrd; /* ARPHRD_…: says whether the link has MAC addresses */
	bool has_stats;
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets; /* IFLA_STATS64 */
};

struct rtnl_addr {
	struct addr addr; /* the router's own (IFA_LOCAL where given) */
	uint8_t prefix_len;
};

struct rtnl_route {
	struct prefix dst; /* length 0: a default route */
	uint32_t table;    /* RT_TABLE_… */
	uint32_t metric;
	uint8_t kind;        /* RTN_UNICAST, RTN_LOCAL, … */
	struct addr gateway; /* family 0: on the link itself */
};

struct rtnl_neigh {
	struct addr addr;
	struct mac mac;
	bool has_mac;
	uint16_t state; /* NUD_… */
};

struct rtnl_event {
	uint8_t type;     /* enum rtnl_type */
	bool gone;        /* RTM_DEL… */
	bool replaces;    /* a route that takes the place of those with its destination, table and metric */
	uint32_t ifindex; /* for a route its outgoing interface (the first of a multipath route), 0 if none */
	union {
		struct rtnl_link link;
		struct rtnl_addr addr;
		struct rtnl_route route;
		struct rtnl_neigh neigh;
	};
};
