/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Adds the difference between a reading and the flow's record to the hosts and the WAN of the flow. */
#include "state.h"

#include <string.h>

/* The original direction leaves the host that began the flow and enters the host that answers. */
static void add(struct traffic *traffic, const struct flow *flow, bool is_reply,
	const struct traffic_count delta[static 2])
{
	struct traffic_count *count = traffic->of[flow->v6];

	traffic_count_add(&count[is_reply ? TRAFFIC_IN : TRAFFIC_OUT], &delta[CT_ORIGINAL]);
	traffic_count_add(&count[is_reply ? TRAFFIC_OUT : TRAFFIC_IN], &delta[CT_REPLY]);
}

static void add_to_host(struct meter *m, const struct flow *flow, uint32_t index, bool is_reply,
	const struct traffic_count delta[static 2])
{
	struct host *host = hosts_get(m->hosts, hosts_resolve(m->hosts, index));

	add(flow->scope == FLOW_WAN ? &host->wan : &host->local, flow, is_reply, delta);
	if (delta[CT_REPLY].bytes && !host->is_answered)
		hosts_answered(m->hosts, index);
	host->last_seen = m->now;
	if (!host->first_seen)
		host->first_seen = m->now;
}

static void add_to_floor(struct meter *m, const struct flow *flow, uint32_t index, bool is_reply,
	const struct traffic_count delta[static 2])
{
	struct host *host = hosts_get(m->hosts, hosts_resolve(m->hosts, index));

	add(flow->scope == FLOW_LOCAL ? &host->local_floor : &host->wan_floor, flow, is_reply, delta);
}

/* Packets are kept modulo 2^32: a difference of more than half of that is negative. */
static bool fell(const struct flow_counts *counts, const struct ct_event *event)
{
	for (int dir = 0; dir < 2; dir++) {
		if (event->bytes[dir] < counts->bytes[dir] ||
			(int32_t)((uint32_t)event->packets[dir] - counts->packets[dir]) < 0)
			return true;
	}
	return false;
}

struct traffic_count meter_waiting(const struct ct_event *event, const struct flow_counts *counts)
{
	struct traffic_count sum = { event->bytes[0] + event->bytes[1], event->packets[0] + event->packets[1] };

	if (!event->has_counters)
		return (struct traffic_count){ 0, 0 };
	if (!fell(counts, event)) {
		sum.bytes -= counts->bytes[0] + counts->bytes[1];
		sum.packets = (uint32_t)(sum.packets - counts->packets[0] - counts->packets[1]);
	}
	return sum;
}

void meter_count(struct meter *m, struct flow *flow, const struct ct_event *event)
{
	struct traffic_count delta[2];

	if (!event->has_counters || flow->scope == FLOW_UNDECIDED)
		return;
	if (fell(&flow->counts, event)) {
		/* Somebody zeroed the counters, or the flow ended unseen and another has its key: all of it is new. */
		m->stats.counter_resets++;
		OBSERVE(m, OBSERVER_RESET, .event = event, .flow = flow);
		flow->counts = (struct flow_counts){ 0 };
	}
	for (int dir = 0; dir < 2; dir++) {
		delta[dir].bytes = event->bytes[dir] - flow->counts.bytes[dir];
		delta[dir].packets = (uint32_t)((uint32_t)event->packets[dir] - flow->counts.packets[dir]);
	}
	flow->counts = flow_counts_of(event);
	if (flow->scope == FLOW_IGNORED || !(delta[0].packets | delta[1].packets | delta[0].bytes | delta[1].bytes))
		return;
	OBSERVE(m, OBSERVER_COUNTED, .event = event, .flow = flow, .delta = { delta[0], delta[1] });
	if (flow_has_host(flow))
		add_to_host(m, flow, flow->host, flow->host_is_reply, delta);
	if (flow->peer != HOST_NONE)
		add_to_host(m, flow, flow->peer, !flow->host_is_reply, delta);
	if (flow->scope != FLOW_LOCAL) {
		wan_count(m->wan, flow->wan, flow->host, flow->host_is_reply ? WAN_RX : WAN_TX, &delta[CT_ORIGINAL]);
		wan_count(m->wan, flow->wan, flow->host, flow->host_is_reply ? WAN_TX : WAN_RX, &delta[CT_REPLY]);
	}
	if (event->type == CT_ENTRY)
		m->journal.totals_moved = true;
}

void meter_count_floor(struct meter *m, const struct flow *flow, const struct flow_counts *last)
{
	bool fell = flow->counts.bytes[0] < last->bytes[0] || flow->counts.bytes[1] < last->bytes[1];
	struct traffic_count delta[2];

	for (int dir = 0; dir < 2; dir++) {
		delta[dir].bytes = flow->counts.bytes[dir] - (fell ? 0 : last->bytes[dir]);
		delta[dir].packets = (uint32_t)(flow->counts.packets[dir] - (fell ? 0 : last->packets[dir]));
	}
	if (flow->host != HOST_NONE)
		add_to_floor(m, flow, flow->host, flow->host_is_reply, delta);
	if (flow->peer != HOST_NONE)
		add_to_floor(m, flow, flow->peer, !flow->host_is_reply, delta);
}
