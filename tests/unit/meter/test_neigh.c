/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/neigh.h"

#include "events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ADDRESS "192.168.1.10"

static void tell(struct neigh *neigh, struct rtnl_event event, uint64_t now)
{
	neigh_rtnl(neigh, &event, now);
}

static void check(const struct neigh *neigh, uint32_t ifindex, const char *address, const char *want)
{
	struct addr addr = event_ip(address);
	struct mac mac;

	assert_int_equal(neigh_find(neigh, ifindex, &addr, &mac), want != NULL);
	if (want) {
		struct mac expected = event_mac(want);

		assert_true(mac_equal(&mac, &expected));
	}
}

static void check_seen(const struct neigh *neigh, const char *address, const char *want, uint32_t want_ifindex)
{
	struct addr addr = event_ip(address);
	uint32_t ifindex = 0;
	struct mac mac;

	assert_int_equal(neigh_last_seen(neigh, &addr, &mac, &ifindex), want != NULL);
	if (want) {
		struct mac expected = event_mac(want);

		assert_true(mac_equal(&mac, &expected));
		assert_int_equal(ifindex, want_ifindex);
	}
}

static void saw(struct neigh *neigh, uint32_t ifindex, const char *address, const char *text, uint64_t now)
{
	struct addr addr = event_ip(address);
	struct mac mac = event_mac(text);

	neigh_saw(neigh, ifindex, &addr, &mac, now);
}

/* The same address lives on two links, with a different owner on each. */
static void keyed_by_interface_and_address(void **state)
{
	struct neigh *neigh = neigh_new(10);

	(void)state;
	tell(neigh, event_neigh(LAN, "fe80::a", DESKTOP), 1);
	tell(neigh, event_neigh(GUEST, "fe80::a", VISITOR), 2);
	tell(neigh, event_neigh(LAN, ADDRESS, LAPTOP), 3);
	assert_int_equal(neigh_count(neigh), 3);
	check(neigh, LAN, "fe80::a", DESKTOP);
	check(neigh, GUEST, "fe80::a", VISITOR);
	check(neigh, LAN, ADDRESS, LAPTOP);
	check(neigh, GUEST, ADDRESS, NULL);
	check(neigh, LAN, "fe80::b", NULL);
	/* A new owner replaces the old. */
	tell(neigh, event_neigh(LAN, ADDRESS, DESKTOP), 4);
	check(neigh, LAN, ADDRESS, DESKTOP);
	assert_int_equal(neigh_count(neigh), 3);
	neigh_free(neigh);
	neigh_free(NULL);
}

static void an_entry_without_mac_is_gone(void **state)
{
	static const uint16_t states[] = { NUD_FAILED, NUD_INCOMPLETE, NUD_NOARP };
	struct neigh *neigh = neigh_new(10);
	struct rtnl_event known = event_neigh(LAN, ADDRESS, DESKTOP), e;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		tell(neigh, known, 1);
		check(neigh, LAN, ADDRESS, DESKTOP);
		e = known;
		e.neigh.state = states[i];
		tell(neigh, e, 2);
		check(neigh, LAN, ADDRESS, NULL);
	}
	tell(neigh, known, 3);
	e = known;
	e.neigh.has_mac = false;
	tell(neigh, e, 4);
	check(neigh, LAN, ADDRESS, NULL);
	tell(neigh, known, 5);
	tell(neigh, event_neigh(LAN, ADDRESS, "00:00:00:00:00:00"), 6);
	check(neigh, LAN, ADDRESS, NULL);
	tell(neigh, known, 7);
	tell(neigh, event_gone(known), 8);
	check(neigh, LAN, ADDRESS, NULL);
	assert_int_equal(neigh_count(neigh), 0);
	/* STALE, DELAY, PROBE and PERMANENT are as good as REACHABLE. */
	for (uint16_t bit = NUD_STALE; bit <= NUD_PROBE; bit = (uint16_t)(bit << 1)) {
		e = known;
		e.neigh.state = bit;
		tell(neigh, e, 9);
		check(neigh, LAN, ADDRESS, DESKTOP);
		tell(neigh, event_gone(known), 10);
	}
	neigh_free(neigh);
}

static void other_events_are_ignored(void **state)
{
	struct neigh *neigh = neigh_new(10);

	(void)state;
	tell(neigh, event_addr(LAN, ADDRESS, 24), 1);
	tell(neigh, event_link(LAN, "br-lan", 0, ARPHRD_ETHER), 1);
	tell(neigh, event_route(LAN, "192.168.1.0/24", NULL), 1);
	assert_int_equal(neigh_count(neigh), 0);
	neigh_free(neigh);
}

static void a_dump_takes_away_what_it_does_not_list(void **state)
{
	struct neigh *neigh = neigh_new(10);

	(void)state;
	tell(neigh, event_neigh(LAN, ADDRESS, DESKTOP), 1);
	tell(neigh, event_neigh(LAN, "192.168.1.11", LAPTOP), 1);
	neigh_sync_begin(neigh);
	tell(neigh, event_neigh(LAN, ADDRESS, DESKTOP), 2);
	tell(neigh, event_neigh(GUEST, "192.168.2.10", VISITOR), 2);
	check(neigh, LAN, "192.168.1.11", LAPTOP); /* while it runs, nothing is missing */
	neigh_sync_end(neigh);
	check(neigh, LAN, ADDRESS, DESKTOP);
	check(neigh, GUEST, "192.168.2.10", VISITOR);
	check(neigh, LAN, "192.168.1.11", NULL);
	assert_int_equal(neigh_count(neigh), 2);
	neigh_free(neigh);
}

static void the_latest_sighting_outlives_the_entry(void **state)
{
	struct neigh *neigh = neigh_new(10);

	(void)state;
	check_seen(neigh, ADDRESS, NULL, 0);
	tell(neigh, event_neigh(LAN, ADDRESS, DESKTOP), 1);
	tell(neigh, event_gone(event_neigh(LAN, ADDRESS, DESKTOP)), 2);
	check(neigh, LAN, ADDRESS, NULL);
	check_seen(neigh, ADDRESS, DESKTOP, LAN);
	saw(neigh, GUEST, ADDRESS, VISITOR, 3);
	check_seen(neigh, ADDRESS, VISITOR, GUEST);
	check(neigh, GUEST, ADDRESS, NULL); /* a packet is no entry of the kernel's */
	assert_int_equal(neigh_count(neigh), 0);
	neigh_free(neigh);
}

static void check_two(const struct neigh *neigh, uint32_t latest, uint32_t before)
{
	struct addr addr = event_ip(ADDRESS);
	uint32_t ifindex[2] = { 0 };

	assert_int_equal(neigh_had_two(neigh, &addr, ifindex), latest != 0);
	assert_int_equal(ifindex[0], latest);
	assert_int_equal(ifindex[1], before);
}

/* The same address in two networks: not a host that moved, and not one that took it over in the same network. */
static void two_networks_with_one_address(void **state)
{
	struct neigh *neigh = neigh_new(10);

	(void)state;
	check_two(neigh, 0, 0);
	saw(neigh, LAN, ADDRESS, DESKTOP, 1);
	saw(neigh, LAN, ADDRESS, LAPTOP, 2);
	check_two(neigh, 0, 0);
	saw(neigh, GUEST, ADDRESS, LAPTOP, 3);
	check_two(neigh, 0, 0);
	saw(neigh, LAN, ADDRESS, DESKTOP, 4);
	check_two(neigh, LAN, GUEST);
	saw(neigh, LAN, ADDRESS, DESKTOP, 5);
	check_two(neigh, LAN, GUEST);
	saw(neigh, GUEST, ADDRESS, LAPTOP, 6);
	check_two(neigh, GUEST, LAN);
	neigh_free(neigh);
}

static void the_oldest_sighting_makes_room(void **state)
{
	struct neigh *neigh = neigh_new(3);

	(void)state;
	saw(neigh, LAN, "10.0.0.1", DESKTOP, 1);
	saw(neigh, LAN, "10.0.0.2", DESKTOP, 2);
	saw(neigh, LAN, "10.0.0.3", DESKTOP, 3);
	saw(neigh, LAN, "10.0.0.1", LAPTOP, 4); /* the youngest now */
	saw(neigh, LAN, "10.0.0.4", DESKTOP, 5);
	check_seen(neigh, "10.0.0.2", NULL, 0);
	check_seen(neigh, "10.0.0.1", LAPTOP, LAN);
	check_seen(neigh, "10.0.0.3", DESKTOP, LAN);
	check_seen(neigh, "10.0.0.4", DESKTOP, LAN);
	neigh_free(neigh);
}

static void the_limit_holds(void **state)
{
	struct neigh *neigh = neigh_new(2);

	(void)state;
	tell(neigh, event_neigh(LAN, "10.0.0.1", DESKTOP), 1);
	tell(neigh, event_neigh(LAN, "10.0.0.2", LAPTOP), 1);
	tell(neigh, event_neigh(LAN, "10.0.0.3", VISITOR), 1);
	assert_int_equal(neigh_count(neigh), 2);
	check(neigh, LAN, "10.0.0.3", NULL);
	tell(neigh, event_neigh(LAN, "10.0.0.2", VISITOR), 2);
	check(neigh, LAN, "10.0.0.2", VISITOR);
	neigh_free(neigh);
}

struct list {
	int count;
	uint64_t times;
};

static void collect(void *ctx, const struct addr *addr, const struct mac *mac, uint64_t time)
{
	struct list *list = ctx;
	struct addr want = event_ip(time == 10 ? ADDRESS : "2001:db8::1");

	assert_true(addr_equal(addr, &want));
	assert_true(mac_is_host(mac));
	list->count++;
	list->times += time;
}

static void all_that_was_seen(void **state)
{
	struct neigh *neigh = neigh_new(10);
	struct list list = { 0 };

	(void)state;
	saw(neigh, LAN, ADDRESS, DESKTOP, 5);
	saw(neigh, LAN, ADDRESS, LAPTOP, 10);
	saw(neigh, GUEST, "2001:db8::1", VISITOR, 20);
	neigh_each_seen(neigh, collect, &list);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.times, 30);
	neigh_free(neigh);
}

static bool is_worth(void *ctx, const struct mac *mac)
{
	(void)ctx;
	return mac->b[1] == 0;
}

static void saw_made_up(struct neigh *neigh, uint32_t i, uint8_t second)
{
	struct mac mac = { { 2, second, 0, 0, (uint8_t)(i >> 8), (uint8_t)i } };
	struct addr addr = { .family = 4, .b = { 10, 1, (uint8_t)(i >> 8), (uint8_t)i } };

	neigh_saw(neigh, LAN, &addr, &mac, i);
}

/* Addresses with made-up MACs, and then many of one genuine MAC: those of others stay known. */
static void a_flood_pushes_out_no_host(void **state)
{
	struct neigh *neigh = neigh_new(200);
	const struct mac laptop = { { 2, 0, 9 } };
	struct addr addr = event_ip("10.2.0.0");

	(void)state;
	neigh_prefer(neigh, is_worth, NULL);
	for (uint32_t i = 0; i < 50; i++)
		saw_made_up(neigh, i, 0);
	for (uint32_t i = 1000; i < 5000; i++)
		saw_made_up(neigh, i, 0x66);
	for (uint32_t i = 0; i < 5000; i++) {
		addr.b[2] = (uint8_t)(i >> 8);
		addr.b[3] = (uint8_t)i;
		neigh_saw(neigh, LAN, &addr, &laptop, 10000 + i);
	}
	for (uint32_t i = 0; i < 50; i++) {
		struct addr own = { .family = 4, .b = { 10, 1, 0, (uint8_t)i } };
		uint32_t ifindex;
		struct mac mac;

		assert_true(neigh_last_seen(neigh, &own, &mac, &ifindex));
	}
	neigh_free(neigh);
}

/* Where all are of hosts, the oldest makes room. */
static void a_town_of_hosts(void **state)
{
	struct neigh *neigh = neigh_new(100);
	struct addr last = { .family = 4, .b = { 10, 1, 9999 >> 8, 9999 & 255 } },
		    first = { .family = 4, .b = { 10, 1 } };
	uint32_t ifindex;
	struct mac mac;

	(void)state;
	neigh_prefer(neigh, is_worth, NULL);
	for (uint32_t i = 0; i < 10000; i++)
		saw_made_up(neigh, i, 0);
	assert_true(neigh_last_seen(neigh, &last, &mac, &ifindex));
	assert_false(neigh_last_seen(neigh, &first, &mac, &ifindex));
	neigh_free(neigh);
}

/* The kernel's table may be larger than ours: what it tells last is known. */
static void the_latest_news_are_known(void **state)
{
	struct neigh *neigh = neigh_new(100);
	char text[ADDR_TEXT];

	(void)state;
	neigh_prefer(neigh, is_worth, NULL);
	tell(neigh, event_neigh(LAN, ADDRESS, DESKTOP), 1);
	for (int i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "10.1.%d.%d", i / 256, i % 256);
		tell(neigh, event_neigh(LAN, text, "02:66:00:00:00:01"), 2);
	}
	check(neigh, LAN, text, "02:66:00:00:00:01");
	check(neigh, LAN, ADDRESS, DESKTOP);
	check(neigh, LAN, "10.1.0.0", NULL);
	assert_int_equal(neigh_count(neigh), 100);
	neigh_free(neigh);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keyed_by_interface_and_address),
		cmocka_unit_test(an_entry_without_mac_is_gone),
		cmocka_unit_test(other_events_are_ignored),
		cmocka_unit_test(a_dump_takes_away_what_it_does_not_list),
		cmocka_unit_test(the_latest_sighting_outlives_the_entry),
		cmocka_unit_test(two_networks_with_one_address),
		cmocka_unit_test(a_flood_pushes_out_no_host),
		cmocka_unit_test(a_town_of_hosts),
		cmocka_unit_test(the_latest_news_are_known),
		cmocka_unit_test(the_oldest_sighting_makes_room),
		cmocka_unit_test(the_limit_holds),
		cmocka_unit_test(all_that_was_seen),
	};

	return cmocka_run_group_tests_name("neigh", tests, NULL, NULL);
}
