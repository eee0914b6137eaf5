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

enum { FILE_HEAD = 52, HEAD_LEN = 16, BLOBS_MAX = 8 };

static char directory[64], path[96], new_path[96], bad_path[96], old_path[96];

static const char *const blobs[] = { "first", "", "a third, rather longer, with \x01 in it", "4" };
enum { BLOBS = sizeof(blobs) / sizeof(blobs[0]) };

struct seen {
	char blob[BLOBS_MAX][64];
	size_t len[BLOBS_MAX];
	int count;
	int fail_at, error; /* returns error for this blob */
	struct blob_file_state state;
};

static int see(void *ctx, const struct blob_file_blob *blob)
{
	struct seen *seen = ctx;
	size_t len = blob->len;

	assert_in_range(seen->count, 0, BLOBS_MAX - 1);
	assert_in_range(len, 0, sizeof(seen->blob[0]));
	if (len)
		memcpy(seen->blob[seen->count], blob->bytes, len);
	seen->len[seen->count++] = len;
	return seen->error && seen->count > seen->fail_at ? seen->error : 0;
}

static struct seen read_back(int expected)
{
	struct seen seen = { 0 };

	assert_int_equal(blob_file_read(path, NULL, &seen.state, see, &seen), expected);
	if (!expected)
		assert_int_equal(seen.state.damages, 0);
	return seen;
}

/* What can be proven of a file that is damaged. */
static struct seen read_damaged(void)
{
	struct seen seen = { 0 };

	assert_int_equal(blob_file_read(path, NULL, &seen.state, see, &seen), 0);
	assert_int_not_equal(seen.state.damages, 0);
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
	snprintf(old_path, sizeof(old_path), "%s/state.old", directory);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	remove(path);
	remove(new_path);
	remove(bad_path);
	remove(old_path);
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

/* The CRCs were worked out bit by bit, not by zlib. */
static void the_format_is_what_the_header_says(void **state)
{
	static const unsigned char expected[] = { /* head */ 0x68, 0x6f, 0x73, 0x74, 0x6d, 0x65, 0x74, 0x32, 1, 2, 0, 0,
		0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0x58, 0, 0, 0, 0, 0,
		0, 0, 0x92, 0x44, 0xb9, 0xcd, /* a section */ 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x76, 0xe8, 0x8e,
		0xb2, 0x61, 0x62, 0x63, /* a record */ 1, 0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 0x28, 0x37, 23, 0xe3,
		0x72 };
	const struct blob_file_state before = { .version = 2, .id = 0x201, .generation = 6, .next_record = 5 };
	unsigned char bytes[128];
	struct blob_file *store = blob_file_new(path);

	(void)state;
	blob_file_follow(store, &before);
	assert_int_equal(blob_file_begin(store), 0);
	assert_int_equal(add(store, "abc"), 0);
	assert_int_equal(blob_file_commit(store), 0);
	assert_int_equal(append(store, "r"), 0);
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
		size_t end = FILE_HEAD;
		int whole = 0;
		struct seen seen;

		while (whole < BLOBS && end + HEAD_LEN + strlen(blobs[whole]) <= cut)
			end += HEAD_LEN + strlen(blobs[whole++]);
		put_file(bytes, cut);
		/* Also a cut between two blobs is seen. */
		seen = read_damaged();
		assert_int_equal(seen.count, cut < FILE_HEAD ? 0 : whole);
		for (int i = 0; i < seen.count; i++)
			assert_true(is_blob(&seen, i, blobs[i]));
	}
}

/* All others are. */
static void no_damaged_blob_is_delivered(void **state)
{
	unsigned char bytes[256];
	size_t len;

	(void)state;
	write_all_blobs();
	len = load_file(bytes, sizeof(bytes));
	for (size_t bit = 0; bit < len * 8; bit++) {
		struct seen seen;
		int at = 0;

		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		put_file(bytes, len);
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		seen = read_damaged();
		if (bit / 8 >= FILE_HEAD)
			assert_int_equal(seen.count, BLOBS - 1);
		for (int i = 0; i < BLOBS && at < seen.count; i++)
			at += is_blob(&seen, at, blobs[i]);
		assert_int_equal(at, seen.count);
	}
}

static void append_records(struct blob_file *store, int from, int to)
{
	for (int i = from; i < to; i++) {
		char text[16];

		snprintf(text, sizeof(text), "r%d", i);
		assert_int_equal(append(store, text), 0);
	}
}

/* A file with one section and the records 0 to 4, each of which takes so many bytes. */
enum { RECORDS_AT = FILE_HEAD + HEAD_LEN + 1, RECORD = HEAD_LEN + 2 };

static size_t write_records(unsigned char bytes[static 256])
{
	struct blob_file *store = blob_file_new(path);

	assert_int_equal(blob_file_begin(store), 0);
	assert_int_equal(add(store, "S"), 0);
	assert_int_equal(blob_file_commit(store), 0);
	append_records(store, 0, 5);
	blob_file_free(store);
	return load_file(bytes, 256);
}

static void lost_and_repeated_records_are_told(void **state)
{
	unsigned char bytes[256], changed[256 + RECORD];
	size_t len = write_records(bytes);
	struct seen seen;

	(void)state;
	assert_int_equal(len, RECORDS_AT + 5 * RECORD);
	/* One is taken out. */
	memcpy(changed, bytes, len);
	memmove(changed + RECORDS_AT + RECORD, changed + RECORDS_AT + 2 * RECORD, 3 * RECORD);
	put_file(changed, len - RECORD);
	seen = read_damaged();
	assert_int_equal(seen.count, 5);
	assert_true(is_blob(&seen, 1, "r0") && is_blob(&seen, 2, "r2"));
	assert_int_equal(seen.state.lost_records, 1);
	/* One is there twice. */
	memcpy(changed, bytes, RECORDS_AT + 2 * RECORD);
	memcpy(changed + RECORDS_AT + 2 * RECORD, bytes + RECORDS_AT + RECORD, 4 * RECORD);
	put_file(changed, len + RECORD);
	seen = read_damaged();
	assert_int_equal(seen.count, 6);
	assert_int_equal(seen.state.lost_records, 0);
	/* The last two are cut off, at the end of the one before. */
	put_file(bytes, len - 2 * RECORD);
	assert_int_equal(read_damaged().state.lost_records, 2);
	/* A long hole. */
	memcpy(changed, bytes, len);
	memset(changed + RECORDS_AT + 5, 0, 2 * RECORD);
	put_file(changed, len);
	seen = read_damaged();
	assert_int_equal(seen.count, 3);
	assert_true(is_blob(&seen, 1, "r3"));
	assert_int_equal(seen.state.lost_records, 3);
	/* Garbage behind the end. */
	memcpy(changed, bytes, len);
	memset(changed + len, 'x', 9);
	put_file(changed, len + 9);
	seen = read_damaged();
	assert_int_equal(seen.count, 6);
	assert_int_equal(seen.state.lost_records, 0);
}

/* Killed between a record and the head that says so. */
static void a_record_behind_the_size_counts(void **state)
{
	unsigned char bytes[256], before[256];
	size_t len;
	struct blob_file *store = blob_file_new(path);

	(void)state;
	assert_int_equal(blob_file_begin(store), 0);
	assert_int_equal(blob_file_commit(store), 0);
	append_records(store, 0, 1);
	load_file(before, sizeof(before));
	append_records(store, 1, 2);
	blob_file_free(store);
	len = load_file(bytes, sizeof(bytes));
	memcpy(bytes, before, FILE_HEAD);
	put_file(bytes, len);
	assert_int_equal(read_back(0).count, 2);
}

static void a_blob_of_another_file_does_not_pass(void **state)
{
	unsigned char bytes[256], others[256];
	size_t len = write_records(others);
	struct seen seen;

	(void)state;
	write_records(bytes);
	memcpy(bytes + RECORDS_AT + RECORD, others + RECORDS_AT + RECORD, RECORD);
	put_file(bytes, len);
	seen = read_damaged();
	assert_int_equal(seen.count, 5);
	assert_int_equal(seen.state.lost_records, 1);
}

/* The file before it tells what its head must have said. */
static void a_damaged_head_is_told_by_the_file_before(void **state)
{
	unsigned char bytes[256];
	struct blob_file *store = blob_file_new(path);
	struct blob_file_state before, after;
	struct seen seen = { 0 };
	size_t len;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(blob_file_begin(store), 0);
		assert_int_equal(add(store, "S"), 0);
		assert_int_equal(blob_file_commit(store), 0);
		append_records(store, 10 * i, 10 * i + 3);
	}
	blob_file_free(store);
	assert_true(blob_file_peek(old_path, &before));
	assert_true(blob_file_peek(path, &after));
	assert_true(before.id == after.id && before.generation + 1 == after.generation);
	len = load_file(bytes, sizeof(bytes));
	memset(bytes, 0, FILE_HEAD + 4);
	put_file(bytes, len);
	assert_false(blob_file_peek(path, &after));
	assert_int_equal(read_damaged().count, 0);
	assert_int_equal(blob_file_read(path, &before, &seen.state, see, &seen), 0);
	assert_true(seen.state.head_damaged && seen.state.damages);
	assert_int_equal(seen.count, 3);
	assert_true(is_blob(&seen, 0, "r10"));
	assert_int_equal(seen.state.first_record, 3);
}

/* As the releases before wrote them: magic, then length, CRC of both, bytes. */
static void files_of_the_older_format_are_read(void **state)
{
	static const unsigned char old[] = { 'h', 'o', 's', 't', 'm', 'e', 't', '1', 3, 0, 0, 0, 0x33, 0x5d, 0xe1, 0x66,
		'a', 'b', 'c', 3, 0, 0, 0, 0x33, 0x5d, 0xe1, 0x66, 'a', 'b', 'c' };
	unsigned char bytes[sizeof(old)];
	struct seen seen;

	(void)state;
	put_file(old, sizeof(old));
	seen = read_back(0);
	assert_int_equal(seen.count, 2);
	assert_int_equal(seen.state.version, 1);
	assert_true(is_blob(&seen, 1, "abc"));
	for (size_t i = 8; i < sizeof(old); i++) {
		memcpy(bytes, old, sizeof(old));
		bytes[i] ^= 4;
		put_file(bytes, sizeof(old));
		assert_int_equal(read_damaged().count, i < 19 ? 0 : 1);
	}
}

static void what_is_no_store_is_refused(void **state)
{
	unsigned char bytes[256];
	size_t len;

	(void)state;
	read_back(-ENOENT);
	put_file("", 0);
	assert_int_equal(read_damaged().state.version, 0);
	put_file("#!/bin/sh\nexit 0\n", 17);
	assert_int_equal(read_damaged().state.version, 0);

	write_all_blobs();
	len = load_file(bytes, sizeof(bytes));
	bytes[7] = '0'; /* an unknown version */
	put_file(bytes, len);
	assert_int_equal(read_damaged().count, 0);

	/* A page of zeros, as file systems leave them, is no row of empty blobs. */
	bytes[7] = '2';
	memset(bytes + FILE_HEAD, 0, sizeof(bytes) - FILE_HEAD);
	put_file(bytes, sizeof(bytes));
	assert_int_equal(read_damaged().count, 0);

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
	assert_int_equal(read_damaged().count, 0);
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
	assert_int_equal(blob_file_read(path, NULL, &seen.state, see, &seen), -EPROTO);
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

/* The next process goes on behind the last blob, before it has a file of its own. */
static void a_file_is_taken_over(void **state)
{
	struct blob_file *store = blob_file_new(path);
	struct seen seen;

	(void)state;
	assert_int_equal(blob_file_adopt(store, &(struct blob_file_state){ .version = 2 }), -ENOENT);
	assert_int_equal(blob_file_begin(store), 0);
	assert_int_equal(add(store, "first"), 0);
	assert_int_equal(add(store, "second"), 0);
	assert_int_equal(blob_file_commit(store), 0);
	append_records(store, 0, 2);
	blob_file_free(store);

	store = blob_file_new(path);
	seen = read_back(0);
	assert_int_equal(blob_file_adopt(store, &seen.state), 0);
	append_records(store, 2, 3);
	seen = read_back(0);
	assert_int_equal(seen.count, 5);
	assert_true(is_blob(&seen, 0, "first"));
	assert_true(is_blob(&seen, 4, "r2"));
	/* And its own file takes the place. */
	assert_int_equal(blob_file_begin(store), 0);
	assert_int_equal(add(store, "new"), 0);
	assert_int_equal(blob_file_commit(store), 0);
	append_records(store, 3, 4);
	seen = read_back(0);
	assert_int_equal(seen.count, 2);
	assert_true(is_blob(&seen, 0, "new"));
	assert_int_equal(seen.state.generation, 2);
	assert_int_equal(seen.state.first_record, 3);
	blob_file_free(store);
	unlink(path);
}

static struct seen read_old(void)
{
	struct seen seen = { 0 };

	assert_int_equal(blob_file_read(old_path, NULL, &seen.state, see, &seen), 0);
	assert_int_equal(seen.state.damages, 0);
	return seen;
}

/* With all records until the next file was whole, so that its successor's go on without a gap. */
static void the_file_before_is_kept(void **state)
{
	struct blob_file *store = blob_file_new(path);
	struct seen old, new;

	(void)state;
	assert_int_equal(blob_file_begin(store), 0);
	assert_int_equal(add(store, "A"), 0);
	assert_int_equal(blob_file_commit(store), 0);
	assert_false(exists(old_path));
	append_records(store, 0, 1);
	assert_int_equal(blob_file_begin(store), 0);
	append_records(store, 1, 2);
	assert_int_equal(add(store, "B"), 0);
	assert_int_equal(blob_file_commit(store), 0);
	append_records(store, 2, 3);
	old = read_old();
	new = read_back(0);
	assert_int_equal(old.count, 3);
	assert_int_equal(old.state.next_record, 2);
	assert_int_equal(new.state.first_record, 1);
	assert_int_equal(new.state.next_record, 3);
	assert_int_equal(old.state.generation + 1, new.state.generation);
	/* Never three. */
	assert_int_equal(blob_file_begin(store), 0);
	assert_false(exists(old_path));
	assert_int_equal(blob_file_commit(store), 0);

	/* A damaged one is kept as such, and until then the one before it stays. */
	blob_file_is_damaged(store);
	assert_int_equal(blob_file_begin(store), 0);
	assert_true(exists(old_path));
	assert_false(exists(bad_path));
	assert_int_equal(blob_file_commit(store), 0);
	assert_true(exists(bad_path) && exists(path));
	blob_file_free(store);
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

	limit_file_size(FILE_HEAD + 32);
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
	limit_file_size(FILE_HEAD + 32);
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
		cmocka_unit_test_setup_teardown(lost_and_repeated_records_are_told, setup, teardown),
		cmocka_unit_test_setup_teardown(a_record_behind_the_size_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(a_blob_of_another_file_does_not_pass, setup, teardown),
		cmocka_unit_test_setup_teardown(a_damaged_head_is_told_by_the_file_before, setup, teardown),
		cmocka_unit_test_setup_teardown(files_of_the_older_format_are_read, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_store_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(lengths_are_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(the_reader_may_end_the_reading, setup, teardown),
		cmocka_unit_test_setup_teardown(without_a_commit_the_old_file_stays, setup, teardown),
		cmocka_unit_test_setup_teardown(appending_reaches_both_files, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_is_taken_over, setup, teardown),
		cmocka_unit_test_setup_teardown(the_file_before_is_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(a_place_that_cannot_be_written_is_an_error, setup, teardown),
		cmocka_unit_test_setup_teardown(a_full_disk_leaves_no_half_blob, setup, teardown),
		cmocka_unit_test_setup_teardown(a_bad_file_is_put_aside, setup, teardown),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
