/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where conntrack dumps begin and end, and the flows that are missing from them. */
#include "state.h"

#define GONE_NS (60 * CLOCK_NS_PER_S)
#define GONE_AT_MOST_NS (600 * CLOCK_NS_PER_S)

/* After an overrun the kernel sends the ends that it could not deliver, a while later. */
#define ENDS_LATE_NS (5 * CLOCK_NS_PER_S)

enum { GONE_DUMPS = 3 };

void meter_dump_begin(struct meter *meter, uint64_t now)
{
	meter->now = now;
	meter->dumps.number = meter->dumps.complete + 1;
	meter->dumps.since = now;
	meter->dumps.begun++;
}

/* All live flows have been read since the restart, so what is still below the floor belongs to flows that ended. */
static void fold_floors(struct meter *m)
{
	if (!m->checkpoint.dumps_to_fold || --m->checkpoint.dumps_to_fold)
		return;
	for (uint32_t i = 0; i < hosts_count(m->hosts); i++)
		hosts_fold_floor(hosts_get(m->hosts, i));
}

void meter_dump_end(struct meter *meter, bool complete, uint64_t now)
{
	struct dumps *dumps = &meter->dumps;

	meter->now = now;
	if (!dumps->since)
		return;
	dumps->last_ns = now - dumps->since;
	dumps->last_end = now;
	dumps->since = 0;
	meter->stats.dumps++;
	if (!complete) {
		meter->stats.dumps_incomplete++;
		return;
	}
	dumps->complete = dumps->number;
	dumps->completed_at[dumps->complete % DUMPS_REMEMBERED] = now;
	dumps->ready = true;
	dumps->sweep = 0;
	fold_floors(meter);
	if (!dumps->overrun || now - dumps->overrun >= ENDS_LATE_NS)
		wan_reconcile(meter->wan, &meter->waiting);
	meter_names_changed(meter); /* addresses that were new since the last dump may have names */
}

bool meter_ready(const struct meter *meter)
{
	return meter->dumps.ready;
}

bool meter_is_gone(const struct meter *m, const struct flow *flow)
{
	uint16_t first_missed = flow->dump + 1;
	uint64_t missed;

	if ((int16_t)(m->dumps.complete - flow->dump) < GONE_DUMPS)
		return false;
	missed = m->dumps.completed_at[first_missed % DUMPS_REMEMBERED];
	if (m->now - missed < GONE_NS)
		return false;
	/* Its DESTROY may be among those that found the socket full, and still come. */
	return m->now - m->dumps.overrun >= GONE_NS || m->now - missed >= GONE_AT_MOST_NS;
}
