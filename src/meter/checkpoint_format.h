/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checkpoint_format: what checkpoint.c writes and checkpoint_load.c reads.
 *
 * A blob: its kind, the version, the key of all fingerprints in it; then records without a count, to its end.
 */
#ifndef HOSTMETER_METER_CHECKPOINT_FORMAT_H
#define HOSTMETER_METER_CHECKPOINT_FORMAT_H

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

#endif
