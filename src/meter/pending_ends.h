/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pending_ends: flows that ended undecided, in the order of their end. NFLOG sends packets in batches, so the DESTROY
 * of a short flow may be read before its first packet: such an end waits for one flush of NFLOG.
 */
#pragma once

#include "hostmeter/meter/flow.h"

#include <stddef.h>

struct pending_end {
	uint64_t deadline;
	struct ct_event event;
	struct attribution guess;  /* by the neighbour table when it ended: the address may be another host's later */
	struct flow_counts counts; /* counted before, or the baseline */
};

struct pending_ends;

/* NULL: out of memory. */
struct pending_ends *pending_ends_new(size_t limit);
void pending_ends_free(struct pending_ends *ends);
size_t pending_ends_count(const struct pending_ends *ends);

/* Deadlines must not fall. False if the limit is reached or memory is out. */
bool pending_ends_push(struct pending_ends *ends, const struct pending_end *end);

/* Takes out the oldest end if its deadline has passed; UINT64_MAX takes any. */
bool pending_ends_pop(struct pending_ends *ends, uint64_t now, struct pending_end *end);
