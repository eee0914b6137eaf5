/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * journal: the flows that ended and the flows that were decided since the last call of journal_take(), as one blob for
 * the checkpoint (checkpoint.c tells why). The meter writes it, the checkpoint takes it.
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
	bool totals_moved; /* what is shown changed in a way that no record tells, since the last checkpoint */
	struct buf blob;
};

/*
 * A flow ended. flow is its record with the final counts, last its record before. was_decided: its host was known
 * before. moves_floor: what is shown grew by all that was counted; else by less, because of the hosts' floors.
 */
void journal_ended(struct journal *journal, const struct flow *flow, const struct flow *last, bool was_decided,
	bool moves_floor);

/* A live flow was decided; nothing was counted of it yet. */
void journal_decided(struct journal *journal, const struct flow *flow);

/* Moves the blob to the end of out; nothing if nothing was recorded. */
void journal_take(struct journal *journal, struct buf *out);

#endif
