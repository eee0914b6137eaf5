/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/hosts.h"

#include "events.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const char *label(const struct hosts *hosts, uint32_t index)
{
	static char text[ADDR_TEXT];

	return hosts_label(hosts, index, text);
}

static void three_are_there_from_the_start(void **state)
{
	struct hosts *hosts = hosts_new(10);

	(void)state;
	assert_int_equal(hosts_count(hosts), HOST_FIRST);
	assert_string_equal(label(hosts, HOST_ROUTER), "router");
	assert_string_equal(label(hosts, HOST_UNKNOWN), "unknown");
	assert_string_equal(label(hosts, HOST_OTHER), "other");
	for (uint32_t i = 0; i < HOST_FIRST; i++)
		assert_int_equal(hosts_get(hosts, i)->kind, HOST_KIND_SPECIAL);
	hosts_free(hosts);
	hosts_free(NULL);
}

static void one_host_per_mac_or_address(void **state)
{
	struct hosts *hosts = hosts_new(10);
	/* The same bytes in three kinds of name; the MAC even begins like a family. */
	struct mac mac = { { 4, 10, 1, 2, 3, 0 } };
	struct addr four = { .family = 4, .b = { 10, 1, 2, 3 } }, six = { .family = 6, .b = { 10, 1, 2, 3 } };
	uint32_t a = hosts_by_mac(hosts, &mac), b = hosts_by_address(hosts, &four), c = hosts_by_address(hosts, &six);

	(void)state;
	assert_int_equal(a, HOST_FIRST);
	assert_int_equal(b, HOST_FIRST + 1);
	assert_int_equal(c, HOST_FIRST + 2);
	assert_int_equal(hosts_by_mac(hosts, &mac), a);
	assert_int_equal(hosts_by_address(hosts, &four), b);
	assert_int_equal(hosts_by_address(hosts, &six), c);
	assert_int_equal(hosts_count(hosts), HOST_FIRST + 3);
	assert_int_equal(hosts_get(hosts, a)->kind, HOST_KIND_MAC);
	assert_true(mac_equal(&hosts_get(hosts, a)->mac, &mac));
	assert_int_equal(hosts_get(hosts, b)->kind, HOST_KIND_ADDRESS);
	assert_true(addr_equal(&hosts_get(hosts, c)->addr, &six));
	mac.b[5] = 1; /* the last byte tells too */
	assert_int_equal(hosts_by_mac(hosts, &mac), HOST_FIRST + 3);
	hosts_free(hosts);
}

static void what_does_not_fit_is_other(void **state)
{
	struct hosts *hosts = hosts_new(2);
	struct mac first = event_mac(DESKTOP), second = event_mac(LAPTOP), third = event_mac(VISITOR);
	struct addr addr = event_ip("10.9.0.2");

	(void)state;
	hosts_by_mac(hosts, &first);
	hosts_by_mac(hosts, &second);
	assert_int_equal(hosts_folded(hosts), 0);
	assert_int_equal(hosts_by_mac(hosts, &third), HOST_OTHER);
	assert_int_equal(hosts_by_address(hosts, &addr), HOST_OTHER);
	assert_int_equal(hosts_folded(hosts), 2);
	assert_int_equal(hosts_count(hosts), HOST_FIRST + 2);
	assert_int_equal(hosts_by_mac(hosts, &second), HOST_FIRST + 1);
	/* Nobody's name or MAC got onto the shared one. */
	assert_int_equal(hosts_get(hosts, HOST_OTHER)->kind, HOST_KIND_SPECIAL);
	hosts_free(hosts);
}

static void hosts_stay_where_they_are(void **state)
{
	struct hosts *hosts = hosts_new(1000);
	struct host *router = hosts_get(hosts, HOST_ROUTER);

	(void)state;
	router->wan.of[TRAFFIC_IPV6][TRAFFIC_OUT].bytes = 7;
	for (uint32_t i = 0; i < 1000; i++) {
		struct mac mac = { { 2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i } };

		assert_int_equal(hosts_by_mac(hosts, &mac), HOST_FIRST + i);
	}
	assert_ptr_equal(hosts_get(hosts, HOST_ROUTER), router);
	assert_int_equal(router->wan.of[TRAFFIC_IPV6][TRAFFIC_OUT].bytes, 7);
	hosts_free(hosts);
}

/* --- Who leaves when the table is full */

#define S (UINT64_C(1000000000))
#define START (UINT64_C(100000) * S)

static struct mac numbered(uint32_t i)
{
	return (struct mac){ { 2, 6, (uint8_t)(i >> 24), (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i } };
}

/* A flow of host number i. */
static uint32_t ask(struct hosts *hosts, uint32_t i, bool is_answered, uint64_t now)
{
	const struct hosts_claim claim = {
		.now = now, .ifindex = LAN, .partner = HOST_NONE, .is_answered = is_answered
	};
	const struct mac mac = numbered(i);
	uint32_t index = hosts_find_mac(hosts, &mac);

	if (index == HOST_NONE)
		index = hosts_add_mac(hosts, &mac, &claim);
	if (index >= HOST_FIRST && index != HOST_NONE)
		hosts_get(hosts, index)->last_seen = now;
	return index;
}

static bool is_there(const struct hosts *hosts, uint32_t i)
{
	const struct mac mac = numbered(i);

	return hosts_find_mac(hosts, &mac) != HOST_NONE;
}

static void a_flood_takes_free_places_only(void **state)
{
	struct hosts *hosts = hosts_new(10);
	struct hosts_stats stats;

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		ask(hosts, i, true, START);
	for (uint32_t i = 100; i < 100100; i++)
		ask(hosts, i, false, START + i * S / 1000);
	for (uint32_t i = 0; i < 4; i++)
		assert_true(is_there(hosts, i));
	stats = hosts_stats(hosts);
	assert_int_equal(stats.taken, 10);
	assert_int_equal(stats.unanswered, 6);
	assert_int_equal(stats.folded, 100000 - 6);
	assert_int_equal(stats.folded_unanswered, 100000 - 6);
	assert_int_equal(stats.left[HOSTS_LEFT_UNANSWERED], 0);
	assert_int_equal(stats.unanswered_on, LAN);
	assert_int_equal(hosts_count(hosts), HOST_FIRST + 10);
	hosts_free(hosts);
}

/* In the middle of the flood: genuine hosts get a reply, and so the place of one that never did. */
static void who_gets_a_reply_gets_a_place(void **state)
{
	struct hosts *hosts = hosts_new(10);
	struct hosts_stats stats;

	(void)state;
	for (uint32_t i = 100; i < 1100; i++)
		ask(hosts, i, false, START + i);
	ask(hosts, 100, false, START + 5000); /* it is still at work, so others leave first */
	for (uint32_t i = 0; i < 9; i++)
		assert_true(ask(hosts, i, true, START + 10000 + i) >= HOST_FIRST);
	for (uint32_t i = 0; i < 9; i++)
		assert_true(is_there(hosts, i));
	assert_true(is_there(hosts, 100));
	stats = hosts_stats(hosts);
	assert_int_equal(stats.left[HOSTS_LEFT_UNANSWERED], 9);
	assert_int_equal(stats.unanswered, 1);
	/* No reply yet, and then one. */
	hosts_answered(hosts, hosts_find_mac(hosts, &(const struct mac){ { 2, 6, 0, 0, 0, 100 } }));
	assert_int_equal(hosts_stats(hosts).unanswered, 0);
	assert_int_equal(ask(hosts, 50, true, START + 20000), HOST_OTHER);
	assert_true(is_there(hosts, 100));
	assert_int_equal(hosts_count(hosts), HOST_FIRST + 10);
	hosts_free(hosts);
}

/* Made-up MACs that are all active are no better. */
static void an_active_flood_leaves_too(void **state)
{
	struct hosts *hosts = hosts_new(100);

	(void)state;
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 100; i < 200; i++)
			ask(hosts, i, false, START + round * S);
	}
	for (uint32_t i = 0; i < 100; i++)
		assert_true(ask(hosts, i, true, START + 10 * S) >= HOST_FIRST);
	for (uint32_t i = 0; i < 100; i++)
		assert_true(is_there(hosts, i));
	hosts_free(hosts);
}

/* Even a flood whose MACs get replies takes no place of a host that is active, and after an hour it leaves. */
static void who_was_answered_leaves_after_an_hour(void **state)
{
	struct hosts *hosts = hosts_new(3);
	uint32_t busy;

	(void)state;
	busy = ask(hosts, 0, true, START);
	hosts_connect(hosts, busy, TRAFFIC_IPV4, 1);
	ask(hosts, 1, true, START);
	ask(hosts, 2, true, START + 10 * S);
	assert_int_equal(ask(hosts, 3, true, START + HOSTS_CROWDED_NS - 1), HOST_OTHER);
	ask(hosts, 2, true, START + 20 * S);
	assert_true(ask(hosts, 3, true, START + HOSTS_CROWDED_NS + 15 * S) >= HOST_FIRST);
	assert_false(is_there(hosts, 1));
	assert_int_equal(ask(hosts, 1, true, START + HOSTS_CROWDED_NS + 15 * S), HOST_OTHER);
	assert_int_equal(ask(hosts, 1, false, START + HOSTS_CROWDED_NS + 30 * S), HOST_OTHER);
	assert_true(ask(hosts, 1, true, START + HOSTS_CROWDED_NS + 30 * S) >= HOST_FIRST);
	assert_false(is_there(hosts, 2));
	assert_true(is_there(hosts, 0)); /* it has a connection */
	assert_int_equal(hosts_stats(hosts).left[HOSTS_LEFT_CROWDED], 2);
	hosts_free(hosts);
}

static void configured_hosts_have_places_of_their_own(void **state)
{
	struct hosts *hosts = hosts_new(2);
	const struct hosts_claim claim = { .now = START, .partner = HOST_NONE, .is_configured = true };
	struct addr addr = event_ip("10.9.0.2");
	uint32_t by_address;

	(void)state;
	for (uint32_t i = 100; i < 200; i++)
		ask(hosts, i, false, START);
	by_address = hosts_add_address(hosts, &addr, &claim);
	assert_true(by_address >= HOST_FIRST);
	assert_true(hosts_add_mac(hosts, &(const struct mac){ { 2, 7 } }, &claim) >= HOST_FIRST);
	assert_int_equal(hosts_stats(hosts).taken, 2);
	ask(hosts, 0, true, START);
	ask(hosts, 1, true, START);
	assert_int_equal(ask(hosts, 2, true, START), HOST_OTHER);
	assert_int_equal(hosts_find_address(hosts, &addr), by_address);
	/* It is configured no more: one of the others, though there is no place for it now. */
	hosts_configured(hosts, by_address, false);
	assert_int_equal(hosts_stats(hosts).taken, 3);
	assert_int_equal(hosts_find_address(hosts, &addr), by_address);
	assert_true(ask(hosts, 2, true, START + 1) >= HOST_FIRST);
	assert_int_equal(hosts_find_address(hosts, &addr), HOST_NONE);
	hosts_free(hosts);
}

static void left(void *ctx, uint32_t index)
{
	*(uint32_t *)ctx = index;
}

/* What it counted and what its flows will count is of "other"; its index is kept for these flows. */
static void who_leaves_is_other(void **state)
{
	struct hosts *hosts = hosts_new(1);
	struct host *other = hosts_get(hosts, HOST_OTHER);
	uint32_t first = ask(hosts, 1, false, START), second, told = 0;

	(void)state;
	hosts_watch(hosts, left, &told);
	hosts_get(hosts, first)->wan.of[TRAFFIC_IPV4][TRAFFIC_OUT].bytes = 70;
	hosts_get(hosts, first)->wan_floor.of[TRAFFIC_IPV4][TRAFFIC_OUT].bytes = 100;
	other->wan.of[TRAFFIC_IPV4][TRAFFIC_OUT].bytes = 5;
	hosts_connect(hosts, first, TRAFFIC_IPV6, 1);
	hosts_refer(hosts, first, 1);
	second = ask(hosts, 2, true, START);
	assert_int_equal(told, first);
	assert_true(second != first && second >= HOST_FIRST);
	assert_int_equal(hosts_resolve(hosts, first), HOST_OTHER);
	assert_int_equal(hosts_resolve(hosts, second), second);
	assert_int_equal(hosts_resolve(hosts, HOST_NONE), HOST_NONE);
	assert_int_equal(other->wan.of[TRAFFIC_IPV4][TRAFFIC_OUT].bytes, 75);
	assert_int_equal(other->wan_floor.of[TRAFFIC_IPV4][TRAFFIC_OUT].bytes, 105); /* what is shown */
	assert_int_equal(other->connections[TRAFFIC_IPV6], 1);
	hosts_leave(hosts, second, HOSTS_LEFT_SILENT);
	assert_int_equal(ask(hosts, 3, true, START), second); /* the index is free at once */
	hosts_leave(hosts, second, HOSTS_LEFT_SILENT);
	hosts_connect(hosts, first, TRAFFIC_IPV6, -1);
	assert_int_equal(other->connections[TRAFFIC_IPV6], 0);
	assert_int_equal(ask(hosts, 3, true, START), second); /* first is still referred to */
	hosts_leave(hosts, second, HOSTS_LEFT_SILENT);
	hosts_refer(hosts, first, -1);
	hosts_refer(hosts, HOST_NONE, -1);
	assert_int_equal(ask(hosts, 3, true, START), first);
	hosts_leave(hosts, HOST_OTHER, HOSTS_LEFT_SILENT);
	assert_int_equal(other->kind, HOST_KIND_SPECIAL);
	hosts_free(hosts);
}

/* The indexes of hosts that left are bounded, too: those that live flows refer to. */
static void so_many_may_be_leaving(void **state)
{
	struct hosts *hosts = hosts_new(4);

	(void)state;
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t index = ask(hosts, i, false, START);

		if (index >= HOST_FIRST)
			hosts_connect(hosts, index, TRAFFIC_IPV4, 1);
		ask(hosts, 1000000 + i, true, START);
	}
	assert_in_range(hosts_count(hosts), HOST_FIRST + 4, HOST_FIRST + 8);
	hosts_free(hosts);
}

/* The other end of the flow that asks stays, and one that may wait is not counted. */
static void partners_and_waiting(void **state)
{
	struct hosts *hosts = hosts_new(1);
	struct hosts_claim claim = { .now = START, .is_answered = true };
	const struct mac mac = numbered(2);

	(void)state;
	claim.partner = ask(hosts, 1, false, START);
	assert_int_equal(hosts_add_mac(hosts, &mac, &claim), HOST_OTHER);
	claim = (struct hosts_claim){ .now = START, .partner = HOST_NONE, .may_wait = true };
	assert_int_equal(hosts_add_mac(hosts, &mac, &claim), HOST_NONE);
	assert_int_equal(hosts_folded(hosts), 1);
	hosts_free(hosts);
}

static void note(void *ctx, uint32_t index)
{
	uint32_t *next = ctx;

	next[++next[0]] = index;
}

static void in_the_order_of_leaving(void **state)
{
	struct hosts *hosts = hosts_new(10);
	uint32_t got[20] = { 0 }, answered = ask(hosts, 1, true, START), never = ask(hosts, 2, false, START);

	(void)state;
	hosts_each(hosts, note, got);
	assert_int_equal(got[0], HOST_FIRST + 2);
	assert_int_equal(got[HOST_FIRST + 1], never);
	assert_int_equal(got[HOST_FIRST + 2], answered);
	hosts_configured(hosts, answered, true);
	got[0] = 0;
	hosts_each(hosts, note, got);
	assert_int_equal(got[HOST_FIRST + 1], answered);
	assert_int_equal(got[HOST_FIRST + 2], never);
	hosts_free(hosts);
}

static void labels(void **state)
{
	struct hosts *hosts = hosts_new(10);
	struct mac mac = event_mac("02:00:00:00:00:0A");
	struct addr addr = event_ip("2001:DB8::1");
	uint32_t by_mac = hosts_by_mac(hosts, &mac), by_address = hosts_by_address(hosts, &addr);
	char name[] = "desktop";

	(void)state;
	assert_string_equal(label(hosts, by_mac), "02:00:00:00:00:0a");
	assert_string_equal(label(hosts, by_address), "2001:db8::1");
	assert_int_equal(hosts_set_name(hosts_get(hosts, by_mac), name), 0);
	name[0] = 'X'; /* it was copied */
	assert_string_equal(label(hosts, by_mac), "desktop");
	assert_int_equal(hosts_set_name(hosts_get(hosts, by_mac), "laptop"), 0);
	assert_string_equal(label(hosts, by_mac), "laptop");
	assert_int_equal(hosts_set_name(hosts_get(hosts, by_mac), NULL), 0);
	assert_string_equal(label(hosts, by_mac), "02:00:00:00:00:0a");
	hosts_free(hosts);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_are_there_from_the_start),
		cmocka_unit_test(one_host_per_mac_or_address),
		cmocka_unit_test(what_does_not_fit_is_other),
		cmocka_unit_test(hosts_stay_where_they_are),
		cmocka_unit_test(a_flood_takes_free_places_only),
		cmocka_unit_test(who_gets_a_reply_gets_a_place),
		cmocka_unit_test(an_active_flood_leaves_too),
		cmocka_unit_test(who_was_answered_leaves_after_an_hour),
		cmocka_unit_test(configured_hosts_have_places_of_their_own),
		cmocka_unit_test(who_leaves_is_other),
		cmocka_unit_test(so_many_may_be_leaving),
		cmocka_unit_test(partners_and_waiting),
		cmocka_unit_test(in_the_order_of_leaving),
		cmocka_unit_test(labels),
	};

	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
