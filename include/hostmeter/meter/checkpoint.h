/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checkpoint: what a meter must not forget when its process ends, as a list of blobs: each live flow's last counts,
 * each host's totals, and after them a journal of the flows that ended since. Whoever keeps blobs (store.h) keeps them
 * in order; the next meter loads them in order and goes on as if it had been there all the time.
 *
 * Blobs are little-endian, fields written one by one, and name their version. Nothing in them is trusted when loaded.
 */
#ifndef HOSTMETER_METER_CHECKPOINT_H
#define HOSTMETER_METER_CHECKPOINT_H

#include "hostmeter/base/buf.h"

#include <stdbool.h>

struct meter;

/* Begins a checkpoint; one that is under way is given up. */
void checkpoint_begin(struct meter *meter);
bool checkpoint_running(const struct meter *meter);

/*
 * Appends the next blob to out (which the caller empties between calls) and returns true if it was the last: the
 * checkpoint is whole with it. While a dump is in the air nothing is appended: come back after it. Bounded work, so
 * that a million flows, or as many that just ended, are saved over many turns of the loop; flows that end meanwhile are
 * in the journal.
 */
bool checkpoint_step(struct meter *meter, struct buf *out);

/*
 * Appends one blob with the ends counted since the last call, nothing if there were none. To be stored behind the
 * blobs of the checkpoint under way, and behind those of the last whole one, in the order of the calls.
 */
void checkpoint_journal(struct meter *meter, struct buf *out);

/*
 * Appends one blob with the totals as they stand, if a dump moved them since the last checkpoint began; to be stored
 * like the journal and after it, before the totals are shown to anybody: a counter that was seen must not fall with a
 * restart.
 */
void checkpoint_totals(struct meter *meter, struct buf *out);

/*
 * Loads the next blob into a meter that has metered nothing yet. 0; -EBADMSG: damaged, -EPROTO: another version; after
 * an error the meter is to be thrown away. checkpoint_loaded() tells whether a whole checkpoint was loaded.
 */
int checkpoint_load(struct meter *meter, const void *blob, size_t len, uint64_t now);
bool checkpoint_loaded(const struct meter *meter);

#endif
