/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bcrypt_worker: compares passwords with bcrypt hashes (crypt(3)) in a child process, one at a time.
 *
 * A hash of cost 10 takes 50 to 100 ms on a fast machine and a second on a small router, and the loop must not wait for
 * it. A fork for each check would copy the page tables of a meter with a million flows, so there is one child
 * (child.h), made early, at a lower priority than the meter. If it dies, the next check makes another.
 */
#pragma once

struct loop;
struct bcrypt_worker;

/* The longest password that crypt(3) takes, of which bcrypt reads 72 bytes; and the child's priority, see nice(2). */
enum { BCRYPT_WORKER_PASSWORD = 511, BCRYPT_WORKER_HASH = 127, BCRYPT_WORKER_NICE = 10 };

/*
 * done: a check has ended. 1: they match; 0: they do not; -errno: no check was made, or it took longer than a
 * minute. It may begin the next check, and must not free the worker. NULL: out of memory.
 */
struct bcrypt_worker *bcrypt_worker_new(struct loop *loop, void (*done)(void *ctx, int matches), void *ctx);

/* Gives up a check that runs; done is not called. bcrypt_worker_free(NULL) is fine. */
void bcrypt_worker_free(struct bcrypt_worker *worker);

/* Makes the child, unless there is one. 0 or -errno. */
int bcrypt_worker_start(struct bcrypt_worker *worker);

/* Begins a check, in a new child if there is none. 0, and done is called later; -EBUSY: one runs; or another -errno. */
int bcrypt_worker_check(struct bcrypt_worker *worker, const char *password, const char *hash);
