/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * users: users with bcrypt hashes, what was found right lately, and how often who may try.
 *
 * A bcrypt check is dear on purpose: a tenth of a second, or more. So this module says when one is worth it; somebody
 * else makes it (bcrypt_worker.h) and brings the answer back.
 *
 * - A password found right is known from then on by a keyed hash of user and password: a scrape costs no bcrypt. One
 *   for each user, so it is bounded; the plain password is not kept.
 * - A check takes one of the asker's tries, and one of everybody's together. A right password gives both back, a wrong
 * one does not. Who has none left is told when to come again, and costs nothing. An IPv6 asker is its /64: whoever has
 *   one address of that has them all.
 * - An unknown user costs the same: it is checked against somebody's hash, always the same one for a name, and fails.
 */
#ifndef HOSTMETER_HTTP_USERS_H
#define HOSTMETER_HTTP_USERS_H

#include "hostmeter/base/addr.h"
#include "hostmeter/base/hash.h"

#include <stddef.h>

/* Tries at once, and the time until one more is given: each asker's, and everybody's together. */
enum { USERS_TRIES = 5, USERS_TRIES_ALL = 20, USERS_ASKERS = 64 };
#define USERS_EVERY_NS (UINT64_C(5) * 1000000000)
#define USERS_EVERY_ALL_NS (UINT64_C(1) * 1000000000)

struct users;

enum users_verdict {
	USERS_RIGHT,   /* known to be right */
	USERS_CHECK,   /* check, then users_checked() */
	USERS_LIMITED, /* too many were wrong */
};

/* A check that is to be made. */
struct users_check {
	const char *hash; /* to be held against; borrowed from the users */
	size_t user;      /* SIZE_MAX: there is no such user, whatever comes out */
	uint64_t tag;
	struct addr asker;
};

/* NULL: out of memory. users_free(NULL) is fine. */
struct users *users_new(const struct hash_key *key);
void users_free(struct users *users);

/* Adds a user; both are copied. 0 or -ENOMEM. */
int users_add(struct users *users, const char *user, const char *hash);

/* How many users there are. */
size_t users_count(const struct users *users);

/*
 * What to do about a client that gives this name and password. CHECK: *check is filled in, and one try is taken.
 * LIMITED: *retry_ns is how long to wait.
 */
enum users_verdict users_ask(struct users *users, const struct addr *client, const char *user, const char *password,
	uint64_t now_ns, struct users_check *check, uint64_t *retry_ns);

/*
 * A check was made: matches says what came out. Whether the client may come in. With matches < 0 (it could not be
 * made) nothing is known, and the try is given back.
 */
bool users_checked(struct users *users, const struct users_check *check, int matches);

/* Another check of the same has found it right meanwhile: the try is given back, nothing need be checked. */
bool users_settled(struct users *users, const struct users_check *check);

#endif
