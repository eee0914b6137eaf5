/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "zones.h"

#include <stdlib.h>
#include <uthash.h>

static const uint32_t SEVERAL = UINT32_MAX;

struct entry {
	uint32_t zone;
	uint32_t ifindex; /* or SEVERAL */
	UT_hash_handle hh;
};

struct zones {
	struct entry *entries;
	size_t limit;
};

struct zones *zones_new(size_t limit)
{
	struct zones *zones = calloc(1, sizeof(*zones));

	if (zones)
		zones->limit = limit;
	return zones;
}

static void forget(struct zones *zones, struct entry *entry)
{
	HASH_DEL(zones->entries, entry);
	free(entry);
}

void zones_free(struct zones *zones)
{
	if (!zones)
		return;
	while (zones->entries)
		forget(zones, zones->entries);
	free(zones);
}

static struct entry *find(const struct zones *zones, uint32_t zone)
{
	struct entry *entry;

	HASH_FIND(hh, zones->entries, &zone, sizeof(zone), entry);
	return entry;
}

void zones_learn(struct zones *zones, uint16_t zone, uint32_t ifindex)
{
	struct entry *entry = find(zones, zone);

	if (entry) {
		if (entry->ifindex != ifindex)
			entry->ifindex = SEVERAL;
		return;
	}
	if (HASH_COUNT(zones->entries) >= zones->limit || !(entry = calloc(1, sizeof(*entry))))
		return;
	entry->zone = zone;
	entry->ifindex = ifindex;
	HASH_ADD(hh, zones->entries, zone, sizeof(entry->zone), entry);
}

void zones_forget(struct zones *zones, uint32_t ifindex)
{
	struct entry *entry, *next;

	/* Where there were several, this may have been one of them. */
	HASH_ITER (hh, zones->entries, entry, next) {
		if (entry->ifindex == ifindex || entry->ifindex == SEVERAL)
			forget(zones, entry);
	}
}

uint32_t zones_interface(const struct zones *zones, uint16_t zone)
{
	const struct entry *known = find(zones, zone);

	if (!known || known->ifindex == SEVERAL)
		return 0;
	for (const struct entry *other = zones->entries; other; other = other->hh.next) {
		if (other->ifindex != known->ifindex && other->ifindex != SEVERAL)
			return known->ifindex;
	}
	return 0;
}
