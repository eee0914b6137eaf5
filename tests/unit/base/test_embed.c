/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/embed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* One after the other in the section: what follows a file of odd length is at an odd place, if nothing aligns it. */
EMBED(embed_one, "tests/unit/base/embed/one");
EMBED(embed_odd, "tests/unit/base/embed/odd");
EMBED(embed_empty, "tests/unit/base/embed/empty");
EMBED(embed_bytes, "tests/unit/base/embed/bytes");

/* As a program has them: in a table, which the linker or the loader fills in. */
static const struct {
	const char *name, *data;
	const size_t *len;
} files[] = {
	{ "one", embed_one, &embed_one_len },
	{ "odd", embed_odd, &embed_odd_len },
	{ "empty", embed_empty, &embed_empty_len },
	{ "bytes", embed_bytes, &embed_bytes_len },
};

/* From the top of the tree, or below where HOSTMETER_TESTS points. */
static size_t read_file(const char *name, char *to, size_t size)
{
	const char *tests = getenv("HOSTMETER_TESTS");
	char path[4096];
	FILE *file;
	size_t len;

	snprintf(path, sizeof(path), "%s/unit/base/embed/%s", tests ? tests : "tests", name);
	file = fopen(path, "r");
	if (!file)
		fail_msg("cannot open %s: run from the top of the tree, or set HOSTMETER_TESTS", path);
	len = fread(to, 1, size, file);
	fclose(file);
	return len;
}

static void a_file_is_in_the_program_byte_for_byte(void **state)
{
	char want[512];

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		size_t len = read_file(files[i].name, want, sizeof(want));

		assert_int_equal(*files[i].len, len);
		assert_memory_equal(files[i].data, want, len);
		assert_int_equal(files[i].data[len], 0);
	}
	assert_int_equal(embed_bytes_len, 256);
}

/* As code has them: by their address. */
static void code_reaches_them(void **state)
{
	(void)state;
	assert_int_equal(embed_one_len, 1);
	assert_string_equal(embed_one, "1");
	assert_int_equal(embed_odd_len, 7);
	assert_string_equal(embed_odd, "\xc3\xb6\r\nend");
	assert_int_equal(embed_empty_len, 0);
	assert_string_equal(embed_empty, "");
	for (size_t i = 0; i < embed_bytes_len; i++)
		assert_int_equal((unsigned char)embed_bytes[i], i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_in_the_program_byte_for_byte),
		cmocka_unit_test(code_reaches_them),
	};

	return cmocka_run_group_tests_name("embed", tests, NULL, NULL);
}
