/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal: the format of a checkpoint's blobs (kind, version, key of the fingerprints, records), and the journal: the
 * flows that ended or were decided since the last call of journal_take(), as one blob. checkpoint.c explains why.
 */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/meter/flow.h"
#include "hostmeter/meter/hosts.h"

enum { CHECKPOINT_VERSION = 3 };

/* Kinds of blobs. */
enum {
	CHECKPOINT_FLOWS = 'F',
	CHECKPOINT_TOMBSTONES = 'D',
	CHECKPOINT_SIDES = 'S', /* what is remembered of interfaces */
	CHECKPOINT_GAPS = 'G',  /* empty: flows may be missing */
	CHECKPOINT_END = 'E',   /* the totals; the checkpoint is complete */
	CHECKPOINT_JOURNAL = 'J',
	CHECKPOINT_TOTALS = 'T', /* as they were shown */
	CHECKPOINT_ANEW = 'A',   /* the blobs before it are void */
};

/* Kinds of records in the journal. */
enum { CHECKPOINT_ENDED = 'e', CHECKPOINT_DECIDED = 'd', CHECKPOINT_LEFT = 'l' };

/* Flags of an end. */
enum { CHECKPOINT_WAS_DECIDED = 1, CHECKPOINT_MOVES_FLOOR = 2 };

void journal_put_head(struct buf *out, char kind, const struct hash_key *hash);

/* A host by its MAC or address, or HOST_NONE: indexes are valid in one process only. One that left is HOST_OTHER. */
void journal_put_host(struct buf *out, const struct hosts *hosts, uint32_t index);

void journal_put_counts(struct buf *out, const struct flow_counts *counts);
void journal_put_flow(struct buf *out, const struct hosts *hosts, const struct flow *flow);

struct journal {
	const struct hash_key *hash; /* of the flows' keys; borrowed, as the next */
	const struct hosts *hosts;
	bool running;      /* a checkpoint was begun; before that nothing is recorded */
	bool totals_moved; /* the totals that are shown changed, and no record has the change */
	struct buf blob;
};

/*
 * A flow ended. flow has the final counts, last those before. was_decided: its host was known before. moves_floor: the
 * totals that are shown grew by all that was counted; otherwise by less, because of the hosts' floors.
 */
void journal_ended(struct journal *journal, const struct flow *flow, const struct flow_counts *last, bool was_decided,
	bool moves_floor);

/* A live flow was decided, and nothing of it is counted yet. */
void journal_decided(struct journal *journal, const struct flow *flow);

/* A host leaves now. */
void journal_left(struct journal *journal, uint32_t index);

/* Moves the blob to the end of out; appends nothing if nothing was recorded. */
void journal_take(struct journal *journal, struct buf *out);
