/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnl_event: what rtnetlink says of links, addresses, routes and neighbours, in plain values.
 */
#pragma once

#include "hostmeter/base/addr.h"

enum { IFNAME_LEN = 16 }; /* IFNAMSIZ */

enum rtnl_type { RTNL_LINK, RTNL_ADDR, RTNL_ROUTE, RTNL_NEIGH, RTNL_RULE };

/* What an interface is made of (IFLA_INFO_KIND), as far as it decides about its side. */
enum rtnl_kind {
	RTNL_KIND_PLAIN,
	RTNL_KIND_BRIDGE,
	RTNL_KIND_VRF,
	RTNL_KIND_IFB,
	RTNL_KIND_DUMMY,
	RTNL_KIND_WIREGUARD
};

enum { RTNL_OTHER_HOPS = 15 };

struct rtnl_link {
	char name[IFNAME_LEN];
	uint32_t master; /* ifindex of its bridge, bond or VRF, 0 if none */
	uint32_t
		lower; /* ifindex of the interface that it runs over (VLAN, macvlan, tunnel), 0 if none is known here */
	uint8_t kind;  /* enum rtnl_kind */
	uint32_t flags;  /* IFF_… */
	uint16_t arphrd; /* ARPHRD_…: says whether the link has MAC addresses */
	bool has_stats;
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets; /* IFLA_STATS64 */
};

struct rtnl_addr {
	struct addr addr; /* the router's own (IFA_LOCAL where given) */
	uint8_t prefix_len;
	bool is_leased; /* IPv4, and valid for a time only: another machine gave it to the router */
};

/* A next hop of a multipath route. */
struct rtnl_hop {
	uint32_t ifindex;
	struct addr gateway; /* family 0: on the link itself */
};

struct rtnl_route {
	struct prefix dst; /* length 0: a default route */
	uint32_t table;    /* RT_TABLE_… */
	uint32_t metric;
	uint8_t kind;        /* RTN_UNICAST, RTN_LOCAL, … */
	struct addr gateway; /* of the first next hop; family 0: on the link itself */
	uint8_t others; /* how many further next hops a multipath route has in other[]; beyond its size they are cut */
	struct rtnl_hop other[RTNL_OTHER_HOPS];
};

struct rtnl_neigh {
	struct addr addr;
	struct mac mac;
	bool has_mac;
	uint16_t state; /* NUD_… */
};

/* A rule of policy routing: which table is looked at. */
struct rtnl_rule {
	uint8_t family; /* 4 or 6 */
	uint32_t priority;
	uint32_t table;   /* 0: none is looked at */
	bool is_general;  /* for all unmarked traffic: no source, interface or mark is asked for */
	bool is_vrf;      /* the tables of VRFs are looked at */
	struct prefix to; /* with is_general: only for packets to these addresses; length 0: to all */
	int32_t suppress; /* routes up to this prefix length are passed over; -1: none */
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
		struct rtnl_rule rule;
	};
};
