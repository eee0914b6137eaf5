/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * table: millions of small records of one size, each known by a 64-bit fingerprint.
 *
 * A record starts with its key (uint64_t, never 0) and lives inside the table: no pointers, no per-record allocation.
 * The table is 256 open-addressed arrays, chosen by the key's top byte. An array that grows or shrinks moves only its
 * own records, so that no single call stalls the loop however large the whole is, and memory follows the count closely
 * both ways.
 *
 * Keys must be fingerprints from hash.h: they are used as they are, so only the secret of the hash keeps a hostile
 * network from building long probe sequences.
 */
#ifndef HOSTMETER_METER_HASHTABLE_H
#define HOSTMETER_METER_HASHTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TABLE_SHARDS = 256 };

struct table;

/* An empty table for records of size bytes (a multiple of 8) that holds at most limit of them. NULL: out of memory. */
struct table *table_new(size_t size, size_t limit);
void table_free(struct table *table);

size_t table_count(const struct table *table);
size_t table_limit(const struct table *table);

/* Bytes allocated. */
size_t table_memory(const struct table *table);

/* The record, valid until the next table_put() or table_remove(); NULL if there is none. */
void *table_find(const struct table *table, uint64_t key);

/* Nothing but a hint: what table_find() will look at for this key is wanted in the processor's cache soon. */
void table_prefetch(const struct table *table, uint64_t key);

/*
 * The record, made if there is none: then *fresh is true and all behind the key is zero. NULL if the table is at its
 * limit or memory is out. Invalidates other pointers into the table.
 */
void *table_put(struct table *table, uint64_t key, bool *fresh);

/* Removes a record that table_find() or table_put() just returned. Invalidates pointers into the table. */
void table_remove(struct table *table, void *record);

/*
 * Calls visit for each record of one shard (0 to TABLE_SHARDS - 1); a record for which it returns true is removed. A
 * record may be visited twice, never missed. visit must not touch the table otherwise. Going through all shards, a few
 * per turn, is how a large table is swept without a stall.
 */
void table_sweep(struct table *table, unsigned int shard, bool (*visit)(void *ctx, void *record), void *ctx);

#endif
