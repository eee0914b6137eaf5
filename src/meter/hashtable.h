/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hashtable: millions of small records of one size, each known by a 64-bit fingerprint.
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

enum { HASHTABLE_SHARDS = 256 };

struct hashtable;

/* An empty table for records of size bytes (a multiple of 8) that holds at most limit of them. NULL: out of memory. */
struct hashtable *hashtable_new(size_t size, size_t limit);
void hashtable_free(struct hashtable *table);

size_t hashtable_count(const struct hashtable *table);
size_t hashtable_limit(const struct hashtable *table);

/* Bytes allocated. */
size_t hashtable_memory(const struct hashtable *table);

/* The record, valid until the next hashtable_put() or hashtable_remove(); NULL if there is none. */
void *hashtable_find(const struct hashtable *table, uint64_t key);

/* Nothing but a hint: what hashtable_find() will look at for this key is wanted in the processor's cache soon. */
void hashtable_prefetch(const struct hashtable *table, uint64_t key);

/*
 * The record, made if there is none: then *fresh is true and all behind the key is zero. NULL if the table is at its
 * limit or memory is out. Invalidates other pointers into the table.
 */
void *hashtable_put(struct hashtable *table, uint64_t key, bool *fresh);

/* Removes a record that hashtable_find() or hashtable_put() just returned. Invalidates pointers into the table. */
void hashtable_remove(struct hashtable *table, void *record);

/*
 * Calls visit for each record of one shard (0 to HASHTABLE_SHARDS - 1); a record for which it returns true is removed.
 * A record may be visited twice, never missed. visit must not touch the table otherwise. Going through all shards, a
 * few per turn, is how a large table is swept without a stall.
 */
void hashtable_sweep(struct hashtable *table, unsigned int shard, bool (*visit)(void *ctx, void *record), void *ctx);

#endif
