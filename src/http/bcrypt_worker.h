/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bcrypt_worker: holds passwords against bcrypt hashes (crypt(3)) in a child process, one after the other.
 *
 * Why a process: at a cost of 10 a hash takes 50 to 100 ms on a fast machine and a second on a small router, and the
 * loop must not wait for that: the kernel's events would. Threads are not for this house. A fork for each check would
 * copy the page tables of a meter with a million flows each time; so there is one child (child.h), made early and
 * idle but for checks. It runs at a lower priority than the meter, so that who guesses passwords takes a tenth of a
 * busy core at most. Should it die, the next check makes another.
 */
#ifndef HOSTMETER_HTTP_BCRYPT_WORKER_H
#define HOSTMETER_HTTP_BCRYPT_WORKER_H

#include <stdbool.h>
#include <sys/types.h>

struct loop;
struct bcrypt_worker;

/* Longer passwords never match; crypt(3) takes no longer ones, and bcrypt reads no more than 72 bytes. */
enum {
	BCRYPT_WORKER_PASSWORD = 511,
	BCRYPT_WORKER_HASH = 127,
	BCRYPT_WORKER_NICE = 10,
	BCRYPT_WORKER_DEADLINE_MS = 60000
};

/*
 * done: a check has ended. 1: they match; 0: they do not; -errno: it could not be made, or took longer than the
 * deadline. It may begin the next check, and must not free the worker. NULL: out of memory.
 */
struct bcrypt_worker *bcrypt_worker_new(struct loop *loop, void (*done)(void *ctx, int matches), void *ctx);

/* A check that runs is given up, and done is not called. bcrypt_worker_free(NULL) is fine. */
void bcrypt_worker_free(struct bcrypt_worker *worker);

/* Makes the child, unless there is one. 0 or -errno. A check does so by itself, but early is better: see child.h. */
int bcrypt_worker_start(struct bcrypt_worker *worker);

/* Begins a check; both texts are copied. 0, or -EBUSY while another runs, or -errno; only with 0 done is called. */
int bcrypt_worker_check(struct bcrypt_worker *worker, const char *password, const char *hash);

bool bcrypt_worker_busy(const struct bcrypt_worker *worker);

/* The child's process id; -1 if there is none. */
pid_t bcrypt_worker_pid(const struct bcrypt_worker *worker);

#endif
