/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A meter that dies goes on from a checkpoint and loses nothing, by three kinds of blobs:
 *
 *   flows*, end     each live flow with what was counted of it, then the tombstones and the totals of all hosts
 *   journal         flows that ended since, with their final counts
 *   totals          the totals as somebody saw them
 *
 * A live flow needs no journal: its record in the checkpoint is older than what was counted since, but so are the totals, and
 * the first dump after the restart brings the difference of both. A flow that ended is in no dump any more, so its
 * end is journaled (and so is whose it was, once that is decided, for a host must not change): what it had more than its record in the checkpoint is added to the totals there. Its counts since
 * the checkpoint may have come in a dump and in its DESTROY; the final figure covers both.
 *
 * The checkpoint is written over many turns of the loop, but never while a dump is in the air: a dump moves records and totals
 * together, and a record saved before and totals saved after it would count the difference twice. If a dump begins all the
 * same, what was saved is void and saving starts anew behind it. Flows that end meanwhile are journaled into the new file too, before its
 * end: there they only take their flow's record away, since the totals come last and have them.
 *
 * What was shown must not fall, or Prometheus takes it for a restart from zero. A dump moves totals before the next
 * checkpoint is whole, and a flow counted in that dump may end while no meter runs. So totals that were shown are a floor:
 * what is shown after a restart never lies below. After two complete dumps everything that lives has brought its difference,
 * and whatever the floor is above the totals belonged to flows that died in between: then it becomes part of the totals.
 */
#include "hostmeter/checkpoint.h"

#include "hostmeter/le.h"
#include "hostmeter/meter_state.h"

#include <errno.h>

enum {
	VERSION = 2,
	BLOB_FLOWS = 'F',
	BLOB_END = 'E',
	BLOB_JOURNAL = 'J',
	BLOB_TOTALS = 'T',
	BLOB_ANEW = 'A',
	BLOB_WANTED = 1 << 17, /* bytes of flows in one step: a few thousand flows */
	DUMPS_TO_FOLD = 2,
	MAX_JOURNAL = 1 << 24,
	ENDED = 'e', /* what a journal tells of a flow */
	DECIDED = 'd',
	WAS_DECIDED = 1, /* flags of an end */
	MOVES_FLOOR = 2,
};

static void put_head(struct buf *out, const struct meter *m, char kind)
{
	le_put(out, kind, 1);
	le_put(out, VERSION, 1);
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

/* False if it is no host. */
static bool get_host_id(struct le_reader *in, struct meter *m, uint32_t *index)
{
	struct mac mac;
	struct addr addr;

	switch (le_get(in, 1)) {
	case HOST_KIND_SPECIAL:
		*index = (uint32_t)le_get(in, 4);
		return !in->ran_out && (*index < HOST_FIRST || *index == HOST_NONE);
	case HOST_KIND_MAC:
		le_get_bytes(in, mac.b, MAC_LEN);
		if (in->ran_out || !mac_is_host(&mac))
			return false;
		*index = hosts_by_mac(m->hosts, &mac);
		break;
	case HOST_KIND_ADDRESS:
		addr.family = (uint8_t)le_get(in, 1);
		le_get_bytes(in, addr.b, sizeof(addr.b));
		if (in->ran_out || !addr_len(addr.family))
			return false;
		*index = hosts_by_address(m->hosts, &addr);
		break;
	default:
		return false;
	}
	if (*index != HOST_NONE)
		meter_meet_host(m, *index);
	return true;
}

static void put_counts(struct buf *out, const struct host_count counts[HOST_FAMILIES][2])
{
	for (int i = 0; i < HOST_FAMILIES * 2; i++) {
		le_put(out, counts[i / 2][i % 2].bytes, 8);
		le_put(out, counts[i / 2][i % 2].packets, 8);
	}
}

/* Adds: two hosts of an older, larger table may have become one "other". */
static void get_counts(struct le_reader *in, struct host_count counts[HOST_FAMILIES][2])
{
	for (int i = 0; i < HOST_FAMILIES * 2; i++) {
		counts[i / 2][i % 2].bytes += le_get(in, 8);
		counts[i / 2][i % 2].packets += le_get(in, 8);
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
			host_fold_floor(&host);
		put_host_id(out, m, i);
		put_counts(out, host.wan);
		put_counts(out, host.local);
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
	le_put(out, flow->scope | flow->by << 2 | flow->host_is_reply << 5 | flow->v6 << 6 | flow->uncounted << 7 |
		flow->offloaded << 8, 2);
}

static void get_flow(struct le_reader *in, struct flow *flow)
{
	unsigned int bits;

	flow->key = le_get(in, 8);
	for (int dir = 0; dir < 2; dir++) {
		flow->bytes[dir] = le_get(in, 8);
		flow->packets[dir] = (uint32_t)le_get(in, 4);
	}
	flow->wan = (uint32_t)le_get(in, 4);
	bits = (unsigned int)le_get(in, 2);
	flow->scope = bits;
	flow->by = bits >> 2;
	flow->host_is_reply = bits >> 5;
	flow->v6 = bits >> 6;
	flow->uncounted = bits >> 7;
	flow->offloaded = bits >> 8;
}

static bool get_hosts_of(struct le_reader *in, struct meter *m, struct flow *flow)
{
	if (!get_host_id(in, m, &flow->host) || !get_host_id(in, m, &flow->peer))
		return false;
	return flow->key && (flow->scope == FLOW_UNDECIDED || flow->scope == FLOW_IGNORED || flow->host != HOST_NONE);
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

static void put_tomb(void *ctx, uint64_t key, uint64_t final)
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
	return meter->journaling && meter->saving <= TABLE_SHARDS;
}

bool checkpoint_step(struct meter *meter, struct buf *out)
{
	struct saving saving = { meter, out };

	if (!checkpoint_running(meter))
		return true;
	if (meter->dump_began)
		return false;
	if (meter->save_anew) {
		meter->save_anew = false;
		meter->saving = 0;
		put_head(out, meter, BLOB_ANEW);
		return false;
	}
	if (meter->saving < TABLE_SHARDS) {
		put_head(out, meter, BLOB_FLOWS);
		while (meter->saving < TABLE_SHARDS && out->len < BLOB_WANTED)
			table_sweep(meter->flows, meter->saving++, save_flow, &saving);
		return false;
	}
	put_head(out, meter, BLOB_END);
	le_put(out, tombs_count(meter->tombs), 4);
	tombs_each(meter->tombs, put_tomb, out);
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
		put_head(out, meter, BLOB_JOURNAL);
	le_put(out, ENDED, 1);
	put_flow(out, flow);
	put_host_id(out, meter, flow->scope == FLOW_IGNORED ? HOST_NONE : flow->host);
	put_host_id(out, meter, flow->scope == FLOW_IGNORED ? HOST_NONE : flow->peer);
	for (int dir = 0; dir < 2; dir++) {
		le_put(out, last->bytes[dir], 8);
		le_put(out, last->packets[dir], 4);
	}
	/* With a floor that the totals have not reached, an end moves what is shown less than itself, or not at all. */
	le_put(out, (was_decided ? WAS_DECIDED : 0) | (meter->dumps_to_fold ? 0 : MOVES_FLOOR), 1);
	meter->totals_moved |= meter->dumps_to_fold > 0;
}

void checkpoint_note_decision(struct meter *meter, const struct flow *flow)
{
	struct buf *out = &meter->journal;
	struct saving saving = { meter, out };

	if (!meter->journaling || out->len > MAX_JOURNAL)
		return;
	if (!out->len)
		put_head(out, meter, BLOB_JOURNAL);
	le_put(out, DECIDED, 1);
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
	put_head(out, meter, BLOB_TOTALS);
	put_totals(out, meter, true);
	meter->totals_moved = false;
}

/* --- Loading */

static void load_flow(struct meter *m, const struct flow *flow)
{
	bool fresh;
	struct flow *kept = table_put(m->flows, flow->key, &fresh);

	if (!kept)
		return;
	if (!fresh)
		meter_drop(m, kept);
	*kept = *flow;
	meter_connect(m, kept, 1);
	m->flows_undecided += kept->scope == FLOW_UNDECIDED;
	m->flows_uncounted += kept->uncounted;
	m->flows_offloaded += kept->offloaded;
}

static bool load_flows(struct meter *m, struct le_reader *in)
{
	while (in->left) {
		struct flow flow = { 0 };

		get_flow(in, &flow);
		if (!get_hosts_of(in, m, &flow))
			return false;
		load_flow(m, &flow);
	}
	return true;
}

static bool forget_flow(void *ctx, void *record)
{
	meter_drop(ctx, record);
	return true;
}

static void forget_flows(struct meter *m)
{
	for (unsigned int i = 0; i < TABLE_SHARDS && !m->restored; i++)
		table_sweep(m->flows, i, forget_flow, m);
}

static bool load_tombs(struct meter *m, struct le_reader *in)
{
	uint64_t count = le_get(in, 4);

	while (count-- && !in->ran_out) {
		uint64_t key = le_get(in, 8), final = le_get(in, 8);

		tombs_restore(m->tombs, key, final, m->now);
	}
	return !in->ran_out;
}

static bool load_totals(struct meter *m, struct le_reader *in, bool floor_only)
{
	for (uint32_t i = 0; i < hosts_count(m->hosts); i++)
		memset(hosts_get(m->hosts, i)->floor, 0, sizeof(hosts_get(m->hosts, i)->floor));
	while (in->left) {
		struct host_count read[2][HOST_FAMILIES][2] = { 0 };
		uint32_t index;
		struct host *host;

		if (!get_host_id(in, m, &index) || index == HOST_NONE)
			return false;
		get_counts(in, read[0]);
		get_counts(in, read[1]);
		host = hosts_get(m->hosts, index);
		for (int i = 0; i < HOST_FAMILIES * 2; i++) {
			const int family = i / 2, dir = i % 2;

			host_count_add(&host->floor[0][family][dir], &read[0][family][dir]);
			host_count_add(&host->floor[1][family][dir], &read[1][family][dir]);
			if (floor_only)
				continue;
			host_count_add(&host->wan[family][dir], &read[0][family][dir]);
			host_count_add(&host->local[family][dir], &read[1][family][dir]);
		}
	}
	return !in->ran_out;
}

static void put_final(struct ct_event *event, const struct flow *flow)
{
	*event = (struct ct_event){ .has_counters = true };
	for (int dir = 0; dir < 2; dir++) {
		event->bytes[dir] = flow->bytes[dir];
		event->packets[dir] = flow->packets[dir];
	}
}

/* One end: into the totals what is new since the checkpoint, into the floor what was new at that moment. */
static void replay_end(struct meter *m, const struct flow *final, const struct flow *last, unsigned int flags)
{
	struct flow *known = table_find(m->flows, final->key);
	struct flow counted = *final;
	struct ct_event event;

	put_final(&event, final);
	tombs_destroy(m->tombs, final->key, &event, m->now);
	/* Born after the checkpoint: all of it is new, but for a baseline that nobody had decided about. */
	memset(counted.bytes, 0, sizeof(counted.bytes));
	memset(counted.packets, 0, sizeof(counted.packets));
	if (known || !(flags & WAS_DECIDED)) {
		const struct flow *from = known ? known : last;

		memcpy(counted.bytes, from->bytes, sizeof(counted.bytes));
		memcpy(counted.packets, from->packets, sizeof(counted.packets));
	}
	if (known) {
		meter_drop(m, known);
		table_remove(m->flows, known);
	}
	if (!m->restored || final->scope == FLOW_UNDECIDED)
		return; /* the totals are still to come and have it */
	meter_count(m, &counted, &event);
	if (flags & MOVES_FLOOR)
		meter_count_floor(m, final, last);
}

/* Whose a live flow is. The file may know the flow with later counts, or only that it was undecided. */
static void replay_decision(struct meter *m, const struct flow *flow)
{
	const struct flow *known = table_find(m->flows, flow->key);

	if (!known || known->scope == FLOW_UNDECIDED)
		load_flow(m, flow);
}

static bool load_journal(struct meter *m, struct le_reader *in)
{
	while (in->left) {
		struct flow final = { 0 }, last = { 0 };
		bool ended = le_get(in, 1) == ENDED;
		unsigned int flags;

		get_flow(in, &final);
		if (!get_hosts_of(in, m, &final))
			return false;
		if (!ended) {
			replay_decision(m, &final);
			continue;
		}
		for (int dir = 0; dir < 2; dir++) {
			last.bytes[dir] = le_get(in, 8);
			last.packets[dir] = (uint32_t)le_get(in, 4);
		}
		flags = (unsigned int)le_get(in, 1);
		if (in->ran_out)
			return false;
		replay_end(m, &final, &last, flags);
	}
	return true;
}

int checkpoint_load(struct meter *meter, const void *blob, size_t len, uint64_t now)
{
	struct le_reader in = le_reader(blob, len);
	int kind = (int)le_get(&in, 1);
	bool good = false;

	meter->now = now;
	if (in.ran_out || le_get(&in, 1) != VERSION)
		return -EPROTO;
	meter->options.hash.k[0] = le_get(&in, 8);
	meter->options.hash.k[1] = le_get(&in, 8);
	if (in.ran_out)
		return -EBADMSG;
	switch (kind) {
	case BLOB_FLOWS:
		good = !meter->restored && load_flows(meter, &in);
		break;
	case BLOB_ANEW:
		good = !meter->restored;
		forget_flows(meter);
		break;
	case BLOB_END:
		good = !meter->restored && load_tombs(meter, &in) && load_totals(meter, &in, false);
		meter->restored = good;
		meter->dumps_to_fold = DUMPS_TO_FOLD;
		break;
	case BLOB_JOURNAL:
		good = load_journal(meter, &in);
		break;
	case BLOB_TOTALS:
		good = !meter->restored || load_totals(meter, &in, true);
		break;
	default:
		break;
	}
	return good ? 0 : -EBADMSG;
}

bool checkpoint_loaded(const struct meter *meter)
{
	return meter->restored;
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
		host_fold_floor(hosts_get(meter->hosts, i));
}
