/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A meter that dies goes on from a checkpoint and loses nothing, by three kinds of blobs:
 *
 *   flows*, tombstones*, end   each live flow with what was counted of it, the tombstones, and the totals of all hosts
 *   journal               flows that ended since, with their final counts
 *   totals                the totals as somebody saw them
 *
 * A live flow needs no journal: its record in the checkpoint is older than what was counted since, but so are the
 * totals, and the first dump after the restart brings the difference of both. A flow that ended is in no dump any more,
 * so its end is journaled (and so is whose it was, once that is decided, for a host must not change): what it had more
 * than its record in the checkpoint is added to the totals there. Its counts since the checkpoint may have come in a
 * dump and in its DESTROY; the final figure covers both.
 *
 * The checkpoint is written over many turns of the loop, but never while a dump is in the air: a dump moves records and
 * totals together, and a record saved before and totals saved after it would count the difference twice. If a dump
 * begins all the same, what was saved is void and saving starts anew behind it. Flows that end meanwhile are journaled
 * into the new file too, before its end: there they only take their flow's record away, since the totals come last and
 * have them, and leave a tombstone, if that one's shard was saved before.
 *
 * What was shown must not fall, or Prometheus takes it for a restart from zero. A dump moves totals before the next
 * checkpoint is whole, and a flow counted in that dump may end while no meter runs. So totals that were shown are a
 * floor: what is shown after a restart never lies below. After two complete dumps everything that lives has brought its
 * difference, and whatever the floor is above the totals belonged to flows that died in between: then it becomes part
 * of the totals.
 */
#include "hostmeter/meter/checkpoint.h"

#include "checkpoint_format.h"
#include "hostmeter/base/le.h"
#include "state.h"

enum {
	BLOB_WANTED = 1 << 17,        /* bytes of flows in one step: a few thousand flows */
	STEPS = 2 * HASHTABLE_SHARDS, /* flows, then tombstones; the end comes after them */
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

/* The totals as they are, or as they are shown: not below the floor. */
static void put_totals(struct buf *out, const struct meter *m, bool shown)
{
	for (uint32_t i = 0; i < hosts_count(m->hosts); i++) {
		struct host host = *hosts_get(m->hosts, i);

		if (host.kind == HOST_KIND_GONE)
			continue;
		if (shown)
			hosts_fold_floor(&host);
		checkpoint_put_host(out, m->hosts, i);
		put_traffic(out, &host.wan);
		put_traffic(out, &host.local);
	}
}

/* --- Saving */

struct saving {
	const struct meter *meter;
	struct buf *out;
};

static bool put_flow(void *ctx, void *record)
{
	const struct saving *saving = ctx;

	checkpoint_put_flow(saving->out, saving->meter->hosts, record);
	return false;
}

static void put_tombstones(void *ctx, uint64_t key, uint64_t final)
{
	struct buf *out = ctx;

	le_put(out, key, 8);
	le_put(out, final, 8);
}

void checkpoint_begin(struct meter *meter)
{
	meter->saving = 0;
	meter->journal.running = true;
}

bool checkpoint_running(const struct meter *meter)
{
	return meter->journal.running && meter->saving <= STEPS;
}

/* As many shards as make a blob of about the size wanted: of flows, or of tombstones. */
static void save_shards(struct meter *meter, struct buf *out)
{
	struct saving saving = { meter, out };
	bool flows = meter->saving < HASHTABLE_SHARDS;
	unsigned int end = flows ? HASHTABLE_SHARDS : STEPS;

	checkpoint_put_head(out, flows ? CHECKPOINT_FLOWS : CHECKPOINT_TOMBSTONES, &meter->options.hash);
	for (; meter->saving < end && out->len < BLOB_WANTED; meter->saving++) {
		if (flows)
			hashtable_sweep(meter->flows, meter->saving, put_flow, &saving);
		else
			tombstones_each(meter->tombstones, meter->saving % HASHTABLE_SHARDS, put_tombstones, out);
	}
}

bool checkpoint_step(struct meter *meter, struct buf *out)
{
	if (!checkpoint_running(meter))
		return true;
	if (meter->dump_began)
		return false;
	if (!meter->saving)
		meter->saving_since_dump = meter->dumps_begun;
	if (meter->saving_since_dump != meter->dumps_begun) {
		meter->saving = 0;
		checkpoint_put_head(out, CHECKPOINT_ANEW, &meter->options.hash);
		return false;
	}
	if (meter->saving < STEPS) {
		save_shards(meter, out);
		return false;
	}
	checkpoint_put_head(out, CHECKPOINT_END, &meter->options.hash);
	put_totals(out, meter, false);
	meter->saving++;
	meter->journal.totals_moved = meter->dumps_to_fold; /* then the floor is still to be told */
	return true;
}

void checkpoint_journal(struct meter *meter, struct buf *out)
{
	journal_take(&meter->journal, out);
}

void checkpoint_totals(struct meter *meter, struct buf *out)
{
	if (!meter->journal.running || !meter->journal.totals_moved)
		return;
	checkpoint_put_head(out, CHECKPOINT_TOTALS, &meter->options.hash);
	put_totals(out, meter, true);
	meter->journal.totals_moved = false;
}
