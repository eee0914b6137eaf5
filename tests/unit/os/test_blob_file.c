/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/blob_file.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { MAGIC_LEN = 8, HEAD_LEN = 8, BLOBS_MAX = 8 };

static char directory[64], path[96], new_path[96], bad_path[96];

static const char *const blobs[] = { "first", "", "a third, rather longer, with \x01 in it", "4" };
enum { BLOBS = sizeof(blobs) / sizeof(blobs[0]) };

struct seen {
	char blob[BLOBS_MAX][64];
	size_t len[BLOBS_MAX];
	int count;
	int fail_at, error; /* returns error for this blob */
};

static int see(void *ctx, const void *blob, size_t len)
{
	struct seen *seen = ctx;

	assert_in_range(seen->count, 0, BLOBS_MAX - 1);
	assert_in_range(len, 0, sizeof(seen->blob[0]));
	if (len)
		memcpy(seen->blob[seen->count], blob, len);
	seen->len[seen->count++] = len;
	return seen->error && seen->count > seen->fail_at ? seen->error : 0;
}

static struct seen read_back(int expected)
{
	struct seen seen = { 0 };

	assert_int_equal(blob_file_read(path, see, &seen), expected);
	return seen;
}

static bool is_blob(const struct seen *seen, int i, const char *blob)
{
	return seen->len[i] == strlen(blob) && memcmp(seen->blob[i], blob, seen->len[i]) == 0;
}

static int add(struct blob_file *store, const char *blob)
{
	return blob_file_add(store, blob, strlen(blob));
}

static int append(struct blob_file *store, const char *blob)
{
	return blob_file_append(store, blob, strlen(blob));
}

static void write_all_blobs(void)
{
	struct blob_file *store = blob_file_new(path);

	assert_int_equal(blob_file_begin(store), 0);
	for (int i = 0; i < BLOBS; i++)
		assert_int_equal(add(store, blobs[i]), 0);
	assert_int_equal(blob_file_commit(store), 0);
	blob_file_free(store);
}

static size_t load_file(unsigned char *bytes, size_t size)
{
	FILE *file = fopen(path, "rb");
	size_t len;

	assert_non_null(file);
	len = fread(bytes, 1, size, file);
	fclose(file);
	return len;
}

static void put_file(const void *bytes, size_t len)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static bool exists(const char *name)
{
	return access(name, F_OK) == 0;
}

static int setup(void **state)
{
	(void)state;
	strcpy(directory, "/tmp/test_store.XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(path, sizeof(path), "%s/state", directory);
	snprintf(new_path, sizeof(new_path), "%s/state.new", directory);
	snprintf(bad_path, sizeof(bad_path), "%s/state.bad", directory);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	remove(path);
	remove(new_path);
	remove(bad_path);
	return rmdir(directory);
}

static void what_is_written_is_read(void **state)
{
	struct stat status;
	struct seen seen;

	(void)state;
	umask(0);
	write_all_blobs();
	seen = read_back(0);
	assert_int_equal(seen.count, BLOBS);
	for (int i = 0; i < BLOBS; i++)
		assert_true(is_blob(&seen, i, blobs[i]));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_false(exists(new_path));
	blob_file_free(NULL);
}

static void the_format_is_what_the_header_says(void **state)
{
	/* The CRC was worked out bit by bit, not by zlib. */
	static const unsigned char expected[] = { 'h', 'o', 's', 't', 'm', 'e', 't', '1', 3, 0, 0, 0, 0x33, 0x5d, 0xe1,
		0x66, 'a', 'b', 'c' };
	unsigned char bytes[64];
	struct blob_file *store = blob_file_new(path);

	(void)state;
	assert_int_equal(blob_file_begin(store), 0);
	assert_int_equal(add(store, "abc"), 0);
	assert_int_equal(blob_file_commit(store), 0);
	blob_file_free(store);
	assert_int_equal(load_file(bytes, sizeof(bytes)), sizeof(expected));
	assert_memory_equal(bytes, expected, sizeof(expected));
}

static void a_cut_file_is_read_up_to_the_cut(void **state)
{
	unsigned char bytes[256];
	size_t len;

	(void)state;
	write_all_blobs();
	len = load_file(bytes, sizeof(bytes));
	for (size_t cut = 0; cut < len; cut++) {
		size_t end = MAGIC_LEN;
		int whole = 0;
		struct seen seen;

		while (whole < BLOBS && end + HEAD_LEN + strlen(blobs[whole]) <= cut)
			end += HEAD_LEN + strlen(blobs[whole++]);
		put_file(bytes, cut);
		/* A file gets its name only when its start is written. */
		seen = read_back(cut < MAGIC_LEN ? -EBADMSG : 0);
		assert_int_equal(seen.count, cut < MAGIC_LEN ? 0 : whole);
		for (int i = 0; i < seen.count; i++)
			assert_true(is_blob(&seen, i, blobs[i]));
	}
}

static void no_damaged_blob_is_delivered(void **state)
{
	unsigned char bytes[256];
	size_t len;

	(void)state;
	write_all_blobs();
	len = load_file(bytes, sizeof(bytes));
	for (size_t bit = 0; bit < len * 8; bit++) {
		struct seen seen = { 0 };
		int error;

		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		put_file(bytes, len);
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		error = blob_file_read(path, see, &seen);
		/* A length that now leads past the end looks like the end. */
		assert_true(error == 0 || error == -EBADMSG);
		assert_in_range(seen.count, 0, BLOBS - 1);
		if (bit / 8 < MAGIC_LEN)
			assert_int_equal(error, -EBADMSG);
		for (int i = 0; i < seen.count; i++)
			assert_true(is_blob(&seen, i, blobs[i]));
	}
}

static void what_is_no_store_is_refused(void **state)
{
	unsigned char bytes[256];
	size_t len;

	(void)state;
	read_back(-ENOENT);
	put_file("", 0);
	read_back(-EBADMSG);
	put_file("#!/bin/sh\nexit 0\n", 17);
	read_back(-EBADMSG);

	write_all_blobs();
	len = load_file(bytes, sizeof(bytes));
	bytes[MAGIC_LEN - 1] = '0'; /* an older version */
	put_file(bytes, len);
	assert_int_equal(read_back(-EBADMSG).count, 0);

	/* A page of zeros, as file systems leave them, is no row of empty blobs. */
	bytes[MAGIC_LEN - 1] = '1';
	memset(bytes + MAGIC_LEN, 0, sizeof(bytes) - MAGIC_LEN);
	put_file(bytes, sizeof(bytes));
	assert_int_equal(read_back(-EBADMSG).count, 0);

	remove(path);
	assert_int_equal(mkdir(path, 0700), 0);
	read_back(-EBADMSG);
	remove(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	read_back(-EBADMSG);
}

static void lengths_are_bounded(void **state)
{
	/* One byte too long, of zeros, and its right CRC. */
	static const unsigned char bytes[] = { 'h', 'o', 's', 't', 'm', 'e', 't', '1', 1, 0, 0, 4, 0xf6, 0x04, 0x06,
		0x91 };
	struct blob_file *store = blob_file_new(path);

	(void)state;
	put_file(bytes, sizeof(bytes));
	assert_int_equal(truncate(path, (off_t)BLOB_FILE_BLOB_MAX + 100), 0); /* sparse */
	read_back(-EBADMSG);
	assert_int_equal(blob_file_begin(store), 0);
	assert_int_equal(blob_file_add(store, bytes, (size_t)BLOB_FILE_BLOB_MAX + 1), -EMSGSIZE);
	assert_false(exists(new_path));
	blob_file_free(store);
}

static void the_reader_may_end_the_reading(void **state)
{
	struct seen seen = { .fail_at = 2, .error = -EPROTO };

	(void)state;
	write_all_blobs();
	assert_int_equal(blob_file_read(path, see, &seen), -EPROTO);
	assert_int_equal(seen.count, 3);
}

static void without_a_commit_the_old_file_stays(void **state)
{
	struct blob_file *store = blob_file_new(path);
	struct seen seen;
	pid_t killed;

	(void)state;
	write_all_blobs();
	killed = fork();
	if (!killed) {
		if (blob_file_begin(store) || add(store, "new"))
			_exit(1);
		raise(SIGKILL);
	}
	assert_int_equal(waitpid(killed, NULL, 0), killed);
	assert_true(exists(new_path));
	assert_int_equal(read_back(0).count, BLOBS);

	/* What it left behind is in nobody's way. */
	assert_int_equal(blob_file_begin(store), 0);
	assert_int_equal(add(store, "given up"), 0);
	assert_int_equal(blob_file_begin(store), 0);
	assert_int_equal(add(store, "newer"), 0);
	assert_int_equal(read_back(0).count, BLOBS);
	assert_int_equal(blob_file_commit(store), 0);
	seen = read_back(0);
	assert_int_equal(seen.count, 1);
	assert_true(is_blob(&seen, 0, "newer"));

	assert_int_equal(blob_file_begin(store), 0);
	blob_file_free(store);
	assert_false(exists(new_path));
	assert_int_equal(read_back(0).count, 1);
}

static void appending_reaches_both_files(void **state)
{
	struct blob_file *store = blob_file_new(path);
	struct seen seen;

	(void)state;
	assert_int_equal(append(store, "nowhere"), 0);
	assert_int_equal(add(store, "nowhere"), -EBADF);
	assert_int_equal(blob_file_commit(store), -EBADF);
	assert_false(exists(path));

	assert_int_equal(blob_file_begin(store), 0);
	assert_int_equal(append(store, "1"), 0);
	assert_int_equal(blob_file_commit(store), 0);
	assert_int_equal(append(store, "2"), 0);
	assert_int_equal(blob_file_begin(store), 0);
	assert_int_equal(add(store, "A"), 0);
	assert_int_equal(append(store, "3"), 0);
	seen = read_back(0);
	assert_int_equal(seen.count, 3);
	assert_true(is_blob(&seen, 0, "1") && is_blob(&seen, 1, "2") && is_blob(&seen, 2, "3"));
	assert_int_equal(blob_file_commit(store), 0);
	assert_int_equal(append(store, "4"), 0);
	seen = read_back(0);
	assert_int_equal(seen.count, 3);
	assert_true(is_blob(&seen, 0, "A") && is_blob(&seen, 1, "3") && is_blob(&seen, 2, "4"));
	blob_file_free(store);
}

/* The next process goes on behind the last whole blob, before it has a file of its own. */
static void a_file_is_taken_over(void **state)
{
	struct blob_file *store = blob_file_new(path);
	struct seen seen;
	struct stat status;

	(void)state;
	assert_int_equal(blob_file_adopt(store), -ENOENT);
	assert_int_equal(blob_file_begin(store), 0);
	assert_int_equal(add(store, "first"), 0);
	assert_int_equal(add(store, "second"), 0);
	assert_int_equal(blob_file_commit(store), 0);
	blob_file_free(store);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(truncate(path, status.st_size - 1), 0); /* the writer was killed */

	store = blob_file_new(path);
	assert_int_equal(blob_file_adopt(store), 0);
	assert_int_equal(blob_file_append(store, "third", 5), 0);
	seen = read_back(0);
	assert_int_equal(seen.count, 2);
	assert_true(is_blob(&seen, 0, "first"));
	assert_true(is_blob(&seen, 1, "third"));
	/* And its own file takes the place. */
	assert_int_equal(blob_file_begin(store), 0);
	assert_int_equal(add(store, "new"), 0);
	assert_int_equal(blob_file_commit(store), 0);
	assert_int_equal(blob_file_append(store, "4", 1), 0);
	seen = read_back(0);
	assert_int_equal(seen.count, 2);
	assert_true(is_blob(&seen, 0, "new"));
	blob_file_free(store);
	unlink(path);
}

static void a_place_that_cannot_be_written_is_an_error(void **state)
{
	char nowhere[160];
	struct blob_file *store;
	pid_t child;
	int status;

	(void)state;
	snprintf(nowhere, sizeof(nowhere), "%s/no/such/place", directory);
	store = blob_file_new(nowhere);
	assert_int_equal(blob_file_begin(store), -ENOENT);
	assert_int_equal(add(store, "lost"), -EBADF);
	blob_file_free(store);

	/* A rename that fails leaves nothing behind. */
	assert_int_equal(mkdir(path, 0700), 0);
	store = blob_file_new(path);
	assert_int_equal(blob_file_begin(store), 0);
	assert_int_equal(blob_file_commit(store), -EISDIR);
	assert_false(exists(new_path));
	blob_file_free(store);

	/* Root may write anywhere, so somebody else tries; in a child, for there is no way back. */
	assert_int_equal(chmod(directory, 0555), 0);
	child = fork();
	if (!child) {
		store = blob_file_new(path);
		if (geteuid() == 0 && seteuid(65534))
			_exit(0); /* a user namespace that has nobody else */
		_exit(blob_file_begin(store) == -EACCES ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(chmod(directory, 0700), 0);
}

static void limit_file_size(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes == RLIM_INFINITY ? limit.rlim_max : bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The limit lets the first part of the blob through, as a full disk does. */
static void a_full_disk_leaves_no_half_blob(void **state)
{
	static const char long_blob[40] = "does not fit";
	struct blob_file *store = blob_file_new(path);
	void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
	int appended, added;
	struct seen seen;

	(void)state;
	assert_int_equal(blob_file_begin(store), 0);
	assert_int_equal(append(store, "1"), 0);
	assert_int_equal(blob_file_commit(store), 0);
	assert_int_equal(blob_file_begin(store), 0);

	limit_file_size(40);
	appended = blob_file_append(store, long_blob, sizeof(long_blob));
	added = add(store, "2");
	limit_file_size(RLIM_INFINITY);
	assert_int_equal(appended, -EFBIG);
	assert_int_equal(added, -EBADF);
	assert_false(exists(new_path));

	assert_int_equal(append(store, "3"), 0);
	seen = read_back(0);
	assert_int_equal(seen.count, 2);
	assert_true(is_blob(&seen, 0, "1") && is_blob(&seen, 1, "3"));

	assert_int_equal(blob_file_begin(store), 0);
	limit_file_size(40);
	added = blob_file_add(store, long_blob, sizeof(long_blob));
	limit_file_size(RLIM_INFINITY);
	assert_int_equal(added, -EFBIG);
	assert_int_equal(blob_file_commit(store), -EBADF);
	assert_false(exists(new_path));
	assert_int_equal(read_back(0).count, 2);
	blob_file_free(store);
	signal(SIGXFSZ, before);
}

static void a_bad_file_is_put_aside(void **state)
{
	(void)state;
	assert_int_equal(blob_file_put_aside(path), -ENOENT);
	write_all_blobs();
	assert_int_equal(blob_file_put_aside(path), 0);
	assert_false(exists(path));
	assert_true(exists(bad_path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read, setup, teardown),
		cmocka_unit_test_setup_teardown(the_format_is_what_the_header_says, setup, teardown),
		cmocka_unit_test_setup_teardown(a_cut_file_is_read_up_to_the_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(no_damaged_blob_is_delivered, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_store_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(lengths_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(the_reader_may_end_the_reading, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_commit_the_old_file_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(appending_reaches_both_files, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_is_taken_over, setup, teardown),
		cmocka_unit_test_setup_teardown(a_place_that_cannot_be_written_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_disk_leaves_no_half_blob, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bad_file_is_put_aside, setup, teardown),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
