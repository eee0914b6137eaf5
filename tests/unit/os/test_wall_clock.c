/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/clock.h"
#include "hostmeter/os/wall_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define S CLOCK_NS_PER_S
#define IN_2100 (UINT64_C(4102444800) * S)

static void the_date_of_a_router_that_has_just_booted_is_not_known(void **state)
{
	(void)state;
	assert_false(wall_clock_is_set(100 * S, false, 0)); /* 1970 */
	assert_false(wall_clock_is_set(UINT64_C(1500000000) * S, false, 0));
	/* At the date of its newest file, which is the one of before. */
	assert_false(wall_clock_is_set(IN_2100, false, IN_2100));
	assert_false(wall_clock_is_set(IN_2100, false, IN_2100 + S));
}

static void a_date_that_may_be_believed(void **state)
{
	(void)state;
	assert_true(wall_clock_is_set(IN_2100, false, 0));
	assert_true(wall_clock_is_set(IN_2100, false, IN_2100 - S));
	assert_true(wall_clock_is_set(100 * S, true, IN_2100)); /* who synchronizes knows better */
}

static void the_machine_is_asked(void **state)
{
	(void)state;
	if (wall_clock_synchronized())
		assert_int_not_equal(wall_clock_ns(UINT64_MAX), 0);
	else
		assert_int_equal(wall_clock_ns(UINT64_MAX), 0);
	assert_int_equal(wall_clock_of_file("/no/such/file"), 0);
	assert_int_not_equal(wall_clock_of_file("/proc/self/stat"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_date_of_a_router_that_has_just_booted_is_not_known),
		cmocka_unit_test(a_date_that_may_be_believed),
		cmocka_unit_test(the_machine_is_asked),
	};

	return cmocka_run_group_tests_name("wall_clock", tests, NULL, NULL);
}
