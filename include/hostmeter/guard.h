/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * guard: a tiny child process that gives up reliable delivery for a meter that hangs.
 *
 * With reliable delivery the kernel keeps ended connections in its table until the meter has read of them. A meter that is
 * stopped (a debugger, a frozen cgroup, SIGSTOP) reads nothing, and cannot switch anything off either: the table fills,
 * and the router refuses new connections. Nothing inside a stopped process helps, so this is the one place with a
 * second process: it shares the event socket, and when heartbeats fail while the table is nearly full, it switches
 * NETLINK_BROADCAST_ERROR off there (netlink(7); no privilege is needed for that). The meter sees it when it runs again.
 * It allocates nothing, holds no capability, and ends with the meter.
 */
#ifndef HOSTMETER_GUARD_H
#define HOSTMETER_GUARD_H

#include <stdint.h>

struct guard;

struct guard_options {
	int socket;           /* the event socket */
	int count_fd, max_fd; /* nf_conntrack_count and nf_conntrack_max, open for reading */
	double fill_percent;  /* of max: above it, reliability goes */
	uint64_t patience_ns; /* how long heartbeats may fail */
};

/* Starts the child; the descriptors stay the caller's. NULL: errno, and the meter goes on without. */
struct guard *guard_start(const struct guard_options *options);

/* "I am alive": cheap, never blocks. To be called several times within patience_ns. guard_beat(NULL) is fine. */
void guard_beat(struct guard *guard);

/* Ends the child and waits for it. guard_free(NULL) is fine. */
void guard_free(struct guard *guard);

#endif
