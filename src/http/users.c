/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "users.h"

#include "hostmeter/base/array.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct user {
	char *name, *hash;
	uint64_t tag; /* of the password last found right; only if known */
	bool known;
};

/*
 * Tries are kept as one moment: when all of them are there again. Taking one moves it by the time that one takes to
 * come back (the "generic cell rate algorithm" of ATM networks).
 */
struct asker {
	struct addr addr; /* family 0: free */
	uint64_t full_ns;
};

_Static_assert(USERS_TRIES_ALL + USERS_TRIES * (USERS_EVERY_NS / USERS_EVERY_ALL_NS) < USERS_ASKERS,
	"no asker that lacks a try is replaced by another");

struct users {
	struct hash_key key;
	struct user *user;
	size_t count;
	uint64_t full_ns; /* all askers together */
	struct asker asker[USERS_ASKERS];
};

/* --- Tries */

/* How long until a try can be taken; 0: now. */
static uint64_t wait_ns(uint64_t full_ns, unsigned int tries, uint64_t every_ns, uint64_t now)
{
	uint64_t latest = now + (tries - 1) * every_ns;

	return full_ns > latest ? full_ns - latest : 0;
}

static void take(uint64_t *full_ns, uint64_t every_ns, uint64_t now)
{
	*full_ns = (*full_ns > now ? *full_ns : now) + every_ns;
}

static void give_back(uint64_t *full_ns, uint64_t every_ns)
{
	*full_ns -= *full_ns > every_ns ? every_ns : *full_ns;
}

/*
 * The asker's place, or the one it may take: of the asker that is nearest to having all its tries. That one has them
 * all: an asker's tries are back within 25 s, and in that time all askers together can take 45, fewer than the places.
 */
static struct asker *find_asker(struct users *users, const struct addr *addr)
{
	struct asker *oldest = users->asker;

	for (struct asker *asker = users->asker; asker < users->asker + USERS_ASKERS; asker++) {
		if (addr_equal(&asker->addr, addr))
			return asker;
		if (asker->full_ns < oldest->full_ns)
			oldest = asker;
	}
	return oldest;
}

/* 0, or how long to wait. */
static uint64_t take_try(struct users *users, const struct addr *addr, uint64_t now)
{
	struct asker *place = find_asker(users, addr), asker = *place;
	uint64_t own, all = wait_ns(users->full_ns, USERS_TRIES_ALL, USERS_EVERY_ALL_NS, now);

	if (!addr_equal(&asker.addr, addr))
		asker = (struct asker){ .addr = *addr };
	own = wait_ns(asker.full_ns, USERS_TRIES, USERS_EVERY_NS, now);
	if (own || all)
		return own > all ? own : all;
	take(&asker.full_ns, USERS_EVERY_NS, now);
	take(&users->full_ns, USERS_EVERY_ALL_NS, now);
	*place = asker;
	return 0;
}

static void return_try(struct users *users, const struct addr *addr)
{
	struct asker *asker = find_asker(users, addr);

	if (addr_equal(&asker->addr, addr))
		give_back(&asker->full_ns, USERS_EVERY_NS);
	give_back(&users->full_ns, USERS_EVERY_ALL_NS);
}

/* --- Users */

struct users *users_new(const struct hash_key *key)
{
	struct users *users = calloc(1, sizeof(*users));

	if (users)
		users->key = *key;
	return users;
}

void users_free(struct users *users)
{
	if (!users)
		return;
	for (size_t i = 0; i < users->count; i++) {
		free(users->user[i].name);
		free(users->user[i].hash);
	}
	free(users->user);
	free(users);
}

int users_add(struct users *users, const char *name, const char *hash)
{
	struct user *grown = array_grow(users->user, users->count, sizeof(*grown)), *user;

	if (!grown)
		return -ENOMEM;
	users->user = grown;
	/* Counted even if a copy fails, so that users_free() frees the other. */
	user = &grown[users->count++];
	*user = (struct user){ .name = strdup(name), .hash = strdup(hash) };
	return user->name && user->hash ? 0 : -ENOMEM;
}

size_t users_count(const struct users *users)
{
	return users->count;
}

static size_t find_user(const struct users *users, const char *name)
{
	for (size_t i = 0; i < users->count; i++) {
		if (strcmp(users->user[i].name, name) == 0)
			return i;
	}
	return SIZE_MAX;
}

static bool is_known(const struct users *users, const struct users_check *check)
{
	return check->user != SIZE_MAX && users->user[check->user].known && users->user[check->user].tag == check->tag;
}

/* --- Asking */

enum users_verdict users_ask(struct users *users, const struct addr *client, const char *user, const char *password,
	uint64_t now_ns, struct users_check *check, uint64_t *retry_ns)
{
	const uint64_t name_hash = hash_bytes(&users->key, user, strlen(user));
	const uint64_t both[] = { name_hash, hash_bytes(&users->key, password, strlen(password)) };
	size_t found = find_user(users, user);

	*check = (struct users_check){
		.hash = users->user[found == SIZE_MAX ? name_hash % users->count : found].hash,
		.user = found,
		.tag = hash_bytes(&users->key, both, sizeof(both)),
		.asker = client->family == 6 ? prefix_make(client, 64).addr : *client,
	};
	if (is_known(users, check))
		return USERS_RIGHT;
	*retry_ns = take_try(users, &check->asker, now_ns);
	return *retry_ns ? USERS_LIMITED : USERS_CHECK;
}

bool users_checked(struct users *users, const struct users_check *check, int matches)
{
	bool right = matches > 0 && check->user != SIZE_MAX;

	if (right || matches < 0)
		return_try(users, &check->asker);
	if (right) {
		users->user[check->user].tag = check->tag;
		users->user[check->user].known = true;
	}
	return right;
}

bool users_settled(struct users *users, const struct users_check *check)
{
	bool right = is_known(users, check);

	if (right)
		return_try(users, &check->asker);
	return right;
}
