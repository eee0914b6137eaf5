/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hang_guard: a tiny child process that lets go of reliable delivery for a meter that hangs.
 *
 * hostmeter is one process; this is the one exception, and why. With reliable delivery (NETLINK_BROADCAST_ERROR, see
 * nl.h) the kernel keeps an ended connection until the meter has been told of it. A meter that is stopped (SIGSTOP, a
 * debugger, a disk that hangs) reads nothing, ended connections fill the table, and the router refuses new ones. The
 * valve in the meter cannot act then: nothing inside a stopped process can. Only somebody else who holds the same
 * socket can, so the guard holds it and nothing else. It waits for a beat; when there was none for a while and the
 * table is nearly full, it switches reliability off, and the kernel frees the ended entries within a moment. A meter
 * that runs again learns of it from getsockopt(2), and from what it then counts as lost.
 *
 * What the guard is: a child (child.h) that has the socket, one end of the beat's socket pair, the two files below and
 * standard error; setting that option needs no capability. It ends with its meter: the socket pair says so, too.
 * Nothing runs in it but a loop over poll(2), pread(2) and setsockopt(2).
 *
 * What it is not: no help where both are frozen (the cgroup freezer) or the meter has no guard.
 */
#ifndef HOSTMETER_DAEMON_HANG_GUARD_H
#define HOSTMETER_DAEMON_HANG_GUARD_H

#include <sys/types.h>

struct hang_guard;

#define HANG_GUARD_COUNT_PATH "/proc/sys/net/netfilter/nf_conntrack_count"
#define HANG_GUARD_MAX_PATH "/proc/sys/net/netfilter/nf_conntrack_max"
enum { HANG_GUARD_SILENCE_MS = 2000 };

struct hang_guard_watch {
	int socket;                        /* the event socket: netlink */
	const char *count_path, *max_path; /* files with one number each; a maximum of 0 is none */
	double fill_percent;               /* more than this of the maximum is nearly full */
	unsigned int silence_ms;           /* no beat for so long, and for a quarter more at most: it hangs */
};

/*
 * Forks a guard; returns when it watches. 0 or -errno, and then the meter goes on without. Call it early: the guard
 * keeps a copy of what memory there is. The guard's copy keeps the socket open: hang_guard_free() before the socket is
 * closed, or there is a subscriber that nobody reads. The paths are opened here, in this network namespace, and not
 * kept.
 */
int hang_guard_start(struct hang_guard **guard, const struct hang_guard_watch *watch);

/*
 * "I run": to be called several times per silence_ms. Never waits. 0, also for NULL; -ECHILD if the guard is gone
 * (somebody killed it), and then for ever.
 */
int hang_guard_beat(struct hang_guard *guard);

/* The guard's process id, for a log; -1 if it is gone. */
pid_t hang_guard_pid(const struct hang_guard *guard);

/* Ends the guard and reaps it. hang_guard_free(NULL) is fine. */
void hang_guard_free(struct hang_guard *guard);

#endif
