/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * users: who may come in, and how often passwords may be tried. A bcrypt check costs a tenth of a second or more, so
 * this module says when one is worth it; its caller makes the check (bcrypt_worker.h) and reports the outcome.
 *
 * - A right password is remembered by a keyed hash of user and password, one per user: a scrape costs no bcrypt check.
 *   The password itself is not kept.
 * - A check takes one of the client's tries, and one of a pool for all clients. A right password returns both. A client
 *   without tries is told when to come again and costs nothing. IPv6 clients share the tries of their /64.
 * - An unknown user costs the same: it is checked against some user's hash, always the same one for a name, and fails.
 */
#ifndef HOSTMETER_HTTP_USERS_H
#define HOSTMETER_HTTP_USERS_H

#include "hostmeter/base/addr.h"
#include "hostmeter/base/hash.h"

#include <stddef.h>

/* Tries, and the time until one comes back: each client's, and those of all clients together. */
enum { USERS_TRIES = 5, USERS_TRIES_ALL = 20, USERS_ASKERS = 64 };
#define USERS_EVERY_NS (UINT64_C(5) * 1000000000)
#define USERS_EVERY_ALL_NS (UINT64_C(1) * 1000000000)

struct users;

enum users_verdict {
	USERS_RIGHT,   /* the password is known to be right */
	USERS_CHECK,   /* check it, then call users_checked() */
	USERS_LIMITED, /* no tries left */
};

/* A check to make. */
struct users_check {
	const char *hash; /* to compare the password with; borrowed from the users */
	size_t user;      /* SIZE_MAX: no such user, the check fails whatever comes out */
	uint64_t tag;     /* keyed hash of user and password */
	struct addr asker;
};

/* NULL: out of memory. users_free(NULL) is fine. */
struct users *users_new(const struct hash_key *key);
void users_free(struct users *users);

/* Adds a user; both texts are copied. 0 or -ENOMEM. */
int users_add(struct users *users, const char *user, const char *hash);
size_t users_count(const struct users *users);

/*
 * What to do about a client with this name and password. CHECK: *check is filled in, and one try is taken. LIMITED:
 * *retry_ns is how long to wait.
 */
enum users_verdict users_ask(struct users *users, const struct addr *client, const char *user, const char *password,
	uint64_t now_ns, struct users_check *check, uint64_t *retry_ns);

/* Reports an outcome: 1 and 0, or -errno if no check was made, which returns the try. Whether the client may come in.
 */
bool users_checked(struct users *users, const struct users_check *check, int matches);

/* Whether another check has found the same password right meanwhile: then the try is returned, and none is needed. */
bool users_settled(struct users *users, const struct users_check *check);

#endif
