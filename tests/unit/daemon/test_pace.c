/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/clock.h"
#include "pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

#define S CLOCK_NS_PER_S
#define MS CLOCK_NS_PER_MS

static struct pace ten_seconds(void)
{
	return (struct pace){ .interval_ns = 10 * S, .share = 5 };
}

static void test_a_cheap_dump_keeps_the_interval(void **state)
{
	struct pace pace = ten_seconds();

	(void)state;
	assert_int_equal(pace_delay(&pace, 20 * S), 0); /* the first is due at once */
	pace_dumped(&pace, 100 * S, 10 * MS);
	assert_int_equal(pace_interval(&pace, 100 * S), 10 * S);
	assert_int_equal(pace_delay(&pace, 103 * S), 7 * S);
	assert_int_equal(pace_delay(&pace, 110 * S), 0);
	assert_int_equal(pace_delay(&pace, 200 * S), 0);
}

/* 2 s of CPU at 5 % of a core: every 40 s, not more often. */
static void test_a_dear_dump_stretches_it(void **state)
{
	struct pace pace = ten_seconds();

	(void)state;
	pace_dumped(&pace, 100 * S, 2 * S);
	assert_int_equal(pace_interval(&pace, 100 * S), 40 * S);
	assert_int_equal(pace_delay(&pace, 130 * S), 10 * S);
	pace.share = 20;
	assert_int_equal(pace_interval(&pace, 100 * S), 10 * S);
}

static void test_a_watcher_makes_it_shorter_for_a_while(void **state)
{
	struct pace pace = ten_seconds();

	(void)state;
	pace_dumped(&pace, 100 * S, 10 * MS);
	pace_want(&pace, 2 * S, 101 * S, 105 * S);
	assert_int_equal(pace_delay(&pace, 101 * S), 1 * S);
	assert_int_equal(pace_interval(&pace, 105 * S), 10 * S); /* nobody looks any more */
}

static void test_not_more_often_than_once_a_second(void **state)
{
	struct pace pace = ten_seconds();

	(void)state;
	pace_dumped(&pace, 100 * S, 1 * MS);
	pace_want(&pace, 10 * MS, 101 * S, 200 * S);
	assert_int_equal(pace_interval(&pace, 101 * S), 1 * S);
}

static void test_no_watcher_breaks_the_share(void **state)
{
	struct pace pace = ten_seconds();

	(void)state;
	pace_dumped(&pace, 100 * S, 200 * MS);
	pace_want(&pace, 1 * S, 101 * S, 200 * S);
	assert_int_equal(pace_interval(&pace, 101 * S), 4 * S);
}

static void test_a_slow_watcher_does_not_slow_down_others(void **state)
{
	struct pace pace = ten_seconds();

	(void)state;
	pace_dumped(&pace, 100 * S, 1 * MS);
	pace_want(&pace, 60 * S, 101 * S, 200 * S);
	assert_int_equal(pace_interval(&pace, 101 * S), 10 * S);
	pace_want(&pace, 2 * S, 101 * S, 200 * S);
	pace_want(&pace, 5 * S, 101 * S, 190 * S);
	assert_int_equal(pace_interval(&pace, 101 * S), 2 * S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_cheap_dump_keeps_the_interval),
		cmocka_unit_test(test_a_dear_dump_stretches_it),
		cmocka_unit_test(test_a_watcher_makes_it_shorter_for_a_while),
		cmocka_unit_test(test_not_more_often_than_once_a_second),
		cmocka_unit_test(test_no_watcher_breaks_the_share),
		cmocka_unit_test(test_a_slow_watcher_does_not_slow_down_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
