/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checkpoint: the state of a meter as a list of blobs: the counts of each live flow, the totals of each host, and then
 * a journal of the flows that ended since. The caller stores the blobs in order (os/blob_file.h); the next meter loads
 * them in order and goes on from there. Nothing in them is trusted when loaded.
 */
#pragma once

#include "hostmeter/base/buf.h"

#include <stdbool.h>

struct meter;

/* Begins a checkpoint, and gives up one that is not complete. */
void checkpoint_begin(struct meter *meter);

/*
 * Appends the next blob to out, which the caller empties between calls. True: it was the last one, the checkpoint is
 * complete. During a dump nothing is appended. Bounded work: a million flows take many turns of the loop.
 */
bool checkpoint_step(struct meter *meter, struct buf *out);

/*
 * Appends one blob with the ends and decisions since the last call, or nothing. To be stored after the blobs of the
 * running checkpoint, and after those of the last complete one, in the order of the calls.
 */
void checkpoint_journal(struct meter *meter, struct buf *out);

/*
 * Appends one blob with the totals if a dump moved them since the last checkpoint. To be stored like the journal, after
 * it, and before the totals are shown: a counter that was shown must not fall with a restart.
 */
void checkpoint_totals(struct meter *meter, struct buf *out);

/*
 * Whether the totals that are shown may be higher than those in the checkpoint: then checkpoint_totals() is due before
 * the checkpoint takes the place of the one before it.
 */
bool checkpoint_has_floor(const struct meter *meter);

/*
 * Loads the next blob into a new meter. 0; -EBADMSG: damaged; -EPROTO: another version. After an error the meter must
 * be freed. checkpoint_loaded(): a complete checkpoint was loaded.
 */
int checkpoint_load(struct meter *meter, const void *blob, size_t len, uint64_t now);
bool checkpoint_loaded(const struct meter *meter);

/* Whether this is the last blob of a checkpoint, the one with the totals. */
bool checkpoint_is_end(const void *blob, size_t len);

/*
 * For a checkpoint that is older than its journal: the last blob of a later one, which is damaged otherwise. No total
 * that is shown from here on is lower than it says. As checkpoint_load(), after the last blob of the older one.
 */
int checkpoint_load_floor(struct meter *meter, const void *blob, size_t len, uint64_t now);

/*
 * Blobs are missing before the next one: flows that were loaded are forgotten, since they may be void. What a flow
 * without record had before the first dump is not counted, as at a first start: the totals may have it.
 */
void checkpoint_lacks_flows(struct meter *meter);
