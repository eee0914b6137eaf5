/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings, as text and as JSON; bytes that move a cursor or are no UTF-8. */
#include "hostmeter/check/judge.h"

#include "hostmeter/check/socket_owner.h"

#include <errno.h>
#include <jansson.h>
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

#define S UINT64_C(1000000000)

static void make_lines(struct finding line[static 3])
{
	line[0] = (struct finding){ .name = "accounting" };
	line[1] = (struct finding){ .name = "port" };
	line[2] = (struct finding){ .name = "zeroing" };
	finding_good(&line[0], "nf_conntrack_acct=%d", 1);
	finding_bad(&line[1], ":80 by \"\x1b[31mx\"\xff");
	finding_fix(&line[1], "kill %d", 1);
	finding_fix(&line[1], "and again");
	finding_unknown(&line[2], "who knows");
}

static void as_text(void **state)
{
	struct finding line[3];
	struct buf out = BUF_INIT;

	(void)state;
	make_lines(line);
	finding_print_text(&out, line, 3);
	assert_string_equal(buf_text(&out),
		"ok   accounting    nf_conntrack_acct=1\n"
		"BAD  port          :80 by \"?[31mx\"?\n"
		"     fix: kill 1\n"
		"     fix: and again\n"
		"?    zeroing       who knows\n");
	finding_clear(line, 3);
	buf_free(&out);
}

static void as_json(void **state)
{
	struct finding line[3];
	struct buf out = BUF_INIT;
	json_t *all, *port;

	(void)state;
	make_lines(line);
	finding_print_json(&out, line, 3, 1700000000 * S + S / 2);
	assert_int_equal(buf_error(&out), 0);
	all = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(all);
	assert_int_equal(json_integer_value(json_object_get(all, "schema")), CHECK_SCHEMA);
	assert_true(json_real_value(json_object_get(all, "time")) == 1700000000.5);
	assert_true(json_is_false(json_object_get(all, "good")));
	assert_int_equal(json_array_size(json_object_get(all, "checks")), 3);
	port = json_array_get(json_object_get(all, "checks"), 1);
	assert_string_equal(json_string_value(json_object_get(port, "name")), "port");
	assert_string_equal(json_string_value(json_object_get(port, "state")), "bad");
	assert_string_equal(json_string_value(json_object_get(port, "text")), "?"); /* no UTF-8 */
	assert_int_equal(json_array_size(json_object_get(port, "fix")), 2);
	assert_string_equal(json_string_value(json_array_get(json_object_get(port, "fix"), 1)), "and again");
	json_decref(all);
	finding_clear(line, 3);
	buf_free(&out);
}

static void no_memory_is_an_error(void **state)
{
	struct buf out = { .error = -ENOMEM };
	struct finding line[3];

	(void)state;
	make_lines(line);
	finding_print_json(&out, line, 3, 0);
	assert_int_equal(buf_error(&out), -ENOMEM);
	finding_clear(line, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_and_fix_grow),
		cmocka_unit_test(owners),
		cmocka_unit_test(one_bad_is_bad),
		cmocka_unit_test(numbers),
		cmocka_unit_test(as_text),
		cmocka_unit_test(as_json),
		cmocka_unit_test(no_memory_is_an_error),
	};

	return cmocka_run_group_tests_name("finding", tests, NULL, NULL);
}
