/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tombstones.h"

#include "hashtable.h"
#include "hostmeter/base/clock.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define S CLOCK_NS_PER_S

/* Far from 0, where an age may underflow. */
#define START (UINT64_C(1000) * S)

/* One key in each of many shards. */
static uint64_t key(uint64_t i)
{
	return i << 56 | (i + 1) * UINT64_C(0x9e3779b1);
}

static struct ct_event ended(uint64_t bytes, uint64_t packets)
{
	return (struct ct_event){ .type = CT_DESTROY, .bytes = { bytes, 2 * bytes }, .packets = { packets, packets } };
}

static void expire_all(struct tombstones *tombstones, uint64_t dump_began, uint64_t now)
{
	for (int i = 0; i < HASHTABLE_SHARDS; i++)
		tombstones_expire(tombstones, dump_began, now);
}

static void tells_a_repetition_from_another_flow(void **state)
{
	struct tombstones *tombstones = tombstones_new(100);
	struct ct_event first = ended(1000, 10), other = first;

	(void)state;
	assert_int_equal(tombstones_destroy(tombstones, key(1), &first, START), TOMBSTONES_UNKNOWN);
	for (int i = 0; i < 600; i++)
		assert_int_equal(tombstones_destroy(tombstones, key(1), &first, START + i), TOMBSTONES_REPEATED);
	assert_int_equal(tombstones_destroy(tombstones, key(2), &first, START), TOMBSTONES_UNKNOWN);
	assert_int_equal(tombstones_count(tombstones), 2);

	/* Each of the four counters tells. */
	other.bytes[0]++;
	assert_int_equal(tombstones_destroy(tombstones, key(1), &other, START + S), TOMBSTONES_REBORN);
	assert_int_equal(tombstones_destroy(tombstones, key(1), &other, START + S), TOMBSTONES_REPEATED);
	other.bytes[1]++;
	assert_int_equal(tombstones_destroy(tombstones, key(1), &other, START + S), TOMBSTONES_REBORN);
	other.packets[0]++;
	assert_int_equal(tombstones_destroy(tombstones, key(1), &other, START + S), TOMBSTONES_REBORN);
	other.packets[1]++;
	assert_int_equal(tombstones_destroy(tombstones, key(1), &other, START + S), TOMBSTONES_REBORN);
	assert_int_equal(tombstones_count(tombstones), 2);
	tombstones_free(tombstones);
	tombstones_free(NULL);
}

static void counters_may_be_zero(void **state)
{
	struct tombstones *tombstones = tombstones_new(100);
	struct ct_event none = ended(0, 0);

	(void)state;
	assert_int_equal(tombstones_destroy(tombstones, key(1), &none, START), TOMBSTONES_UNKNOWN);
	assert_int_equal(tombstones_destroy(tombstones, key(1), &none, START), TOMBSTONES_REPEATED);
	tombstones_free(tombstones);
}

static void a_dump_lists_what_ended_under_it(void **state)
{
	struct tombstones *tombstones = tombstones_new(100);
	struct ct_event e = ended(1000, 10);

	(void)state;
	tombstones_destroy(tombstones, key(1), &e, START + 5 * S);
	assert_int_equal(tombstones_entry(tombstones, key(2), START), TOMBSTONES_UNKNOWN);
	assert_int_equal(tombstones_entry(tombstones, key(1), START), TOMBSTONES_REPEATED);
	/* The event is sent a moment before the entry is out of the kernel's table. */
	assert_int_equal(tombstones_entry(tombstones, key(1), START + 5 * S + S / 2), TOMBSTONES_REPEATED);
	/* A dump that began later lists a new flow with an old name. */
	assert_int_equal(tombstones_entry(tombstones, key(1), START + 7 * S), TOMBSTONES_REBORN);
	assert_int_equal(tombstones_count(tombstones), 0);
	assert_int_equal(tombstones_entry(tombstones, key(1), START + 7 * S), TOMBSTONES_UNKNOWN);
	tombstones_free(tombstones);
}

static void forgets_after_a_while(void **state)
{
	struct tombstones *tombstones = tombstones_new(1000);
	struct ct_event e = ended(1000, 10);

	(void)state;
	tombstones_destroy(tombstones, key(1), &e, START);
	expire_all(tombstones, 0, START + TOMBSTONES_KEEP_NS);
	assert_int_equal(tombstones_count(tombstones), 1);
	expire_all(tombstones, 0, START + TOMBSTONES_KEEP_NS + 1);
	assert_int_equal(tombstones_count(tombstones), 0);
	assert_int_equal(tombstones_destroy(tombstones, key(1), &e, START + TOMBSTONES_KEEP_NS + 2),
		TOMBSTONES_UNKNOWN);
	tombstones_free(tombstones);
}

/* The kernel goes through what it could not deliver from the head: the others' turn may come much later. */
static void forgets_none_while_any_is_told_again(void **state)
{
	struct tombstones *tombstones = tombstones_new(1000);
	struct ct_event e = ended(1000, 10);
	uint64_t again = START + TOMBSTONES_KEEP_NS - 1;

	(void)state;
	tombstones_destroy(tombstones, key(1), &e, START);
	tombstones_destroy(tombstones, key(2), &e, START);
	assert_int_equal(tombstones_destroy(tombstones, key(2), &e, again), TOMBSTONES_REPEATED);
	expire_all(tombstones, 0, again + TOMBSTONES_KEEP_NS - 1);
	assert_int_equal(tombstones_count(tombstones), 2);
	expire_all(tombstones, 0, again + TOMBSTONES_KEEP_NS + 1);
	assert_int_equal(tombstones_count(tombstones), 0);
	tombstones_free(tombstones);
}

static void nothing_is_old_just_after_boot(void **state)
{
	struct tombstones *tombstones = tombstones_new(1000);
	struct ct_event e = ended(1000, 10);

	(void)state;
	tombstones_destroy(tombstones, key(1), &e, 1);
	expire_all(tombstones, 0, S);
	assert_int_equal(tombstones_count(tombstones), 1);
	tombstones_free(tombstones);
}

static void a_long_dump_keeps_them(void **state)
{
	struct tombstones *tombstones = tombstones_new(1000);
	struct ct_event e = ended(1000, 10);

	(void)state;
	tombstones_destroy(tombstones, key(1), &e, START - 2 * S); /* long before the dump */
	tombstones_destroy(tombstones, key(2), &e, START - S / 2); /* so shortly before that it may be listed */
	tombstones_destroy(tombstones, key(3), &e, START + S);
	expire_all(tombstones, START, START + 60 * S);
	assert_int_equal(tombstones_count(tombstones), 2);
	assert_int_equal(tombstones_entry(tombstones, key(2), START), TOMBSTONES_REPEATED);
	assert_int_equal(tombstones_entry(tombstones, key(3), START), TOMBSTONES_REPEATED);
	expire_all(tombstones, 0, START + 60 * S);
	assert_int_equal(tombstones_count(tombstones), 0);
	tombstones_free(tombstones);
}

static void one_call_looks_at_a_part(void **state)
{
	struct tombstones *tombstones = tombstones_new(1000);
	struct ct_event e = ended(1000, 10);
	int calls = 0;

	(void)state;
	for (uint64_t i = 0; i < 256; i++)
		tombstones_destroy(tombstones, key(i), &e, START);
	assert_int_equal(tombstones_count(tombstones), 256);
	while (tombstones_count(tombstones)) {
		size_t before = tombstones_count(tombstones);

		assert_in_range(++calls, 1, 256);
		tombstones_expire(tombstones, 0, START + 60 * S);
		assert_in_range(before - tombstones_count(tombstones), 1, 64);
	}
	tombstones_free(tombstones);
}

static void a_full_table_forgets_the_new(void **state)
{
	struct tombstones *tombstones = tombstones_new(2);
	struct ct_event e = ended(1000, 10);

	(void)state;
	tombstones_destroy(tombstones, key(1), &e, START);
	tombstones_destroy(tombstones, key(2), &e, START);
	assert_int_equal(tombstones_destroy(tombstones, key(3), &e, START), TOMBSTONES_UNKNOWN);
	assert_int_equal(tombstones_destroy(tombstones, key(3), &e, START), TOMBSTONES_UNKNOWN);
	assert_int_equal(tombstones_count(tombstones), 2);
	assert_int_equal(tombstones_destroy(tombstones, key(1), &e, START), TOMBSTONES_REPEATED);
	tombstones_free(tombstones);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_a_repetition_from_another_flow),
		cmocka_unit_test(counters_may_be_zero),
		cmocka_unit_test(a_dump_lists_what_ended_under_it),
		cmocka_unit_test(forgets_after_a_while),
		cmocka_unit_test(forgets_none_while_any_is_told_again),
		cmocka_unit_test(nothing_is_old_just_after_boot),
		cmocka_unit_test(a_long_dump_keeps_them),
		cmocka_unit_test(one_call_looks_at_a_part),
		cmocka_unit_test(a_full_table_forgets_the_new),
	};

	return cmocka_run_group_tests_name("tombstones", tests, NULL, NULL);
}
