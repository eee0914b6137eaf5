/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each case is a child, for a filter cannot be taken off again. */
#include "syscall_filter.h"

#include "hostmeter/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { CANNOT = 99, UNFILTERED = 98 };

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif
#if defined(HOSTMETER_NO_SECCOMP) || defined(__SANITIZE_ADDRESS__)
static const bool built_in = false;
#else
static const bool built_in = true;
#endif

/* What the child wrote to the log last. */
static char logged[1024];

/* The wait status of a child that loads the filter and then calls what it is given. */
static int status_of(enum syscall_filter filter, int (*call)(void))
{
	int pipes[2], status;
	ssize_t len;
	pid_t child;

	assert_int_equal(pipe(pipes), 0);
	child = fork();
	if (!child) {
		sigset_t all;

		sigfillset(&all);
		sigprocmask(SIG_SETMASK, &all, NULL);
		log_set_fd(pipes[1]);
		_exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? CANNOT :
				syscall_filter_load(filter)  ? UNFILTERED :
							       call());
	}
	close(pipes[1]);
	assert_int_equal(waitpid(child, &status, 0), child);
	len = read(pipes[0], logged, sizeof(logged) - 1);
	logged[len > 0 ? len : 0] = '\0';
	close(pipes[0]);
	return status;
}

/* The call is allowed to both or to the meter alone, and gives 0 then. */
static void allows(enum syscall_filter filter, int (*call)(void))
{
	int status = status_of(filter, call);

	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), built_in ? 0 : UNFILTERED);
	assert_string_equal(logged, "");
}

static void ends(enum syscall_filter filter, int (*call)(void), long number)
{
	int status = status_of(filter, call);
	char line[64];

	if (!built_in) {
		assert_int_equal(WEXITSTATUS(status), UNFILTERED);
		return;
	}
	snprintf(line, sizeof(line), "<3>system call %ld is not one that hostmeter needs", number);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	assert_ptr_equal(strstr(logged, line), logged);
}

/* --- What is called */

static int run_a_program(void)
{
	return execl("/bin/true", "true", NULL);
}

static int open_a_raw_socket(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0) < 0;
}

static int make_a_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static int fork_into_a_namespace(void)
{
	return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) < 0;
}

static int make_memory_that_runs(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static int let_memory_run(void)
{
	void *memory = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(memory, 4096, PROT_READ | PROT_EXEC);
}

static int type_into_the_terminal(void)
{
	return ioctl(STDERR_FILENO, TIOCSTI, "x");
}

static int open_a_file(void)
{
	return open("/dev/null", O_RDONLY) < 0;
}

static int open_a_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0;
}

static int fork_a_child(void)
{
	pid_t child = fork();
	int status;

	if (!child)
		_exit(0);
	return waitpid(child, &status, 0) != child || status;
}

static int do_without_clone3(void)
{
#ifdef SYS_clone3
	return syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS;
#else
	return 0;
#endif
}

static int do_plain_work(void)
{
	struct timespec now, none = { 0 };
	char *memory = malloc(1 << 22);
	bool fine = memory && !clock_gettime(CLOCK_MONOTONIC, &now) && !nanosleep(&none, NULL) && getpid() > 0;

	free(memory);
	log_debug("not written");
	return !fine || write(STDERR_FILENO, "", 0);
}

static int filter_a_child(void)
{
	return syscall_filter_load(SYSCALL_FILTER_CHILD) ? 1 : do_plain_work();
}

/* --- Tests */

static void what_nobody_needs_ends_the_process(void **state)
{
	static const enum syscall_filter both[] = { SYSCALL_FILTER_METER, SYSCALL_FILTER_CHILD };

	(void)state;
	for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++) {
		ends(both[i], run_a_program, SYS_execve);
		ends(both[i], open_a_raw_socket, SYS_socket);
		ends(both[i], make_a_namespace, SYS_unshare);
		ends(both[i], fork_into_a_namespace, SYS_clone);
		ends(both[i], let_memory_run, SYS_mprotect);
		ends(both[i], type_into_the_terminal, SYS_ioctl);
#if !defined(__s390__) && defined(SYS_mmap) && !defined(SYS_mmap2)
		ends(both[i], make_memory_that_runs, SYS_mmap);
#endif
	}
}

static void a_child_has_fewer_calls(void **state)
{
	(void)state;
	allows(SYSCALL_FILTER_METER, open_a_file);
	allows(SYSCALL_FILTER_METER, open_a_socket);
	allows(SYSCALL_FILTER_METER, fork_a_child);
	ends(SYSCALL_FILTER_CHILD, open_a_file, SYS_openat);
	ends(SYSCALL_FILTER_CHILD, open_a_socket, SYS_socket);
	ends(SYSCALL_FILTER_CHILD, fork_a_child, SYS_clone);
}

static void what_a_libc_does_without_fails(void **state)
{
	(void)state;
	allows(SYSCALL_FILTER_METER, do_without_clone3);
	allows(SYSCALL_FILTER_CHILD, do_without_clone3);
}

static void plain_work_is_allowed(void **state)
{
	(void)state;
	allows(SYSCALL_FILTER_METER, do_plain_work);
	allows(SYSCALL_FILTER_CHILD, do_plain_work);
	/* The child of a meter has both. */
	allows(SYSCALL_FILTER_METER, filter_a_child);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_nobody_needs_ends_the_process),
		cmocka_unit_test(a_child_has_fewer_calls),
		cmocka_unit_test(what_a_libc_does_without_fails),
		cmocka_unit_test(plain_work_is_allowed),
	};

	return cmocka_run_group_tests_name("syscall_filter", tests, NULL, NULL);
}
