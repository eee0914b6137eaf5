/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "explain.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/export/flow_text.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/meter/observer.h"
#include "hostmeter/meter/topology.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <uthash.h>

static const char *const words[OBSERVER_KINDS] = {
	[OBSERVER_BASELINE] = "baseline",
	[OBSERVER_HELD] = "held",
	[OBSERVER_WAITS] = "waits",
	[OBSERVER_DECIDED] = "decided",
	[OBSERVER_COUNTED] = "counted",
	[OBSERVER_RESET] = "reset",
	[OBSERVER_ENDED] = "ended",
	[OBSERVER_GONE] = "gone",
	[OBSERVER_REPEATED] = "repeated",
	[OBSERVER_EARLY] = "early",
};

/* A flow, in either round. */
struct known {
	uint64_t key;
	unsigned int number; /* in the order of appearance */
	bool wanted;
	bool held; /* and nothing counted since */
	UT_hash_handle hh;
};

/* What the lines counted for one host. */
struct sum {
	char host[SNAPSHOT_LABEL], mac[MAC_TEXT];
	struct traffic wan, local;
	UT_hash_handle hh;
};

struct explain {
	const char *host;
	const struct meter *meter;
	struct buf *out;
	struct known *flows;
	struct sum *sums;
	bool failed; /* no memory for something */
};

struct explain *explain_new(const char *host)
{
	struct explain *explain = calloc(1, sizeof(*explain));

	if (explain)
		explain->host = host;
	return explain;
}

void explain_free(struct explain *explain)
{
	struct known *flow, *next_flow;
	struct sum *sum, *next_sum;

	if (!explain)
		return;
	HASH_ITER (hh, explain->flows, flow, next_flow) {
		HASH_DEL(explain->flows, flow);
		free(flow);
	}
	HASH_ITER (hh, explain->sums, sum, next_sum) {
		HASH_DEL(explain->sums, sum);
		free(sum);
	}
	free(explain);
}

static struct known *know(struct explain *e, uint64_t key)
{
	struct known *flow;

	HASH_FIND(hh, e->flows, &key, sizeof(key), flow);
	if (flow)
		return flow;
	flow = calloc(1, sizeof(*flow));
	if (!flow) {
		e->failed = true;
		return NULL;
	}
	flow->key = key;
	flow->number = HASH_COUNT(e->flows) + 1;
	HASH_ADD(hh, e->flows, key, sizeof(flow->key), flow);
	return flow;
}

/* --- A line */

static void put_time(struct buf *out, uint64_t real_ns)
{
	time_t seconds = (time_t)(real_ns / CLOCK_NS_PER_S);
	struct tm tm;
	char text[32];

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_printf(out, "%s.%06uZ", text, (unsigned int)(real_ns % CLOCK_NS_PER_S / 1000));
}

static const char *side_name(enum side side)
{
	static const char *const names[] = {
		[SIDE_NONE] = "none",
		[SIDE_LAN] = "lan",
		[SIDE_WAN] = "wan",
		[SIDE_ROUTER] = "router",
		[SIDE_GROUP] = "group",
		[SIDE_OTHER] = "other",
	};

	return names[side];
}

/* " orig=ADDRESS(lan,br-lan,mac)": where the end is, and how that was known. */
static void put_end(const struct explain *e, const char *name, const struct attribute_end *end)
{
	char text[ADDR_TEXT];

	buf_printf(e->out, " %s=%s(%s", name, addr_format(&end->addr, text), side_name(end->side));
	if (end->ifindex)
		buf_printf(e->out, ",%s", topology_name(meter_topology(e->meter), end->ifindex));
	if (end->is_group && end->side != SIDE_GROUP)
		buf_puts(e->out, ",group");
	if (end->gateway.family)
		buf_printf(e->out, ",via=%s", addr_format(&end->gateway, text));
	if (end->packet_seen)
		buf_printf(e->out, ",packet=%s", end->has_mac ? mac_format(&end->mac, text) : "seen");
	buf_putc(e->out, ')');
}

static void put_decision(const struct explain *e, const struct observer_note *note, const struct meter_flow *flow)
{
	flow_text_put(e->out, "host", flow->host);
	flow_text_put(e->out, "mac", flow->mac);
	if (flow->peer[0]) {
		flow_text_put(e->out, "peer", flow->peer);
		flow_text_put(e->out, "peer_mac", flow->peer_mac);
	}
	flow_text_put(e->out, "by", flow_by_name(flow->by));
	flow_text_put(e->out, "scope", flow_text_scope(flow));
	if (note->end) {
		put_end(e, "orig", &note->end[CT_ORIGINAL]);
		put_end(e, "reply", &note->end[CT_REPLY]);
	} else {
		buf_puts(e->out, " as=known-when-it-ended");
	}
}

/* The original direction leaves a host that began the flow and enters one that answers. */
static int in_of(const struct flow *flow)
{
	return flow->host_is_reply ? CT_ORIGINAL : CT_REPLY;
}

static void put_delta(const struct explain *e, const struct observer_note *note, const struct meter_flow *flow,
	bool released)
{
	const struct traffic_count *in = &note->delta[in_of(note->flow)], *away = &note->delta[!in_of(note->flow)];

	flow_text_put(e->out, "host", flow->host);
	if (flow->peer[0])
		flow_text_put(e->out, "peer", flow->peer);
	flow_text_put(e->out, "scope", flow_text_scope(flow));
	buf_printf(e->out, " in=%" PRIu64 " out=%" PRIu64 " in_packets=%" PRIu64 " out_packets=%" PRIu64 " from=%s%s",
		in->bytes, away->bytes, in->packets, away->packets, note->event->type == CT_ENTRY ? "dump" : "end",
		released ? " released" : "");
}

static void put_line(const struct explain *e, const struct known *known, const struct observer_note *note,
	const struct meter_flow *flow)
{
	put_time(e->out, note->now);
	buf_printf(e->out, " #%u %s", known->number, words[note->kind]);
	if (note->kind == OBSERVER_DECIDED)
		put_decision(e, note, flow);
	if (note->kind == OBSERVER_COUNTED)
		put_delta(e, note, flow, known->held);
	if (note->event) {
		buf_puts(e->out, " | ");
		flow_text_event(e->out, note->event);
	}
	buf_putc(e->out, '\n');
}

/* --- Sums */

static bool is_all(const struct explain *e)
{
	return !strcmp(e->host, "all");
}

static struct sum *sum_of(struct explain *e, const char *host, const char *mac)
{
	struct sum *sum;

	for (sum = e->sums; sum; sum = sum->hh.next)
		if (!strcmp(sum->host, host) && !strcmp(sum->mac, mac))
			return sum;
	sum = calloc(1, sizeof(*sum));
	if (!sum) {
		e->failed = true;
		return NULL;
	}
	strcpy(sum->host, host);
	strcpy(sum->mac, mac);
	HASH_ADD_STR(e->sums, host, sum);
	return sum;
}

/* Adds to one of the flow's two hosts, if it is asked for; addr: its address in this flow. */
static void add_sum(struct explain *e, const struct observer_note *note, const char *host, const char *mac,
	const struct addr *addr, int in)
{
	struct addr asked;
	struct traffic *traffic;
	struct sum *sum;

	if (!is_all(e) && strcmp(e->host, host) && strcasecmp(e->host, mac) &&
		(addr_parse(&asked, e->host) || !addr_equal(&asked, addr)))
		return;
	sum = sum_of(e, host, mac);
	if (!sum)
		return;
	traffic = note->flow->scope == FLOW_LOCAL ? &sum->local : &sum->wan;
	for (int dir = 0; dir < 2; dir++)
		traffic_count_add(&traffic->of[note->flow->v6][dir == in ? TRAFFIC_IN : TRAFFIC_OUT],
			&note->delta[dir]);
}

static void add_sums(struct explain *e, const struct observer_note *note, const struct meter_flow *flow)
{
	int in = in_of(note->flow), reply = note->flow->host_is_reply;

	add_sum(e, note, flow->host, flow->mac, &note->event->tuple[reply].src, in);
	if (flow->peer[0])
		add_sum(e, note, flow->peer, flow->peer_mac, &note->event->tuple[!reply].src, !in);
}

static void put_sum(struct buf *out, const struct sum *sum, const char *scope, const struct traffic *traffic)
{
	for (int family = 0; family < TRAFFIC_FAMILIES; family++) {
		const struct traffic_count *in = &traffic->of[family][TRAFFIC_IN],
					   *away = &traffic->of[family][TRAFFIC_OUT];

		if (!in->packets && !away->packets)
			continue;
		buf_puts(out, "sum");
		flow_text_put(out, "host", sum->host);
		flow_text_put(out, "mac", sum->mac);
		buf_printf(out,
			" scope=%s ipv=%d in=%" PRIu64 " out=%" PRIu64 " in_packets=%" PRIu64 " out_packets=%" PRIu64
			"\n",
			scope, family == TRAFFIC_IPV6 ? 6 : 4, in->bytes, away->bytes, in->packets, away->packets);
	}
}

int explain_sums(struct explain *explain, struct buf *out)
{
	for (const struct sum *sum = explain->sums; sum; sum = sum->hh.next) {
		put_sum(out, sum, "wan", &sum->wan);
		put_sum(out, sum, "local", &sum->local);
	}
	return explain->failed ? -ENOMEM : 0;
}

/* --- Observing */

static void observe(void *ctx, const struct observer_note *note)
{
	struct explain *e = ctx;
	struct known *known = know(e, note->key);
	struct meter_flow flow = { .scope = FLOW_UNDECIDED };

	if (!known)
		return;
	if (note->flow)
		meter_describe_flow(e->meter, note->flow, &flow);
	if (!e->out) {
		known->wanted |= is_all(e) || (note->event && flow_text_is_of(e->host, note->event, &flow));
		return;
	}
	if (!known->wanted)
		return;
	put_line(e, known, note, &flow);
	if (note->kind == OBSERVER_COUNTED)
		add_sums(e, note, &flow);
	if (note->kind == OBSERVER_HELD || note->kind == OBSERVER_WAITS || note->kind == OBSERVER_COUNTED)
		known->held = note->kind != OBSERVER_COUNTED;
}

void explain_meter(struct explain *explain, struct meter *meter, struct buf *out)
{
	explain->meter = meter;
	explain->out = out;
	meter_observe(meter, observe, explain);
}
