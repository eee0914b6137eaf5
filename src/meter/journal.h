/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal: the flows that ended or were decided since the last call of journal_take(), as one blob for the checkpoint;
 * checkpoint.c explains why.
 */
#ifndef HOSTMETER_METER_JOURNAL_H
#define HOSTMETER_METER_JOURNAL_H

#include "hostmeter/base/buf.h"
#include "hostmeter/meter/flow.h"
#include "hostmeter/meter/hosts.h"

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

/* Moves the blob to the end of out; appends nothing if nothing was recorded. */
void journal_take(struct journal *journal, struct buf *out);

#endif
