/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/child.h"

#include "hostmeter/os/rights.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* The meter's sockets must close when the meter ends. */
static int close_others(const struct child_plan *plan)
{
	int keep[CHILD_KEEPS + 1] = { STDERR_FILENO };
	const size_t kept = plan->keeps + 1;
	unsigned int from = 0;

	memcpy(keep + 1, plan->keep, plan->keeps * sizeof(keep[0]));
	qsort(keep, kept, sizeof(keep[0]), compare_fds);
	for (size_t i = 0; i <= kept; i++) {
		unsigned int end = i < kept ? (unsigned int)keep[i] : ~0U;

		/* Not every libc has a wrapper. */
		if (end > from && syscall(SYS_close_range, from, end - 1, 0))
			return -errno;
		from = end + 1;
	}
	return 0;
}

static int drop_privileges(const struct child_plan *plan)
{
	int error;

	setsid();
	prctl(PR_SET_NAME, plan->name);
	error = rights_drop_all();
	/* After the change of credentials, which can reset it. */
	if (!error && prctl(PR_SET_PDEATHSIG, SIGKILL))
		error = -errno;
	if (!error)
		error = close_others(plan);
	if (!error)
		rights_filter_child();
	return error;
}

pid_t child_fork(const struct child_plan *plan)
{
	sigset_t all, before;
	pid_t pid;

	if (plan->keeps > CHILD_KEEPS)
		return -E2BIG;
	/* Before the fork: no handler of the meter may run in the child, which never unblocks them. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid = fork();
	if (pid == 0) {
		plan->run(plan->ctx, drop_privileges(plan));
		/* Not exit(), which runs the meter's handlers. */
		_exit(0);
	}
	if (pid < 0)
		pid = -errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid;
}

void child_end(pid_t *pid)
{
	pid_t ended;

	if (*pid <= 0)
		return;
	/* SIGKILL also ends a stopped process. */
	kill(*pid, SIGKILL);
	do {
		ended = waitpid(*pid, NULL, 0);
	} while (ended < 0 && errno == EINTR);
	*pid = -1;
}
