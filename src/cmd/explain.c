/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "explain.h"

#include "hostmeter/base/array.h"
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

/* A flow of the trace, kept over both rounds. */
struct seen {
	uint64_t key;
	unsigned int number; /* in the order of appearance */
	bool wanted;         /* a flow of the host */
	bool held;           /* its bytes are held back now */
	UT_hash_handle hh;
};

/* What the lines counted for one host. */
struct sum {
	char host[SNAPSHOT_LABEL], mac[MAC_TEXT];
	struct traffic wan, local;
};

struct explain {
	const char *host; /* NULL: all */
	const struct meter *meter;
	struct buf *out;
	struct seen *flows;
	struct sum *sum;
	size_t sums;
	bool failed; /* out of memory */
};

struct explain *explain_new(const char *host)
{
	struct explain *explain = calloc(1, sizeof(*explain));

	if (explain && strcmp(host, "all") != 0)
		explain->host = host;
	return explain;
}

void explain_free(struct explain *explain)
{
	struct seen *flow, *next;

	if (!explain)
		return;
	HASH_ITER (hh, explain->flows, flow, next) {
		HASH_DEL(explain->flows, flow);
		free(flow);
	}
	free(explain->sum);
	free(explain);
}

static struct seen *find_flow(struct explain *e, uint64_t key)
{
	struct seen *flow;

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

static void put_counts(struct buf *out, const struct traffic_count *in, const struct traffic_count *away)
{
	buf_printf(out, " in=%" PRIu64 " out=%" PRIu64 " in_packets=%" PRIu64 " out_packets=%" PRIu64, in->bytes,
		away->bytes, in->packets, away->packets);
}

/* " orig=ADDRESS(lan,br-lan,packet=MAC)": the side and interface of an end, and the packet seen from it. */
static void put_end(const struct explain *e, const char *name, const struct attribute_end *end)
{
	char text[ADDR_TEXT];

	buf_printf(e->out, " %s=%s(%s", name, addr_format(&end->addr, text), topology_side_name(end->side));
	if (end->ifindex)
		buf_printf(e->out, ",%s", topology_name(meter_topology(e->meter), end->ifindex));
	if (end->gateway.family)
		buf_printf(e->out, ",via=%s", addr_format(&end->gateway, text));
	if (end->packet_seen)
		buf_printf(e->out, ",packet=%s", end->has_mac ? mac_format(&end->mac, text) : "seen");
	buf_putc(e->out, ')');
}

static void put_decision(const struct explain *e, const struct observer_note *note, const struct meter_flow *flow)
{
	flow_text_put_hosts(e->out, flow);
	if (note->end) {
		put_end(e, "orig", &note->end[CT_ORIGINAL]);
		put_end(e, "reply", &note->end[CT_REPLY]);
	} else {
		buf_puts(e->out, " as=known-when-it-ended");
	}
}

/* The direction that enters the flow's host. */
static enum ct_dir in_dir(const struct flow *flow)
{
	return flow->host_is_reply ? CT_ORIGINAL : CT_REPLY;
}

static void put_delta(const struct explain *e, const struct observer_note *note, const struct meter_flow *flow,
	bool released)
{
	enum ct_dir in = in_dir(note->flow);

	flow_text_put(e->out, "host", flow->host);
	if (flow->peer[0])
		flow_text_put(e->out, "peer", flow->peer);
	flow_text_put(e->out, "scope", flow_text_scope(flow));
	put_counts(e->out, &note->delta[in], &note->delta[!in]);
	buf_puts(e->out, note->event->type == CT_ENTRY ? " from=dump" : " from=end");
	if (released)
		buf_puts(e->out, " released");
}

static void put_line(const struct explain *e, const struct seen *seen, const struct observer_note *note,
	const struct meter_flow *flow)
{
	put_time(e->out, note->now);
	buf_printf(e->out, " #%u %s", seen->number, words[note->kind]);
	if (note->kind == OBSERVER_DECIDED)
		put_decision(e, note, flow);
	if (note->kind == OBSERVER_COUNTED)
		put_delta(e, note, flow, seen->held);
	if (note->event) {
		buf_puts(e->out, " | ");
		flow_text_event(e->out, note->event);
	}
	buf_putc(e->out, '\n');
}

/* --- Sums */

static struct sum *find_sum(struct explain *e, const char *host, const char *mac)
{
	struct sum *sum;

	for (size_t i = 0; i < e->sums; i++)
		if (!strcmp(e->sum[i].host, host) && !strcmp(e->sum[i].mac, mac))
			return &e->sum[i];
	sum = array_add(&e->sum, &e->sums, sizeof(*sum));
	e->failed |= !sum;
	if (!sum)
		return NULL;
	strcpy(sum->host, host);
	strcpy(sum->mac, mac);
	return sum;
}

/* Adds to one of the flow's two hosts, if it is asked for. addr: its address in this flow; in: what enters it. */
static void add_sum(struct explain *e, const struct observer_note *note, const char *host, const char *mac,
	const struct addr *addr, enum ct_dir in)
{
	struct addr asked;
	struct traffic_count *count;
	struct sum *sum;

	if (!flow_has_host(note->flow))
		return;
	if (e->host && strcmp(e->host, host) && strcasecmp(e->host, mac) &&
		(addr_parse(&asked, e->host) || !addr_equal(&asked, addr)))
		return;
	sum = find_sum(e, host, mac);
	if (!sum)
		return;
	count = (note->flow->scope == FLOW_LOCAL ? &sum->local : &sum->wan)->of[note->flow->v6];
	traffic_count_add(&count[TRAFFIC_IN], &note->delta[in]);
	traffic_count_add(&count[TRAFFIC_OUT], &note->delta[!in]);
}

static void add_sums(struct explain *e, const struct observer_note *note, const struct meter_flow *flow)
{
	enum ct_dir in = in_dir(note->flow);

	add_sum(e, note, flow->host, flow->mac, &note->event->tuple[!in].src, in);
	if (flow->peer[0])
		add_sum(e, note, flow->peer, flow->peer_mac, &note->event->tuple[in].src, !in);
}

static void put_sum(struct buf *out, const struct sum *sum, const char *scope, const struct traffic *traffic)
{
	for (int family = 0; family < TRAFFIC_FAMILIES; family++) {
		const struct traffic_count *count = traffic->of[family];

		if (!count[TRAFFIC_IN].packets && !count[TRAFFIC_OUT].packets)
			continue;
		buf_puts(out, "sum");
		flow_text_put(out, "host", sum->host);
		flow_text_put(out, "mac", sum->mac);
		buf_printf(out, " scope=%s ipv=%d", scope, family == TRAFFIC_IPV6 ? 6 : 4);
		put_counts(out, &count[TRAFFIC_IN], &count[TRAFFIC_OUT]);
		buf_putc(out, '\n');
	}
}

int explain_sums(struct explain *explain, struct buf *out)
{
	for (size_t i = 0; i < explain->sums; i++) {
		put_sum(out, &explain->sum[i], "wan", &explain->sum[i].wan);
		put_sum(out, &explain->sum[i], "local", &explain->sum[i].local);
	}
	return explain->failed ? -ENOMEM : 0;
}

/* --- Observing */

static void observe(void *ctx, const struct observer_note *note)
{
	struct explain *e = ctx;
	struct seen *seen = find_flow(e, note->key);
	struct meter_flow flow = { .scope = FLOW_UNDECIDED };

	if (!seen)
		return;
	if (note->flow)
		meter_describe_flow(e->meter, note->flow, &flow);
	if (!e->out)
		seen->wanted |= !e->host || (note->event && flow_text_is_of(e->host, note->event, &flow));
	if (!e->out || !seen->wanted)
		return;
	put_line(e, seen, note, &flow);
	if (note->kind == OBSERVER_HELD || note->kind == OBSERVER_WAITS)
		seen->held = true;
	if (note->kind == OBSERVER_COUNTED) {
		seen->held = false;
		add_sums(e, note, &flow);
	}
}

void explain_meter(struct explain *explain, struct meter *meter, struct buf *out)
{
	explain->meter = meter;
	explain->out = out;
	meter_observe(meter, observe, explain);
}
