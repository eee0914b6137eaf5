/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "zones.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { ONE = 3, TWO = 4 };

static void two_zones_of_two_interfaces_tell_them_apart(void **state)
{
	struct zones *zones = zones_new(10);

	(void)state;
	zones_learn(zones, 0, ONE);
	assert_int_equal(zones_interface(zones, 0), 0); /* nothing to compare it with */
	zones_learn(zones, 1, ONE);
	assert_int_equal(zones_interface(zones, 0), 0);
	zones_learn(zones, 65535, TWO);
	assert_int_equal(zones_interface(zones, 0), ONE);
	assert_int_equal(zones_interface(zones, 1), ONE);
	assert_int_equal(zones_interface(zones, 65535), TWO);
	assert_int_equal(zones_interface(zones, 2), 0);
	zones_free(zones);
}

static void a_zone_of_several_interfaces_tells_nothing(void **state)
{
	struct zones *zones = zones_new(10);

	(void)state;
	zones_learn(zones, 1, ONE);
	zones_learn(zones, 2, TWO);
	zones_learn(zones, 1, TWO);
	zones_learn(zones, 1, ONE);
	assert_int_equal(zones_interface(zones, 1), 0);
	assert_int_equal(zones_interface(zones, 2), 0);
	zones_learn(zones, 3, ONE);
	assert_int_equal(zones_interface(zones, 2), TWO);
	zones_free(zones);
}

static void what_was_learned_of_an_interface_goes_with_it(void **state)
{
	struct zones *zones = zones_new(10);

	(void)state;
	zones_learn(zones, 1, ONE);
	zones_learn(zones, 2, TWO);
	zones_learn(zones, 3, ONE);
	zones_learn(zones, 3, TWO);
	zones_forget(zones, ONE);
	zones_learn(zones, 1, 5); /* made anew */
	zones_learn(zones, 3, TWO);
	assert_int_equal(zones_interface(zones, 1), 5);
	assert_int_equal(zones_interface(zones, 2), TWO);
	assert_int_equal(zones_interface(zones, 3), TWO);
	zones_free(zones);
}

static void more_zones_than_there_is_room_for(void **state)
{
	struct zones *zones = zones_new(2);

	(void)state;
	for (uint16_t zone = 1; zone <= 3; zone++)
		zones_learn(zones, zone, zone);
	assert_int_equal(zones_interface(zones, 1), 1);
	assert_int_equal(zones_interface(zones, 2), 2);
	assert_int_equal(zones_interface(zones, 3), 0);
	zones_free(zones);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_zones_of_two_interfaces_tell_them_apart),
		cmocka_unit_test(a_zone_of_several_interfaces_tells_nothing),
		cmocka_unit_test(what_was_learned_of_an_interface_goes_with_it),
		cmocka_unit_test(more_zones_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
