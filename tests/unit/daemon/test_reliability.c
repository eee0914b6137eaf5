/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reliability.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

static void test_opens_above_the_fill_and_closes_below_seventy(void **state)
{
	struct reliability_valve valve = { .fill_percent = 90 };

	(void)state;
	assert_false(reliability_valve_update(&valve, 900, 1000));
	assert_false(valve.open);
	assert_true(reliability_valve_update(&valve, 901, 1000));
	assert_true(valve.open);
	assert_false(reliability_valve_update(&valve, 700, 1000)); /* between the two it stays as it is */
	assert_true(valve.open);
	assert_true(reliability_valve_update(&valve, 699, 1000));
	assert_false(valve.open);
	assert_false(reliability_valve_update(&valve, 899, 1000));
	assert_int_equal(valve.openings, 1);
}

static void test_a_low_fill_closes_below_itself(void **state)
{
	struct reliability_valve valve = { .fill_percent = 50 };

	(void)state;
	assert_true(reliability_valve_update(&valve, 60, 100));
	assert_false(reliability_valve_update(&valve, 50, 100));
	assert_true(reliability_valve_update(&valve, 49, 100));
}

/* nf_conntrack_max=0: the kernel knows no limit. */
static void test_no_limit_is_never_full(void **state)
{
	struct reliability_valve valve = { .fill_percent = 90 };

	(void)state;
	assert_false(reliability_valve_update(&valve, 1000000, 0));
	assert_false(valve.open);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens_above_the_fill_and_closes_below_seventy),
		cmocka_unit_test(test_a_low_fill_closes_below_itself),
		cmocka_unit_test(test_no_limit_is_never_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
