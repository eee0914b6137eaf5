/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/buf.h"

#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void renders_in_order(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	assert_string_equal(buf_text(&b), "");
	assert_int_equal(b.len, 0);
	buf_puts(&b, "name{");
	buf_printf(&b, "%s=\"%d\"", "ipv", 4);
	buf_putc(&b, '}');
	buf_add(&b, " \0x", 3);
	buf_put_u64(&b, 42);
	assert_int_equal(b.len, 18);
	assert_memory_equal(b.data, "name{ipv=\"4\"} \0x42", 18);
	assert_int_equal(buf_error(&b), 0);
	buf_free(&b);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	buf_free(&b);
}

static void grows_over_many_sizes(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	for (int i = 0; i < 10000; i++)
		buf_printf(&b, "%04d", i);
	assert_int_equal(b.len, 40000);
	for (int i = 0; i < 10000; i++) {
		char digits[16];

		snprintf(digits, sizeof(digits), "%04d", i);
		assert_memory_equal(b.data + 4 * i, digits, 4);
	}
	buf_free(&b);
}

static void reset_keeps_a_little_and_gives_a_lot_back(void **state)
{
	struct buf b = BUF_INIT;
	const char *small;

	(void)state;
	buf_reserve(&b, 100 << 10);
	small = b.data;
	buf_reset(&b);
	assert_string_equal(buf_text(&b), "");
	assert_ptr_equal(b.data, small);
	buf_reserve(&b, 1 << 20);
	buf_commit(&b, 1);
	buf_reset(&b);
	assert_null(b.data);
	assert_int_equal(b.size, 0);
	assert_int_equal(b.len, 0);
	buf_puts(&b, "again");
	assert_string_equal(buf_text(&b), "again");
	buf_free(&b);
}

/* The room for the terminator must be asked for at every length around the end of an allocation. */
static void printf_fits_at_every_length(void **state)
{
	static char text[2048];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	for (int len = 0; len < (int)sizeof(text); len++) {
		struct buf b = BUF_INIT;

		buf_printf(&b, "%.*s", len, text);
		assert_int_equal(b.len, len);
		assert_memory_equal(b.data, text, (size_t)len);
		buf_printf(&b, "%.*s", len, text);
		assert_int_equal(strlen(buf_text(&b)), 2 * len);
		buf_free(&b);
	}
}

static void u64_prints_as_printf_does(void **state)
{
	static const uint64_t values[] = { 0, 1, 9, 10, 99, 100, 4294967295, 4294967296, 9999999999999999999u,
		10000000000000000000u, UINT64_MAX };
	struct buf b = BUF_INIT;
	char want[32];

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		buf_reset(&b);
		buf_put_u64(&b, values[i]);
		snprintf(want, sizeof(want), "%" PRIu64, values[i]);
		assert_string_equal(buf_text(&b), want);
	}
	buf_free(&b);
}

static void reserve_then_commit(void **state)
{
	struct buf b = BUF_INIT;
	char *to;

	(void)state;
	assert_non_null(buf_reserve(&b, 0));
	buf_puts(&b, "ab");
	to = buf_reserve(&b, 5000);
	assert_non_null(to);
	assert_true(b.size >= 5002);
	memset(to, 'c', 5000);
	assert_int_equal(b.len, 2);
	buf_commit(&b, 3);
	assert_string_equal(buf_text(&b), "abccc");
	buf_free(&b);
}

/* Sizes that no machine has: one that overflows, and one that malloc() refuses. */
static void error_sticks_until_reset(void **state)
{
	struct buf b = BUF_INIT;

	(void)state;
	buf_puts(&b, "kept");
	assert_null(buf_reserve(&b, SIZE_MAX));
	assert_int_equal(buf_error(&b), -ENOMEM);
	buf_puts(&b, "lost");
	buf_printf(&b, "%d", 1);
	buf_putc(&b, 'x');
	buf_put_u64(&b, 1);
	buf_commit(&b, 1);
	assert_null(buf_reserve(&b, 1));
	assert_string_equal(buf_text(&b), "");
	assert_int_equal(b.len, 4);
	assert_memory_equal(b.data, "kept", 4);
	buf_reset(&b);
	assert_int_equal(buf_error(&b), 0);
	buf_puts(&b, "again");
	assert_string_equal(buf_text(&b), "again");
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(renders_in_order),
		cmocka_unit_test(grows_over_many_sizes),
		cmocka_unit_test(reset_keeps_a_little_and_gives_a_lot_back),
		cmocka_unit_test(printf_fits_at_every_length),
		cmocka_unit_test(u64_prints_as_printf_does),
		cmocka_unit_test(reserve_then_commit),
		cmocka_unit_test(error_sticks_until_reset),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
