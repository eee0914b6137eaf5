/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/file.h"

#include "scratch_dir.h"

#include "hostmeter/base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>

#include <cmocka.h>

/* In pieces of a few bytes or of many, as it may come. */
static int read_matching(const char *path, size_t piece, struct buf *text)
{
	struct file_matches *matches = file_matches_new(path);
	size_t before;
	bool more;

	do {
		before = text->len;
		more = file_matches_read(matches, text, piece);
		assert_true(text->len <= before + piece + 1);
	} while (more);
	return file_matches_free(matches);
}

static void expect_text(void **state, const char *name, int error, const char *expected)
{
	struct buf text = BUF_INIT;

	for (size_t piece = 1; piece < 20; piece++) {
		assert_int_equal(read_matching(scratch_path(state, name), piece, &text), error);
		assert_string_equal(buf_text(&text), expected);
		buf_free(&text);
	}
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
	expect_text(state, "x[1-3]", -EINVAL, "");
	expect_text(state, "x2", 0, ""); /* a pattern also matches directories */
	expect_text(state, "x[56]", 0, "fine\nfine\n");
	expect_text(state, "x[45]", -ELOOP, "fine\n"); /* the others are read */
	expect_text(state, "x[15]", -EINVAL, "fine\n");
}

/* By what is opened, through any link: a regular file of /proc may have no end. */
static void what_the_kernel_makes_up_is_not_read(void **state)
{
	static const char *const targets[] = { "/proc/kmsg", "/proc/self/status", "/sys/kernel/mm",
		"/sys/kernel/profiling", "/proc/self/cwd", "/dev/zero", "/dev/null" };
	struct buf text = BUF_INIT;

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		const char *path = scratch_path(state, "link");
		struct stat st;
		int error;

		unlink(path);
		assert_int_equal(symlink(targets[i], path), 0);
		if (stat(path, &st))
			continue; /* not on this machine */
		error = !strcmp(targets[i], "/dev/null") ? 0 : S_ISREG(st.st_mode) ? -EOPNOTSUPP : -EINVAL;
		assert_int_equal(file_read(path, 10, &text), error);
		assert_int_equal(text.len, 0);
	}
	assert_int_equal(file_read_kernel("/proc/self/status", 5, &text), -EFBIG);
	assert_string_equal(buf_text(&text), "Name:");
	buf_free(&text);
}

/* Another program that has a lease of the file would hold up its opening for 45 seconds. */
static void opening_waits_for_nobody(void **state)
{
	int pipes[2], fd = -1;
	char byte;
	pid_t pid;

	scratch_write(state, "leased", "w", "x\n");
	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		fd = open(scratch_path(state, "leased"), O_RDWR);
		if (fcntl(fd, F_SETSIG, SIGWINCH) || fcntl(fd, F_SETLEASE, F_WRLCK))
			_exit(1);
		if (write(pipes[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	alarm(5);
	fd = file_open(scratch_path(state, "leased"));
	alarm(0);
	assert_int_equal(fd, -EWOULDBLOCK);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(pipes[0]);
	close(pipes[1]);
}

static void a_file_that_is_too_long_is_read_in_part(void **state)
{
	FILE *file = fopen(scratch_path(state, "long1"), "w");
	struct buf text = BUF_INIT;
	size_t lines = FILE_READ_BYTES / 16;

	for (size_t i = 0; i < lines; i++)
		fprintf(file, "%015zu\n", i);
	fclose(file);
	assert_int_equal(read_matching(scratch_path(state, "long1"), 65536, &text), 0);
	assert_int_equal(text.len, FILE_READ_BYTES);
	buf_reset(&text);
	scratch_write(state, "long1", "a", "x\n");
	assert_int_equal(read_matching(scratch_path(state, "long1"), 65536, &text), -EFBIG);
	assert_int_equal(text.len, FILE_READ_BYTES);
	buf_reset(&text);

	/* Cut behind a whole line; the limit is that of all files together. */
	scratch_write(state, "long0", "w", "first\n");
	assert_int_equal(read_matching(scratch_path(state, "long*"), 65536, &text), -EFBIG);
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
	assert_int_equal(read_matching(scratch_path(state, "many*"), 65536, &text), -EFBIG);
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

/* What is no file stays what it is: a rename would replace the device. */
static void a_device_is_written_into(void **state)
{
	struct buf text = BUF_INIT;
	char got[8] = "";
	struct stat st;
	int fd;

	buf_puts(&text, "new\n");
	/* A device of the test's own: a mistake must not cost the machine's. */
	if (!mknod(scratch_path(state, "full"), S_IFCHR | 0666, makedev(1, 7))) {
		fd = open(scratch_path(state, "full"), O_WRONLY);
		assert_int_equal(file_replace(scratch_path(state, "full"), &text), fd < 0 ? -EACCES : -ENOSPC);
		assert_int_equal(lstat(scratch_path(state, "full"), &st), 0);
		assert_true(S_ISCHR(st.st_mode));
		if (fd >= 0)
			close(fd);
	}

	assert_int_equal(mkfifo(scratch_path(state, "out"), 0600), 0);
	assert_int_equal(file_replace(scratch_path(state, "out"), &text), -ENXIO);
	fd = open(scratch_path(state, "out"), O_RDONLY | O_NONBLOCK);
	assert_int_equal(file_replace(scratch_path(state, "out"), &text), 0);
	assert_int_equal(read(fd, got, sizeof(got)), 4);
	assert_string_equal(got, "new\n");
	close(fd);
	assert_int_equal(lstat(scratch_path(state, "out"), &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	buf_free(&text);
}

/* Through a link, /dev/stdout would be replaced, or what somebody else chose. */
static void a_link_is_not_replaced(void **state)
{
	struct buf text = BUF_INIT;
	struct stat st;

	buf_puts(&text, "new\n");
	scratch_write(state, "out", "w", "old\n");
	assert_int_equal(symlink("out", scratch_path(state, "link")), 0);
	assert_int_equal(symlink("none", scratch_path(state, "dangling")), 0);
	assert_int_equal(file_replace(scratch_path(state, "link"), &text), -ELOOP);
	assert_int_equal(file_replace(scratch_path(state, "dangling"), &text), -ELOOP);
	assert_int_equal(lstat(scratch_path(state, "link"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	expect_text(state, "out*", 0, "old\n");
	buf_free(&text);
}

static void expect_created(void **state, const char *name)
{
	int fd = file_create(scratch_path(state, name));
	struct stat st;

	assert_true(fd >= 0);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(st.st_size, 0);
	assert_int_equal(file_write(fd, "new\n", 4), 0);
	close(fd);
	expect_text(state, name, 0, "new\n");
}

static void a_created_file_is_ours_alone(void **state)
{
	mode_t mask = umask(0);

	expect_created(state, "fresh");
	scratch_write(state, "old", "w", "a longer text\n");
	assert_int_equal(chmod(scratch_path(state, "old"), 0666), 0);
	expect_created(state, "old");
	umask(mask);
}

static void what_is_not_ours_is_not_written(void **state)
{
	int fd;

	scratch_write(state, "victim", "w", "precious\n");
	assert_int_equal(symlink("victim", scratch_path(state, "link")), 0);
	assert_int_equal(symlink("none", scratch_path(state, "dangling")), 0);
	assert_int_equal(link(scratch_path(state, "victim"), scratch_path(state, "second")), 0);
	assert_int_equal(mkfifo(scratch_path(state, "fifo"), 0600), 0);
	assert_int_equal(file_create(scratch_path(state, "link")), -ELOOP);
	assert_int_equal(file_create(scratch_path(state, "dangling")), -ELOOP);
	assert_int_equal(file_create(scratch_path(state, "second")), -EEXIST);
	assert_int_equal(file_create(scratch_path(state, "fifo")), -EINVAL);
	assert_int_equal(file_create(scratch_path(state, "")), -EISDIR);
	assert_int_equal(file_create(scratch_path(state, "no/where")), -ENOENT);
	if (geteuid() == 0) {
		scratch_write(state, "foreign", "w", "precious\n");
		assert_int_equal(chown(scratch_path(state, "foreign"), 12345, (gid_t)-1), 0);
		assert_int_equal(file_create(scratch_path(state, "foreign")), -EEXIST);
		expect_text(state, "foreign", 0, "precious\n");
	}
	expect_text(state, "victim", 0, "precious\n");
	fd = file_create("/dev/full");
	assert_true(fd >= 0);
	close(fd);
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
		SCRATCH_TEST(what_the_kernel_makes_up_is_not_read),
		SCRATCH_TEST(opening_waits_for_nobody),
		SCRATCH_TEST(a_device_is_written_into),
		SCRATCH_TEST(a_link_is_not_replaced),
		SCRATCH_TEST(a_created_file_is_ours_alone),
		SCRATCH_TEST(what_is_not_ours_is_not_written),
	};

	return cmocka_run_group_tests_name("file", tests, NULL, NULL);
}
