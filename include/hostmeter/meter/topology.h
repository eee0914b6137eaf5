/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * topology: which interface and which address is LAN, WAN or the router's own, followed live.
 *
 * The configuration decides, or the evidence (src/meter/sides.h): a WAN has a default route; a carrier is what a WAN
 * runs over; transit is what translates; a LAN has an address of the router, and is one only while a WAN is known.
 *
 * The number of routes kept is limited. Routes of at most 4 bits decide about sides and have room of their own. When
 * the table of the others is full, routes that lead out of a WAN are dropped first: the default route gives the same
 * side.
 */
#pragma once

#include "hostmeter/decode/rtnl_event.h"

#include <stddef.h>

enum side {
	SIDE_NONE, /* loopback, no address at all */
	SIDE_LAN,
	SIDE_WAN,
	SIDE_ROUTER,  /* an address of the router itself */
	SIDE_GROUP,   /* multicast, broadcast */
	SIDE_OTHER,   /* an interface that is left out: by configuration, or since it is a port of another one */
	SIDE_CARRIER, /* what a WAN runs over: its VLAN's, macvlan's or PPPoE session's port */
	SIDE_TRANSIT, /* of a translator (NAT64, 464XLAT): beyond it is the Internet, by another flow through a WAN */
	SIDE_UNKNOWN, /* nothing tells yet */
};

/* The evidence for an interface's side. */
enum topology_reason {
	TOPOLOGY_UNDECIDED,
	TOPOLOGY_CONFIGURED,
	TOPOLOGY_LEFT_OUT, /* the configuration names LANs, and not this one */
	TOPOLOGY_LOOPBACK,
	TOPOLOGY_PORT,
	TOPOLOGY_NO_ENDPOINT, /* packets pass through it, none begins or ends there: ifb, a VRF's device */
	TOPOLOGY_DEFAULT_ROUTE,
	TOPOLOGY_HAD_DEFAULT,
	TOPOLOGY_PUBLIC_ROUTE,
	TOPOLOGY_CARRIES,
	TOPOLOGY_TRANSLATES,
	TOPOLOGY_OWN_SUBNET,
	TOPOLOGY_NO_WAN,
	TOPOLOGY_NO_ADDRESS,
	TOPOLOGY_FOREIGN_ADDRESS, /* public, or leased to the router: as a provider gives it */
	TOPOLOGY_SETTLES,         /* it came a moment ago: its default route may follow */
	TOPOLOGY_REASONS,
};

/* Interface names from the configuration, each list NULL or ending with NULL, and borrowed. Empty: found by itself. */
struct topology_config {
	const char *const *lan, *const *wan, *const *carrier, *const *transit, *const *ignore;
};

struct topology;

/*
 * limit: how many routes are kept, and as many short ones besides; the limit of addresses and of rules too. NULL: out
 * of memory.
 */
struct topology *topology_new(const struct topology_config *config, size_t limit);
void topology_free(struct topology *topology);

/* Decides by another configuration from now on. */
void topology_configure(struct topology *topology, const struct topology_config *config, uint64_t now);

/* Whether an interface has this name; and how many of the names of lan and wan no interface has. */
bool topology_has(const struct topology *topology, const char *name);
size_t topology_missing(const struct topology *topology);

/* Takes links, addresses, routes and rules; other events are ignored. now: as meter.h has it. */
void topology_rtnl(struct topology *topology, const struct rtnl_event *event, uint64_t now);

/* Around a dump of all of one type, of one family or (0) of both: what the dump did not list is gone. */
void topology_sync_begin(struct topology *topology, enum rtnl_type type, uint8_t family);
void topology_sync_end(struct topology *topology, enum rtnl_type type, uint8_t family, uint64_t now);

/* All was dumped once: what comes from now on is new. */
void topology_known(struct topology *topology, uint64_t now);

/* To be called often: sides that change by the time alone. */
void topology_tick(struct topology *topology, uint64_t now);

/* How many news of the router's addresses came: when it changes, one may have become usable. */
size_t topology_address_news(const struct topology *topology);

/* How many PPP links came or went: when it changes, so may topology_pppoe(). */
size_t topology_ppp_links(const struct topology *topology);

/* The interfaces that PPPoE sessions run over, by name; at most TOPOLOGY_PPPOE_MOST are taken. */
enum { TOPOLOGY_PPPOE_MOST = 8 };
void topology_pppoe(struct topology *topology, const char (*name)[IFNAME_LEN], size_t count, uint64_t now);

/* The side that was decided for an interface; SIDE_OTHER if the interface does not exist. */
enum side topology_interface(const struct topology *topology, uint32_t ifindex);

/*
 * Where an address is, and by which interface (0: unknown). *gateway is the next hop on that interface, family 0 where
 * the address is on the link itself. An address that no route leads to is SIDE_WAN.
 */
enum side topology_address(const struct topology *topology, const struct addr *addr, uint32_t *ifindex,
	struct addr *gateway);

/*
 * Whether packets for foreign addresses of a family (4 or 6) may be delivered to this machine, as for a transparent
 * proxy: then a flow between a LAN and the WAN may end here.
 */
bool topology_delivers_locally(const struct topology *topology, uint8_t family);

/* Whether it is the device of a VRF: then packets of any of the VRF's interfaces are seen to come and leave by it. */
bool topology_is_vrf(const struct topology *topology, uint32_t ifindex);

/* Whether the address is of a network in which the router has an address on this interface. */
bool topology_is_on_link(const struct topology *topology, const struct addr *addr, uint32_t ifindex);

/* Whether the router has an address in a network with this address on more than one LAN; never of a link-local one. */
bool topology_is_on_two_links(const struct topology *topology, const struct addr *addr);

/* How many routes that do not lead out of a WAN were not kept because the table was full. */
uint64_t topology_passed_over(const struct topology *topology);

/* Whether packets on this interface have MAC addresses (Ethernet and what looks like it). False if it is unknown. */
bool topology_has_mac(const struct topology *topology, uint32_t ifindex);

/* One interface, for metrics and people. */
struct topology_link {
	uint32_t ifindex;
	char name[IFNAME_LEN];
	enum side side;
	bool is_port; /* of a bridge or bond */
	bool is_up;
	bool has_stats;
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
	enum topology_reason reason; /* why it is on that side */
	char because_of[IFNAME_LEN]; /* the WAN's name, with TOPOLOGY_CARRIES */
};

/* "wan", "lan", "carrier", "transit", "other", "unknown", ... */
const char *topology_side_name(enum side side);

/* The reason as half a sentence: "a default route leads out of it". What it carries is because_of, to be added. */
const char *topology_reason_text(enum topology_reason reason);

/* Calls each for every link in the order of ifindex. */
void topology_each_link(const struct topology *topology, void (*each)(void *ctx, const struct topology_link *link),
	void *ctx);

/* Calls each for every address of the router, in the order in which they were met. */
void topology_each_address(const struct topology *topology,
	void (*each)(void *ctx, const struct addr *addr, uint32_t ifindex), void *ctx);

/* Calls changed for each link whose side changes from now on, during the calls above; NULL: nobody. */
void topology_watch(struct topology *topology,
	void (*changed)(void *ctx, const struct topology_link *link, enum side before), void *ctx);

/* What is remembered of interfaces by their names, for the checkpoint: each calls back; set before the first event. */
struct topology_memory {
	char name[IFNAME_LEN];
	bool was_lan, was_wan;
	uint64_t lan_ns, wan_ns; /* how long it was on that side */
};
void topology_each_memory(const struct topology *topology, uint64_t now,
	void (*each)(void *ctx, const struct topology_memory *memory), void *ctx);
void topology_remember(struct topology *topology, const struct topology_memory *memory);

/* The link's name, or "" if it is unknown. Valid until the next event. */
const char *topology_name(const struct topology *topology, uint32_t ifindex);

/*
 * The side of the interface on which the router has an address with this one in its prefix: the longest such prefix,
 * and of several interfaces with the same one a LAN. SIDE_UNKNOWN: there is none. Routes are not looked at.
 */
enum side topology_subnet(const struct topology *topology, const struct addr *addr);
