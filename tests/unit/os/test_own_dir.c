/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/own_dir.h"

#include "scratch_dir.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>

#include <cmocka.h>

static int take(struct own_dir **dir, const char *path, char fault[static OWN_DIR_FAULT])
{
	*fault = '\0';
	*dir = NULL;
	return own_dir_take(dir, path, geteuid(), fault);
}

static void expect_taken(const char *path)
{
	char fault[OWN_DIR_FAULT];
	struct own_dir *dir;

	assert_int_equal(take(&dir, path, fault), 0);
	own_dir_free(dir);
}

static void expect_refused(const char *path, int error, const char *text)
{
	char fault[OWN_DIR_FAULT];
	struct own_dir *dir;

	assert_int_equal(take(&dir, path, fault), error);
	assert_null(dir);
	if (!strstr(fault, text))
		fail_msg("\"%s\" is not in \"%s\"", text, fault);
}

/* Another process that has the directory until it is killed. */
static pid_t take_elsewhere(const char *path)
{
	int pipes[2];
	char byte = 1;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	if (pid == 0) {
		char fault[OWN_DIR_FAULT];
		struct own_dir *dir;

		byte = take(&dir, path, fault) ? 1 : 0;
		if (write(pipes[1], &byte, 1) == 1)
			pause();
		_exit(1);
	}
	close(pipes[1]);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	close(pipes[0]);
	assert_int_equal(byte, 0);
	return pid;
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void a_missing_directory_is_made(void **state)
{
	struct stat st;
	mode_t mask = umask(0);

	expect_taken(scratch_path(state, "a/b/c"));
	umask(mask);
	assert_int_equal(stat(scratch_path(state, "a/b/c"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(stat(scratch_path(state, "a/b/c/lock"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void one_process_at_a_time_has_it(void **state)
{
	const char *path = scratch_path(state, "run");
	pid_t pid = take_elsewhere(path);
	char text[64];

	snprintf(text, sizeof(text), "in use by another hostmeter (process %d)", (int)pid);
	expect_refused(path, -EBUSY, text);
	end(pid);
	expect_taken(path);
}

/* A child process that outlives the meter keeps nobody out. */
static void a_lock_ends_with_its_process(void **state)
{
	const char *path = scratch_path(state, "run");
	char fault[OWN_DIR_FAULT];
	struct own_dir *dir;
	pid_t child, other;

	assert_int_equal(take(&dir, path, fault), 0);
	child = fork();
	if (child == 0) {
		pause();
		_exit(1);
	}
	own_dir_free(dir);
	other = take_elsewhere(path);
	end(other);
	end(child);
	/* And a file that was left over is no lock. */
	scratch_write(state, "run/lock", "w", "4711\n");
	expect_taken(path);
}

static void nobody_else_can_write_in_it(void **state)
{
	const char *path = scratch_path(state, "run");

	assert_int_equal(mkdir(path, 0700), 0);
	for (mode_t mode = 0; mode < 01000; mode++) {
		if ((mode & 0700) != 0700)
			continue;
		assert_int_equal(chmod(path, mode | 01000), 0);
		if (mode & 022)
			expect_refused(path, -EPERM, "other users can write in it (mode 17");
		else
			expect_taken(path);
	}
	assert_int_equal(chmod(path, 0777), 0);
	expect_refused(path, -EPERM, "(mode 0777): chmod go-w /tmp/hostmeter-unit.");
}

static void a_directory_of_another_user_is_refused(void **state)
{
	const char *path = scratch_path(state, "run");
	char fault[OWN_DIR_FAULT];
	struct own_dir *dir = NULL;

	if (geteuid() != 0) /* cannot be made */
		return;
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(chown(path, 12345, (gid_t)-1), 0);
	expect_refused(path, -EPERM, "belongs to user without a name (12345)");
	expect_refused(path, -EPERM, "chown root /tmp/hostmeter-unit.");
	/* But the user that the process is going to be may have it. */
	assert_int_equal(own_dir_take(&dir, path, 12345, fault), 0);
	own_dir_free(dir);

	/* And root takes back what a meter had that was another user, if it then gives it to the new one. */
	assert_int_equal(chown(scratch_path(state, "run/lock"), 12345, (gid_t)-1), 0);
	assert_int_equal(own_dir_take(&dir, path, 23456, fault), 0);
	assert_int_equal(own_dir_check(dir, 23456, fault), -EPERM);
	assert_non_null(strstr(fault, "belongs to user without a name (12345)"));
	assert_int_equal(chown(path, 23456, (gid_t)-1), 0);
	assert_int_equal(own_dir_check(dir, 23456, fault), 0);
	own_dir_free(dir);
	/* Not if the lock is no file of that user alone. */
	assert_int_equal(link(scratch_path(state, "run/lock"), scratch_path(state, "second")), 0);
	expect_refused(path, -EPERM, "belongs to user without a name (23456)");
}

static void links_are_not_followed(void **state)
{
	struct stat st;

	assert_int_equal(mkdir(scratch_path(state, "real"), 0755), 0);
	assert_int_equal(symlink("real", scratch_path(state, "run")), 0);
	expect_refused(scratch_path(state, "run"), -ENOTDIR, "is a symbolic link");
	expect_refused(scratch_path(state, "run//"), -ENOTDIR, "is a symbolic link");
	/* Above its end they are: /var/run is one. */
	expect_taken(scratch_path(state, "run/below"));
	scratch_write(state, "victim", "w", "precious\n");
	assert_int_equal(symlink("../victim", scratch_path(state, "real/lock")), 0);
	expect_refused(scratch_path(state, "real"), -ELOOP, "the file \"lock\" in it: ");
	assert_int_equal(stat(scratch_path(state, "victim"), &st), 0);
	assert_int_equal(st.st_size, 9);
}

static void what_is_no_directory_is_refused(void **state)
{
	scratch_write(state, "file", "w", "x\n");
	expect_refused(scratch_path(state, "file"), -ENOTDIR, "Not a directory");
	expect_refused(scratch_path(state, "file/below"), -ENOTDIR, "Not a directory");
	assert_int_equal(mkdir(scratch_path(state, "run"), 0755), 0);
	assert_int_equal(mkfifo(scratch_path(state, "run/lock"), 0600), 0);
	expect_refused(scratch_path(state, "run"), -EINVAL, "\"lock\" in it is not a regular file");
}

/* Else a second meter would find the directory free. */
static void a_lock_that_was_removed_is_taken_again(void **state)
{
	const char *path = scratch_path(state, "run");
	char fault[OWN_DIR_FAULT];
	struct own_dir *dir;
	struct stat st;
	pid_t other;

	assert_int_equal(take(&dir, path, fault), 0);
	assert_int_equal(own_dir_keep(dir, fault), 0);
	assert_int_equal(unlink(scratch_path(state, "run/lock")), 0);
	assert_int_equal(own_dir_keep(dir, fault), 0);
	assert_int_equal(stat(scratch_path(state, "run/lock"), &st), 0);
	assert_int_equal(unlink(scratch_path(state, "run/lock")), 0);
	assert_int_equal(rmdir(path), 0);
	/* It is not made again: its files could not be saved, which is told. */
	assert_int_equal(own_dir_keep(dir, fault), 0);
	assert_int_not_equal(stat(path, &st), 0);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(own_dir_keep(dir, fault), 0);
	assert_int_equal(stat(scratch_path(state, "run/lock"), &st), 0);

	/* Or somebody else was faster. */
	assert_int_equal(unlink(scratch_path(state, "run/lock")), 0);
	other = take_elsewhere(path);
	assert_int_equal(own_dir_keep(dir, fault), -EBUSY);
	assert_non_null(strstr(fault, "in use by another hostmeter"));
	end(other);
	assert_int_equal(own_dir_keep(dir, fault), 0);
	own_dir_free(dir);
	own_dir_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(a_missing_directory_is_made),
		SCRATCH_TEST(one_process_at_a_time_has_it),
		SCRATCH_TEST(a_lock_ends_with_its_process),
		SCRATCH_TEST(nobody_else_can_write_in_it),
		SCRATCH_TEST(a_directory_of_another_user_is_refused),
		SCRATCH_TEST(links_are_not_followed),
		SCRATCH_TEST(what_is_no_directory_is_refused),
		SCRATCH_TEST(a_lock_that_was_removed_is_taken_again),
	};

	return cmocka_run_group_tests_name("own_dir", tests, NULL, NULL);
}
