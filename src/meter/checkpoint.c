/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the meter goes on after its process was killed. There are three kinds of blobs:
 *
 *   flows*, tombstones*, sides, end   the records of live flows, the tombstones, what is remembered of interfaces, and
 *                              the totals of all hosts; before these, a blob "gaps" if flows may be missing
 *   journal                    the flows that ended or were decided since, with their counts
 *   totals                     the totals as they were shown
 *
 * A live flow needs no journal: its record in the checkpoint is as old as the totals there, and the first dump after
 * the restart brings the difference for both. A flow that ended is in no dump, so its end is in the journal: its final
 * counts minus its record in the checkpoint are added to the totals. A decision is in the journal too, since a flow
 * must not change its host.
 *
 * The checkpoint is written in many steps, but never during a dump: a dump moves records and totals together, so a
 * record from before it and totals from after it would count the difference twice. If a dump begins, what was written
 * is void and writing starts again after the dump. Flows that end between the steps are in the journal before the end
 * blob. There they only remove the flow's record and leave a tombstone: the totals come last and include them.
 *
 * Totals that were shown must not fall, or Prometheus takes it for a reset. A dump moves totals before the next
 * checkpoint is complete, and a flow that it counted may end while no meter runs. So shown totals are a floor: after a
 * restart no lower value is shown. After two complete dumps all live flows have been counted; what the floor is above
 * the totals belonged to flows that ended meanwhile, and becomes part of the totals.
 */
#include "hostmeter/meter/checkpoint.h"

#include "hostmeter/base/le.h"
#include "state.h"

enum {
	BLOB_WANTED = 1 << 17,        /* bytes in one step: a few thousand flows */
	STEPS = 2 * HASHTABLE_SHARDS, /* flows, then tombstones; then come the sides and the end */
};

static void put_traffic(struct buf *out, const struct traffic *traffic)
{
	for (int family = 0; family < TRAFFIC_FAMILIES; family++) {
		for (int direction = 0; direction < TRAFFIC_DIRECTIONS; direction++) {
			le_put(out, traffic->of[family][direction].bytes, 8);
			le_put(out, traffic->of[family][direction].packets, 8);
		}
	}
}

struct saving {
	const struct meter *meter;
	struct buf *out;
	bool shown; /* totals not below the floor */
};

static void put_total(void *ctx, uint32_t index)
{
	const struct saving *saving = ctx;
	struct host host = *hosts_get(saving->meter->hosts, index);

	if (saving->shown)
		hosts_fold_floor(&host);
	journal_put_host(saving->out, saving->meter->hosts, index);
	put_traffic(saving->out, &host.wan);
	put_traffic(saving->out, &host.local);
}

/* In the order in which hosts would leave, which is so kept. */
static void put_totals(struct buf *out, const struct meter *m, bool shown)
{
	struct saving saving = { m, out, shown };

	hosts_each(m->hosts, put_total, &saving);
}

/* --- Saving */

static bool put_flow(void *ctx, void *record)
{
	const struct saving *saving = ctx;

	journal_put_flow(saving->out, saving->meter->hosts, record);
	return false;
}

void checkpoint_begin(struct meter *meter)
{
	meter->checkpoint.step = 0;
	meter->journal.running = true;
}

/* Shards of flows, or of tombstones, until the blob is large enough. */
static void save_shards(struct meter *meter, struct buf *out)
{
	struct saving saving = { .meter = meter, .out = out };
	unsigned int *step = &meter->checkpoint.step;
	bool flows = *step < HASHTABLE_SHARDS;
	unsigned int end = flows ? HASHTABLE_SHARDS : STEPS;

	journal_put_head(out, flows ? CHECKPOINT_FLOWS : CHECKPOINT_TOMBSTONES, &meter->options.hash);
	for (; *step < end && out->len < BLOB_WANTED; ++*step) {
		if (flows)
			hashtable_sweep(meter->flows, *step, put_flow, &saving);
		else
			tombstones_save(meter->tombstones, *step % HASHTABLE_SHARDS, out);
	}
}

static void put_memory(void *ctx, const struct topology_memory *memory)
{
	struct buf *out = ctx;

	buf_add(out, memory->name, sizeof(memory->name));
	le_put(out, memory->was_lan | memory->was_wan << 1, 1);
	le_put(out, memory->lan_ns, 8);
	le_put(out, memory->wan_ns, 8);
}

bool checkpoint_step(struct meter *meter, struct buf *out)
{
	struct checkpoint *own = &meter->checkpoint;

	if (!meter->journal.running || own->step > STEPS + 2)
		return true;
	if (meter->dumps.since)
		return false;
	if (!own->step)
		own->dumps_begun = meter->dumps.begun;
	if (own->dumps_begun != meter->dumps.begun) {
		own->step = 0;
		journal_put_head(out, CHECKPOINT_ANEW, &meter->options.hash);
		return false;
	}
	if (own->step < STEPS) {
		save_shards(meter, out);
		return false;
	}
	if (own->step == STEPS) {
		own->step += own->gaps && !meter->dumps.ready ? 1 : 2;
		journal_put_head(out, CHECKPOINT_SIDES, &meter->options.hash);
		topology_each_memory(meter->topology, meter->now, put_memory, out);
		return false;
	}
	if (own->step++ == STEPS + 1) {
		journal_put_head(out, CHECKPOINT_GAPS, &meter->options.hash);
		return false;
	}
	journal_put_head(out, CHECKPOINT_END, &meter->options.hash);
	put_totals(out, meter, false);
	/*
	 * The floor is not in this blob. And if this checkpoint is damaged, the one before it is used, whose totals do
	 * not have what a dump has added since: so what moved still counts as not recorded.
	 */
	meter->journal.totals_moved |= own->dumps_to_fold;
	return true;
}

bool checkpoint_has_floor(const struct meter *meter)
{
	return meter->checkpoint.dumps_to_fold;
}

void checkpoint_journal(struct meter *meter, struct buf *out)
{
	journal_take(&meter->journal, out);
}

void checkpoint_totals(struct meter *meter, struct buf *out)
{
	if (!meter->journal.running || !meter->journal.totals_moved)
		return;
	journal_put_head(out, CHECKPOINT_TOTALS, &meter->options.hash);
	put_totals(out, meter, true);
	meter->journal.totals_moved = false;
}
