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

_Static_assert(USERS_TRIES_ALL + USERS_TRIES * (USERS_EVERY_NS / USERS_EVERY_ALL_NS) < USERS_ASKERS,
	"who has tries out is never forgotten for somebody else");

struct users {
	struct hash_key key;
	struct user *user;
	size_t count;
	struct bucket all;
	struct asker asker[USERS_ASKERS];
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

static struct asker *find_asker(struct users *users, const struct addr *addr)
{
	for (int i = 0; i < USERS_ASKERS; i++) {
		if (addr_equal(&users->asker[i].addr, addr))
			return &users->asker[i];
	}
	return NULL;
}

/*
 * In a full table the one that is nearest to having all its tries makes room. It has them: an asker's come back within
 * 25 s, and in so long all together can take 45, which is less than the table has places.
 */
static struct asker *make_asker(struct users *users, const struct addr *addr)
{
	struct asker *asker = find_asker(users, addr);

	if (asker)
		return asker;
	asker = users->asker;
	for (int i = 1; i < USERS_ASKERS; i++) {
		if (users->asker[i].bucket.full_ns < asker->bucket.full_ns)
			asker = &users->asker[i];
	}
	*asker = (struct asker){ .addr = *addr };
	return asker;
}

/* 0, or how long to wait. */
static uint64_t take_try(struct users *users, const struct addr *addr, uint64_t now)
{
	const struct bucket fresh = { 0 };
	struct asker *asker = find_asker(users, addr);
	uint64_t own = bucket_wait(asker ? &asker->bucket : &fresh, USERS_TRIES, USERS_EVERY_NS, now);
	uint64_t all = bucket_wait(&users->all, USERS_TRIES_ALL, USERS_EVERY_ALL_NS, now);

	if (own || all)
		return own > all ? own : all;
	bucket_take(&make_asker(users, addr)->bucket, USERS_EVERY_NS, now);
	bucket_take(&users->all, USERS_EVERY_ALL_NS, now);
	return 0;
}

static void give_back(struct users *users, const struct addr *addr)
{
	struct asker *asker = find_asker(users, addr);

	if (asker)
		bucket_give_back(&asker->bucket, USERS_EVERY_NS);
	bucket_give_back(&users->all, USERS_EVERY_ALL_NS);
}

/* --- Users */

/* Of name and password, with the NUL between; 0 where there is no memory, which no tag is. */
static uint64_t tag_of(const struct users *users, const char *name, const char *password)
{
	size_t name_len = strlen(name) + 1, len = name_len + strlen(password);
	char *both = malloc(len);
	uint64_t tag;

	if (!both)
		return 0;
	memcpy(both, name, name_len);
	memcpy(both + name_len, password, len - name_len);
	tag = hash_bytes(&users->key, both, len);
	explicit_bzero(both, len);
	free(both);
	return tag ? tag : 1;
}

static size_t find_user(const struct users *users, const char *name)
{
	for (size_t i = 0; i < users->count; i++) {
		if (strcmp(users->user[i].name, name) == 0)
			return i;
	}
	return SIZE_MAX;
}

/* Whoever times this learns nothing: a guess that is right in half of its bits is no nearer to a keyed hash. */
static bool is_known(const struct users *users, size_t user, uint64_t tag)
{
	return user != SIZE_MAX && tag && users->user[user].known && (users->user[user].tag ^ tag) == 0;
}

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

int users_add(struct users *users, const char *user, const char *hash)
{
	struct user *grown = reallocarray(users->user, users->count + 1, sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	users->user = grown;
	grown[users->count] = (struct user){ .name = strdup(user), .hash = strdup(hash) };
	/* Counted first, so that users_free() finds whichever of the two there is. */
	users->count++;
	return grown[users->count - 1].name && grown[users->count - 1].hash ? 0 : -ENOMEM;
}

size_t users_count(const struct users *users)
{
	return users->count;
}

/* --- Asking */

enum users_verdict users_ask(struct users *users, const struct addr *client, const char *user, const char *password,
	uint64_t now_ns, struct users_check *check, uint64_t *retry_ns)
{
	size_t found = find_user(users, user), against = found;

	*check = (struct users_check){
		.user = found,
		.tag = tag_of(users, user, password),
		.asker = asker_of(client),
	};
	if (is_known(users, found, check->tag))
		return USERS_RIGHT;
	*retry_ns = take_try(users, &check->asker, now_ns);
	if (*retry_ns)
		return USERS_LIMITED;
	if (found == SIZE_MAX)
		against = hash_bytes(&users->key, user, strlen(user)) % users->count;
	check->hash = users->user[against].hash;
	return USERS_CHECK;
}

bool users_checked(struct users *users, const struct users_check *check, int matches)
{
	bool right = matches > 0 && check->user != SIZE_MAX;

	if (right || matches < 0)
		give_back(users, &check->asker);
	if (right && check->tag) {
		users->user[check->user].tag = check->tag;
		users->user[check->user].known = true;
	}
	return right;
}

bool users_settled(struct users *users, const struct users_check *check)
{
	bool right = is_known(users, check->user, check->tag);

	if (right)
		give_back(users, &check->asker);
	return right;
}
