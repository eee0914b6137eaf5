/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tombstones.h"

#include "hashtable.h"
#include "hostmeter/base/clock.h"

#include <stdlib.h>

struct tomb {
	uint64_t key;
	uint64_t time;
	uint64_t final; /* what the counters were, folded: enough to tell a repetition */
};

struct tombs {
	struct table *table;
	unsigned int shard;           /* the next one to expire */
	uint64_t repeated;            /* when an end was told again last; 0: never */
	uint64_t dump_began, expired; /* arguments of the sweep */
};

/* nf_ct_delete() sends the event a moment before it unlinks the entry. */
static const uint64_t unlink_ns = CLOCK_NS_PER_S;

enum { SHARDS_PER_CALL = 16 };

struct tombs *tombs_new(size_t limit)
{
	struct tombs *tombs = calloc(1, sizeof(*tombs));

	if (!tombs)
		return NULL;
	tombs->table = table_new(sizeof(struct tomb), limit);
	if (!tombs->table) {
		free(tombs);
		return NULL;
	}
	return tombs;
}

void tombs_free(struct tombs *tombs)
{
	if (!tombs)
		return;
	table_free(tombs->table);
	free(tombs);
}

size_t tombs_count(const struct tombs *tombs)
{
	return table_count(tombs->table);
}

static uint64_t fold(const struct ct_event *event)
{
	const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t sum = event->bytes[0];

	sum = sum * odd + event->bytes[1];
	sum = sum * odd + event->packets[0];
	return sum * odd + event->packets[1];
}

enum tombs_verdict tombs_destroy(struct tombs *tombs, uint64_t key, const struct ct_event *event, uint64_t now)
{
	bool fresh;
	struct tomb *tomb = table_put(tombs->table, key, &fresh);
	uint64_t final = fold(event);
	bool same;

	if (!tomb)
		return TOMBS_UNKNOWN;
	same = tomb->final == final;
	tomb->time = now;
	tomb->final = final;
	if (fresh)
		return TOMBS_UNKNOWN;
	if (!same)
		return TOMBS_REBORN;
	tombs->repeated = now;
	return TOMBS_REPEATED;
}

enum tombs_verdict tombs_entry(struct tombs *tombs, uint64_t key, uint64_t dump_began)
{
	struct tomb *tomb = table_find(tombs->table, key);

	if (!tomb)
		return TOMBS_UNKNOWN;
	if (tomb->time + unlink_ns >= dump_began)
		return TOMBS_REPEATED;
	table_remove(tombs->table, tomb);
	return TOMBS_REBORN;
}

static bool is_old(void *ctx, void *record)
{
	const struct tombs *tombs = ctx;
	const struct tomb *tomb = record;

	if (tombs->dump_began && tomb->time + unlink_ns >= tombs->dump_began)
		return false;
	return tomb->time < tombs->expired;
}

void tombs_expire(struct tombs *tombs, uint64_t dump_began, uint64_t now)
{
	if (tombs->repeated && now - tombs->repeated < TOMBS_KEEP_NS)
		return;
	tombs->dump_began = dump_began;
	tombs->expired = now > TOMBS_KEEP_NS ? now - TOMBS_KEEP_NS : 0;
	for (unsigned int i = 0; i < SHARDS_PER_CALL; i++)
		table_sweep(tombs->table, tombs->shard++ % TABLE_SHARDS, is_old, tombs);
}

struct visit {
	void (*each)(void *ctx, uint64_t key, uint64_t final);
	void *ctx;
};

static bool show(void *ctx, void *record)
{
	const struct visit *visit = ctx;
	const struct tomb *tomb = record;

	visit->each(visit->ctx, tomb->key, tomb->final);
	return false;
}

void tombs_each(struct tombs *tombs, unsigned int shard, void (*each)(void *ctx, uint64_t key, uint64_t final),
	void *ctx)
{
	struct visit visit = { each, ctx };

	table_sweep(tombs->table, shard, show, &visit);
}

void tombs_restore(struct tombs *tombs, uint64_t key, uint64_t final, uint64_t now)
{
	bool fresh;
	struct tomb *tomb = key ? table_put(tombs->table, key, &fresh) : NULL;

	if (!tomb)
		return;
	tomb->time = now;
	tomb->final = final;
}
