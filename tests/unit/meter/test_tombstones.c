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

static void expire_all(struct tombs *tombs, uint64_t dump_began, uint64_t now)
{
	for (int i = 0; i < TABLE_SHARDS; i++)
		tombs_expire(tombs, dump_began, now);
}

static void tells_a_repetition_from_another_flow(void **state)
{
	struct tombs *tombs = tombs_new(100);
	struct ct_event first = ended(1000, 10), other = first;

	(void)state;
	assert_int_equal(tombs_destroy(tombs, key(1), &first, START), TOMBS_UNKNOWN);
	for (int i = 0; i < 600; i++)
		assert_int_equal(tombs_destroy(tombs, key(1), &first, START + i), TOMBS_REPEATED);
	assert_int_equal(tombs_destroy(tombs, key(2), &first, START), TOMBS_UNKNOWN);
	assert_int_equal(tombs_count(tombs), 2);

	/* Each of the four counters tells. */
	other.bytes[0]++;
	assert_int_equal(tombs_destroy(tombs, key(1), &other, START + S), TOMBS_REBORN);
	assert_int_equal(tombs_destroy(tombs, key(1), &other, START + S), TOMBS_REPEATED);
	other.bytes[1]++;
	assert_int_equal(tombs_destroy(tombs, key(1), &other, START + S), TOMBS_REBORN);
	other.packets[0]++;
	assert_int_equal(tombs_destroy(tombs, key(1), &other, START + S), TOMBS_REBORN);
	other.packets[1]++;
	assert_int_equal(tombs_destroy(tombs, key(1), &other, START + S), TOMBS_REBORN);
	assert_int_equal(tombs_count(tombs), 2);
	tombs_free(tombs);
	tombs_free(NULL);
}

static void counters_may_be_zero(void **state)
{
	struct tombs *tombs = tombs_new(100);
	struct ct_event none = ended(0, 0);

	(void)state;
	assert_int_equal(tombs_destroy(tombs, key(1), &none, START), TOMBS_UNKNOWN);
	assert_int_equal(tombs_destroy(tombs, key(1), &none, START), TOMBS_REPEATED);
	tombs_free(tombs);
}

static void a_dump_lists_what_ended_under_it(void **state)
{
	struct tombs *tombs = tombs_new(100);
	struct ct_event e = ended(1000, 10);

	(void)state;
	tombs_destroy(tombs, key(1), &e, START + 5 * S);
	assert_int_equal(tombs_entry(tombs, key(2), START), TOMBS_UNKNOWN);
	assert_int_equal(tombs_entry(tombs, key(1), START), TOMBS_REPEATED);
	/* The event is sent a moment before the entry is out of the kernel's table. */
	assert_int_equal(tombs_entry(tombs, key(1), START + 5 * S + S / 2), TOMBS_REPEATED);
	/* A dump that began later lists a new flow with an old name. */
	assert_int_equal(tombs_entry(tombs, key(1), START + 7 * S), TOMBS_REBORN);
	assert_int_equal(tombs_count(tombs), 0);
	assert_int_equal(tombs_entry(tombs, key(1), START + 7 * S), TOMBS_UNKNOWN);
	tombs_free(tombs);
}

static void forgets_after_a_while(void **state)
{
	struct tombs *tombs = tombs_new(1000);
	struct ct_event e = ended(1000, 10);

	(void)state;
	tombs_destroy(tombs, key(1), &e, START);
	expire_all(tombs, 0, START + TOMBS_KEEP_NS);
	assert_int_equal(tombs_count(tombs), 1);
	expire_all(tombs, 0, START + TOMBS_KEEP_NS + 1);
	assert_int_equal(tombs_count(tombs), 0);
	assert_int_equal(tombs_destroy(tombs, key(1), &e, START + TOMBS_KEEP_NS + 2), TOMBS_UNKNOWN);
	tombs_free(tombs);
}

/* The kernel goes through what it could not deliver from the head: the others' turn may come much later. */
static void forgets_none_while_any_is_told_again(void **state)
{
	struct tombs *tombs = tombs_new(1000);
	struct ct_event e = ended(1000, 10);
	uint64_t again = START + TOMBS_KEEP_NS - 1;

	(void)state;
	tombs_destroy(tombs, key(1), &e, START);
	tombs_destroy(tombs, key(2), &e, START);
	assert_int_equal(tombs_destroy(tombs, key(2), &e, again), TOMBS_REPEATED);
	expire_all(tombs, 0, again + TOMBS_KEEP_NS - 1);
	assert_int_equal(tombs_count(tombs), 2);
	expire_all(tombs, 0, again + TOMBS_KEEP_NS + 1);
	assert_int_equal(tombs_count(tombs), 0);
	tombs_free(tombs);
}

static void nothing_is_old_just_after_boot(void **state)
{
	struct tombs *tombs = tombs_new(1000);
	struct ct_event e = ended(1000, 10);

	(void)state;
	tombs_destroy(tombs, key(1), &e, 1);
	expire_all(tombs, 0, S);
	assert_int_equal(tombs_count(tombs), 1);
	tombs_free(tombs);
}

static void a_long_dump_keeps_them(void **state)
{
	struct tombs *tombs = tombs_new(1000);
	struct ct_event e = ended(1000, 10);

	(void)state;
	tombs_destroy(tombs, key(1), &e, START - 2 * S); /* long before the dump */
	tombs_destroy(tombs, key(2), &e, START - S / 2); /* so shortly before that it may be listed */
	tombs_destroy(tombs, key(3), &e, START + S);
	expire_all(tombs, START, START + 60 * S);
	assert_int_equal(tombs_count(tombs), 2);
	assert_int_equal(tombs_entry(tombs, key(2), START), TOMBS_REPEATED);
	assert_int_equal(tombs_entry(tombs, key(3), START), TOMBS_REPEATED);
	expire_all(tombs, 0, START + 60 * S);
	assert_int_equal(tombs_count(tombs), 0);
	tombs_free(tombs);
}

static void one_call_looks_at_a_part(void **state)
{
	struct tombs *tombs = tombs_new(1000);
	struct ct_event e = ended(1000, 10);
	int calls = 0;

	(void)state;
	for (uint64_t i = 0; i < 256; i++)
		tombs_destroy(tombs, key(i), &e, START);
	assert_int_equal(tombs_count(tombs), 256);
	while (tombs_count(tombs)) {
		size_t before = tombs_count(tombs);

		assert_in_range(++calls, 1, 256);
		tombs_expire(tombs, 0, START + 60 * S);
		assert_in_range(before - tombs_count(tombs), 1, 64);
	}
	tombs_free(tombs);
}

static void a_full_table_forgets_the_new(void **state)
{
	struct tombs *tombs = tombs_new(2);
	struct ct_event e = ended(1000, 10);

	(void)state;
	tombs_destroy(tombs, key(1), &e, START);
	tombs_destroy(tombs, key(2), &e, START);
	assert_int_equal(tombs_destroy(tombs, key(3), &e, START), TOMBS_UNKNOWN);
	assert_int_equal(tombs_destroy(tombs, key(3), &e, START), TOMBS_UNKNOWN);
	assert_int_equal(tombs_count(tombs), 2);
	assert_int_equal(tombs_destroy(tombs, key(1), &e, START), TOMBS_REPEATED);
	tombs_free(tombs);
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

	return cmocka_run_group_tests_name("tombs", tests, NULL, NULL);
}
