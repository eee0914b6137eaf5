/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hashtable.h"

#include <stdlib.h>
#include <string.h>

/*
 * Linear probing with backward-shift deletion, so removals leave no marks that slow down searches. A key's slot is its
 * low 32 bits scaled to the capacity, which therefore can grow by a quarter: 60 to 75 % of the slots are in use.
 */
struct shard {
	unsigned char *slots;
	uint32_t capacity, count;
};

struct hashtable {
	size_t size, limit, count;
	struct shard shard[HASHTABLE_SHARDS];
};

enum { SMALLEST = 4, CACHE_LINE = 64 };

static uint64_t key_of(const void *record)
{
	uint64_t key;

	memcpy(&key, record, sizeof(key));
	return key;
}

static struct shard *shard_of(const struct hashtable *table, uint64_t key)
{
	return (struct shard *)&table->shard[key >> 56];
}

static uint32_t home(const struct shard *shard, uint64_t key)
{
	return (uint32_t)(((key & UINT32_MAX) * shard->capacity) >> 32);
}

static unsigned char *slot(const struct hashtable *table, const struct shard *shard, uint32_t i)
{
	return shard->slots + (size_t)i * table->size;
}

static uint32_t next(const struct shard *shard, uint32_t i)
{
	return i + 1 == shard->capacity ? 0 : i + 1;
}

/* The slot of the key, or the empty slot where it belongs. There always is an empty one. */
static unsigned char *probe(const struct hashtable *table, const struct shard *shard, uint64_t key)
{
	for (uint32_t i = home(shard, key);; i = next(shard, i)) {
		unsigned char *s = slot(table, shard, i);
		uint64_t k = key_of(s);

		if (k == key || k == 0)
			return s;
	}
}

static int resize(const struct hashtable *table, struct shard *shard, uint32_t capacity)
{
	struct shard bigger = { .capacity = capacity, .count = shard->count };

	bigger.slots = calloc(capacity, table->size);
	if (!bigger.slots)
		return -1;
	for (uint32_t i = 0; i < shard->capacity; i++) {
		const unsigned char *s = slot(table, shard, i);

		if (key_of(s))
			memcpy(probe(table, &bigger, key_of(s)), s, table->size);
	}
	free(shard->slots);
	*shard = bigger;
	return 0;
}

/* Frees memory after a peak. Failure is harmless. */
static void shrink(const struct hashtable *table, struct shard *shard)
{
	if (!shard->count) {
		free(shard->slots);
		*shard = (struct shard){ 0 };
	} else if (shard->capacity > 4 * SMALLEST && shard->count < shard->capacity / 100.0 * 35) {
		resize(table, shard, shard->count + shard->count / 2 + SMALLEST);
	}
}

struct hashtable *hashtable_new(size_t size, size_t limit)
{
	struct hashtable *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->size = size;
	table->limit = limit;
	return table;
}

void hashtable_free(struct hashtable *table)
{
	if (!table)
		return;
	for (unsigned int i = 0; i < HASHTABLE_SHARDS; i++)
		free(table->shard[i].slots);
	free(table);
}

size_t hashtable_count(const struct hashtable *table)
{
	return table->count;
}

size_t hashtable_limit(const struct hashtable *table)
{
	return table->limit;
}

size_t hashtable_memory(const struct hashtable *table)
{
	size_t sum = sizeof(*table);

	for (unsigned int i = 0; i < HASHTABLE_SHARDS; i++)
		sum += table->shard[i].capacity * table->size;
	return sum;
}

void *hashtable_find(const struct hashtable *table, uint64_t key)
{
	const struct shard *shard = shard_of(table, key);
	unsigned char *s;

	if (!shard->count)
		return NULL;
	s = probe(table, shard, key);
	return key_of(s) ? s : NULL;
}

void *hashtable_near(const struct hashtable *table, uint64_t key)
{
	const struct shard *shard = shard_of(table, key);
	uint32_t i;

	if (!shard->count)
		return NULL;
	for (i = home(shard, key); !key_of(slot(table, shard, i));)
		i = next(shard, i);
	return slot(table, shard, i);
}

void hashtable_prefetch(const struct hashtable *table, uint64_t key)
{
	const struct shard *shard = shard_of(table, key);
	const unsigned char *s;

	if (!shard->count)
		return;
	s = slot(table, shard, home(shard, key));
	__builtin_prefetch(s);
	/* The next line too: the record may end there, and a probe goes on there. It may lie behind the shard. */
	__builtin_prefetch((const void *)((uintptr_t)s + CACHE_LINE));
}

void *hashtable_put(struct hashtable *table, uint64_t key, bool *fresh)
{
	struct shard *shard = shard_of(table, key);
	unsigned char *s = hashtable_find(table, key);

	*fresh = !s;
	if (s)
		return s;
	if (table->count >= table->limit)
		return NULL;
	if ((shard->count + 1) * UINT64_C(4) > shard->capacity * UINT64_C(3)) {
		uint32_t capacity = shard->capacity + shard->capacity / 4;

		if (resize(table, shard, capacity < SMALLEST ? SMALLEST : capacity + 1))
			return NULL;
	}
	s = probe(table, shard, key);
	memcpy(s, &key, sizeof(key));
	shard->count++;
	table->count++;
	return s;
}

/* Empties slot i and moves displaced records back, so that no probe ends too early. */
static void erase(struct hashtable *table, struct shard *shard, uint32_t i)
{
	for (uint32_t j = next(shard, i);; j = next(shard, j)) {
		uint64_t key = key_of(slot(table, shard, j));
		uint32_t h;

		if (!key)
			break;
		h = home(shard, key);
		/* The record at j may move to i unless its home lies cyclically in (i, j]. */
		if (i <= j ? (h <= i || h > j) : (h <= i && h > j)) {
			memcpy(slot(table, shard, i), slot(table, shard, j), table->size);
			i = j;
		}
	}
	memset(slot(table, shard, i), 0, table->size);
	shard->count--;
	table->count--;
}

void hashtable_remove(struct hashtable *table, void *record)
{
	struct shard *shard = shard_of(table, key_of(record));

	erase(table, shard, (uint32_t)((size_t)((unsigned char *)record - shard->slots) / table->size));
	shrink(table, shard);
}

void hashtable_sweep(struct hashtable *table, unsigned int shard_index, bool (*visit)(void *ctx, void *record),
	void *ctx)
{
	struct shard *shard = &table->shard[shard_index];

	for (uint32_t i = 0; i < shard->capacity;) {
		unsigned char *s = slot(table, shard, i);

		if (key_of(s) && visit(ctx, s))
			erase(table, shard, i); /* slot i may have another record now */
		else
			i++;
	}
	if (shard->capacity)
		shrink(table, shard);
}
