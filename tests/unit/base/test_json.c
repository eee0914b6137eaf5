/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values that JSON cannot hold, and documents that are none of ours. */
#include "hostmeter/base/json.h"

#include "hostmeter/base/array.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void values_are_written(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	json_begin(&out, NULL, '[');
	json_put_u64(&out, NULL, 0);
	json_put_u64(&out, NULL, UINT64_MAX);
	json_put_seconds(&out, NULL, 1999999);
	json_put_seconds(&out, NULL, 1700000000123456789);
	json_put_text(&out, NULL, "na\"me");
	json_put_text(&out, NULL, "\xff");
	json_put_text_n(&out, NULL, "abc", 2);
	json_put_text_n(&out, NULL, "\xc3\xa9\n", 2);
	json_put_text_n(&out, NULL, NULL, 0);
	json_end(&out, ']');
	assert_string_equal(buf_text(&out),
		"[0,9223372036854775807,0.001,1700000000.123,\"na\\\"me\",\"?\",\"ab\",\"\xc3\xa9\",\"\"]");
	buf_free(&out);
}

static void a_hole_is_noticed(void **state)
{
	struct buf out = { .error = -ENOMEM };

	(void)state;
	json_put_text(&out, NULL, "na\"me");
	assert_int_equal(buf_error(&out), -ENOMEM);
	assert_int_equal(out.len, 0);
}

static void foreign_values_are_nothing(void **state)
{
	json_t *minus = json_integer(-1), *text = json_string("12"), *number = json_real(2.5);
	char copy[3];

	(void)state;
	assert_int_equal(json_to_u64(minus), 0);
	assert_int_equal(json_to_u64(text), 0);
	assert_int_equal(json_to_u64(NULL), 0);
	assert_int_equal(json_to_ns(minus), 0);
	assert_int_equal(json_to_ns(NULL), 0);
	assert_int_equal(json_to_ns(number), 2500000000);
	assert_string_equal(json_to_text(NULL), "");
	assert_string_equal(json_to_text(minus), "");
	assert_string_equal(json_to_text(text), "12");
	json_copy_text(copy, 2, text);
	assert_string_equal(copy, "1");
	json_decref(minus);
	json_decref(text);
	json_decref(number);
}

static void opens(const char *text, int wanted)
{
	int error = 1;
	json_t *document = json_open(text, text ? strlen(text) : 0, &error);

	assert_int_equal(error, wanted);
	assert_int_equal(document != NULL, !wanted);
	json_decref(document);
}

static void only_our_documents_open(void **state)
{
	(void)state;
	opens("{\"schema\":1}", 0);
	opens("{\"schema\":2}", -EPROTO);
	opens("{}", -EPROTO);
	opens("[1]", -EBADMSG);
	opens("{\"schema\":1", -EBADMSG);
	opens(NULL, -EBADMSG);
}

static void a_list_keeps_what_it_had(void **state)
{
	int *list = NULL;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		list = array_grow(list, (size_t)i, sizeof(*list));
		assert_non_null(list);
		list[i] = i;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(list[i], i);
	free(list);
}

/* The same bytes as jansson's, with each comma where it belongs. */
static void documents_are_written_in_place(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	buf_puts(&out, "before\n");
	json_begin(&out, NULL, '{');
	json_put_u64(&out, "most", UINT64_MAX);
	json_begin(&out, "list", '[');
	json_put_text(&out, NULL, "{");
	json_put_text(&out, NULL, "a\"b\\c\n\x7fé");
	json_put_text(&out, NULL, "cut\xc3");
	json_begin(&out, NULL, '{');
	json_end(&out, '}');
	json_put_null(&out, NULL);
	json_end(&out, ']');
	json_put_bool(&out, "yes", true);
	json_put_time(&out, "never", 0);
	json_put_time(&out, "once", UINT64_C(1795442400050999999));
	json_end(&out, '}');
	assert_string_equal(buf_text(&out),
		"before\n{\"most\":9223372036854775807,\"list\":[\"{\",\"a\\\"b\\\\c\\n\x7fé\",\"?\",{},null],"
		"\"yes\":true,\"never\":null,\"once\":1795442400.05}");
	buf_free(&out);
}

static void seconds_are_written_as_jansson_does(void **state)
{
	static const uint64_t ms[] = { 0, 1, 10, 100, 120, 999, 1000, 1001, 60000, 1795442400000, 1795442400120,
		1795442400003 };
	struct buf out = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(ms) / sizeof(ms[0]); i++) {
		json_t *real = json_real((double)ms[i] / 1e3);
		char *expected = json_dumps(real, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));

		buf_reset(&out);
		json_put_seconds(&out, NULL, ms[i] * 1000000 + 999999);
		assert_string_equal(buf_text(&out), expected);
		free(expected);
		json_decref(real);
	}
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_written),
		cmocka_unit_test(a_hole_is_noticed),
		cmocka_unit_test(foreign_values_are_nothing),
		cmocka_unit_test(only_our_documents_open),
		cmocka_unit_test(a_list_keeps_what_it_had),
		cmocka_unit_test(documents_are_written_in_place),
		cmocka_unit_test(seconds_are_written_as_jansson_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
