/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/file.h"

#include "scratch_dir.h"

#include "hostmeter/base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void expect_text(void **state, const char *name, int error, const char *expected)
{
	struct buf text = BUF_INIT;

	assert_int_equal(file_read_matching(scratch_path(state, name), &text), error);
	assert_string_equal(buf_text(&text), expected);
	buf_free(&text);
}

static void all_that_matches_is_read_in_order(void **state)
{
	scratch_write(state, "odhcpd.b", "w", "b1\nb2");
	scratch_write(state, "odhcpd.a", "w", "a1\n");
	scratch_write(state, "odhcpd.empty", "w", "");
	scratch_write(state, "other", "w", "no\n");
	expect_text(state, "odhcpd*", 0, "a1\nb1\nb2\n");
	expect_text(state, "other", 0, "no\n");
	expect_text(state, "missing", 0, "");
	expect_text(state, "missing*", 0, "");
	expect_text(state, "missing/dir/x", 0, "");
}

static void only_regular_files_are_opened(void **state)
{
	assert_int_equal(mkfifo(scratch_path(state, "x1"), 0600), 0);
	assert_int_equal(mkdir(scratch_path(state, "x2"), 0700), 0);
	assert_int_equal(symlink("/dev/zero", scratch_path(state, "x3")), 0);
	assert_int_equal(symlink("x4", scratch_path(state, "x4")), 0);
	scratch_write(state, "x5", "w", "fine\n");
	assert_int_equal(symlink("x5", scratch_path(state, "x6")), 0);
	expect_text(state, "x[1-3]", 0, "");
	expect_text(state, "x[56]", 0, "fine\nfine\n");
	expect_text(state, "x[45]", -ELOOP, "fine\n"); /* the others are read */
}

static void a_file_that_is_too_long_is_read_in_part(void **state)
{
	FILE *file = fopen(scratch_path(state, "long1"), "w");
	struct buf text = BUF_INIT;
	size_t lines = FILE_READ_BYTES / 16;

	for (size_t i = 0; i < lines; i++)
		fprintf(file, "%015zu\n", i);
	fclose(file);
	assert_int_equal(file_read_matching(scratch_path(state, "long1"), &text), 0);
	assert_int_equal(text.len, FILE_READ_BYTES);
	buf_reset(&text);
	scratch_write(state, "long1", "a", "x\n");
	assert_int_equal(file_read_matching(scratch_path(state, "long1"), &text), -EFBIG);
	assert_int_equal(text.len, FILE_READ_BYTES);
	buf_reset(&text);

	/* Cut behind a whole line; the limit is that of all files together. */
	scratch_write(state, "long0", "w", "first\n");
	assert_int_equal(file_read_matching(scratch_path(state, "long*"), &text), -EFBIG);
	assert_int_equal(text.len, 6 + (FILE_READ_BYTES - 6) / 16 * 16);
	assert_memory_equal(text.data, "first\n000000000000000\n", 22);
	assert_int_equal(text.data[text.len - 1], '\n');
	buf_free(&text);
}

static void so_many_files_are_too_many(void **state)
{
	struct buf text = BUF_INIT;
	char name[32];

	for (int i = 0; i <= FILE_READ_MATCHES; i++) {
		snprintf(name, sizeof(name), "many%d", i);
		scratch_write(state, name, "w", "x\n");
	}
	assert_int_equal(file_read_matching(scratch_path(state, "many*"), &text), -EFBIG);
	assert_int_equal(text.len, 2 * FILE_READ_MATCHES);
	buf_free(&text);
}

static void one_file_says_what_is_wrong(void **state)
{
	struct buf text = BUF_INIT;

	scratch_write(state, "ten", "w", "0123456789");
	assert_int_equal(mkfifo(scratch_path(state, "fifo"), 0600), 0);
	assert_int_equal(file_read(scratch_path(state, "ten"), 10, &text), 0);
	assert_string_equal(buf_text(&text), "0123456789");
	assert_int_equal(file_read(scratch_path(state, "ten"), 9, &text), -EFBIG);
	assert_string_equal(buf_text(&text), "0123456789012345678");
	assert_int_equal(file_read(scratch_path(state, "none"), 10, &text), -ENOENT);
	assert_int_equal(file_read(scratch_path(state, "fifo"), 10, &text), -EINVAL);
	assert_int_equal(file_read(scratch_path(state, ""), 10, &text), -EINVAL);
	buf_free(&text);
}

static void a_replaced_file_is_whole_and_readable(void **state)
{
	struct buf text = BUF_INIT;
	struct stat st;
	mode_t mask = umask(027);

	buf_puts(&text, "new\n");
	scratch_write(state, "out", "w", "old\n");
	assert_int_equal(file_replace(scratch_path(state, "out"), &text), 0);
	assert_int_equal(stat(scratch_path(state, "out"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	umask(mask);
	expect_text(state, "out", 0, "new\n");
	expect_text(state, "out*", 0, "new\n"); /* and nothing beside it */
	buf_free(&text);
}

static void what_cannot_be_replaced_stays(void **state)
{
	struct buf text = BUF_INIT, broken = { .error = -ENOMEM };

	buf_puts(&text, "new\n");
	scratch_write(state, "out", "w", "old\n");
	assert_int_equal(file_replace(scratch_path(state, "out"), &broken), -ENOMEM);
	expect_text(state, "out*", 0, "old\n");
	assert_int_equal(file_replace(scratch_path(state, "none/out"), &text), -ENOENT);
	assert_int_equal(mkdir(scratch_path(state, "out.dir"), 0700), 0);
	assert_int_equal(file_replace(scratch_path(state, "out.dir"), &text), -EISDIR);
	expect_text(state, "out*", 0, "old\n");
	buf_free(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(all_that_matches_is_read_in_order),
		SCRATCH_TEST(only_regular_files_are_opened),
		SCRATCH_TEST(a_file_that_is_too_long_is_read_in_part),
		SCRATCH_TEST(so_many_files_are_too_many),
		SCRATCH_TEST(one_file_says_what_is_wrong),
		SCRATCH_TEST(a_replaced_file_is_whole_and_readable),
		SCRATCH_TEST(what_cannot_be_replaced_stays),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
