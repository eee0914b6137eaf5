/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tombstones.h"

#include "hashtable.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/le.h"

#include <stdlib.h>

struct tombstone {
	uint64_t key;
	uint64_t time;
	uint64_t final; /* the final counters, folded: enough to recognize a repetition */
};

struct tombstones {
	struct hashtable *table;
	unsigned int shard;           /* the next one to expire */
	uint64_t repeated;            /* when a DESTROY was last repeated; 0: never */
	uint64_t dump_began, expired; /* arguments of the sweep */
};

/* nf_ct_delete() sends the event a moment before it unlinks the entry. */
static const uint64_t unlink_ns = CLOCK_NS_PER_S;

enum { SHARDS_PER_CALL = 16 };

struct tombstones *tombstones_new(size_t limit)
{
	struct tombstones *tombstones = calloc(1, sizeof(*tombstones));

	if (tombstones && !(tombstones->table = hashtable_new(sizeof(struct tombstone), limit))) {
		free(tombstones);
		return NULL;
	}
	return tombstones;
}

void tombstones_free(struct tombstones *tombstones)
{
	hashtable_free(tombstones ? tombstones->table : NULL);
	free(tombstones);
}

size_t tombstones_count(const struct tombstones *tombstones)
{
	return hashtable_count(tombstones->table);
}

static uint64_t fold(const struct ct_event *event)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t sum = event->bytes[0];

	sum = sum * odd + event->bytes[1];
	sum = sum * odd + event->packets[0];
	return sum * odd + event->packets[1];
}

enum tombstones_verdict tombstones_destroy(struct tombstones *tombstones, uint64_t key, const struct ct_event *event,
	uint64_t now)
{
	bool fresh;
	struct tombstone *tombstone = hashtable_put(tombstones->table, key, &fresh);
	uint64_t final = fold(event);
	bool same = tombstone && tombstone->final == final;

	if (!tombstone)
		return TOMBSTONES_UNKNOWN;
	tombstone->time = now;
	tombstone->final = final;
	if (fresh)
		return TOMBSTONES_UNKNOWN;
	if (!same)
		return TOMBSTONES_REBORN;
	tombstones->repeated = now;
	return TOMBSTONES_REPEATED;
}

enum tombstones_verdict tombstones_entry(struct tombstones *tombstones, uint64_t key, uint64_t dump_began)
{
	struct tombstone *tombstone = hashtable_find(tombstones->table, key);

	if (!tombstone)
		return TOMBSTONES_UNKNOWN;
	if (tombstone->time + unlink_ns >= dump_began)
		return TOMBSTONES_REPEATED;
	hashtable_remove(tombstones->table, tombstone);
	return TOMBSTONES_REBORN;
}

static bool is_old(void *ctx, void *record)
{
	const struct tombstones *tombstones = ctx;
	const struct tombstone *tombstone = record;

	if (tombstones->dump_began && tombstone->time + unlink_ns >= tombstones->dump_began)
		return false;
	return tombstone->time < tombstones->expired;
}

void tombstones_expire(struct tombstones *tombstones, uint64_t dump_began, uint64_t now)
{
	if (tombstones->repeated && now - tombstones->repeated < TOMBSTONES_KEEP_NS)
		return;
	tombstones->dump_began = dump_began;
	tombstones->expired = now > TOMBSTONES_KEEP_NS ? now - TOMBSTONES_KEEP_NS : 0;
	for (unsigned int i = 0; i < SHARDS_PER_CALL; i++)
		hashtable_sweep(tombstones->table, tombstones->shard++ % HASHTABLE_SHARDS, is_old, tombstones);
}

static bool save(void *ctx, void *record)
{
	const struct tombstone *tombstone = record;

	le_put(ctx, tombstone->key, 8);
	le_put(ctx, tombstone->final, 8);
	return false;
}

void tombstones_save(struct tombstones *tombstones, unsigned int shard, struct buf *out)
{
	hashtable_sweep(tombstones->table, shard, save, out);
}

void tombstones_restore(struct tombstones *tombstones, uint64_t key, uint64_t final, uint64_t now)
{
	bool fresh;
	struct tombstone *tombstone = hashtable_put(tombstones->table, key, &fresh);

	if (tombstone)
		*tombstone = (struct tombstone){ key, now, final };
}
