/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pending_ends: flows that ended before it was known whose they are, in the order of their end.
 *
 * NFLOG comes in batches, so the DESTROY of a short flow may overtake its own first packet. Such an end waits here for
 * one flush before it is settled with what is known then.
 */
#ifndef HOSTMETER_METER_PENDING_ENDS_H
#define HOSTMETER_METER_PENDING_ENDS_H

#include "hostmeter/meter/flow.h"

#include <stddef.h>

/* bytes and packets: what was counted before (or is the baseline); the rest of event's counters is to be counted. */
struct pending_end {
	uint64_t deadline;
	struct ct_event event;
	/* What the neighbour table said when it ended: the address may be another's by the deadline. */
	struct attribution guess;
	uint64_t bytes[2];
	uint32_t packets[2];
};

struct pending_ends;

/* NULL: out of memory. */
struct pending_ends *pending_ends_new(size_t limit);
void pending_ends_free(struct pending_ends *waiting);
size_t pending_ends_count(const struct pending_ends *waiting);

/* False if it is full or memory is out: settle it now, then. Deadlines must not fall. */
bool pending_ends_push(struct pending_ends *waiting, const struct pending_end *end);

/* Takes out the oldest whose deadline has passed; UINT64_MAX takes any. */
bool pending_ends_pop(struct pending_ends *waiting, uint64_t now, struct pending_end *end);

#endif
