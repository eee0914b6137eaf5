/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/neigh.h"

#include "hostmeter/base/keyed_uthash.h"

#include <linux/neighbour.h>
#include <stdlib.h>
#include <string.h>

/* No padding: it is hashed as bytes. Sightings have ifindex 0: they are looked up by address alone. */
struct key {
	uint32_t ifindex;
	struct addr addr;
	uint8_t zero[3];
};

struct entry {
	struct key key;
	struct mac mac;
	bool listed;      /* by the running dump */
	uint32_t ifindex; /* where an address was sighted */
	uint32_t other;   /* and where before, if another MAC had it there; 0: nowhere */
	uint64_t time;
	UT_hash_handle hh;
};

/* How many sighted addresses a MAC has. */
struct owner {
	struct mac mac;
	uint32_t addresses;
	UT_hash_handle hh;
};

/* Both tables are in the order of the latest news: uthash keeps the order of insertion. */
struct neigh {
	struct entry *kernel, *seen;
	struct owner *owners;
	size_t limit, kernel_run, seen_run;
	bool (*is_worth)(void *ctx, const struct mac *mac);
	void *ctx;
};

enum {
	LOOKS_MOST = 8,     /* at entries, in search of one that may make room */
	ADDRESSES_MOST = 64 /* of a MAC; one with more is worth no more than others */
};

struct neigh *neigh_new(size_t limit)
{
	struct neigh *neigh = calloc(1, sizeof(*neigh));

	if (neigh)
		neigh->limit = limit;
	return neigh;
}

void neigh_prefer(struct neigh *neigh, bool (*is_worth)(void *ctx, const struct mac *mac), void *ctx)
{
	neigh->is_worth = is_worth;
	neigh->ctx = ctx;
}

static void forget(struct entry **head, struct entry *entry)
{
	if (!entry)
		return;
	HASH_DEL(*head, entry);
	free(entry);
}

static struct owner *find_owner(const struct neigh *neigh, const struct mac *mac)
{
	struct owner *owner = NULL;

	HASH_FIND(hh, neigh->owners, mac, sizeof(*mac), owner);
	return owner;
}

/* The address is its last one no more; out of memory, a MAC is not known to have many. */
static void disown(struct neigh *neigh, const struct mac *mac)
{
	struct owner *owner = find_owner(neigh, mac);

	if (!owner || --owner->addresses)
		return;
	HASH_DEL(neigh->owners, owner);
	free(owner);
}

static void own(struct neigh *neigh, const struct mac *mac)
{
	struct owner *owner = find_owner(neigh, mac);

	if (!owner) {
		owner = calloc(1, sizeof(*owner));
		if (!owner)
			return;
		owner->mac = *mac;
		HASH_ADD(hh, neigh->owners, mac, sizeof(owner->mac), owner);
	}
	owner->addresses++;
}

static bool is_worth(const struct neigh *neigh, const struct mac *mac)
{
	const struct owner *owner = find_owner(neigh, mac);

	return neigh->is_worth(neigh->ctx, mac) && (!owner || owner->addresses <= ADDRESSES_MOST);
}

/*
 * The entry of a full table that makes room: the first that is not worth to stay, where those before it get a second
 * chance at the end. NULL: the few at which it looks are worth it. *run: how many in a row were; once all were, the
 * oldest makes room.
 */
static struct entry *least(const struct neigh *neigh, struct entry **head, size_t *run)
{
	for (int i = 0; i < LOOKS_MOST && *run < neigh->limit; i++) {
		struct entry *entry = *head;

		if (!is_worth(neigh, &entry->mac)) {
			*run = 0;
			return entry;
		}
		++*run;
		HASH_DEL(*head, entry);
		HASH_ADD(hh, *head, key, sizeof(entry->key), entry);
	}
	if (*run < neigh->limit)
		return NULL;
	if (!is_worth(neigh, &(*head)->mac))
		*run = 0;
	return *head;
}

void neigh_free(struct neigh *neigh)
{
	if (!neigh)
		return;
	while (neigh->kernel)
		forget(&neigh->kernel, neigh->kernel);
	while (neigh->seen) {
		disown(neigh, &neigh->seen->mac);
		forget(&neigh->seen, neigh->seen);
	}
	free(neigh);
}

size_t neigh_count(const struct neigh *neigh)
{
	return HASH_COUNT(neigh->kernel);
}

static struct key make_key(uint32_t ifindex, const struct addr *addr)
{
	return (struct key){ .ifindex = ifindex, .addr = *addr };
}

static struct entry *find(struct entry *head, const struct key *key)
{
	struct entry *entry = NULL;

	HASH_FIND(hh, head, key, sizeof(*key), entry);
	return entry;
}

void neigh_rtnl(struct neigh *neigh, const struct rtnl_event *event, uint64_t now)
{
	const struct rtnl_neigh *n = &event->neigh;
	struct key key = make_key(event->ifindex, &n->addr);
	struct entry *entry;

	if (event->type != RTNL_NEIGH)
		return;
	entry = find(neigh->kernel, &key);
	if (event->gone || !n->has_mac || !mac_is_host(&n->mac) ||
		(n->state & (NUD_FAILED | NUD_INCOMPLETE | NUD_NOARP))) {
		forget(&neigh->kernel, entry);
		return;
	}
	if (!entry && neigh_count(neigh) >= neigh->limit) {
		struct entry *other = neigh->is_worth ? least(neigh, &neigh->kernel, &neigh->kernel_run) : NULL;

		if (!other)
			return;
		forget(&neigh->kernel, other);
	}
	if (entry)
		HASH_DEL(neigh->kernel, entry); /* put back below as the youngest */
	else if (!(entry = calloc(1, sizeof(*entry))))
		return;
	entry->key = key;
	HASH_ADD(hh, neigh->kernel, key, sizeof(entry->key), entry);
	entry->mac = n->mac;
	entry->listed = true;
	neigh_saw(neigh, event->ifindex, &n->addr, &n->mac, now);
}

void neigh_sync_begin(struct neigh *neigh)
{
	struct entry *entry, *tmp;

	HASH_ITER (hh, neigh->kernel, entry, tmp)
		entry->listed = false;
}

void neigh_sync_end(struct neigh *neigh)
{
	struct entry *entry, *tmp;

	HASH_ITER (hh, neigh->kernel, entry, tmp) {
		if (!entry->listed)
			forget(&neigh->kernel, entry);
	}
}

bool neigh_find(const struct neigh *neigh, uint32_t ifindex, const struct addr *addr, struct mac *mac)
{
	struct key key = make_key(ifindex, addr);
	const struct entry *entry = find(neigh->kernel, &key);

	if (entry)
		*mac = entry->mac;
	return entry;
}

void neigh_saw(struct neigh *neigh, uint32_t ifindex, const struct addr *addr, const struct mac *mac, uint64_t now)
{
	struct key key = make_key(0, addr);
	struct entry *entry = find(neigh->seen, &key);

	if (!entry && HASH_COUNT(neigh->seen) >= neigh->limit) {
		struct entry *other = neigh->is_worth ? least(neigh, &neigh->seen, &neigh->seen_run) : neigh->seen;

		if (!other)
			return;
		disown(neigh, &other->mac);
		forget(&neigh->seen, other);
	}
	if (entry)
		HASH_DEL(neigh->seen, entry); /* put back below as the youngest */
	if (!entry) {
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			return;
		own(neigh, mac);
	} else if (!mac_equal(&entry->mac, mac)) {
		disown(neigh, &entry->mac);
		own(neigh, mac);
	}
	if (entry->ifindex && entry->ifindex != ifindex && !mac_equal(&entry->mac, mac))
		entry->other = entry->ifindex;
	else if (entry->other == ifindex)
		entry->other = 0;
	entry->key = key;
	entry->mac = *mac;
	entry->ifindex = ifindex;
	entry->time = now;
	HASH_ADD(hh, neigh->seen, key, sizeof(entry->key), entry);
}

bool neigh_last_seen(const struct neigh *neigh, const struct addr *addr, struct mac *mac, uint32_t *ifindex)
{
	struct key key = make_key(0, addr);
	const struct entry *entry = find(neigh->seen, &key);

	if (!entry)
		return false;
	*mac = entry->mac;
	*ifindex = entry->ifindex;
	return true;
}

bool neigh_had_two(const struct neigh *neigh, const struct addr *addr, uint32_t ifindex[static 2])
{
	const struct key key = make_key(0, addr);
	const struct entry *entry = find(neigh->seen, &key);

	if (!entry || !entry->other)
		return false;
	ifindex[0] = entry->ifindex;
	ifindex[1] = entry->other;
	return true;
}

void neigh_each_seen(const struct neigh *neigh,
	void (*each)(void *ctx, const struct addr *addr, const struct mac *mac, uint64_t time), void *ctx)
{
	struct entry *entry, *tmp;

	HASH_ITER (hh, neigh->seen, entry, tmp)
		each(ctx, &entry->key.addr, &entry->mac, entry->time);
}
