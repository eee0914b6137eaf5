/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings as text and as JSON; bytes that move a cursor or are no UTF-8. */
#include "hostmeter/check/print.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

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
	check_print_text(&out, line, 3);
	assert_string_equal(buf_text(&out),
		"ok   accounting    nf_conntrack_acct=1\n"
		"BAD  port          :80 by \"?[31mx\"\xff\n"
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
	check_print_json(&out, line, 3, 1700000000 * S + S / 2);
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
	check_print_json(&out, line, 3, 0);
	assert_int_equal(buf_error(&out), -ENOMEM);
	finding_clear(line, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_text),
		cmocka_unit_test(as_json),
		cmocka_unit_test(no_memory_is_an_error),
	};

	return cmocka_run_group_tests_name("check_print", tests, NULL, NULL);
}
