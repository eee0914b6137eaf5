/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/sightings.h"

#include "hashtable.h"
#include "hostmeter/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define S CLOCK_NS_PER_S
#define START (UINT64_C(1000) * S)
#define KEEP (UINT64_C(120) * S)

enum { LAN = 3, WAN = 2 };

static const struct sightings_end host = { .ifindex = LAN, .mac = { { 2, 0, 0, 0, 0, 1 } }, .has_mac = true };
static const struct sightings_end other_host = { .ifindex = LAN, .mac = { { 2, 0, 0, 0, 0, 2 } }, .has_mac = true };
static const struct sightings_end provider = { .ifindex = WAN, .mac = { { 2, 0, 0, 0, 0, 9 } }, .has_mac = true };
static const struct sightings_end tunnel = { .ifindex = 5 };

static uint64_t pair(uint64_t i)
{
	return i << 56 | (i + 1) * UINT64_C(0x9e3779b1);
}

/* The way out matters for what it says of the other end. */
static bool add(struct sightings *sightings, uint64_t key, int from, const struct sightings_end *in, uint32_t outdev,
	uint64_t now)
{
	const struct sightings_end out = { .ifindex = outdev, .side = 2 };

	return sightings_add(sightings, key, from, in, &out, now);
}

static void expire_all(struct sightings *sightings, uint64_t now)
{
	for (int i = 0; i < HASHTABLE_SHARDS; i++)
		sightings_expire(sightings, KEEP, now);
}

static void check_end(const struct sightings_end *got, const struct sightings_end *want, bool seen)
{
	assert_int_equal(got->ifindex, want->ifindex);
	assert_int_equal(got->seen, seen);
	assert_int_equal(got->has_mac, seen && want->has_mac);
	if (got->has_mac)
		assert_memory_equal(&got->mac, &want->mac, sizeof(want->mac));
}

static void one_packet_tells_of_both_ends(void **state)
{
	struct sightings *sightings = sightings_new(10);
	struct sightings_end end[2];

	(void)state;
	assert_false(sightings_find(sightings, pair(1), end));
	for (int from = 0; from < 2; from++) {
		assert_true(add(sightings, pair(from), from, &host, WAN, START));
		assert_true(sightings_find(sightings, pair(from), end));
		check_end(&end[from], &host, true);
		check_end(&end[!from], &provider, false);
	}
	assert_int_equal(sightings_count(sightings), 2);
	sightings_free(sightings);
	sightings_free(NULL);
}

static void the_answer_completes_it(void **state)
{
	struct sightings *sightings = sightings_new(10);
	struct sightings_end end[2];

	(void)state;
	/* Both directions' packets in both orders: what was seen first-hand is not overwritten by "leaves by". */
	for (int first = 0; first < 2; first++) {
		const struct sightings_end *ends[2] = { &host, &provider };

		add(sightings, pair(first), first, ends[first], 77, START);
		add(sightings, pair(first), !first, ends[!first], 78, START);
		assert_true(sightings_find(sightings, pair(first), end));
		check_end(&end[0], &host, true);
		check_end(&end[1], &provider, true);
	}
	sightings_free(sightings);
}

static void links_without_macs(void **state)
{
	struct sightings *sightings = sightings_new(10);
	struct sightings_end end[2];

	(void)state;
	add(sightings, pair(1), 0, &tunnel, 0, START);
	assert_true(sightings_find(sightings, pair(1), end));
	check_end(&end[0], &tunnel, true);
	assert_int_equal(end[1].ifindex, 0);
	assert_false(end[1].seen);
	sightings_free(sightings);
}

static void the_same_pair_may_begin_anew(void **state)
{
	struct sightings *sightings = sightings_new(10);
	struct sightings_end end[2];

	(void)state;
	add(sightings, pair(1), 0, &host, WAN, START);
	add(sightings, pair(1), 1, &provider, LAN, START);
	sightings_used(sightings, pair(1));
	assert_true(sightings_find(sightings, pair(1), end)); /* not at once */
	/* The address has another owner now; nothing of the first flow is left. */
	add(sightings, pair(1), 0, &other_host, WAN, START + S);
	assert_true(sightings_find(sightings, pair(1), end));
	check_end(&end[0], &other_host, true);
	check_end(&end[1], &provider, false);
	assert_int_equal(sightings_count(sightings), 1);
	sightings_used(sightings, pair(9)); /* unknown: nothing happens */
	sightings_free(sightings);
}

/* Two networks with the same addresses, before a flow was decided by the first packet. */
static void packets_of_two_networks_tell_nothing(void **state)
{
	const struct sightings_end twin = { .ifindex = 6, .mac = other_host.mac, .has_mac = true };
	struct sightings *sightings = sightings_new(10);
	struct sightings_end end[2];

	(void)state;
	assert_false(sightings_is_fresh(sightings, pair(1)));
	add(sightings, pair(1), 0, &host, WAN, START);
	add(sightings, pair(1), 0, &other_host, WAN, START); /* the address passed to another host */
	assert_true(sightings_find(sightings, pair(1), end));
	assert_true(sightings_is_fresh(sightings, pair(1)));
	add(sightings, pair(1), 0, &host, WAN, START);
	add(sightings, pair(1), 0, &twin, WAN, START);
	assert_false(sightings_find(sightings, pair(1), end));
	add(sightings, pair(1), 0, &twin, WAN, START);
	assert_false(sightings_find(sightings, pair(1), end));
	sightings_used(sightings, pair(1));
	assert_false(sightings_is_fresh(sightings, pair(1)));
	add(sightings, pair(1), 0, &twin, WAN, START);
	assert_true(sightings_find(sightings, pair(1), end));
	check_end(&end[0], &twin, true);
	sightings_free(sightings);
}

static void used_ones_go_soon_others_late(void **state)
{
	struct sightings *sightings = sightings_new(10);
	struct sightings_end end[2];

	(void)state;
	add(sightings, pair(1), 0, &host, WAN, START);
	add(sightings, pair(2), 0, &host, WAN, START);
	sightings_used(sightings, pair(1));
	expire_all(sightings, START + S);
	assert_int_equal(sightings_count(sightings), 2);
	expire_all(sightings, START + 10 * S);
	assert_false(sightings_find(sightings, pair(1), end));
	assert_true(sightings_find(sightings, pair(2), end));
	expire_all(sightings, START + KEEP);
	assert_int_equal(sightings_count(sightings), 1);
	expire_all(sightings, START + KEEP + S);
	assert_int_equal(sightings_count(sightings), 0);
	sightings_free(sightings);
}

/* The record's 32 bits of milliseconds wrap after 49 days. */
static void seven_weeks_are_no_edge(void **state)
{
	const uint64_t edge = (UINT64_C(1) << 32) * CLOCK_NS_PER_MS;
	struct sightings *sightings = sightings_new(10);

	(void)state;
	add(sightings, pair(1), 0, &host, WAN, edge - S);
	expire_all(sightings, edge + S);
	assert_int_equal(sightings_count(sightings), 1);
	expire_all(sightings, edge + KEEP);
	assert_int_equal(sightings_count(sightings), 0);
	sightings_free(sightings);
}

static void the_limit_holds(void **state)
{
	struct sightings *sightings = sightings_new(2);
	struct sightings_end end[2];

	(void)state;
	assert_true(add(sightings, pair(1), 0, &host, WAN, START));
	assert_true(add(sightings, pair(2), 0, &host, WAN, START));
	assert_false(add(sightings, pair(3), 0, &host, WAN, START));
	assert_false(sightings_find(sightings, pair(3), end));
	assert_true(add(sightings, pair(2), 1, &provider, LAN, START));
	assert_int_equal(sightings_count(sightings), 2);
	sightings_free(sightings);
}

/* What decided a flow, or waits for one in vain, makes room for a first packet of now. */
static void the_old_makes_room(void **state)
{
	enum { LIMIT = 10000 };
	struct sightings *sightings = sightings_new(LIMIT);
	struct sightings_end end[2];
	uint64_t lost = 0, i;

	(void)state;
	for (i = 0; i < LIMIT; i++)
		assert_true(add(sightings, pair(i), 0, &host, WAN, START));
	for (; i < 2 * LIMIT; i++) /* a flood at once */
		assert_false(add(sightings, pair(i), 0, &host, WAN, START + S));
	for (; i < 3 * LIMIT; i++) {
		lost += !add(sightings, pair(i), 0, &host, WAN, START + 3 * S);
		assert_true(sightings_find(sightings, pair(i), end));
		if (i % 2)
			sightings_used(sightings, pair(i));
	}
	assert_in_range(lost, LIMIT / 2, LIMIT - 1);
	assert_int_equal(sightings_count(sightings), LIMIT);
	sightings_free(sightings);
}

/* A clock that is read a little before the sighting's makes nothing old. */
static void a_moment_ago_is_not_long_ago(void **state)
{
	struct sightings *sightings = sightings_new(10);
	struct sightings_end end[2];

	(void)state;
	assert_true(add(sightings, pair(1), 0, &host, WAN, START + S / 20));
	expire_all(sightings, START);
	assert_true(sightings_find(sightings, pair(1), end));
	sightings_free(sightings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_packet_tells_of_both_ends),
		cmocka_unit_test(the_answer_completes_it),
		cmocka_unit_test(links_without_macs),
		cmocka_unit_test(the_same_pair_may_begin_anew),
		cmocka_unit_test(packets_of_two_networks_tell_nothing),
		cmocka_unit_test(used_ones_go_soon_others_late),
		cmocka_unit_test(seven_weeks_are_no_edge),
		cmocka_unit_test(the_limit_holds),
		cmocka_unit_test(the_old_makes_room),
		cmocka_unit_test(a_moment_ago_is_not_long_ago),
	};

	return cmocka_run_group_tests_name("sightings", tests, NULL, NULL);
}
