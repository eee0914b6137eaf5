/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tombstones: flows whose DESTROY was read a moment ago, so that a repeated DESTROY or a late entry of a dump is
 * recognized. The kernel repeats a DESTROY (nf_conntrack_ecache.c) until each reliable listener has it, so no tombstone
 * expires while any DESTROY was repeated lately.
 */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/decode/ct_event.h"

#include <stddef.h>

#define TOMBSTONES_KEEP_NS (UINT64_C(3) * 1000000000)

struct tombstones;

enum tombstones_verdict {
	TOMBSTONES_UNKNOWN,  /* no flow of this key ended lately */
	TOMBSTONES_REPEATED, /* the same end once more: count nothing */
	TOMBSTONES_REBORN,   /* another flow that got the key of one that ended: count it from zero */
};

/* At most limit tombstones. NULL: out of memory. */
struct tombstones *tombstones_new(size_t limit);
void tombstones_free(struct tombstones *tombstones);
size_t tombstones_count(const struct tombstones *tombstones);

/* A DESTROY was read: says what it is, and remembers it. Where the table is full, nothing is remembered. */
enum tombstones_verdict tombstones_destroy(struct tombstones *tombstones, uint64_t key, const struct ct_event *event,
	uint64_t now);

/*
 * A dump that began at dump_began listed this key: TOMBSTONES_REPEATED if its flow ended after that, or so shortly
 * before that the kernel may not have unlinked it yet; TOMBSTONES_REBORN, and its tombstone goes, if it ended earlier.
 */
enum tombstones_verdict tombstones_entry(struct tombstones *tombstones, uint64_t key, uint64_t dump_began);

/* Removes what is old, a few shards per call. Younger ones than the running dump (0: none runs) stay. */
void tombstones_expire(struct tombstones *tombstones, uint64_t dump_began, uint64_t now);

/* For the checkpoint: appends the tombstones of a shard (of HASHTABLE_SHARDS), each as key and final (8 bytes each). */
void tombstones_save(struct tombstones *tombstones, unsigned int shard, struct buf *out);

/* Puts a saved one back, as if made now. */
void tombstones_restore(struct tombstones *tombstones, uint64_t key, uint64_t final, uint64_t now);
