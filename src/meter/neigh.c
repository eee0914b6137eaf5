/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/neigh.h"

#include <linux/neighbour.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

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

struct neigh {
	struct entry *kernel, *seen; /* seen is in the order of time: uthash keeps the order of insertion */
	size_t limit;
};

struct neigh *neigh_new(size_t limit)
{
	struct neigh *neigh = calloc(1, sizeof(*neigh));

	if (neigh)
		neigh->limit = limit;
	return neigh;
}

static void forget(struct entry **head, struct entry *entry)
{
	if (!entry)
		return;
	HASH_DEL(*head, entry);
	free(entry);
}

void neigh_free(struct neigh *neigh)
{
	if (!neigh)
		return;
	while (neigh->kernel)
		forget(&neigh->kernel, neigh->kernel);
	while (neigh->seen)
		forget(&neigh->seen, neigh->seen);
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
	if (!entry) {
		entry = neigh_count(neigh) < neigh->limit ? calloc(1, sizeof(*entry)) : NULL;
		if (!entry)
			return;
		entry->key = key;
		HASH_ADD(hh, neigh->kernel, key, sizeof(entry->key), entry);
	}
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

	if (entry)
		HASH_DEL(neigh->seen, entry); /* put back below as the youngest */
	else if (HASH_COUNT(neigh->seen) >= neigh->limit)
		forget(&neigh->seen, neigh->seen);
	if (!entry && !(entry = calloc(1, sizeof(*entry))))
		return;
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
