/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/check/finding.h"

#include "hostmeter/check/socket_owner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void text_and_fix_grow(void **state)
{
	struct finding finding = { .name = "port" };

	(void)state;
	finding_good(&finding, "%d", 1);
	assert_int_equal(finding.state, FINDING_OK);
	finding_unknown(&finding, "?");
	assert_int_equal(finding.state, FINDING_UNKNOWN);
	finding_bad(&finding, " and %s", "2");
	assert_int_equal(finding.state, FINDING_BAD);
	assert_string_equal(buf_text(&finding.text), "1? and 2");
	finding_fix(&finding, "kill %d", 7);
	finding_fix(&finding, "and again");
	assert_string_equal(buf_text(&finding.fix), "kill 7\nand again");
	finding_clear(&finding, 1);
	assert_int_equal(finding.text.len, 0);
}

static void owners(void **state)
{
	const struct socket_owner known = { 12, "ulogd" }, unnamed = { 13, "" }, hidden = { 0 };
	struct finding finding = { 0 };

	(void)state;
	finding_put_owner(&finding, &known);
	finding_put_owner(&finding, &unnamed);
	finding_put_owner(&finding, &hidden);
	assert_string_equal(buf_text(&finding.text),
		"ulogd (process 12)? (process 13)a process that cannot be seen from here");
	finding_clear(&finding, 1);
}

static void one_bad_is_bad(void **state)
{
	struct finding finding[3] = { { .state = FINDING_OK }, { .state = FINDING_UNKNOWN }, { .state = FINDING_BAD } };

	(void)state;
	assert_true(finding_none_bad(finding, 2));
	assert_false(finding_none_bad(finding, 3));
	assert_true(finding_none_bad(finding, 0));
}

static void numbers(void **state)
{
	(void)state;
	assert_string_equal(finding_plural(0), "s");
	assert_string_equal(finding_plural(1), "");
	assert_string_equal(finding_plural(2), "s");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_fix_grow),
		cmocka_unit_test(owners),
		cmocka_unit_test(one_bad_is_bad),
		cmocka_unit_test(numbers),
	};

	return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
