/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)

static void amounts_are_short(void **state)
{
	static const struct {
		double amount;
		const char *decimal, *binary;
	} cases[] = {
		{ 0, "0", "0" },
		{ 0.4, "0", "0" },
		{ 999, "999", "999" },
		{ 999.6, "1.00k", "1000" },
		{ 1000, "1.00k", "1000" },
		{ 1023.6, "1.02k", "1.00Ki" },
		{ 1024, "1.02k", "1.00Ki" },
		{ 9994, "9.99k", "9.76Ki" },
		{ 9996, "10.0k", "9.76Ki" },
		{ 99960, "100k", "97.6Ki" },
		{ 999400, "999k", "976Ki" },
		{ 999600, "1.00M", "976Ki" },
		{ 1048000, "1.05M", "1023Ki" },
		{ 1e9, "1.00G", "954Mi" },
		{ 18446744073709551615.0, "18.4E", "16.0Ei" },
	};
	char text[WATCH_NUMBER];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(watch_format_amount(text, cases[i].amount, false), cases[i].decimal);
		assert_string_equal(watch_format_amount(text, cases[i].amount, true), cases[i].binary);
	}
	assert_string_equal(watch_format_percent(text, -1), "-");
	assert_string_equal(watch_format_percent(text, 0), "0%");
	assert_string_equal(watch_format_percent(text, 0.001), "<1%");
	assert_string_equal(watch_format_percent(text, 0.994), "99%");
	assert_string_equal(watch_format_percent(text, 1), "100%");
	assert_string_equal(watch_format_age(text, S, 0), "now");
	assert_string_equal(watch_format_age(text, 59 * S, 0), "59s");
	assert_string_equal(watch_format_age(text, 60 * S, 0), "1m");
	assert_string_equal(watch_format_age(text, 3599 * S, 0), "59m");
	assert_string_equal(watch_format_age(text, 3600 * S, 0), "1h");
	assert_string_equal(watch_format_age(text, 86400 * S, 0), "1d");
	assert_string_equal(watch_format_age(text, UINT64_MAX, 0), "213503d");
	assert_string_equal(watch_format_age(text, 100 * S, 88 * S), "12s");
	assert_string_equal(watch_format_age(text, 88 * S, 100 * S), "now");
	assert_string_equal(watch_format_age(text, 47 * 3600 * S, 0), "1d");
	assert_string_equal(watch_format_interval(text, S / 5), "0.2 s");
	assert_string_equal(watch_format_interval(text, 300 * S), "5 min");
	assert_string_equal(watch_format_interval(text, 3600 * S), "1 h");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(amounts_are_short),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
