/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events: what the kernel tells, made up in one line each, and a small network to tell it of.
 */
#pragma once

#include "hostmeter/decode/ct_event.h"
#include "hostmeter/decode/rtnl_event.h"
#include "hostmeter/decode/sighting.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>

static inline struct addr event_ip(const char *text)
{
	struct addr a = { .family = 0 };

	if (text && addr_parse(&a, text))
		abort();
	return a;
}

static inline struct mac event_mac(const char *text)
{
	struct mac m;

	if (mac_parse(&m, text))
		abort();
	return m;
}

static inline struct rtnl_event event_link(uint32_t ifindex, const char *name, uint32_t master, uint16_t arphrd)
{
	struct rtnl_event e = {
		.type = RTNL_LINK, .ifindex = ifindex, .link = { .master = master, .arphrd = arphrd, .flags = IFF_UP }
	};

	if (arphrd == ARPHRD_LOOPBACK)
		e.link.flags |= IFF_LOOPBACK;
	memcpy(e.link.name, name, strlen(name) + 1);
	return e;
}

static inline struct rtnl_event event_addr(uint32_t ifindex, const char *text, uint8_t len)
{
	return (struct rtnl_event){
		.type = RTNL_ADDR, .ifindex = ifindex, .addr = { .addr = event_ip(text), .prefix_len = len }
	};
}

/* gateway: NULL where the prefix is on the link itself. */
static inline struct rtnl_event event_route(uint32_t ifindex, const char *dst, const char *gateway)
{
	struct rtnl_event e = { .type = RTNL_ROUTE,
		.ifindex = ifindex,
		.route = { .table = RT_TABLE_MAIN, .kind = RTN_UNICAST, .gateway = event_ip(gateway) } };

	if (prefix_parse(&e.route.dst, dst))
		abort();
	return e;
}

static inline struct rtnl_event event_neigh(uint32_t ifindex, const char *addr, const char *mac)
{
	return (struct rtnl_event){ .type = RTNL_NEIGH,
		.ifindex = ifindex,
		.neigh = { .addr = event_ip(addr), .mac = event_mac(mac), .has_mac = true, .state = NUD_REACHABLE } };
}

/* One of the rules every machine has: for all packets, nothing is passed over. */
static inline struct rtnl_event event_rule(uint8_t family, uint32_t priority, uint32_t table)
{
	return (struct rtnl_event){ .type = RTNL_RULE,
		.rule = {
			.family = family, .priority = priority, .table = table, .is_general = true, .suppress = -1 } };
}

static inline struct rtnl_event event_gone(struct rtnl_event e)
{
	e.gone = true;
	return e;
}

/* --- The network: two bridged LANs, a tunnel whose packets have no MACs, and the provider. */

enum { LO = 1, WAN = 2, LAN = 3, GUEST = 4, TUNNEL = 5, PORT = 6 };

#define DESKTOP "02:00:00:00:00:0a"
#define LAPTOP "02:00:00:00:00:0b"
#define VISITOR "02:00:00:00:00:0c"
#define SECOND_ROUTER "02:00:00:00:00:0d"

static inline void events_of_network(void (*take)(void *ctx, const struct rtnl_event *event), void *ctx)
{
	const struct rtnl_event events[] = {
		event_link(LO, "lo", 0, ARPHRD_LOOPBACK), event_link(WAN, "wan0", 0, ARPHRD_ETHER),
		event_link(LAN, "br-lan", 0, ARPHRD_ETHER), event_link(GUEST, "br-guest", 0, ARPHRD_ETHER),
		event_link(TUNNEL, "wg0", 0, ARPHRD_NONE), event_link(PORT, "eth1", LAN, ARPHRD_ETHER),
		event_addr(WAN, "198.51.100.2", 24), event_addr(WAN, "2001:db8:ff::2", 64),
		event_addr(LAN, "192.168.1.1", 24), event_addr(LAN, "2001:db8:1::1", 64),
		event_addr(LAN, "fe80::1", 64), event_addr(WAN, "fe80::2", 64), event_addr(GUEST, "192.168.2.1", 24),
		event_addr(TUNNEL, "10.9.0.1", 24), event_route(WAN, "0.0.0.0/0", "198.51.100.1"),
		event_route(WAN, "::/0", "fe80::ffff"), event_route(WAN, "198.51.100.0/24", NULL),
		event_route(WAN, "2001:db8:ff::/64", NULL), event_route(LAN, "192.168.1.0/24", NULL),
		event_route(LAN, "2001:db8:1::/64", NULL), event_route(GUEST, "192.168.2.0/24", NULL),
		event_route(TUNNEL, "10.9.0.0/24", NULL),
		event_route(LAN, "10.50.0.0/16", "192.168.1.254"), /* behind a second router */
	};

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		take(ctx, &events[i]);
}

/* --- Flows between those who live there */

#define SERVER4 "203.0.113.80"
#define SERVER6 "2001:db8:feed::80"

/* A TCP flow without address translation; the original source has port 40000, the other end 443. */
static inline struct ct_event event_flow(const char *from, const char *to)
{
	struct addr a = event_ip(from), b = event_ip(to);

	return (struct ct_event){ .type = CT_ENTRY,
		.family = a.family,
		.proto = 6,
		.has_counters = true,
		.id = 1,
		.tuple = { { a, b, 40000, 443 }, { b, a, 443, 40000 } } };
}

/* Source NAT as masquerading does it. */
static inline struct ct_event event_masqueraded(const char *from, const char *to)
{
	struct ct_event e = event_flow(from, to);

	e.tuple[CT_REPLY].dst = event_ip("198.51.100.2");
	return e;
}

/* A port of the router's WAN address forwarded to a host. */
static inline struct ct_event event_forwarded(const char *from, const char *to)
{
	struct ct_event e = event_flow(from, to);

	e.tuple[CT_ORIGINAL].dst = event_ip("198.51.100.2");
	return e;
}

/* The first packet of that direction in the forward hook. mac: NULL on a link without. */
static inline struct sighting event_sighting(const struct ct_event *flow, enum ct_dir dir, uint32_t indev,
	uint32_t outdev, const char *mac)
{
	const struct ct_tuple *from = &flow->tuple[dir], *to = &flow->tuple[!dir];
	struct sighting s = { .indev = indev,
		.outdev = outdev,
		.family = flow->family,
		.proto = flow->proto,
		.zone = flow->zone,
		.has_ports = true,
		.has_mac = mac,
		.src = from->src,
		.dst = to->src,
		.sport = from->sport,
		.dport = to->sport };

	if (mac)
		s.mac = event_mac(mac);
	return s;
}
