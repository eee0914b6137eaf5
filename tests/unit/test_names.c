/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/names.h"

#include "events.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void macs_and_addresses_have_names(void **state)
{
	struct names *names = names_new();
	/* The same bytes in three kinds of name. */
	struct mac mac = { { 10, 1, 2, 3, 0, 0 } };
	struct addr four = { .family = 4, .b = { 10, 1, 2, 3 } }, six = { .family = 6, .b = { 10, 1, 2, 3 } };
	char name[] = "desktop";

	(void)state;
	assert_null(names_of_mac(names, &mac));
	assert_null(names_of_address(names, &four));
	assert_int_equal(names_set_mac(names, NAMES_CONFIG, &mac, name), 0);
	name[0] = 'X'; /* it was copied */
	assert_string_equal(names_of_mac(names, &mac), "desktop");
	assert_null(names_of_address(names, &four));
	assert_int_equal(names_set_address(names, NAMES_CONFIG, &four, "peer"), 0);
	assert_null(names_of_address(names, &six));
	assert_int_equal(names_set_address(names, NAMES_CONFIG, &six, "peer6"), 0);
	assert_string_equal(names_of_mac(names, &mac), "desktop");
	assert_string_equal(names_of_address(names, &four), "peer");
	assert_string_equal(names_of_address(names, &six), "peer6");
	mac.b[5] = 1;
	assert_null(names_of_mac(names, &mac));
	names_free(names);
	names_free(NULL);
}

static void the_last_word_counts(void **state)
{
	struct names *names = names_new();
	struct mac mac = event_mac(DESKTOP), other = event_mac(LAPTOP);

	(void)state;
	names_set_mac(names, NAMES_CONFIG, &mac, "old");
	names_set_mac(names, NAMES_CONFIG, &other, "both"); /* one name for two MACs is fine */
	names_set_mac(names, NAMES_CONFIG, &mac, "both");
	assert_string_equal(names_of_mac(names, &mac), "both");
	assert_string_equal(names_of_mac(names, &other), "both");
	names_free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(macs_and_addresses_have_names),
		cmocka_unit_test(the_last_word_counts),
	};

	return cmocka_run_group_tests_name("names", tests, NULL, NULL);
}
