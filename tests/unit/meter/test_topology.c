/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/topology.h"

#include "events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void take(void *ctx, const struct rtnl_event *event)
{
	topology_rtnl(ctx, event, 0);
}

static void tell(struct topology *t, struct rtnl_event event)
{
	topology_rtnl(t, &event, 0);
}

static struct topology *network(const char *const *lan, const char *const *wan)
{
	struct topology *t = topology_new(&(struct topology_config){ .lan = lan, .wan = wan }, 100);

	assert_non_null(t);
	events_of_network(take, t);
	return t;
}

/* gateway: NULL for none. */
static void check(const struct topology *t, const char *text, enum side side, uint32_t ifindex, const char *gateway)
{
	struct addr addr = event_ip(text), want = event_ip(gateway), got;
	uint32_t got_ifindex;
	enum side got_side = topology_address(t, &addr, &got_ifindex, &got);

	if (got_side != side || got_ifindex != ifindex || !addr_equal(&got, &want))
		fail_msg("%s: side %d by %u, not side %d by %u; or the gateway is wrong", text, got_side, got_ifindex,
			side, ifindex);
}

static void sides_are_found(void **state)
{
	struct topology *t = network(NULL, NULL);

	(void)state;
	assert_int_equal(topology_interface(t, LO), SIDE_NONE);
	assert_int_equal(topology_interface(t, WAN), SIDE_WAN);
	assert_int_equal(topology_interface(t, LAN), SIDE_LAN);
	assert_int_equal(topology_interface(t, GUEST), SIDE_LAN);
	assert_int_equal(topology_interface(t, TUNNEL), SIDE_LAN);
	assert_int_equal(topology_interface(t, PORT), SIDE_OTHER);
	assert_int_equal(topology_interface(t, 99), SIDE_OTHER);
	topology_free(t);
	topology_free(NULL);
}

static void addresses_are_placed(void **state)
{
	struct topology *t = network(NULL, NULL);

	(void)state;
	check(t, "192.168.1.10", SIDE_LAN, LAN, NULL);
	check(t, "192.168.2.10", SIDE_LAN, GUEST, NULL);
	check(t, "2001:db8:1::10", SIDE_LAN, LAN, NULL);
	check(t, "10.9.0.7", SIDE_LAN, TUNNEL, NULL);
	check(t, "10.50.3.4", SIDE_LAN, LAN, "192.168.1.254");
	check(t, "203.0.113.80", SIDE_WAN, WAN, "198.51.100.1");
	check(t, "198.51.100.77", SIDE_WAN, WAN, NULL);
	check(t, "2001:db8:feed::80", SIDE_WAN, WAN, "fe80::ffff");
	topology_free(t);
}

static void the_router_has_addresses(void **state)
{
	struct topology *t = network(NULL, NULL);

	(void)state;
	check(t, "192.168.1.1", SIDE_ROUTER, LAN, NULL);
	check(t, "198.51.100.2", SIDE_ROUTER, WAN, NULL);
	check(t, "2001:db8:1::1", SIDE_ROUTER, LAN, NULL);
	check(t, "fe80::2", SIDE_ROUTER, WAN, NULL);
	check(t, "127.0.0.1", SIDE_ROUTER, 0, NULL);
	check(t, "::1", SIDE_ROUTER, 0, NULL);
	/* On two interfaces at once it is the router's until it has left both. */
	tell(t, event_addr(GUEST, "192.168.1.1", 24));
	tell(t, event_gone(event_addr(LAN, "192.168.1.1", 24)));
	check(t, "192.168.1.1", SIDE_ROUTER, GUEST, NULL);
	tell(t, event_gone(event_addr(GUEST, "192.168.1.1", 24)));
	check(t, "192.168.1.1", SIDE_LAN, LAN, NULL);
	topology_free(t);
}

static void some_addresses_are_nobody(void **state)
{
	struct topology *t = network(NULL, NULL);

	(void)state;
	check(t, "224.0.0.251", SIDE_GROUP, 0, NULL);
	check(t, "255.255.255.255", SIDE_GROUP, 0, NULL);
	check(t, "ff02::fb", SIDE_GROUP, 0, NULL);
	check(t, "192.168.1.255", SIDE_GROUP, 0, NULL);
	check(t, "198.51.100.255", SIDE_GROUP, 0, NULL);
	check(t, "192.168.1.254", SIDE_LAN, LAN, NULL);
	check(t, "192.168.3.255", SIDE_WAN, WAN, "198.51.100.1"); /* of no subnet here */
	check(t, "0.0.0.0", SIDE_NONE, 0, NULL);
	check(t, "::", SIDE_NONE, 0, NULL);
	/* A subnet need not end at a byte; point-to-point ones have no broadcast. */
	tell(t, event_addr(GUEST, "10.1.2.1", 22));
	check(t, "10.1.3.255", SIDE_GROUP, 0, NULL);
	check(t, "10.1.2.255", SIDE_WAN, WAN, "198.51.100.1");
	tell(t, event_addr(TUNNEL, "10.8.0.0", 31));
	tell(t, event_route(TUNNEL, "10.8.0.0/31", NULL));
	check(t, "10.8.0.1", SIDE_LAN, TUNNEL, NULL);
	topology_free(t);
}

static void the_longest_prefix_wins(void **state)
{
	struct topology *t = network(NULL, NULL);
	struct rtnl_event dear = event_route(GUEST, "10.0.0.0/8", NULL);

	(void)state;
	tell(t, event_route(GUEST, "10.50.7.0/24", NULL));
	check(t, "10.50.7.1", SIDE_LAN, GUEST, NULL);
	check(t, "10.50.8.1", SIDE_LAN, LAN, "192.168.1.254");
	/* Of equal length the cheaper, whichever came first. */
	dear.route.metric = 100;
	tell(t, dear);
	check(t, "10.99.0.1", SIDE_LAN, GUEST, NULL);
	tell(t, event_route(TUNNEL, "10.0.0.0/8", NULL));
	check(t, "10.99.0.1", SIDE_LAN, TUNNEL, NULL);
	tell(t, event_gone(event_route(TUNNEL, "10.0.0.0/8", NULL)));
	check(t, "10.99.0.1", SIDE_LAN, GUEST, NULL);
	tell(t, event_gone(dear));
	check(t, "10.99.0.1", SIDE_WAN, WAN, "198.51.100.1");
	topology_free(t);
}

static void only_unicast_routes_lead_somewhere(void **state)
{
	struct topology *t = network(NULL, NULL);
	struct rtnl_event e = event_route(LAN, "203.0.113.0/24", NULL);

	(void)state;
	e.route.kind = RTN_BLACKHOLE;
	tell(t, e);
	check(t, "203.0.113.80", SIDE_WAN, WAN, "198.51.100.1");
	e.route.kind = RTN_UNICAST;
	e.ifindex = 0;
	tell(t, e);
	check(t, "203.0.113.80", SIDE_WAN, WAN, "198.51.100.1");
	topology_free(t);
}

static void no_route_is_wan(void **state)
{
	struct topology *t = topology_new(&(struct topology_config){ .lan = NULL }, 100);

	(void)state;
	check(t, "203.0.113.80", SIDE_WAN, 0, NULL);
	check(t, "2001:db8::1", SIDE_WAN, 0, NULL);
	topology_free(t);
}

/* `ip route replace` onto another interface: the kernel tells of the new one only. */
static void a_route_is_replaced(void **state)
{
	struct topology *t = network(NULL, NULL);
	struct rtnl_event e = event_route(TUNNEL, "10.60.0.0/16", NULL);

	(void)state;
	tell(t, event_route(GUEST, "10.60.0.0/16", NULL));
	tell(t, e); /* beside it */
	check(t, "10.60.1.1", SIDE_LAN, GUEST, NULL);
	e.replaces = true;
	tell(t, e);
	check(t, "10.60.1.1", SIDE_LAN, TUNNEL, NULL);
	topology_free(t);
}

static void a_default_route_moves(void **state)
{
	struct topology *t = network(NULL, NULL);

	(void)state;
	tell(t, event_link(7, "lte0", 0, ARPHRD_NONE));
	assert_int_equal(topology_interface(t, 7), SIDE_UNKNOWN); /* no address yet */
	tell(t, event_gone(event_route(WAN, "0.0.0.0/0", "198.51.100.1")));
	tell(t, event_route(7, "0.0.0.0/0", NULL));
	assert_int_equal(topology_interface(t, 7), SIDE_WAN);
	check(t, "203.0.113.80", SIDE_WAN, 7, NULL);
	/* The first provider's line is down for a moment, but it is no LAN. */
	assert_int_equal(topology_interface(t, WAN), SIDE_WAN);
	tell(t, event_gone(event_route(WAN, "::/0", "fe80::ffff")));
	assert_int_equal(topology_interface(t, WAN), SIDE_WAN);
	tell(t, event_link(WAN, "wan0", 0, ARPHRD_ETHER));
	assert_int_equal(topology_interface(t, WAN), SIDE_WAN);
	/* That lasts for as long as the interface: another that gets its number starts anew. */
	tell(t, event_gone(event_link(WAN, "wan0", 0, ARPHRD_ETHER)));
	tell(t, event_link(WAN, "br-new", 0, ARPHRD_ETHER));
	tell(t, event_addr(WAN, "192.168.9.1", 24));
	assert_int_equal(topology_interface(t, WAN), SIDE_LAN);
	topology_free(t);
}

/* The kernel takes a link's IPv4 routes away with it, and says nothing of them. */
static void a_links_routes_go_with_it(void **state)
{
	struct topology *t = network(NULL, NULL);
	struct rtnl_event down = event_link(LAN, "br-lan", 0, ARPHRD_ETHER);

	(void)state;
	/* The bridge was made anew and has another number. */
	tell(t, event_gone(event_link(LAN, "br-lan", 0, ARPHRD_ETHER)));
	tell(t, event_link(12, "br-lan", 0, ARPHRD_ETHER));
	tell(t, event_addr(12, "192.168.1.1", 24));
	tell(t, event_route(12, "192.168.1.0/24", NULL));
	check(t, "192.168.1.10", SIDE_LAN, 12, NULL);
	check(t, "10.50.3.4", SIDE_WAN, WAN, "198.51.100.1");
	topology_free(t);

	t = network(NULL, NULL);
	down.link.flags = 0;
	tell(t, down);
	check(t, "192.168.1.10", SIDE_WAN, WAN, "198.51.100.1");
	topology_free(t);
}

static void the_configuration_says(void **state)
{
	static const char *const guest_only[] = { "br-guest", NULL }, *const tunnel_only[] = { "wg0", NULL },
				 *const empty[] = { NULL }, *const wan0[] = { "wan0", NULL },
				 *const port[] = { "eth1", NULL };
	struct topology *t = network(guest_only, NULL);

	(void)state;
	/* LAN is given, WAN is found: what is neither is left out. */
	assert_int_equal(topology_interface(t, GUEST), SIDE_LAN);
	assert_int_equal(topology_interface(t, WAN), SIDE_WAN);
	assert_int_equal(topology_interface(t, LAN), SIDE_OTHER);
	assert_int_equal(topology_interface(t, LO), SIDE_NONE);
	check(t, "192.168.1.10", SIDE_OTHER, LAN, NULL);
	topology_free(t);

	/* WAN is given: a default route makes nobody WAN. */
	t = network(empty, tunnel_only);
	assert_int_equal(topology_interface(t, TUNNEL), SIDE_WAN);
	assert_int_equal(topology_interface(t, WAN), SIDE_LAN);
	assert_int_equal(topology_interface(t, LAN), SIDE_LAN);
	/* But what only a default route leads to is elsewhere all the same. */
	check(t, "203.0.113.80", SIDE_WAN, WAN, "198.51.100.1");
	check(t, "198.51.100.77", SIDE_LAN, WAN, NULL);
	topology_free(t);

	t = network(guest_only, tunnel_only);
	assert_int_equal(topology_interface(t, WAN), SIDE_OTHER);
	topology_free(t);

	/* A LAN by name stays one with a default route on it, and a port may be one. */
	t = network(wan0, empty);
	assert_int_equal(topology_interface(t, WAN), SIDE_LAN);
	assert_int_equal(topology_interface(t, LAN), SIDE_OTHER);
	topology_free(t);
	t = network(port, NULL);
	assert_int_equal(topology_interface(t, PORT), SIDE_LAN);
	topology_free(t);
}

static void a_renamed_link_is_judged_by_its_new_name(void **state)
{
	static const char *const guest_only[] = { "br-guest", NULL };
	struct topology *t = network(guest_only, NULL);

	(void)state;
	tell(t, event_link(GUEST, "br-old", 0, ARPHRD_ETHER));
	tell(t, event_link(LAN, "br-guest", 0, ARPHRD_ETHER));
	assert_int_equal(topology_interface(t, GUEST), SIDE_OTHER);
	assert_int_equal(topology_interface(t, LAN), SIDE_LAN);
	assert_string_equal(topology_name(t, GUEST), "br-old");
	assert_string_equal(topology_name(t, 99), "");
	topology_free(t);
}

static void macs(void **state)
{
	struct topology *t = network(NULL, NULL);

	(void)state;
	assert_true(topology_has_mac(t, LAN));
	assert_false(topology_has_mac(t, TUNNEL));
	assert_false(topology_has_mac(t, LO));
	assert_false(topology_has_mac(t, 99));
	topology_free(t);
}

/* --- Dumps */

static void a_dump_of_links(void **state)
{
	struct topology *t = network(NULL, NULL);

	(void)state;
	topology_sync_begin(t, RTNL_LINK, 0);
	tell(t, event_link(WAN, "wan0", 0, ARPHRD_ETHER));
	assert_string_equal(topology_name(t, GUEST), "br-guest"); /* while it runs, nothing is missing */
	topology_sync_end(t, RTNL_LINK, 0, 0);
	assert_string_equal(topology_name(t, GUEST), "");
	assert_int_equal(topology_interface(t, WAN), SIDE_WAN); /* and what it had is remembered */
	check(t, "192.168.1.1", SIDE_ROUTER, LAN, NULL);
	topology_free(t);
}

static void a_dump_of_addresses(void **state)
{
	struct topology *t = network(NULL, NULL);

	(void)state;
	topology_sync_begin(t, RTNL_ADDR, 4);
	tell(t, event_addr(WAN, "198.51.100.2", 24));
	tell(t, event_addr(GUEST, "192.168.2.99", 24));
	topology_sync_end(t, RTNL_ADDR, 4, 0);
	check(t, "198.51.100.2", SIDE_ROUTER, WAN, NULL);
	check(t, "192.168.2.99", SIDE_ROUTER, GUEST, NULL);
	check(t, "192.168.2.1", SIDE_LAN, GUEST, NULL);
	check(t, "192.168.1.1", SIDE_LAN, LAN, NULL);
	check(t, "2001:db8:1::1", SIDE_ROUTER, LAN, NULL); /* of the other family */
	check(t, "192.168.1.10", SIDE_LAN, LAN, NULL);     /* of the other type */
	topology_sync_begin(t, RTNL_ADDR, 0);
	topology_sync_end(t, RTNL_ADDR, 0, 0);
	check(t, "2001:db8:1::1", SIDE_UNKNOWN, LAN, NULL); /* a LAN needs an address of the router's */
	check(t, "198.51.100.2", SIDE_WAN, WAN, NULL);
	topology_free(t);
}

static void a_dump_of_routes(void **state)
{
	struct topology *t = network(NULL, NULL);

	(void)state;
	topology_sync_begin(t, RTNL_ROUTE, 6);
	tell(t, event_route(WAN, "::/0", "fe80::ffff"));
	topology_sync_end(t, RTNL_ROUTE, 6, 0);
	check(t, "2001:db8:1::10", SIDE_WAN, WAN, "fe80::ffff");
	check(t, "192.168.1.10", SIDE_LAN, LAN, NULL);
	topology_sync_begin(t, RTNL_ROUTE, 0);
	topology_sync_end(t, RTNL_ROUTE, 0, 0);
	check(t, "192.168.1.10", SIDE_WAN, 0, NULL);
	check(t, "2001:db8:1::10", SIDE_WAN, 0, NULL);
	check(t, "2001:db8:1::1", SIDE_ROUTER, LAN, NULL);
	topology_free(t);
}

static void what_a_dump_listed_may_be_missing_from_the_next(void **state)
{
	struct topology *t = network(NULL, NULL);

	(void)state;
	for (int i = 0; i < 2; i++) {
		topology_sync_begin(t, RTNL_ROUTE, 0);
		if (i == 0)
			tell(t, event_route(GUEST, "192.168.2.0/24", NULL));
		topology_sync_end(t, RTNL_ROUTE, 0, 0);
		check(t, "192.168.2.10", i == 0 ? SIDE_LAN : SIDE_WAN, i == 0 ? GUEST : 0, NULL);
	}
	topology_free(t);
}

/* --- Lists */

struct seen {
	int count;
	struct topology_link link[8];
};

static void collect_link(void *ctx, const struct topology_link *link)
{
	struct seen *seen = ctx;

	assert_in_range(seen->count, 0, 7);
	seen->link[seen->count++] = *link;
}

static void links_are_listed_in_order(void **state)
{
	struct topology *t = topology_new(&(struct topology_config){ .lan = NULL }, 100);
	struct rtnl_event counted = event_link(WAN, "wan0", 0, ARPHRD_ETHER);
	struct seen seen = { 0 };

	(void)state;
	tell(t, event_link(PORT, "eth1", LAN, ARPHRD_ETHER));
	tell(t, event_link(LAN, "br-lan", 0, ARPHRD_ETHER));
	counted.link.has_stats = true;
	counted.link.rx_bytes = 1;
	counted.link.tx_bytes = 2;
	counted.link.rx_packets = 3;
	counted.link.tx_packets = 4;
	tell(t, counted);
	/* News without counters leave the last ones standing. */
	tell(t, event_link(WAN, "wan1", 0, ARPHRD_ETHER));
	tell(t, event_route(WAN, "0.0.0.0/0", NULL));

	topology_each_link(t, collect_link, &seen);
	assert_int_equal(seen.count, 3);
	assert_int_equal(seen.link[0].ifindex, WAN);
	assert_string_equal(seen.link[0].name, "wan1");
	assert_int_equal(seen.link[0].side, SIDE_WAN);
	assert_true(seen.link[0].is_up);
	assert_true(seen.link[0].has_stats);
	assert_int_equal(seen.link[0].rx_bytes, 1);
	assert_int_equal(seen.link[0].tx_bytes, 2);
	assert_int_equal(seen.link[0].rx_packets, 3);
	assert_int_equal(seen.link[0].tx_packets, 4);
	assert_int_equal(seen.link[1].ifindex, LAN);
	assert_false(seen.link[1].is_port);
	assert_false(seen.link[1].has_stats);
	assert_int_equal(seen.link[2].ifindex, PORT);
	assert_true(seen.link[2].is_port);
	topology_free(t);
}

static void subnets_have_the_side_of_their_interface(void **state)
{
	static const struct {
		const char *addr;
		enum side want;
	} cases[] = {
		{ "192.168.1.10", SIDE_LAN },
		{ "2001:db8:1::10", SIDE_LAN },
		{ "192.168.2.10", SIDE_LAN },
		{ "10.9.0.10", SIDE_LAN },
		{ "198.51.100.9", SIDE_WAN },
		{ "2001:db8:ff::9", SIDE_WAN },
		/* Routes lead there, but no address of the router has it in its prefix. */
		{ "10.50.0.1", SIDE_UNKNOWN },
		{ "203.0.113.80", SIDE_UNKNOWN },
		{ "2001:db8:2::1", SIDE_UNKNOWN },
		/* On both links: the LAN's. */
		{ "fe80::10", SIDE_LAN },
		/* The longest prefix, whichever came first. */
		{ "11.4.0.1", SIDE_LAN },
		{ "11.5.0.1", SIDE_WAN },
		{ "11.5.0.129", SIDE_LAN },
		{ "172.16.0.1", SIDE_LAN },
		{ "172.17.0.1", SIDE_LAN },
	};
	struct topology *t = network(NULL, NULL);

	(void)state;
	tell(t, event_addr(LAN, "11.0.0.1", 8));
	tell(t, event_addr(WAN, "11.5.0.2", 24));
	tell(t, event_addr(LAN, "11.5.0.130", 25));
	tell(t, event_addr(LAN, "172.16.0.9", 24));
	tell(t, event_addr(WAN, "172.16.0.10", 24));
	tell(t, event_addr(WAN, "172.16.0.11", 12));
	tell(t, event_addr(WAN, "172.17.0.9", 24));
	tell(t, event_addr(LAN, "172.17.0.10", 24));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr addr = event_ip(cases[i].addr);

		if (topology_subnet(t, &addr) != cases[i].want)
			fail_msg("%s: %d", cases[i].addr, topology_subnet(t, &addr));
	}
	topology_free(t);
}

static void the_limit_holds(void **state)
{
	struct topology *t = topology_new(&(struct topology_config){ .lan = NULL }, 2);
	struct rtnl_event e = event_route(GUEST, "10.1.0.0/16", "10.0.0.1");

	(void)state;
	tell(t, event_route(LAN, "10.0.0.0/8", NULL));
	tell(t, event_route(GUEST, "10.1.0.0/16", NULL));
	tell(t, event_route(TUNNEL, "10.1.1.0/24", NULL));
	check(t, "10.1.1.1", SIDE_OTHER, GUEST, NULL);
	e.replaces = true;
	tell(t, e); /* one that is there is still changed */
	check(t, "10.1.1.1", SIDE_OTHER, GUEST, "10.0.0.1");
	topology_free(t);
}

/* A full table of a provider's: what leads out of the WAN makes room, for the default route says the same. */
static void routes_of_the_wan_make_room(void **state)
{
	struct topology *t = network(NULL, NULL);

	(void)state;
	for (unsigned int i = 0; i < 1000; i++) {
		char text[32];

		snprintf(text, sizeof(text), "11.%u.%u.0/24", i / 256, i % 256);
		tell(t, event_route(WAN, text, "198.51.100.1"));
	}
	tell(t, event_route(GUEST, "10.60.0.0/16", NULL));
	check(t, "10.60.1.1", SIDE_LAN, GUEST, NULL);
	check(t, "10.50.3.4", SIDE_LAN, LAN, "192.168.1.254");
	check(t, "11.1.1.1", SIDE_WAN, WAN, "198.51.100.1");
	check(t, "11.3.200.1", SIDE_WAN, WAN, "198.51.100.1");
	assert_int_equal(topology_passed_over(t), 0);
	for (unsigned int i = 0; i < 200; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.61.%u.0/24", i);
		tell(t, event_route(GUEST, text, NULL));
	}
	assert_in_range(topology_passed_over(t), 100, 199);
	topology_free(t);
}

/* --- Which interface is a WAN */

/* An interface number TUN, up, with an address; a tunnel as VPN clients make it. */
enum { TUN = 8, TABLE_VPN = 51820 };

static struct topology *network_with_tunnel(void)
{
	struct topology *t = network(NULL, NULL);

	tell(t, event_link(TUN, "tun0", 0, ARPHRD_NONE));
	tell(t, event_addr(TUN, "10.8.0.2", 24));
	return t;
}

static void two_halves_are_a_default_route(void **state)
{
	struct topology *t = network_with_tunnel();

	(void)state;
	tell(t, event_route(TUN, "0.0.0.0/1", "10.8.0.1"));
	assert_int_equal(topology_interface(t, TUN), SIDE_LAN); /* half of it is none */
	tell(t, event_route(TUN, "128.0.0.0/1", "10.8.0.1"));
	assert_int_equal(topology_interface(t, TUN), SIDE_WAN);
	check(t, "203.0.113.80", SIDE_WAN, TUN, "10.8.0.1");
	assert_int_equal(topology_interface(t, WAN), SIDE_WAN);
	assert_int_equal(topology_interface(t, LAN), SIDE_LAN);
	/* It was a LAN before the routes came, and is one again. */
	tell(t, event_gone(event_route(TUN, "0.0.0.0/1", "10.8.0.1")));
	assert_int_equal(topology_interface(t, TUN), SIDE_LAN);
	topology_free(t);
}

static void parts_of_ipv6_are_a_default_route(void **state)
{
	static const char *const quarters[] = { "::/2", "4000::/2", "8000::/2", "c000::/2" };
	struct topology *t = network_with_tunnel();

	(void)state;
	for (int i = 0; i < 4; i++)
		tell(t, event_route(TUN, quarters[i], NULL));
	assert_int_equal(topology_interface(t, TUN), SIDE_WAN);
	topology_free(t);

	/* All that Internet hosts have. */
	t = network_with_tunnel();
	tell(t, event_route(TUN, "fc00::/7", NULL));
	tell(t, event_route(TUN, "3000::/4", NULL));
	assert_int_equal(topology_interface(t, TUN), SIDE_LAN);
	tell(t, event_route(TUN, "2000::/4", NULL));
	assert_int_equal(topology_interface(t, TUN), SIDE_WAN);
	topology_free(t);
}

/* Quarters that lead out of two interfaces, and quarters of two tables. */
static void parts_of_one_table_stand_together(void **state)
{
	struct topology *t = network_with_tunnel();
	struct rtnl_event other = event_route(TUN, "128.0.0.0/1", NULL);

	(void)state;
	tell(t, event_route(TUN, "0.0.0.0/1", NULL));
	other.route.table = 77;
	tell(t, other);
	assert_int_equal(topology_interface(t, TUN), SIDE_LAN);
	tell(t, event_route(GUEST, "128.0.0.0/1", NULL));
	assert_int_equal(topology_interface(t, TUN), SIDE_WAN);
	assert_int_equal(topology_interface(t, GUEST), SIDE_WAN);
	topology_free(t);
}

static void every_next_hop_is_a_wan(void **state)
{
	struct topology *t = network_with_tunnel();
	struct rtnl_event e = event_route(WAN, "0.0.0.0/0", "198.51.100.1");

	(void)state;
	e.route.others = 1;
	e.route.other[0] = (struct rtnl_hop){ TUN, event_ip("10.8.0.1") };
	e.replaces = true;
	tell(t, e);
	assert_int_equal(topology_interface(t, WAN), SIDE_WAN);
	assert_int_equal(topology_interface(t, TUN), SIDE_WAN);
	/* Back to one: the kernel tells of the new route only. */
	e.route.others = 0;
	tell(t, e);
	assert_int_equal(topology_interface(t, WAN), SIDE_WAN);
	assert_int_equal(topology_interface(t, TUN), SIDE_LAN);
	topology_free(t);
}

/* What calculators of AllowedIPs write: all but the private networks, in some thirty prefixes. */
static void all_but_private_networks_is_a_default_route(void **state)
{
	static const char *const prefixes[] = { "0.0.0.0/5", "8.0.0.0/7", "11.0.0.0/8", "12.0.0.0/6", "16.0.0.0/4",
		"32.0.0.0/3", "64.0.0.0/2", "128.0.0.0/3", "160.0.0.0/5", "168.0.0.0/6", "172.0.0.0/12",
		"172.32.0.0/11", "172.64.0.0/10", "172.128.0.0/9", "173.0.0.0/8", "174.0.0.0/7", "176.0.0.0/4",
		"192.0.0.0/9", "192.128.0.0/11", "192.160.0.0/13", "192.169.0.0/16", "192.170.0.0/15", "192.172.0.0/14",
		"192.176.0.0/12", "192.192.0.0/10", "193.0.0.0/8", "194.0.0.0/7", "196.0.0.0/6", "200.0.0.0/5",
		"208.0.0.0/4" };
	struct topology *t = network_with_tunnel();

	(void)state;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		tell(t, event_route(TUN, prefixes[i], NULL));
	assert_int_equal(topology_interface(t, TUN), SIDE_WAN);
	check(t, "203.0.113.80", SIDE_WAN, TUN, NULL);
	check(t, "172.200.1.1", SIDE_WAN, TUN, NULL);
	check(t, "192.168.1.10", SIDE_LAN, LAN, NULL);
	/* A LAN that uses a piece of the Internet's addresses stays one beside it. */
	tell(t, event_route(GUEST, "11.0.0.0/8", NULL));
	assert_int_equal(topology_interface(t, GUEST), SIDE_LAN);
	/* And a large private network is no default route. */
	tell(t, event_route(GUEST, "10.0.0.0/8", NULL));
	assert_int_equal(topology_interface(t, GUEST), SIDE_LAN);
	check(t, "10.77.1.1", SIDE_LAN, GUEST, NULL);
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		tell(t, event_gone(event_route(TUN, prefixes[i], NULL)));
	assert_int_equal(topology_interface(t, TUN), SIDE_LAN);
	topology_free(t);
}

/* A VPN for some servers only. */
static void a_tunnel_to_pieces_of_the_internet_is_a_wan(void **state)
{
	struct topology *t = network_with_tunnel();

	(void)state;
	tell(t, event_route(TUN, "10.20.0.0/16", NULL)); /* another site's */
	tell(t, event_route(TUN, "100.64.9.0/24", NULL));
	assert_int_equal(topology_interface(t, TUN), SIDE_LAN);
	tell(t, event_route(TUN, "142.250.0.0/15", NULL));
	assert_int_equal(topology_interface(t, TUN), SIDE_WAN);
	check(t, "142.250.1.1", SIDE_WAN, TUN, NULL);
	tell(t, event_gone(event_route(TUN, "142.250.0.0/15", NULL)));
	assert_int_equal(topology_interface(t, TUN), SIDE_LAN);
	/* Its own network, of public addresses. */
	tell(t, event_addr(TUN, "203.0.113.1", 24));
	tell(t, event_route(TUN, "203.0.113.0/24", NULL));
	assert_int_equal(topology_interface(t, TUN), SIDE_LAN);
	/* Where MAC addresses are, a second router may have them. */
	tell(t, event_route(LAN, "142.250.0.0/15", "192.168.1.254"));
	assert_int_equal(topology_interface(t, LAN), SIDE_LAN);
	topology_free(t);
}

/* Two gateways of one interface: one that goes leaves the other. */
static void a_gateway_goes_and_another_stays(void **state)
{
	struct topology *t = topology_new(&(struct topology_config){ .lan = NULL }, 100);

	(void)state;
	tell(t, event_link(TUN, "tun0", 0, ARPHRD_NONE));
	tell(t, event_addr(TUN, "10.8.0.2", 24));
	tell(t, event_route(TUN, "0.0.0.0/0", "10.8.0.1"));
	tell(t, event_route(TUN, "0.0.0.0/0", "10.8.0.3"));
	tell(t, event_gone(event_route(TUN, "0.0.0.0/0", "10.8.0.1")));
	check(t, "203.0.113.80", SIDE_WAN, TUN, "10.8.0.3");
	topology_free(t);
}

/* A default route that a rogue router advertises on the LAN for a moment. */
static void a_stray_default_route_goes_again(void **state)
{
	struct topology *t = network(NULL, NULL);

	(void)state;
	tell(t, event_route(LAN, "::/0", "fe80::66"));
	assert_int_equal(topology_interface(t, LAN), SIDE_WAN);
	tell(t, event_gone(event_route(LAN, "::/0", "fe80::66")));
	assert_int_equal(topology_interface(t, LAN), SIDE_LAN);
	assert_int_equal(topology_interface(t, WAN), SIDE_WAN);
	topology_free(t);
}

/* At boot nothing is a LAN before a WAN is known: it might be the WAN. */
static void nothing_is_a_lan_before_the_wan_is_known(void **state)
{
	struct topology *t = topology_new(&(struct topology_config){ .lan = NULL }, 100);

	(void)state;
	tell(t, event_link(WAN, "wan0", 0, ARPHRD_ETHER));
	tell(t, event_link(LAN, "br-lan", 0, ARPHRD_ETHER));
	tell(t, event_addr(WAN, "198.51.100.2", 24));
	tell(t, event_addr(LAN, "192.168.1.1", 24));
	assert_int_equal(topology_interface(t, WAN), SIDE_UNKNOWN);
	assert_int_equal(topology_interface(t, LAN), SIDE_UNKNOWN);
	tell(t, event_route(WAN, "0.0.0.0/0", "198.51.100.1"));
	assert_int_equal(topology_interface(t, WAN), SIDE_WAN);
	assert_int_equal(topology_interface(t, LAN), SIDE_LAN);
	/* The WAN is made anew: by its name it is known to be one before its route is back, and the LAN stays one. */
	tell(t, event_gone(event_link(WAN, "wan0", 0, ARPHRD_ETHER)));
	tell(t, event_gone(event_addr(WAN, "198.51.100.2", 24)));
	tell(t, event_link(9, "wan0", 0, ARPHRD_ETHER));
	tell(t, event_addr(9, "198.51.100.2", 24));
	assert_int_equal(topology_interface(t, 9), SIDE_WAN);
	assert_int_equal(topology_interface(t, LAN), SIDE_LAN);
	topology_free(t);
}

/* --- Rules */

static void only_tables_that_rules_name_count(void **state)
{
	struct topology *t = network_with_tunnel();
	struct rtnl_event vpn = event_route(TUN, "0.0.0.0/0", NULL), rule = event_rule(4, 100, TABLE_VPN);

	(void)state;
	for (int i = 0; i < 2; i++) {
		tell(t, event_rule((uint8_t)(4 + 2 * i), 0, RT_TABLE_LOCAL));
		tell(t, event_rule((uint8_t)(4 + 2 * i), 32766, RT_TABLE_MAIN));
		tell(t, event_rule((uint8_t)(4 + 2 * i), 32767, RT_TABLE_DEFAULT));
	}
	vpn.route.table = TABLE_VPN;
	tell(t, vpn);
	assert_int_equal(topology_interface(t, TUN), SIDE_LAN);
	check(t, "203.0.113.80", SIDE_WAN, WAN, "198.51.100.1");
	/* For marked packets only: a WAN, though other packets do not go there. */
	rule.rule.is_general = false;
	tell(t, rule);
	assert_int_equal(topology_interface(t, TUN), SIDE_WAN);
	check(t, "203.0.113.80", SIDE_WAN, WAN, "198.51.100.1");
	tell(t, event_gone(rule));
	assert_int_equal(topology_interface(t, TUN), SIDE_LAN);
	/* As wg-quick does it: main but for its default route, then the tunnel's table. */
	rule = event_rule(4, 90, RT_TABLE_MAIN);
	rule.rule.suppress = 0;
	tell(t, rule);
	tell(t, event_rule(4, 100, TABLE_VPN));
	check(t, "203.0.113.80", SIDE_WAN, TUN, NULL);
	check(t, "192.168.1.10", SIDE_LAN, LAN, NULL);
	check(t, "2001:db8:feed::80", SIDE_WAN, WAN, "fe80::ffff"); /* no rule of IPv6 */
	topology_free(t);
}

/* As site-to-site tunnels and pbr write it: a table for some destinations only. */
static void a_rule_for_some_destinations(void **state)
{
	struct topology *t = network_with_tunnel();
	struct rtnl_event site = event_route(TUN, "0.0.0.0/0", NULL), rule = event_rule(4, 100, TABLE_VPN);

	(void)state;
	tell(t, event_rule(4, 32766, RT_TABLE_MAIN));
	site.route.table = TABLE_VPN;
	tell(t, site);
	rule.rule.to = (struct prefix){ event_ip("203.0.113.0"), 24 };
	tell(t, rule);
	assert_int_equal(topology_interface(t, TUN), SIDE_WAN);
	check(t, "203.0.113.80", SIDE_WAN, TUN, NULL);
	check(t, "203.0.114.80", SIDE_WAN, WAN, "198.51.100.1");
	check(t, "192.168.1.10", SIDE_LAN, LAN, NULL);
	tell(t, event_gone(rule));
	check(t, "203.0.113.80", SIDE_WAN, WAN, "198.51.100.1");
	topology_free(t);
}

/* A throw route: this table has no answer, the next one may. */
static void a_throw_route_leads_to_the_next_table(void **state)
{
	struct topology *t = network_with_tunnel();
	struct rtnl_event vpn = event_route(TUN, "0.0.0.0/0", NULL), away = event_route(0, "192.168.1.0/24", NULL);

	(void)state;
	tell(t, event_rule(4, 100, TABLE_VPN));
	tell(t, event_rule(4, 32766, RT_TABLE_MAIN));
	vpn.route.table = away.route.table = TABLE_VPN;
	tell(t, vpn);
	check(t, "192.168.1.10", SIDE_WAN, TUN, NULL);
	away.route.kind = RTN_THROW;
	tell(t, away);
	check(t, "192.168.1.10", SIDE_LAN, LAN, NULL);
	topology_free(t);
}

/* A VRF's ports are no bridge ports, and its table counts where a rule says so. */
static void a_vrf_has_sides_of_its_own(void **state)
{
	struct topology *t = topology_new(&(struct topology_config){ .lan = NULL }, 100);
	struct rtnl_event vrf = event_link(20, "vrf-blue", 0, ARPHRD_ETHER), rule = event_rule(4, 1000, 0);
	struct rtnl_event out = event_route(WAN, "0.0.0.0/0", "198.51.100.1");

	(void)state;
	vrf.link.kind = RTNL_KIND_VRF;
	tell(t, vrf);
	tell(t, event_link(WAN, "wan0", 20, ARPHRD_ETHER));
	tell(t, event_link(LAN, "br-lan", 20, ARPHRD_ETHER));
	tell(t, event_addr(WAN, "198.51.100.2", 24));
	tell(t, event_addr(LAN, "192.168.1.1", 24));
	tell(t, event_rule(4, 32766, RT_TABLE_MAIN));
	out.route.table = 10;
	tell(t, out);
	assert_int_equal(topology_interface(t, WAN), SIDE_UNKNOWN);
	rule.rule.is_vrf = true;
	rule.rule.is_general = false;
	tell(t, rule);
	assert_int_equal(topology_interface(t, WAN), SIDE_WAN);
	assert_int_equal(topology_interface(t, LAN), SIDE_LAN);
	assert_int_equal(topology_interface(t, 20), SIDE_OTHER);
	/* An address is looked up in the VRF's own table, which no other rule names. */
	out = event_route(LAN, "192.168.1.0/24", NULL);
	out.route.table = 10;
	tell(t, out);
	check(t, "192.168.1.10", SIDE_LAN, LAN, NULL);
	check(t, "203.0.113.80", SIDE_WAN, WAN, "198.51.100.1");
	topology_free(t);
}

/* --- What a WAN runs over */

static void what_a_wan_runs_over_is_its_carrier(void **state)
{
	struct topology *t = topology_new(&(struct topology_config){ .lan = NULL }, 100);
	struct rtnl_event vlan = event_link(30, "eth0.7", 0, ARPHRD_ETHER),
			  lan = event_link(31, "eth0.1", 0, ARPHRD_ETHER);

	(void)state;
	vlan.link.lower = lan.link.lower = 29;
	tell(t, event_link(29, "eth0", 0, ARPHRD_ETHER));
	tell(t, event_addr(29, "192.168.100.2", 24)); /* to reach the modem */
	tell(t, vlan);
	tell(t, lan);
	tell(t, event_addr(30, "198.51.100.2", 24));
	tell(t, event_addr(31, "192.168.1.1", 24));
	assert_int_equal(topology_interface(t, 29), SIDE_UNKNOWN);
	tell(t, event_route(30, "0.0.0.0/0", "198.51.100.1"));
	assert_int_equal(topology_interface(t, 29), SIDE_CARRIER);
	assert_int_equal(topology_interface(t, 30), SIDE_WAN);
	assert_int_equal(topology_interface(t, 31), SIDE_LAN);
	topology_free(t);
}

static void an_ifb_is_no_lan(void **state)
{
	struct topology *t = network(NULL, NULL);
	struct rtnl_event ifb = event_link(40, "ifb0", 0, ARPHRD_ETHER);

	(void)state;
	ifb.link.kind = RTNL_KIND_IFB;
	tell(t, ifb);
	tell(t, event_addr(40, "fe80::40", 64));
	assert_int_equal(topology_interface(t, 40), SIDE_OTHER);
	topology_free(t);
}

static void another_configuration_decides_at_once(void **state)
{
	static const char *const lan[] = { "br-lan", "later0", NULL }, *const ignore[] = { "br-guest", NULL };
	struct topology *t = network(NULL, NULL);
	size_t news = topology_address_news(t);

	(void)state;
	assert_int_equal(topology_missing(t), 0);
	assert_int_equal(topology_interface(t, GUEST), SIDE_LAN);
	topology_configure(t, &(struct topology_config){ .ignore = ignore }, 1);
	assert_int_equal(topology_interface(t, GUEST), SIDE_OTHER);
	assert_int_equal(topology_interface(t, LAN), SIDE_LAN);
	topology_configure(t, &(struct topology_config){ .lan = lan }, 2);
	assert_int_equal(topology_interface(t, GUEST), SIDE_OTHER);
	assert_int_equal(topology_missing(t), 1);
	assert_true(topology_has(t, "br-lan"));
	assert_false(topology_has(t, "later0"));
	topology_configure(t, &(struct topology_config){ .lan = NULL }, 3);
	assert_int_equal(topology_interface(t, GUEST), SIDE_LAN);
	assert_int_equal(topology_missing(t), 0);
	assert_int_equal(topology_address_news(t), news);
	tell(t, event_addr(GUEST, "192.168.9.1", 24));
	assert_int_equal(topology_address_news(t), news + 1);
	topology_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sides_are_found),
		cmocka_unit_test(addresses_are_placed),
		cmocka_unit_test(the_router_has_addresses),
		cmocka_unit_test(some_addresses_are_nobody),
		cmocka_unit_test(the_longest_prefix_wins),
		cmocka_unit_test(only_unicast_routes_lead_somewhere),
		cmocka_unit_test(no_route_is_wan),
		cmocka_unit_test(a_route_is_replaced),
		cmocka_unit_test(a_default_route_moves),
		cmocka_unit_test(a_links_routes_go_with_it),
		cmocka_unit_test(the_configuration_says),
		cmocka_unit_test(a_renamed_link_is_judged_by_its_new_name),
		cmocka_unit_test(macs),
		cmocka_unit_test(a_dump_of_links),
		cmocka_unit_test(a_dump_of_addresses),
		cmocka_unit_test(a_dump_of_routes),
		cmocka_unit_test(what_a_dump_listed_may_be_missing_from_the_next),
		cmocka_unit_test(links_are_listed_in_order),
		cmocka_unit_test(subnets_have_the_side_of_their_interface),
		cmocka_unit_test(the_limit_holds),
		cmocka_unit_test(routes_of_the_wan_make_room),
		cmocka_unit_test(two_halves_are_a_default_route),
		cmocka_unit_test(all_but_private_networks_is_a_default_route),
		cmocka_unit_test(a_tunnel_to_pieces_of_the_internet_is_a_wan),
		cmocka_unit_test(parts_of_ipv6_are_a_default_route),
		cmocka_unit_test(parts_of_one_table_stand_together),
		cmocka_unit_test(every_next_hop_is_a_wan),
		cmocka_unit_test(a_gateway_goes_and_another_stays),
		cmocka_unit_test(a_stray_default_route_goes_again),
		cmocka_unit_test(nothing_is_a_lan_before_the_wan_is_known),
		cmocka_unit_test(only_tables_that_rules_name_count),
		cmocka_unit_test(a_rule_for_some_destinations),
		cmocka_unit_test(a_throw_route_leads_to_the_next_table),
		cmocka_unit_test(a_vrf_has_sides_of_its_own),
		cmocka_unit_test(what_a_wan_runs_over_is_its_carrier),
		cmocka_unit_test(an_ifb_is_no_lan),
		cmocka_unit_test(another_configuration_decides_at_once),
	};

	return cmocka_run_group_tests_name("topology", tests, NULL, NULL);
}
