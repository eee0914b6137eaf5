/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What only time, memory and the configuration tell of an interface's side; routes are in test_topology.c. */
#include "sides.h"

#include "events.h"
#include "hostmeter/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { WAN2 = 20, TUN = 21, LTE = 22, PPP = 23 };

#define SECOND CLOCK_NS_PER_S

/* A topology and its clock. */
struct world {
	struct topology *topology;
	uint64_t now;
	unsigned int changes;
	enum side last;
};

static void take(void *ctx, const struct rtnl_event *event)
{
	struct world *w = ctx;

	topology_rtnl(w->topology, event, w->now);
}

static void tell(struct world *w, struct rtnl_event event)
{
	take(w, &event);
}

static void later(struct world *w, uint64_t ns)
{
	w->now += ns;
	topology_tick(w->topology, w->now);
}

static void become(const struct world *w, uint32_t ifindex, enum side side)
{
	enum side is = topology_interface(w->topology, ifindex);

	if (is != side)
		fail_msg("%s is %s, not %s", topology_name(w->topology, ifindex), topology_side_name(is),
			topology_side_name(side));
}

static struct world world_new(const struct topology_config *config)
{
	struct world w = { .now = 1000 * SECOND };

	w.topology = topology_new(config, 100);
	assert_non_null(w.topology);
	events_of_network(take, &w);
	topology_known(w.topology, w.now);
	return w;
}

static struct world found(void)
{
	return world_new(&(struct topology_config){ .lan = NULL });
}

static void second_wan(struct world *w, const char *address)
{
	tell(w, event_link(WAN2, "wan1", 0, ARPHRD_ETHER));
	tell(w, event_addr(WAN2, address, 24));
}

/* A provider's address comes before its route: the interface is not opened in between. */
static void a_new_interface_settles_first(void **state)
{
	struct world w = found();

	(void)state;
	second_wan(&w, "192.168.8.100");
	become(&w, WAN2, SIDE_UNKNOWN);
	later(&w, 4 * SECOND);
	become(&w, WAN2, SIDE_UNKNOWN);
	tell(&w, event_route(WAN2, "0.0.0.0/0", "192.168.8.1"));
	become(&w, WAN2, SIDE_WAN);
	/* It never was a LAN: the line that goes down does not make it one. */
	later(&w, 10 * SECOND);
	tell(&w, event_gone(event_route(WAN2, "0.0.0.0/0", "192.168.8.1")));
	later(&w, 3600 * SECOND);
	become(&w, WAN2, SIDE_WAN);
	/* Another one stays without a route. */
	tell(&w, event_link(LTE, "guest9", 0, ARPHRD_ETHER));
	tell(&w, event_addr(LTE, "192.168.9.1", 24));
	later(&w, 5 * SECOND + 1);
	become(&w, LTE, SIDE_LAN);
	topology_free(w.topology);
}

static void a_public_or_leased_address_is_no_lans(void **state)
{
	struct world w = found();
	struct rtnl_event leased = event_addr(WAN2, "192.168.8.100", 24);

	(void)state;
	second_wan(&w, "203.0.113.2");
	later(&w, 60 * SECOND);
	become(&w, WAN2, SIDE_UNKNOWN);
	tell(&w, event_gone(event_addr(WAN2, "203.0.113.2", 24)));
	leased.addr.is_leased = true;
	tell(&w, leased);
	later(&w, 60 * SECOND);
	become(&w, WAN2, SIDE_UNKNOWN);
	/* A network of one's own beside it, as on a LAN with public addresses. */
	tell(&w, event_addr(WAN2, "10.3.0.1", 24));
	become(&w, WAN2, SIDE_LAN);
	/* IPv6 addresses tell nothing: they are public on a LAN as well. */
	tell(&w, event_link(LTE, "lan6", 0, ARPHRD_ETHER));
	tell(&w, event_addr(LTE, "2001:db8:6::1", 64));
	later(&w, 6 * SECOND);
	become(&w, LTE, SIDE_LAN);
	topology_free(w.topology);
}

/* Which of the two was the moment, and which the rule. */
static void what_lasted_longer_counts(void **state)
{
	struct world w = found();

	(void)state;
	/* A LAN since the start gets a stray route, for less than a minute. */
	later(&w, SECOND);
	tell(&w, event_route(LAN, "::/0", "fe80::66"));
	become(&w, LAN, SIDE_WAN);
	later(&w, 50 * SECOND);
	tell(&w, event_gone(event_route(LAN, "::/0", "fe80::66")));
	become(&w, LAN, SIDE_LAN);
	/* A WAN whose line was down at the start, and that was a WAN for a day then. */
	tell(&w, event_route(GUEST, "0.0.0.0/0", "192.168.2.254"));
	later(&w, 86400 * SECOND);
	tell(&w, event_gone(event_route(GUEST, "0.0.0.0/0", "192.168.2.254")));
	become(&w, GUEST, SIDE_WAN);
	topology_free(w.topology);
}

static void copy(void *ctx, const struct topology_memory *memory)
{
	topology_remember(ctx, memory);
}

/* A restart changes nothing: not for a WAN whose line is down, and not for a LAN with a stray route. */
static void a_restart_remembers(void **state)
{
	struct world before = found(), after = { .now = 5 * SECOND };

	(void)state;
	second_wan(&before, "192.168.8.100");
	tell(&before, event_route(WAN2, "0.0.0.0/0", "192.168.8.1"));
	later(&before, 10 * SECOND);
	tell(&before, event_gone(event_route(WAN2, "0.0.0.0/0", "192.168.8.1")));
	tell(&before, event_route(LAN, "::/0", "fe80::66"));
	become(&before, WAN2, SIDE_WAN);
	after.topology = topology_new(&(struct topology_config){ .lan = NULL }, 100);
	topology_each_memory(before.topology, before.now, copy, after.topology);
	events_of_network(take, &after);
	second_wan(&after, "192.168.8.100");
	tell(&after, event_route(LAN, "::/0", "fe80::66"));
	topology_known(after.topology, after.now);
	become(&after, WAN2, SIDE_WAN);
	become(&after, LAN, SIDE_WAN);
	later(&after, SECOND);
	tell(&after, event_gone(event_route(LAN, "::/0", "fe80::66")));
	become(&after, LAN, SIDE_LAN);
	topology_free(before.topology);
	topology_free(after.topology);
}

/* By its name: an interface that is made anew has another number. */
static void an_interface_made_anew_is_remembered(void **state)
{
	struct world w = found();

	(void)state;
	tell(&w, event_gone(event_link(WAN, "wan0", 0, ARPHRD_ETHER)));
	become(&w, LAN, SIDE_UNKNOWN);
	tell(&w, event_link(40, "wan0", 0, ARPHRD_ETHER));
	become(&w, 40, SIDE_WAN);
	become(&w, LAN, SIDE_LAN);
	/* A LAN that comes back does not have to settle. */
	tell(&w, event_gone(event_link(GUEST, "br-guest", 0, ARPHRD_ETHER)));
	tell(&w, event_gone(event_addr(GUEST, "192.168.2.1", 24)));
	tell(&w, event_link(41, "br-guest", 0, ARPHRD_ETHER));
	tell(&w, event_addr(41, "192.168.2.1", 24));
	become(&w, 41, SIDE_LAN);
	topology_free(w.topology);
}

static void the_memory_is_bounded(void **state)
{
	struct world w = found();
	unsigned int found = 0;

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		struct topology_memory memory = { .was_wan = true };

		snprintf(memory.name, sizeof(memory.name), "veth%u", i);
		topology_remember(w.topology, &memory);
	}
	tell(&w, event_link(50, "veth0", 0, ARPHRD_ETHER));
	become(&w, 50, SIDE_UNKNOWN);
	for (uint32_t i = 0; i < 1000; i++) {
		char name[IFNAME_LEN];

		snprintf(name, sizeof(name), "veth%u", i);
		tell(&w, event_link(51, name, 0, ARPHRD_ETHER));
		found += topology_interface(w.topology, 51) == SIDE_WAN;
		tell(&w, event_gone(event_link(51, name, 0, ARPHRD_ETHER)));
	}
	assert_int_equal(found, 64);
	topology_free(w.topology);
}

static void the_configuration_wins(void **state)
{
	static const char *const carrier[] = { "wan0", NULL }, *const ignore[] = { "br-lan", NULL },
				 *const transit[] = { "br-guest", NULL }, *const lan[] = { "wan1", NULL };
	struct world w =
		world_new(&(struct topology_config){ .carrier = carrier, .ignore = ignore, .transit = transit });

	(void)state;
	become(&w, WAN, SIDE_CARRIER);
	become(&w, LAN, SIDE_OTHER);
	become(&w, GUEST, SIDE_TRANSIT);
	topology_free(w.topology);
	w = world_new(&(struct topology_config){ .lan = lan });
	second_wan(&w, "203.0.113.2");
	become(&w, WAN2, SIDE_LAN);
	become(&w, LAN, SIDE_OTHER);
	topology_free(w.topology);
}

/* --- Translators */

static void tun(struct world *w, const char *name)
{
	tell(w, event_link(TUN, name, 0, ARPHRD_NONE));
	tell(w, event_addr(TUN, "192.168.255.1", 32));
	later(w, 6 * SECOND);
}

static void nat64_is_transit(void **state)
{
	static const char *const prefixes[] = { "64:ff9b::/96", "64:ff9b:1:fffe::/96", "2001:db8:64::/96" };

	(void)state;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
		struct world w = found();

		tun(&w, "nat64");
		become(&w, TUN, SIDE_LAN);
		tell(&w, event_route(TUN, prefixes[i], NULL));
		become(&w, TUN, SIDE_TRANSIT);
		tell(&w, event_gone(event_route(TUN, prefixes[i], NULL)));
		become(&w, TUN, SIDE_LAN);
		/* The same route on a WAN, or where MAC addresses are, says nothing. */
		tell(&w, event_route(WAN, prefixes[i], "fe80::ffff"));
		become(&w, WAN, SIDE_WAN);
		tell(&w, event_route(LAN, prefixes[i], "fe80::5"));
		become(&w, LAN, SIDE_LAN);
		topology_free(w.topology);
	}
}

static void the_clat_is_transit(void **state)
{
	struct world w = found();

	(void)state;
	tun(&w, "clat");
	tell(&w, event_route(TUN, "2001:db8:ff::464/128", NULL));
	become(&w, TUN, SIDE_LAN);
	tell(&w, event_route(TUN, "0.0.0.0/0", NULL));
	become(&w, TUN, SIDE_TRANSIT);
	/* The router's own address is no sign: a VPN of IPv4 has that too. */
	tell(&w, event_addr(TUN, "2001:db8:ff::464", 128));
	become(&w, TUN, SIDE_WAN);
	topology_free(w.topology);
}

/* --- PPPoE, and news */

static void the_port_of_pppoe_is_its_carrier(void **state)
{
	const char port[1][IFNAME_LEN] = { "br-dsl" };
	struct rtnl_event vlan = event_link(30, "br-dsl", 0, ARPHRD_ETHER);
	struct world w = found();
	size_t links = topology_ppp_links(w.topology);

	(void)state;
	vlan.link.lower = 31;
	tell(&w, event_link(31, "dsl0", 0, ARPHRD_ETHER));
	tell(&w, vlan);
	tell(&w, event_addr(30, "192.168.100.2", 24));
	tell(&w, event_addr(31, "192.168.101.2", 24));
	later(&w, 6 * SECOND);
	become(&w, 30, SIDE_LAN);
	tell(&w, event_link(PPP, "ppp0", 0, ARPHRD_PPP));
	assert_int_not_equal(topology_ppp_links(w.topology), links);
	links = topology_ppp_links(w.topology);
	topology_pppoe(w.topology, port, 1, w.now);
	become(&w, 30, SIDE_LAN); /* the router may be the server of its clients */
	tell(&w, event_route(PPP, "0.0.0.0/0", NULL));
	become(&w, 30, SIDE_CARRIER);
	become(&w, 31, SIDE_CARRIER);
	tell(&w, event_gone(event_link(PPP, "ppp0", 0, ARPHRD_PPP)));
	assert_int_not_equal(topology_ppp_links(w.topology), links);
	topology_free(w.topology);
}

static void changed(void *ctx, const struct topology_link *link, enum side before)
{
	struct world *w = ctx;

	assert_string_equal(link->name, "wan1");
	assert_int_equal(before, w->changes ? w->last : SIDE_UNKNOWN);
	w->last = link->side;
	w->changes++;
}

/* One call for each change, none without. */
static void changes_are_told(void **state)
{
	struct world w = found();

	(void)state;
	topology_watch(w.topology, changed, &w);
	tell(&w, event_addr(LAN, "192.168.1.7", 24));
	assert_int_equal(w.changes, 0);
	second_wan(&w, "192.168.8.100");
	assert_int_equal(w.changes, 0);
	later(&w, 6 * SECOND);
	assert_int_equal(w.changes, 1);
	assert_int_equal(w.last, SIDE_LAN);
	tell(&w, event_route(WAN2, "0.0.0.0/0", "192.168.8.1"));
	later(&w, 6 * SECOND);
	assert_int_equal(w.changes, 2);
	assert_int_equal(w.last, SIDE_WAN);
	topology_free(w.topology);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_interface_settles_first),
		cmocka_unit_test(a_public_or_leased_address_is_no_lans),
		cmocka_unit_test(what_lasted_longer_counts),
		cmocka_unit_test(a_restart_remembers),
		cmocka_unit_test(an_interface_made_anew_is_remembered),
		cmocka_unit_test(the_memory_is_bounded),
		cmocka_unit_test(the_configuration_wins),
		cmocka_unit_test(nat64_is_transit),
		cmocka_unit_test(the_clat_is_transit),
		cmocka_unit_test(the_port_of_pppoe_is_its_carrier),
		cmocka_unit_test(changes_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
