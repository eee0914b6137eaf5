/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/sightings.h"

#include "hashtable.h"
#include "hostmeter/base/clock.h"

#include <stdlib.h>

enum { SEEN = 1, HAS_MAC = 2, OF_TWO = 4 };

/* Times are milliseconds modulo 2^32; only differences are used. */
struct record {
	uint64_t key;
	uint32_t ifindex[2];
	struct mac mac[2];
	uint8_t flags[2];
	uint8_t sides; /* four bits each */
	uint8_t used;
	uint32_t time_ms;
};

_Static_assert(sizeof(struct record) == 40, "records shall be small");

struct sightings {
	struct hashtable *table;
	unsigned int shard;
	uint32_t now_ms, keep_ms; /* arguments of the sweep */
};

enum { SHARDS_PER_CALL = 16, USED_KEEP_MS = 2000, LOOKS = 8, YOUNG_MS = 1000 };

struct sightings *sightings_new(size_t limit)
{
	struct sightings *sightings = calloc(1, sizeof(*sightings));

	if (sightings && !(sightings->table = hashtable_new(sizeof(struct record), limit))) {
		free(sightings);
		return NULL;
	}
	return sightings;
}

void sightings_free(struct sightings *sightings)
{
	hashtable_free(sightings ? sightings->table : NULL);
	free(sightings);
}

size_t sightings_count(const struct sightings *sightings)
{
	return hashtable_count(sightings->table);
}

static uint32_t milliseconds(uint64_t now)
{
	return (uint32_t)(now / CLOCK_NS_PER_MS);
}

static void set_end(struct record *r, int i, const struct sightings_end *end)
{
	r->ifindex[i] = end->ifindex;
	r->sides = (uint8_t)((r->sides & ~(15 << 4 * i)) | (end->side & 15) << 4 * i);
}

/* Removes one of a few records anywhere: a used one, or the oldest. *lost: it was not used. False: all are young. */
static bool make_room(struct sightings *sightings, uint64_t pair, uint32_t now_ms, bool *lost)
{
	struct record *oldest = NULL;
	int32_t age, most = YOUNG_MS;

	for (uint64_t i = 0; i < LOOKS; i++) {
		struct record *r = hashtable_near(sightings->table, pair + (i << 56));

		if (!r)
			continue;
		age = r->used ? INT32_MAX : (int32_t)(now_ms - r->time_ms);
		if (age > most) {
			most = age;
			oldest = r;
		}
	}
	if (!oldest)
		return false;
	*lost = !oldest->used;
	hashtable_remove(sightings->table, oldest);
	return true;
}

bool sightings_add(struct sightings *sightings, uint64_t pair, int from, const struct sightings_end *in,
	const struct sightings_end *out, uint64_t now)
{
	bool fresh, lost = false;
	struct record *r = hashtable_put(sightings->table, pair, &fresh);

	if (!r && make_room(sightings, pair, milliseconds(now), &lost))
		r = hashtable_put(sightings->table, pair, &fresh);
	if (!r)
		return false;
	if (r->used) /* another flow between the same ends */
		*r = (struct record){ .key = pair };
	if (r->flags[from] & SEEN && r->ifindex[from] != in->ifindex && !mac_equal(&r->mac[from], &in->mac))
		r->flags[from] |= OF_TWO;
	set_end(r, from, in);
	r->mac[from] = in->mac;
	r->flags[from] = (r->flags[from] & OF_TWO) | SEEN | (in->has_mac ? HAS_MAC : 0);
	if (!r->flags[!from])
		set_end(r, !from, out);
	r->time_ms = milliseconds(now);
	return !lost;
}

bool sightings_find(const struct sightings *sightings, uint64_t pair, struct sightings_end end[static 2])
{
	const struct record *r = hashtable_find(sightings->table, pair);

	if (!r || (r->flags[0] | r->flags[1]) & OF_TWO)
		return false;
	for (int i = 0; i < 2; i++) {
		end[i].ifindex = r->ifindex[i];
		end[i].side = r->sides >> 4 * i & 15;
		end[i].mac = r->mac[i];
		end[i].seen = r->flags[i] & SEEN;
		end[i].has_mac = r->flags[i] & HAS_MAC;
	}
	return true;
}

bool sightings_is_fresh(const struct sightings *sightings, uint64_t pair)
{
	const struct record *r = hashtable_find(sightings->table, pair);

	return r && !r->used;
}

void sightings_used(struct sightings *sightings, uint64_t pair)
{
	struct record *r = hashtable_find(sightings->table, pair);

	if (r)
		r->used = 1;
}

static bool is_old(void *ctx, void *record)
{
	const struct sightings *sightings = ctx;
	const struct record *r = record;

	/* Signed: a record may be younger than now. */
	return (int32_t)(sightings->now_ms - r->time_ms) > (int32_t)(r->used ? USED_KEEP_MS : sightings->keep_ms);
}

void sightings_expire(struct sightings *sightings, uint64_t keep_ns, uint64_t now)
{
	sightings->now_ms = milliseconds(now);
	sightings->keep_ms = milliseconds(keep_ns);
	for (unsigned int i = 0; i < SHARDS_PER_CALL; i++)
		hashtable_sweep(sightings->table, sightings->shard++ % HASHTABLE_SHARDS, is_old, sightings);
}
