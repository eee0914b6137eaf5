/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a reading becomes counts: the difference to what the flow's record has, on the host and the WAN that it is
 * decided for.
 */
#include "state.h"

#include <string.h>

/* The original direction leaves a host that began the flow and enters one that answers. */
static struct traffic_count *count_of(struct traffic *traffic, const struct flow *flow, bool is_reply, int dir)
{
	return &traffic->of[flow->v6][(dir == CT_ORIGINAL) == is_reply ? TRAFFIC_IN : TRAFFIC_OUT];
}

static void add_to_host(struct meter *m, const struct flow *flow, uint32_t index, bool is_reply,
	const struct traffic_count delta[static 2])
{
	struct host *host = hosts_get(m->hosts, index);

	for (int dir = 0; dir < 2; dir++)
		traffic_count_add(count_of(flow->scope == FLOW_WAN ? &host->wan : &host->local, flow, is_reply, dir),
			&delta[dir]);
	host->last_seen = m->now;
	if (!host->first_seen)
		host->first_seen = m->now;
}

/* What leaves the host leaves by the WAN, what enters it came in there. */
static void add_to_wan(struct meter *m, const struct flow *flow, const struct traffic_count delta[static 2])
{
	for (int dir = 0; dir < 2; dir++)
		wan_count(m->wan, flow->wan, flow->host, (dir == CT_ORIGINAL) == flow->host_is_reply ? WAN_RX : WAN_TX,
			&delta[dir]);
}

/* Packets are kept modulo 2^32, so what lies more than half of that ahead lies behind. */
static bool fell(const struct flow *flow, const struct ct_event *event)
{
	for (int dir = 0; dir < 2; dir++) {
		if (event->bytes[dir] < flow->bytes[dir] ||
			(int32_t)((uint32_t)event->packets[dir] - flow->packets[dir]) < 0)
			return true;
	}
	return false;
}

void meter_count(struct meter *m, struct flow *flow, const struct ct_event *event)
{
	struct traffic_count delta[2];

	if (!event->has_counters || flow->scope == FLOW_UNDECIDED)
		return;
	if (fell(flow, event)) {
		/* Somebody zeroed them, or the key went to another flow while its end was lost: all of it is new. */
		m->stats.counter_resets++;
		OBSERVE(m, OBSERVER_RESET, .event = event, .flow = flow);
		memset(flow->bytes, 0, sizeof(flow->bytes));
		memset(flow->packets, 0, sizeof(flow->packets));
	}
	for (int dir = 0; dir < 2; dir++) {
		delta[dir].bytes = event->bytes[dir] - flow->bytes[dir];
		delta[dir].packets = (uint32_t)((uint32_t)event->packets[dir] - flow->packets[dir]);
		flow->bytes[dir] = event->bytes[dir];
		flow->packets[dir] = (uint32_t)event->packets[dir];
	}
	if (flow->scope == FLOW_IGNORED || !(delta[0].packets | delta[1].packets | delta[0].bytes | delta[1].bytes))
		return;
	OBSERVE(m, OBSERVER_COUNTED, .event = event, .flow = flow, .delta = { delta[0], delta[1] });
	add_to_host(m, flow, flow->host, flow->host_is_reply, delta);
	if (flow->peer != HOST_NONE)
		add_to_host(m, flow, flow->peer, !flow->host_is_reply, delta);
	if (flow->scope == FLOW_WAN)
		add_to_wan(m, flow, delta);
	if (event->type == CT_ENTRY)
		m->journal.totals_moved = true;
}

void meter_count_floor(struct meter *m, const struct flow *flow, const struct flow *last)
{
	for (int dir = 0; dir < 2; dir++) {
		bool fell = flow->bytes[0] < last->bytes[0] || flow->bytes[1] < last->bytes[1];
		const struct traffic_count delta = {
			.bytes = flow->bytes[dir] - (fell ? 0 : last->bytes[dir]),
			.packets = (uint32_t)(flow->packets[dir] - (fell ? 0 : last->packets[dir])),
		};
		struct host *host = flow->host == HOST_NONE ? NULL : hosts_get(m->hosts, flow->host);
		struct host *peer = flow->peer == HOST_NONE ? NULL : hosts_get(m->hosts, flow->peer);
		bool local = flow->scope == FLOW_LOCAL;

		if (host)
			traffic_count_add(count_of(local ? &host->local_floor : &host->wan_floor, flow,
						  flow->host_is_reply, dir),
				&delta);
		if (peer)
			traffic_count_add(count_of(local ? &peer->local_floor : &peer->wan_floor, flow,
						  !flow->host_is_reply, dir),
				&delta);
	}
}
