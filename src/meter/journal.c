/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal.h"

#include "checkpoint_format.h"
#include "hostmeter/base/le.h"

enum { MAX_JOURNAL = 1 << 24 }; /* bytes that nobody took */

static bool begin(struct journal *journal, char record)
{
	struct buf *out = &journal->blob;

	if (!journal->running || out->len > MAX_JOURNAL)
		return false;
	if (!out->len)
		checkpoint_put_head(out, CHECKPOINT_JOURNAL, journal->hash);
	le_put(out, record, 1);
	return true;
}

void journal_ended(struct journal *journal, const struct flow *flow, const struct flow_counts *last, bool was_decided,
	bool moves_floor)
{
	if (!begin(journal, CHECKPOINT_ENDED))
		return;
	checkpoint_put_flow(&journal->blob, journal->hosts, flow);
	checkpoint_put_counts(&journal->blob, last);
	le_put(&journal->blob, (was_decided ? CHECKPOINT_WAS_DECIDED : 0) | (moves_floor ? CHECKPOINT_MOVES_FLOOR : 0),
		1);
	journal->totals_moved |= !moves_floor;
}

void journal_decided(struct journal *journal, const struct flow *flow)
{
	if (begin(journal, CHECKPOINT_DECIDED))
		checkpoint_put_flow(&journal->blob, journal->hosts, flow);
}

void journal_take(struct journal *journal, struct buf *out)
{
	buf_add(out, journal->blob.data, journal->blob.len);
	buf_reset(&journal->blob);
}
