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
	BLOB_WANTED = 1 << 17, /* bytes of flows in one step: a few thousand flows */
	MAX_JOURNAL = 1 << 24,
	STEPS = 2 * HASHTABLE_SHARDS, /* flows, then tombstones; the end comes after them */
};

static void put_head(struct buf *out, const struct meter *m, char kind)
{
	le_put(out, kind, 1);
	le_put(out, CHECKPOINT_VERSION, 1);
	le_put(out, m->options.hash.k[0], 8);
	le_put(out, m->options.hash.k[1], 8);
}

/* --- Hosts: by what they are, since indexes are one process's own */

static void put_host_id(struct buf *out, const struct meter *m, uint32_t index)
{
	static const struct host none = { .kind = HOST_KIND_SPECIAL };
	const struct host *host = index == HOST_NONE ? &none : hosts_get(m->hosts, index);

	le_put(out, host->kind, 1);
	switch (host->kind) {
	case HOST_KIND_MAC:
		buf_add(out, host->mac.b, MAC_LEN);
		break;
	case HOST_KIND_ADDRESS:
		le_put(out, host->addr.family, 1);
		buf_add(out, host->addr.b, sizeof(host->addr.b));
		break;
	default:
		le_put(out, index, 4);
	}
}

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
		put_host_id(out, m, i);
		put_traffic(out, &host.wan);
		put_traffic(out, &host.local);
	}
}

/* --- Flows */

static void put_flow(struct buf *out, const struct flow *flow)
{
	le_put(out, flow->key, 8);
	for (int dir = 0; dir < 2; dir++) {
		le_put(out, flow->bytes[dir], 8);
		le_put(out, flow->packets[dir], 4);
	}
	le_put(out, flow->wan, 4);
	le_put(out,
		flow->scope | flow->by << 2 | flow->host_is_reply << 5 | flow->v6 << 6 | flow->uncounted << 7 |
			flow->offloaded << 8,
		2);
}

struct saving {
	struct meter *meter;
	struct buf *out;
};

static bool save_flow(void *ctx, void *record)
{
	const struct saving *saving = ctx;
	const struct flow *flow = record;
	/* Undecided flows and those that the router has with itself have no host. */
	bool has_host = flow->scope == FLOW_WAN || flow->scope == FLOW_LOCAL;

	put_flow(saving->out, flow);
	put_host_id(saving->out, saving->meter, has_host ? flow->host : HOST_NONE);
	put_host_id(saving->out, saving->meter, has_host ? flow->peer : HOST_NONE);
	return false;
}

/* --- Saving */

static void put_tombstones(void *ctx, uint64_t key, uint64_t final)
{
	struct buf *out = ctx;

	le_put(out, key, 8);
	le_put(out, final, 8);
}

void checkpoint_begin(struct meter *meter)
{
	meter->saving = 0;
	meter->save_anew = false;
	meter->journaling = true;
}

bool checkpoint_running(const struct meter *meter)
{
	return meter->journaling && meter->saving <= STEPS;
}

/* As many shards as make a blob of about the size wanted: of flows, or of tombstones. */
static void save_shards(struct meter *meter, struct buf *out)
{
	struct saving saving = { meter, out };
	bool flows = meter->saving < HASHTABLE_SHARDS;
	unsigned int end = flows ? HASHTABLE_SHARDS : STEPS;

	put_head(out, meter, flows ? CHECKPOINT_FLOWS : CHECKPOINT_TOMBSTONES);
	for (; meter->saving < end && out->len < BLOB_WANTED; meter->saving++) {
		if (flows)
			hashtable_sweep(meter->flows, meter->saving, save_flow, &saving);
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
	if (meter->save_anew) {
		meter->save_anew = false;
		meter->saving = 0;
		put_head(out, meter, CHECKPOINT_ANEW);
		return false;
	}
	if (meter->saving < STEPS) {
		save_shards(meter, out);
		return false;
	}
	put_head(out, meter, CHECKPOINT_END);
	put_totals(out, meter, false);
	meter->saving++;
	meter->totals_moved = meter->dumps_to_fold; /* then the floor is still to be told */
	return true;
}

void checkpoint_note_end(struct meter *meter, const struct flow *flow, const struct flow *last, bool was_decided)
{
	struct buf *out = &meter->journal;

	/* Without anybody who takes the journal it must not grow for ever. */
	if (!meter->journaling || out->len > MAX_JOURNAL)
		return;
	if (!out->len)
		put_head(out, meter, CHECKPOINT_JOURNAL);
	le_put(out, CHECKPOINT_ENDED, 1);
	put_flow(out, flow);
	put_host_id(out, meter, flow->scope == FLOW_IGNORED ? HOST_NONE : flow->host);
	put_host_id(out, meter, flow->scope == FLOW_IGNORED ? HOST_NONE : flow->peer);
	for (int dir = 0; dir < 2; dir++) {
		le_put(out, last->bytes[dir], 8);
		le_put(out, last->packets[dir], 4);
	}
	/* With a floor that the totals have not reached, an end moves what is shown less than itself, or not at all. */
	le_put(out, (was_decided ? CHECKPOINT_WAS_DECIDED : 0) | (meter->dumps_to_fold ? 0 : CHECKPOINT_MOVES_FLOOR),
		1);
	meter->totals_moved |= meter->dumps_to_fold > 0;
}

void checkpoint_note_decision(struct meter *meter, const struct flow *flow)
{
	struct buf *out = &meter->journal;
	struct saving saving = { meter, out };

	if (!meter->journaling || out->len > MAX_JOURNAL)
		return;
	if (!out->len)
		put_head(out, meter, CHECKPOINT_JOURNAL);
	le_put(out, CHECKPOINT_DECIDED, 1);
	save_flow(&saving, (void *)flow);
}

void checkpoint_journal(struct meter *meter, struct buf *out)
{
	buf_add(out, meter->journal.data, meter->journal.len);
	buf_reset(&meter->journal);
}

void checkpoint_totals(struct meter *meter, struct buf *out)
{
	if (!meter->journaling || !meter->totals_moved)
		return;
	put_head(out, meter, CHECKPOINT_TOTALS);
	put_totals(out, meter, true);
	meter->totals_moved = false;
}

/* --- The floor */

void checkpoint_dump_began(struct meter *meter)
{
	meter->save_anew = checkpoint_running(meter) && meter->saving > 0;
}

void checkpoint_dump_ended(struct meter *meter)
{
	if (!meter->dumps_to_fold || --meter->dumps_to_fold)
		return;
	for (uint32_t i = 0; i < hosts_count(meter->hosts); i++)
		hosts_fold_floor(hosts_get(meter->hosts, i));
}
