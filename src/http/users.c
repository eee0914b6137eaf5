/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "users.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct user {
	char *name, *hash;
	uint64_t tag; /* of the password last found right; only if known */
	bool known;
};

/*
 * A bucket of tries as one moment: when all of them are there again. Taking one moves it by the time that one takes to
 * come back (the "generic cell rate algorithm" of ATM networks).
 */
struct bucket {
	uint64_t full_ns;
};

struct asker {
	struct addr addr; /* family 0: free */
	struct bucket bucket;
};

_Static_assert(PASSWORDS_TRIES_ALL + PASSWORDS_TRIES * (PASSWORDS_EVERY_NS / PASSWORDS_EVERY_ALL_NS) < PASSWORDS_ASKERS,
	"who has tries out is never forgotten for somebody else");

struct passwords {
	struct hash_key key;
	struct user *user;
	size_t users;
	struct bucket all;
	struct asker asker[PASSWORDS_ASKERS];
};

/* --- Tries */

/* How long until one can be taken; 0: now. */
static uint64_t bucket_wait(const struct bucket *bucket, unsigned int tries, uint64_t every_ns, uint64_t now)
{
	uint64_t latest = now + (tries - 1) * every_ns;

	return bucket->full_ns > latest ? bucket->full_ns - latest : 0;
}

static void bucket_take(struct bucket *bucket, uint64_t every_ns, uint64_t now)
{
	bucket->full_ns = (bucket->full_ns > now ? bucket->full_ns : now) + every_ns;
}

static void bucket_give_back(struct bucket *bucket, uint64_t every_ns)
{
	bucket->full_ns -= bucket->full_ns > every_ns ? every_ns : bucket->full_ns;
}

static struct addr asker_of(const struct addr *client)
{
	return client->family == 6 ? prefix_make(client, 64).addr : *client;
}

static struct asker *find_asker(struct passwords *passwords, const struct addr *addr)
{
	for (int i = 0; i < PASSWORDS_ASKERS; i++) {
		if (addr_equal(&passwords->asker[i].addr, addr))
			return &passwords->asker[i];
	}
	return NULL;
}

/*
 * In a full table the one that is nearest to having all its tries makes room. It has them: an asker's come back within
 * 25 s, and in so long all together can take 45, which is less than the table has places.
 */
static struct asker *make_asker(struct passwords *passwords, const struct addr *addr)
{
	struct asker *asker = find_asker(passwords, addr);

	if (asker)
		return asker;
	asker = passwords->asker;
	for (int i = 1; i < PASSWORDS_ASKERS; i++) {
		if (passwords->asker[i].bucket.full_ns < asker->bucket.full_ns)
			asker = &passwords->asker[i];
	}
	*asker = (struct asker){ .addr = *addr };
	return asker;
}

/* 0, or how long to wait. */
static uint64_t take_try(struct passwords *passwords, const struct addr *addr, uint64_t now)
{
	const struct bucket fresh = { 0 };
	struct asker *asker = find_asker(passwords, addr);
	uint64_t own = bucket_wait(asker ? &asker->bucket : &fresh, PASSWORDS_TRIES, PASSWORDS_EVERY_NS, now);
	uint64_t all = bucket_wait(&passwords->all, PASSWORDS_TRIES_ALL, PASSWORDS_EVERY_ALL_NS, now);

	if (own || all)
		return own > all ? own : all;
	bucket_take(&make_asker(passwords, addr)->bucket, PASSWORDS_EVERY_NS, now);
	bucket_take(&passwords->all, PASSWORDS_EVERY_ALL_NS, now);
	return 0;
}

static void give_back(struct passwords *passwords, const struct addr *addr)
{
	struct asker *asker = find_asker(passwords, addr);

	if (asker)
		bucket_give_back(&asker->bucket, PASSWORDS_EVERY_NS);
	bucket_give_back(&passwords->all, PASSWORDS_EVERY_ALL_NS);
}

/* --- Users */

/* Of name and password, with the NUL between; 0 where there is no memory, which no tag is. */
static uint64_t tag_of(const struct passwords *passwords, const char *name, const char *password)
{
	size_t name_len = strlen(name) + 1, len = name_len + strlen(password);
	char *both = malloc(len);
	uint64_t tag;

	if (!both)
		return 0;
	memcpy(both, name, name_len);
	memcpy(both + name_len, password, len - name_len);
	tag = hash_bytes(&passwords->key, both, len);
	explicit_bzero(both, len);
	free(both);
	return tag ? tag : 1;
}

static size_t find_user(const struct passwords *passwords, const char *name)
{
	for (size_t i = 0; i < passwords->users; i++) {
		if (strcmp(passwords->user[i].name, name) == 0)
			return i;
	}
	return SIZE_MAX;
}

/* Whoever times this learns nothing: a guess that is right in half of its bits is no nearer to a keyed hash. */
static bool is_known(const struct passwords *passwords, size_t user, uint64_t tag)
{
	return user != SIZE_MAX && tag && passwords->user[user].known && (passwords->user[user].tag ^ tag) == 0;
}

struct passwords *passwords_new(const struct hash_key *key)
{
	struct passwords *passwords = calloc(1, sizeof(*passwords));

	if (passwords)
		passwords->key = *key;
	return passwords;
}

void passwords_free(struct passwords *passwords)
{
	if (!passwords)
		return;
	for (size_t i = 0; i < passwords->users; i++) {
		free(passwords->user[i].name);
		free(passwords->user[i].hash);
	}
	free(passwords->user);
	free(passwords);
}

int passwords_add(struct passwords *passwords, const char *user, const char *hash)
{
	struct user *grown = reallocarray(passwords->user, passwords->users + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	passwords->user = grown;
	grown[passwords->users] = (struct user){ .name = strdup(user), .hash = strdup(hash) };
	/* Counted first, so that passwords_free() finds whichever of the two there is. */
	passwords->users++;
	return grown[passwords->users - 1].name && grown[passwords->users - 1].hash ? 0 : -ENOMEM;
}

size_t passwords_count(const struct passwords *passwords)
{
	return passwords->users;
}

/* --- Asking */

enum passwords_verdict passwords_ask(struct passwords *passwords, const struct addr *client, const char *user,
	const char *password, uint64_t now_ns, struct passwords_check *check, uint64_t *retry_ns)
{
	size_t found = find_user(passwords, user), against = found;

	*check = (struct passwords_check){
		.user = found,
		.tag = tag_of(passwords, user, password),
		.asker = asker_of(client),
	};
	if (is_known(passwords, found, check->tag))
		return PASSWORDS_RIGHT;
	*retry_ns = take_try(passwords, &check->asker, now_ns);
	if (*retry_ns)
		return PASSWORDS_LIMITED;
	if (found == SIZE_MAX)
		against = hash_bytes(&passwords->key, user, strlen(user)) % passwords->users;
	check->hash = passwords->user[against].hash;
	return PASSWORDS_CHECK;
}

bool passwords_checked(struct passwords *passwords, const struct passwords_check *check, int matches)
{
	bool right = matches > 0 && check->user != SIZE_MAX;

	if (right || matches < 0)
		give_back(passwords, &check->asker);
	if (right && check->tag) {
		passwords->user[check->user].tag = check->tag;
		passwords->user[check->user].known = true;
	}
	return right;
}

bool passwords_settled(struct passwords *passwords, const struct passwords_check *check)
{
	bool right = is_known(passwords, check->user, check->tag);

	if (right)
		give_back(passwords, &check->asker);
	return right;
}
