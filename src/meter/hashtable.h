/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hashtable: millions of small records of one size, each with a 64-bit fingerprint as its key.
 *
 * A record starts with its key (uint64_t, never 0) and is stored in the table itself. The table has 256 open-addressed
 * shards, chosen by the key's top byte; each grows and shrinks alone, so that no call stalls the loop.
 *
 * Keys are not hashed again: they must be fingerprints from hash.h, whose secret key prevents long probe sequences.
 */
#pragma once

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

/*
 * A record of the shard of key, the first one at or behind its place; NULL if there is none. With a random key, a
 * random record. Valid as that of hashtable_find().
 */
void *hashtable_near(const struct hashtable *table, uint64_t key);

/* A hint for the processor's cache: hashtable_find() will be called with this key. */
void hashtable_prefetch(const struct hashtable *table, uint64_t key);

/*
 * The record. A new one is added if there is none: then *fresh is true and all after the key is zero. NULL: the limit
 * is reached or memory is out. Invalidates pointers into the table.
 */
void *hashtable_put(struct hashtable *table, uint64_t key, bool *fresh);

/* Removes a record that hashtable_find() or hashtable_put() just returned. Invalidates pointers into the table. */
void hashtable_remove(struct hashtable *table, void *record);

/*
 * Calls visit for each record of one shard (0 to HASHTABLE_SHARDS - 1), and removes the record if it returns true. A
 * record may be visited twice, never missed. visit must not change the table.
 */
void hashtable_sweep(struct hashtable *table, unsigned int shard, bool (*visit)(void *ctx, void *record), void *ctx);
