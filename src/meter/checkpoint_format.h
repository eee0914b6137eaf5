/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checkpoint_format: the format that checkpoint.c and journal.c write and checkpoint_load.c reads. A blob is its kind,
 * the version, the key of the fingerprints, and records up to its end.
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
	CHECKPOINT_END = 'E', /* the totals; the checkpoint is complete */
	CHECKPOINT_JOURNAL = 'J',
	CHECKPOINT_TOTALS = 'T', /* as they were shown */
	CHECKPOINT_ANEW = 'A',   /* the blobs before it are void */
};

/* Kinds of records in the journal. */
enum { CHECKPOINT_ENDED = 'e', CHECKPOINT_DECIDED = 'd' };

/* Flags of an end. */
enum { CHECKPOINT_WAS_DECIDED = 1, CHECKPOINT_MOVES_FLOOR = 2 };

void checkpoint_put_head(struct buf *out, char kind, const struct hash_key *hash);

/* A host by its MAC or address, or HOST_NONE: indexes are valid in one process only. */
void checkpoint_put_host(struct buf *out, const struct hosts *hosts, uint32_t index);

void checkpoint_put_counts(struct buf *out, const struct flow_counts *counts);
void checkpoint_put_flow(struct buf *out, const struct hosts *hosts, const struct flow *flow);

#endif
