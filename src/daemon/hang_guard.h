/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hang_guard: a small child process that switches reliable delivery off for a meter that hangs.
 *
 * With reliable delivery (NETLINK_BROADCAST_ERROR, see nl.h) the kernel keeps an ended connection until the meter has
 * read of its end. A meter that is stopped (SIGSTOP, a debugger, a disk that hangs) reads nothing: ended connections
 * fill the table, and the router refuses new ones. Nothing inside a stopped process can help, but another process that
 * holds the same socket can. The guard waits for a beat of the meter. Without beats for a while and with a table that
 * is nearly full it clears the socket's option, and the kernel frees the ended entries within a moment.
 *
 * The guard is a child (child.h) without capabilities: this option needs none. It holds the event socket, one end of
 * the socket pair for the beats, two files and standard error. It ends when the meter's end of the pair is closed.
 * It does not help if both processes are frozen (the cgroup freezer).
 */
#pragma once

#include <sys/types.h>

struct hang_guard;

struct hang_guard_watch {
	int socket;              /* the event socket: netlink */
	int count_fd, max_fd;    /* files with one number each (ct_sysctl_open()); a maximum of 0 is none */
	double fill_percent;     /* more than this of the maximum is nearly full */
	unsigned int silence_ms; /* the meter hangs after this time without a beat, or a quarter more */
};

/*
 * Forks a guard and returns when it watches. 0; -errno: there is no guard, also if a descriptor is negative. To be
 * called early, because the guard keeps a copy of the memory. The guard holds copies of the descriptors: call
 * hang_guard_free() before the socket is closed, or the socket stays subscribed and nobody reads it.
 */
int hang_guard_start(struct hang_guard **guard, const struct hang_guard_watch *watch);

/*
 * One beat, to be called several times per silence_ms; never waits. 0, also for NULL; -ECHILD from the moment at which
 * the guard is found dead.
 */
int hang_guard_beat(struct hang_guard *guard);

/* The guard's process id; -1 if it is dead. */
pid_t hang_guard_pid(const struct hang_guard *guard);

/* Ends the guard and reaps it. hang_guard_free(NULL) is fine. */
void hang_guard_free(struct hang_guard *guard);
