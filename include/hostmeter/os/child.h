/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child: a process of our own that is no heir: a fork that keeps a few descriptors and nothing else.
 *
 * It has no capability and gets none, a session of its own, so that what stops a terminal's job does not stop it, and
 * every signal blocked but those that cannot be: a supervisor sends SIGTERM to the whole service, and the child is
 * needed until the meter is gone. It ends with the meter, however that ends (PR_SET_PDEATHSIG). The memory is the
 * meter's, as it was at the fork: fork early.
 */
#ifndef HOSTMETER_OS_CHILD_H
#define HOSTMETER_OS_CHILD_H

#include <stddef.h>
#include <sys/types.h>

struct child_plan {
	const char *name; /* as ps(1) shows it, 15 bytes */
	const int *keep;  /* descriptors besides standard error */
	size_t keeps;     /* at most CHILD_KEEPS */
	/* All that it does; its end is the child's. error: 0, or -errno where it could not let go of what it inherited.
	 */
	void (*run)(void *ctx, int error);
	void *ctx;
};

enum { CHILD_KEEPS = 7 };

/* The child's process id, or -errno. */
pid_t child_fork(const struct child_plan *plan);

/* Kills the child, waits for its end and sets *pid to -1; nothing if it is not above 0. */
void child_end(pid_t *pid);

#endif
