/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checkpoint_format: what checkpoint.c and journal.c write and checkpoint_load.c reads.
 *
 * A blob: its kind, the version, the key of all fingerprints in it; then records without a count, to its end.
 */
#ifndef HOSTMETER_METER_CHECKPOINT_FORMAT_H
#define HOSTMETER_METER_CHECKPOINT_FORMAT_H

#include "hostmeter/base/buf.h"
#include "hostmeter/meter/flow.h"
#include "hostmeter/meter/hosts.h"

enum { CHECKPOINT_VERSION = 3 };

/* Kinds of blobs. */
enum {
	CHECKPOINT_FLOWS = 'F',
	CHECKPOINT_TOMBSTONES = 'D',
	CHECKPOINT_END = 'E', /* the totals; the checkpoint is whole with it */
	CHECKPOINT_JOURNAL = 'J',
	CHECKPOINT_TOTALS = 'T', /* as they were shown */
	CHECKPOINT_ANEW = 'A',   /* what came before is void */
};

/* What a record of the journal tells of a flow. */
enum { CHECKPOINT_ENDED = 'e', CHECKPOINT_DECIDED = 'd' };

/* Flags of an end. */
enum { CHECKPOINT_WAS_DECIDED = 1, CHECKPOINT_MOVES_FLOOR = 2 };

/* The head of a blob of this kind. */
void checkpoint_put_head(struct buf *out, char kind, const struct hash_key *hash);

/* A host (or HOST_NONE) by its MAC or address: indexes are one process's own. */
void checkpoint_put_host(struct buf *out, const struct hosts *hosts, uint32_t index);

/* The counts of a flow; the whole flow with its hosts. */
void checkpoint_put_counts(struct buf *out, const struct flow *flow);
void checkpoint_put_flow(struct buf *out, const struct hosts *hosts, const struct flow *flow);

#endif
