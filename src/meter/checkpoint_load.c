/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reads what checkpoint.c explains. Nothing in a blob is trusted. */
#include "hostmeter/meter/checkpoint.h"

#include "hostmeter/base/le.h"
#include "state.h"

#include <errno.h>

enum { DUMPS_TO_FOLD = 2 };

/* Nobody loses a place while a checkpoint is loaded: who left is in the journal. */
static struct hosts_claim claim(const struct meter *m, bool is_configured)
{
	return (struct hosts_claim){ .now = m->now, .partner = HOST_NONE, .is_configured = is_configured };
}

static uint32_t host_by_mac(struct meter *m, const struct mac *mac)
{
	const struct hosts_claim own = claim(m, m->options.names && names_configures_mac(m->options.names, mac));
	uint32_t index = hosts_find_mac(m->hosts, mac);

	return index == HOST_NONE ? hosts_add_mac(m->hosts, mac, &own) : index;
}

static uint32_t host_by_address(struct meter *m, const struct addr *addr)
{
	const struct hosts_claim own = claim(m, m->options.names && names_configures_address(m->options.names, addr));
	uint32_t index = hosts_find_address(m->hosts, addr);

	return index == HOST_NONE ? hosts_add_address(m->hosts, addr, &own) : index;
}

/* False if it is not a host. */
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
		*index = host_by_mac(m, &mac);
		break;
	case HOST_KIND_ADDRESS:
		addr.family = (uint8_t)le_get(in, 1);
		le_get_bytes(in, addr.b, sizeof(addr.b));
		if (in->ran_out || !addr_len(addr.family))
			return false;
		*index = host_by_address(m, &addr);
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

static void get_counts(struct le_reader *in, struct flow_counts *counts)
{
	for (int dir = 0; dir < 2; dir++) {
		counts->bytes[dir] = le_get(in, 8);
		counts->packets[dir] = (uint32_t)le_get(in, 4);
	}
}

static bool get_flow(struct le_reader *in, struct meter *m, struct flow *flow)
{
	unsigned int bits;

	*flow = (struct flow){ .key = le_get(in, 8) };
	get_counts(in, &flow->counts);
	flow->wan = (uint32_t)le_get(in, 4);
	bits = (unsigned int)le_get(in, 2);
	flow->scope = (bits & 3) | (bits >> 9 & 1) << 2;
	flow->by = bits >> 2;
	flow->host_is_reply = bits >> 5;
	flow->v6 = bits >> 6;
	flow->uncounted = bits >> 7;
	flow->offloaded = bits >> 8;
	if (!get_host_id(in, m, &flow->host) || !get_host_id(in, m, &flow->peer))
		return false;
	return flow->key && flow->scope < FLOW_SCOPES && flow_has_host(flow) <= (flow->host != HOST_NONE);
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
	if (flow_has_host(kept) && kept->counts.bytes[CT_REPLY])
		hosts_answered(m->hosts, kept->host);
	if (kept->peer != HOST_NONE && kept->counts.bytes[CT_REPLY])
		hosts_answered(m->hosts, kept->peer);
	m->flows_undecided += kept->scope == FLOW_UNDECIDED;
	m->flows_uncounted += kept->uncounted;
	m->flows_offloaded += kept->offloaded;
}

static bool load_flows(struct meter *m, struct le_reader *in)
{
	while (in->left) {
		struct flow flow;

		if (!get_flow(in, m, &flow))
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
	for (unsigned int i = 0; i < HASHTABLE_SHARDS && !m->checkpoint.restored; i++)
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

static bool load_sides(struct meter *m, struct le_reader *in)
{
	while (in->left) {
		struct topology_memory memory;
		unsigned int bits;

		le_get_bytes(in, memory.name, sizeof(memory.name));
		bits = (unsigned int)le_get(in, 1);
		memory.was_lan = bits & 1;
		memory.was_wan = bits & 2;
		memory.lan_ns = le_get(in, 8);
		memory.wan_ns = le_get(in, 8);
		if (in->ran_out || memory.name[IFNAME_LEN - 1])
			return false;
		topology_remember(m->topology, &memory);
	}
	return true;
}

/* Whether there is traffic in both directions. Which was the direction of replies is not saved. */
static bool is_both_ways(const struct traffic *traffic)
{
	for (int family = 0; family < TRAFFIC_FAMILIES; family++) {
		if (traffic->of[family][TRAFFIC_IN].bytes && traffic->of[family][TRAFFIC_OUT].bytes)
			return true;
	}
	return false;
}

static bool get_totals(struct le_reader *in, struct meter *m, uint32_t *index, struct traffic *wan,
	struct traffic *local)
{
	if (!get_host_id(in, m, index) || *index == HOST_NONE)
		return false;
	*wan = get_traffic(in);
	*local = get_traffic(in);
	return !in->ran_out;
}

static bool load_totals(struct meter *m, struct le_reader *in, bool floor_only)
{
	for (uint32_t i = 0; i < hosts_count(m->hosts); i++) {
		struct host *host = hosts_get(m->hosts, i);

		host->wan_floor = host->local_floor = (struct traffic){ 0 };
	}
	while (in->left) {
		struct traffic wan, local;
		uint32_t index;
		struct host *host;

		if (!get_totals(in, m, &index, &wan, &local))
			return false;
		/* Added, not set: two hosts of an older, larger table may both be "other" now. */
		host = hosts_get(m->hosts, index);
		traffic_add(&host->wan_floor, &wan);
		traffic_add(&host->local_floor, &local);
		if (is_both_ways(&wan) || is_both_ways(&local))
			hosts_answered(m->hosts, index);
		if (floor_only)
			continue;
		traffic_add(&host->wan, &wan);
		traffic_add(&host->local, &local);
	}
	return true;
}

static bool raise_floor(struct meter *m, struct le_reader *in)
{
	while (in->left) {
		struct traffic wan, local;
		uint32_t index;
		struct host *host;

		if (!get_totals(in, m, &index, &wan, &local))
			return false;
		host = hosts_get(m->hosts, index);
		host->wan_floor = traffic_max(&host->wan_floor, &wan);
		host->local_floor = traffic_max(&host->local_floor, &local);
	}
	return true;
}

/* Adds to the totals what is new since the checkpoint, and to the floor what was new when the flow ended. */
static void replay_end(struct meter *m, const struct flow *final, const struct flow_counts *last, unsigned int flags)
{
	const struct flow_counts *counts = &final->counts;
	const struct ct_event event = { .has_counters = true,
		.bytes = { counts->bytes[0], counts->bytes[1] },
		.packets = { counts->packets[0], counts->packets[1] } };
	struct flow *known = hashtable_find(m->flows, final->key);
	struct flow counted = *final;

	tombstones_destroy(m->tombstones, final->key, &event, m->now);
	/*
	 * If it began after the checkpoint, all of it is new, except the baseline of an undecided flow. Where records
	 * of flows are lost, it may be older.
	 */
	counted.counts = (struct flow_counts){ 0 };
	if (!known && (m->checkpoint.gaps || !(flags & CHECKPOINT_WAS_DECIDED)))
		counted.counts = *last;
	if (known) {
		counted.counts = known->counts;
		meter_drop(m, known);
		hashtable_remove(m->flows, known);
	}
	if (!m->checkpoint.restored || final->scope == FLOW_UNDECIDED)
		return; /* the totals come later and include it */
	meter_count(m, &counted, &event);
	if (flags & CHECKPOINT_MOVES_FLOOR)
		meter_count_floor(m, final, last);
}

/* The host of a live flow. The checkpoint may have the flow with later counts, or undecided. */
static void replay_decision(struct meter *m, const struct flow *flow)
{
	const struct flow *known = hashtable_find(m->flows, flow->key);

	if (!known || known->scope == FLOW_UNDECIDED)
		load_flow(m, flow);
}

static bool load_journal(struct meter *m, struct le_reader *in)
{
	while (in->left) {
		int record = (int)le_get(in, 1);
		struct flow_counts last;
		struct flow final;
		unsigned int flags;
		uint32_t host;

		if (record == CHECKPOINT_LEFT) {
			if (!get_host_id(in, m, &host))
				return false;
			if (host != HOST_NONE)
				hosts_leave(m->hosts, host, HOSTS_LEFT_BEFORE);
			continue;
		}
		if (!get_flow(in, m, &final))
			return false;
		if (record != CHECKPOINT_ENDED) {
			replay_decision(m, &final);
			continue;
		}
		get_counts(in, &last);
		flags = (unsigned int)le_get(in, 1);
		if (in->ran_out)
			return false;
		replay_end(m, &final, &last, flags);
	}
	return true;
}

/* The blob's kind, or -EPROTO. ran_out is set in a blob that is too short. */
static int get_head(struct le_reader *in, struct hash_key *hash)
{
	int kind = (int)le_get(in, 1);

	if (in->ran_out || le_get(in, 1) != CHECKPOINT_VERSION)
		return -EPROTO;
	hash->k[0] = le_get(in, 8);
	hash->k[1] = le_get(in, 8);
	return kind;
}

int checkpoint_load(struct meter *meter, const void *blob, size_t len, uint64_t now)
{
	struct le_reader in = le_reader(blob, len);
	struct checkpoint *own = &meter->checkpoint;
	int kind = get_head(&in, &meter->options.hash);
	bool good;

	meter->now = now;
	if (kind < 0)
		return kind;
	good = !in.ran_out && (!own->restored || kind == CHECKPOINT_JOURNAL || kind == CHECKPOINT_TOTALS);
	switch (kind) {
	case CHECKPOINT_FLOWS:
		good = good && load_flows(meter, &in);
		break;
	case CHECKPOINT_TOMBSTONES:
		good = good && load_tombstones(meter, &in);
		break;
	case CHECKPOINT_SIDES:
		good = good && load_sides(meter, &in);
		break;
	case CHECKPOINT_ANEW:
		own->gaps &= own->restored;
		forget_flows(meter);
		break;
	case CHECKPOINT_GAPS:
		own->gaps = true;
		break;
	case CHECKPOINT_END:
		good = own->restored = good && load_totals(meter, &in, false);
		own->dumps_to_fold = DUMPS_TO_FOLD;
		break;
	case CHECKPOINT_JOURNAL:
		good = good && load_journal(meter, &in);
		break;
	case CHECKPOINT_TOTALS:
		good = good && (!own->restored || load_totals(meter, &in, true));
		break;
	default:
		good = false;
	}
	return good ? 0 : -EBADMSG;
}

bool checkpoint_loaded(const struct meter *meter)
{
	return meter->checkpoint.restored;
}

bool checkpoint_is_end(const void *blob, size_t len)
{
	struct le_reader in = le_reader(blob, len);

	return le_get(&in, 1) == CHECKPOINT_END;
}

int checkpoint_load_floor(struct meter *meter, const void *blob, size_t len, uint64_t now)
{
	struct le_reader in = le_reader(blob, len);
	struct hash_key hash;
	int kind = get_head(&in, &hash);

	meter->now = now;
	if (kind < 0)
		return kind;
	return kind == CHECKPOINT_END && !in.ran_out && meter->checkpoint.restored && raise_floor(meter, &in) ?
		0 :
		-EBADMSG;
}

void checkpoint_lacks_flows(struct meter *meter)
{
	forget_flows(meter);
	meter->checkpoint.gaps = true;
}
