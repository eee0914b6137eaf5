/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * child: a forked process that keeps a few descriptors, has no capabilities and cannot gain any, and whose system calls
 * are filtered (rights.h). It has a session of its own and blocks all signals but the filter's SIGSYS, because
 * supervisors and terminals signal whole groups. The kernel kills it when the meter ends (PR_SET_PDEATHSIG). Fork
 * early: the child has a copy of the meter's memory.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct child_plan {
	const char *name; /* as ps(1) shows it, 15 bytes */
	const int *keep;  /* descriptors besides standard error */
	size_t keeps;     /* at most CHILD_KEEPS */
	/* The child ends when this returns. error: 0, or -errno if privileges or descriptors could not be dropped. */
	void (*run)(void *ctx, int error);
	void *ctx;
};

enum { CHILD_KEEPS = 7 };

/* The child's process id, or -errno. */
pid_t child_fork(const struct child_plan *plan);

/* Kills the child, waits for its end and sets *pid to -1; nothing if it is not above 0. */
void child_end(pid_t *pid);
