/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The other half of checkpoint.c, whose essay tells why a blob is taken as it is. Nothing that is read is trusted. */
#include "hostmeter/meter/checkpoint.h"

#include "checkpoint_format.h"
#include "hostmeter/base/le.h"
#include "state.h"

#include <errno.h>

enum { DUMPS_TO_FOLD = 2 };

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

static struct traffic get_traffic(struct le_reader *in)
{
	struct traffic traffic;

	for (int family = 0; family < TRAFFIC_FAMILIES; family++) {
		for (int direction = 0; direction < TRAFFIC_DIRECTIONS; direction++) {
			traffic.of[family][direction].bytes = le_get(in, 8);
			traffic.of[family][direction].packets = le_get(in, 8);
		}
	}
	return traffic;
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

/* --- Loading */

static void load_flow(struct meter *m, const struct flow *flow)
{
	bool fresh;
	struct flow *kept = hashtable_put(m->flows, flow->key, &fresh);

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
	for (unsigned int i = 0; i < HASHTABLE_SHARDS && !m->restored; i++)
		hashtable_sweep(m->flows, i, forget_flow, m);
}

static bool load_tombstones(struct meter *m, struct le_reader *in)
{
	while (in->left) {
		uint64_t key = le_get(in, 8), final = le_get(in, 8);

		if (in->ran_out || !key)
			return false;
		tombstones_restore(m->tombstones, key, final, m->now);
	}
	return true;
}

static bool load_totals(struct meter *m, struct le_reader *in, bool floor_only)
{
	for (uint32_t i = 0; i < hosts_count(m->hosts); i++)
		hosts_get(m->hosts, i)->wan_floor = hosts_get(m->hosts, i)->local_floor = (struct traffic){ 0 };
	while (in->left) {
		struct traffic wan, local;
		uint32_t index;
		struct host *host;

		if (!get_host_id(in, m, &index) || index == HOST_NONE)
			return false;
		wan = get_traffic(in);
		local = get_traffic(in);
		/* Added, not set: two hosts of an older, larger table may both be "other" now. */
		host = hosts_get(m->hosts, index);
		traffic_add(&host->wan_floor, &wan);
		traffic_add(&host->local_floor, &local);
		if (floor_only)
			continue;
		traffic_add(&host->wan, &wan);
		traffic_add(&host->local, &local);
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
	struct flow *known = hashtable_find(m->flows, final->key);
	struct flow counted = *final;
	struct ct_event event;

	put_final(&event, final);
	tombstones_destroy(m->tombstones, final->key, &event, m->now);
	/* Born after the checkpoint: all of it is new, but for a baseline that nobody had decided about. */
	memset(counted.bytes, 0, sizeof(counted.bytes));
	memset(counted.packets, 0, sizeof(counted.packets));
	if (known || !(flags & CHECKPOINT_WAS_DECIDED)) {
		const struct flow *from = known ? known : last;

		memcpy(counted.bytes, from->bytes, sizeof(counted.bytes));
		memcpy(counted.packets, from->packets, sizeof(counted.packets));
	}
	if (known) {
		meter_drop(m, known);
		hashtable_remove(m->flows, known);
	}
	if (!m->restored || final->scope == FLOW_UNDECIDED)
		return; /* the totals are still to come and have it */
	meter_count(m, &counted, &event);
	if (flags & CHECKPOINT_MOVES_FLOOR)
		meter_count_floor(m, final, last);
}

/* Whose a live flow is. The file may know the flow with later counts, or only that it was undecided. */
static void replay_decision(struct meter *m, const struct flow *flow)
{
	const struct flow *known = hashtable_find(m->flows, flow->key);

	if (!known || known->scope == FLOW_UNDECIDED)
		load_flow(m, flow);
}

static bool load_journal(struct meter *m, struct le_reader *in)
{
	while (in->left) {
		struct flow final = { 0 }, last = { 0 };
		bool ended = le_get(in, 1) == CHECKPOINT_ENDED;
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
	if (in.ran_out || le_get(&in, 1) != CHECKPOINT_VERSION)
		return -EPROTO;
	meter->options.hash.k[0] = le_get(&in, 8);
	meter->options.hash.k[1] = le_get(&in, 8);
	if (in.ran_out)
		return -EBADMSG;
	switch (kind) {
	case CHECKPOINT_FLOWS:
		good = !meter->restored && load_flows(meter, &in);
		break;
	case CHECKPOINT_TOMBSTONES:
		good = !meter->restored && load_tombstones(meter, &in);
		break;
	case CHECKPOINT_ANEW:
		good = !meter->restored;
		forget_flows(meter);
		break;
	case CHECKPOINT_END:
		good = !meter->restored && load_totals(meter, &in, false);
		meter->restored = good;
		meter->dumps_to_fold = DUMPS_TO_FOLD;
		break;
	case CHECKPOINT_JOURNAL:
		good = load_journal(meter, &in);
		break;
	case CHECKPOINT_TOTALS:
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
