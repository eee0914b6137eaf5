/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEADLINE_MS = 5000, FDS = 64 };

/* What the child finds, as it writes it to the parent. */
struct report {
	int error;
	uint64_t open; /* bit per descriptor */
	int leads_session, no_signal_left;
	char status[2048]; /* /proc/self/status */
};

struct pipes {
	int to_parent[2], unwanted[2];
};

static int signals_left(void)
{
	sigset_t blocked;
	int left = 0;

	sigprocmask(SIG_BLOCK, NULL, &blocked);
	for (int signo = 1; signo < 32; signo++)
		left += signo != SIGKILL && signo != SIGSTOP && !sigismember(&blocked, signo);
	return left;
}

static void write_report(void *ctx, int error)
{
	struct pipes *pipes = ctx;
	struct report report = { .error = error, .leads_session = getsid(0) == getpid() };
	int fd;

	for (int i = 0; i < FDS; i++)
		report.open |= (uint64_t)(fcntl(i, F_GETFD) >= 0) << i;
	report.no_signal_left = !signals_left();
	fd = open("/proc/self/status", O_RDONLY);
	if (read(fd, report.status, sizeof(report.status) - 1) < 0)
		report.error = -errno;
	if (write(pipes->to_parent[1], &report, sizeof(report)) != sizeof(report))
		_exit(1);
	for (;;)
		pause();
}

static pid_t start(struct pipes *pipes)
{
	const struct child_plan plan = { "unit-child", &pipes->to_parent[1], 1, write_report, pipes };

	assert_int_equal(pipe(pipes->to_parent) | pipe(pipes->unwanted), 0);
	return child_fork(&plan);
}

static void a_child_keeps_its_descriptors_and_no_privileges(void **state)
{
	struct report report;
	struct pipes pipes;
	int left = signals_left();
	pid_t pid = start(&pipes);

	(void)state;
	assert_int_equal(signals_left(), left);
	assert_true(pid > 0);
	assert_int_equal(read(pipes.to_parent[0], &report, sizeof(report)), sizeof(report));
	assert_int_equal(report.error, 0);
	assert_true(report.open == (UINT64_C(1) << STDERR_FILENO | UINT64_C(1) << pipes.to_parent[1]));
	assert_true(report.leads_session);
	assert_true(report.no_signal_left);
	assert_non_null(strstr(report.status, "Name:\tunit-child\n"));
	assert_non_null(strstr(report.status, "CapEff:\t0000000000000000\n"));
	assert_non_null(strstr(report.status, "CapPrm:\t0000000000000000\n"));
	assert_non_null(strstr(report.status, "NoNewPrivs:\t1\n"));

	child_end(&pid);
	assert_int_equal(pid, -1);
	child_end(&pid);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void a_stopped_child_can_be_ended(void **state)
{
	struct pipes pipes;
	pid_t pid = start(&pipes);

	(void)state;
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(waitpid(pid, NULL, WUNTRACED), pid);
	alarm(DEADLINE_MS / 1000);
	child_end(&pid);
	alarm(0);
	assert_int_equal(pid, -1);
}

/* Holds the writing end alone, so that the pipe ends with this process. */
static void wait_for_the_end(void *ctx, int error)
{
	const int *fd = ctx;
	pid_t self = getpid();

	if (error || write(*fd, &self, sizeof(self)) != sizeof(self))
		_exit(1);
	for (;;)
		pause();
}

static void the_child_dies_with_its_parent(void **state)
{
	int fds[2], gone;
	const struct child_plan plan = { "unit-child", &fds[1], 1, wait_for_the_end, &fds[1] };
	struct pollfd end;
	pid_t parent, child;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	parent = fork();
	if (!parent)
		_exit(child_fork(&plan) > 0 && poll(&(struct pollfd){ fds[0], POLLIN, 0 }, 1, DEADLINE_MS) == 1 ? 0 :
														  1);
	close(fds[1]);
	assert_int_equal(waitpid(parent, NULL, 0), parent);
	assert_int_equal(read(fds[0], &child, sizeof(child)), sizeof(child));
	end = (struct pollfd){ .fd = fds[0], .events = POLLIN };
	gone = poll(&end, 1, DEADLINE_MS);
	if (!gone)
		kill(child, SIGKILL);
	assert_int_equal(gone, 1);
	assert_true(end.revents & POLLHUP);
	close(fds[0]);
}

static void too_many_descriptors_are_refused(void **state)
{
	int keep[CHILD_KEEPS + 1] = { 0 };
	const struct child_plan plan = { "unit-child", keep, CHILD_KEEPS + 1, write_report, NULL };

	(void)state;
	assert_int_equal(child_fork(&plan), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_child_keeps_its_descriptors_and_no_privileges),
		cmocka_unit_test(a_stopped_child_can_be_ended),
		cmocka_unit_test(the_child_dies_with_its_parent),
		cmocka_unit_test(too_many_descriptors_are_refused),
	};

	return cmocka_run_group_tests_name("child", tests, NULL, NULL);
}
