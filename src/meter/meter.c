/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a byte is counted once.
 *
 * The kernel keeps two counters per flow and tells them in two ways: in each dump while the flow lives, and in DESTROY
 * when it has ended. The meter remembers for each live flow what it has counted, and each reading counts the
 * difference. Three things make that harder than it sounds.
 *
 * Dumps and events come by two sockets, so their order is lost. A line of a dump may be read after the DESTROY of its
 * flow. Flows that ended leave a tombstone (tombstones.h) for as long as that can be; a line that meets one is old
 * news. A flow that began after the dump passed its place is first heard of in its DESTROY, or in the next dump:
 * counted from zero, since whatever lived when the first dump began was in it.
 *
 * Whose a flow is may be known later than its first count. Until then nothing is counted: the flow's record stays at
 * its baseline, the latest reading is held (held), and the first count after the decision includes all. So bytes never
 * move from one host to another.
 *
 * A flow may end unheard. It then is missing from dumps: after three complete ones and GONE_NS it is settled with what
 * was read last. Why so late: with reliable delivery the kernel takes an ended flow out of the table first and repeats
 * its DESTROY until it is delivered; were its record gone by then, that DESTROY would be counted from zero.
 *
 * The baseline: what flows had counted before the meter began is not the meter's to count. A flow in the first dump (or
 * in a DESTROY before that dump's end) starts from what it has, unless its first packet was sighted or its birth is
 * known to be later.
 */
#include "hostmeter/meter/meter.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/meter/attribute.h"
#include "state.h"

#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define STALL_NS CLOCK_NS_PER_S
#define GONE_NS (60 * CLOCK_NS_PER_S)
#define SIGHTING_KEEP_NS (120 * CLOCK_NS_PER_S) /* longer than any dump interval that is not asked for */

enum {
	GONE_DUMPS = 3,
	MAX_SIGHTINGS = 1 << 18,
	MAX_TOMBSTONES = 1 << 20,
	MAX_PENDING_ENDS = 1 << 16,
	MAX_HELD = 1 << 16,
	MAX_NEIGHBOURS = 1 << 14,
	MAX_ROUTES = 1 << 12,
	SWEEP_PER_TICK = 16,
	HOSTS_PER_TICK = 64,
};

static bool incomplete(const struct meter *m)
{
	return !m->flows || !m->held || !m->tombstones || !m->pending_ends || !m->sightings || !m->neigh ||
		!m->topology || !m->hosts || !m->wan;
}

struct meter *meter_new(const struct meter_options *options)
{
	struct meter *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->options = *options;
	m->flows = hashtable_new(sizeof(struct flow), options->max_flows);
	m->held = hashtable_new(sizeof(struct meter_held), MAX_HELD);
	m->tombstones = tombstones_new(MAX_TOMBSTONES);
	m->pending_ends = pending_ends_new(MAX_PENDING_ENDS);
	m->sightings = sightings_new(MAX_SIGHTINGS);
	m->neigh = neigh_new(MAX_NEIGHBOURS);
	m->topology = topology_new(options->lan, options->wan, MAX_ROUTES);
	m->hosts = hosts_new(options->max_hosts);
	m->wan = wan_new();
	m->sweep = HASHTABLE_SHARDS;
	m->journal = (struct journal){ .hash = &m->options.hash, .hosts = m->hosts };
	if (incomplete(m)) {
		meter_free(m);
		return NULL;
	}
	return m;
}

void meter_free(struct meter *meter)
{
	if (!meter)
		return;
	wan_free(meter->wan);
	hosts_free(meter->hosts);
	topology_free(meter->topology);
	neigh_free(meter->neigh);
	sightings_free(meter->sightings);
	pending_ends_free(meter->pending_ends);
	tombstones_free(meter->tombstones);
	hashtable_free(meter->held);
	hashtable_free(meter->flows);
	buf_free(&meter->journal.blob);
	free(meter);
}

/* --- The observer, if there is one */

void meter_observe(struct meter *meter, void (*observe)(void *ctx, const struct observer_note *note), void *ctx)
{
	meter->observe = observe;
	meter->observe_ctx = ctx;
}

void meter_notify(const struct meter *m, struct observer_note note)
{
	note.now = m->now;
	note.key = note.event ? meter_key(m, note.event) : note.flow->key;
	m->observe(m->observe_ctx, &note);
}

/* --- Deciding */

static struct attribution ask(struct meter *m, const struct ct_event *event, enum attribute_evidence evidence,
	bool *sighted)
{
	const struct attribute_sources sources = {
		.hash = &m->options.hash,
		.topology = m->topology,
		.neigh = m->neigh,
		.sightings = m->sightings,
		.hosts = m->hosts,
		.end = m->observe ? m->end : NULL,
	};

	return attribute(&sources, event, evidence, sighted);
}

static void assign(struct meter *m, struct flow *flow, const struct attribution *a)
{
	flow->scope = a->scope;
	flow->by = a->by;
	flow->host = a->host;
	flow->peer = a->peer;
	flow->host_is_reply = a->host_is_reply;
	flow->wan = a->wan;
	if (a->scope != FLOW_IGNORED) {
		m->stats.attributed[a->by]++;
		/* Rules would have told of the first packet of a flow that is new and was forwarded. */
		m->stats.unsighted += m->ready && a->scope == FLOW_WAN &&
			(a->by == FLOW_BY_NEIGHBOUR || a->by == FLOW_BY_ADDRESS);
		meter_meet_host(m, a->host);
	}
	if (a->peer != HOST_NONE)
		meter_meet_host(m, a->peer);
}

/* Puts the answer into the record. False if there is none with this evidence. */
static bool decide(struct meter *m, struct flow *flow, const struct ct_event *event, enum attribute_evidence evidence)
{
	bool sighted, swapped;
	struct attribution a = ask(m, event, evidence, &sighted);

	if (a.scope == FLOW_UNDECIDED)
		return false;
	assign(m, flow, &a);
	OBSERVE(m, OBSERVER_DECIDED, .event = event, .flow = flow, .end = m->end);
	if (sighted)
		sightings_used(m->sightings, flow_pair_of(&m->options.hash, event, &swapped));
	return true;
}

/* A first packet may still be on its way only if there are rules that log it: one that came shows that there are. */
static enum attribute_evidence first_evidence(const struct meter *m)
{
	return m->source[SOURCE_NFLOG].up && m->stats.sightings ? ATTRIBUTE_FROM_PACKET : ATTRIBUTE_FROM_TABLES;
}

/* Whether the packet that began the flow was seen. (That of its answer proves nothing: the flow may be older.) */
static bool was_sighted(const struct meter *m, const struct ct_event *event)
{
	struct sightings_end end[2];
	bool swapped;

	return sightings_find(m->sightings, flow_pair_of(&m->options.hash, event, &swapped), end) && end[swapped].seen;
}

static bool born_while_metering(const struct meter *m, const struct ct_event *event)
{
	if (m->ready || m->restored)
		return true;
	return event->start_ns ? event->start_ns >= m->options.start_real_ns : was_sighted(m, event);
}

/* --- Live flows */

void meter_connect(struct meter *m, const struct flow *flow, int step)
{
	if (flow->scope != FLOW_WAN && flow->scope != FLOW_LOCAL)
		return;
	hosts_get(m->hosts, flow->host)->connections[flow->v6] += step;
	if (flow->peer != HOST_NONE)
		hosts_get(m->hosts, flow->peer)->connections[flow->v6] += step;
}

static void settle(struct meter *m, struct flow *flow, const struct ct_event *event, enum attribute_evidence evidence)
{
	if (!decide(m, flow, event, evidence))
		return;
	m->flows_undecided--;
	journal_decided(&m->journal, flow);
	meter_connect(m, flow, 1);
	meter_count(m, flow, event);
}

static void hold(struct meter *m, struct flow *flow, const struct ct_event *event)
{
	bool fresh;
	struct meter_held *held = hashtable_put(m->held, flow->key, &fresh);

	OBSERVE(m, OBSERVER_HELD, .event = event, .flow = flow);
	if (held)
		held->event = *event;
	else /* no room to wait: decide with what is known */
		settle(m, flow, event, ATTRIBUTE_FINAL);
}

static void unhold(struct meter *m, uint64_t key)
{
	struct meter_held *held = hashtable_find(m->held, key);

	if (held)
		hashtable_remove(m->held, held);
}

static void note_status(struct meter *m, struct flow *flow, const struct ct_event *event)
{
	bool offloaded = event->status & (IPS_OFFLOAD | IPS_HW_OFFLOAD);

	m->flows_offloaded += offloaded - flow->offloaded;
	flow->offloaded = offloaded;
	m->flows_uncounted += !event->has_counters - flow->uncounted;
	flow->uncounted = !event->has_counters;
}

static void on_entry(struct meter *m, const struct ct_event *event)
{
	uint64_t key = meter_key(m, event);
	enum attribute_evidence evidence = ATTRIBUTE_FROM_TABLES;
	struct flow *flow;
	bool fresh;

	m->stats.entries++;
	if (tombstones_entry(m->tombstones, key, m->dump_began) == TOMBSTONES_REPEATED) {
		m->stats.duplicates++;
		OBSERVE(m, OBSERVER_REPEATED, .event = event);
		return;
	}
	flow = hashtable_put(m->flows, key, &fresh);
	if (!flow) {
		m->stats.flows_refused++;
		return;
	}
	if (fresh) {
		flow->v6 = event->family == 6;
		flow->peer = HOST_NONE;
		m->flows_undecided++;
		if (event->has_counters && !born_while_metering(m, event)) {
			m->stats.baselined++;
			OBSERVE(m, OBSERVER_BASELINE, .event = event);
			memcpy(flow->bytes, event->bytes, sizeof(flow->bytes));
			flow->packets[0] = (uint32_t)event->packets[0];
			flow->packets[1] = (uint32_t)event->packets[1];
		}
		evidence = first_evidence(m);
	}
	flow->dump = m->dump;
	note_status(m, flow, event);
	if (flow->scope != FLOW_UNDECIDED) {
		meter_count(m, flow, event);
		return;
	}
	settle(m, flow, event, evidence);
	if (flow->scope == FLOW_UNDECIDED)
		hold(m, flow, event);
	else if (!fresh)
		unhold(m, key);
}

/* Takes a live flow's record out of the table, whatever it still held. */
void meter_drop(struct meter *m, struct flow *flow)
{
	meter_connect(m, flow, -1);
	m->flows_undecided -= flow->scope == FLOW_UNDECIDED;
	m->flows_uncounted -= flow->uncounted;
	m->flows_offloaded -= flow->offloaded;
	unhold(m, flow->key);
}

/* --- Flows that ended */

/* Counts the rest of a flow that is in no table any more, and now has an owner. */
static void count_end(struct meter *m, struct flow *flow, const struct pending_end *end)
{
	struct flow last;

	flow->key = meter_key(m, &end->event);
	last = *flow;
	meter_count(m, flow, &end->event);
	journal_ended(&m->journal, flow, &last, false, !m->dumps_to_fold);
}

static struct flow flow_of(const struct pending_end *end)
{
	return (struct flow){
		.v6 = end->event.family == 6,
		.peer = HOST_NONE,
		.bytes = { end->bytes[0], end->bytes[1] },
		.packets = { end->packets[0], end->packets[1] },
	};
}

/* False if whose it is is not known with this evidence. */
static bool settle_end(struct meter *m, const struct pending_end *end, enum attribute_evidence evidence)
{
	struct flow flow = flow_of(end);

	if (!decide(m, &flow, &end->event, evidence))
		return false;
	count_end(m, &flow, end);
	return true;
}

static bool is_gone_host(const struct meter *m, uint32_t index)
{
	return index != HOST_NONE && hosts_get(m->hosts, index)->kind == HOST_KIND_GONE;
}

/* It waited long enough: its own first packet if that came, else what was known when it ended, else what is known now.
 */
static void settle_waited(struct meter *m, const struct pending_end *end)
{
	const struct attribution *guess = &end->guess;
	struct flow flow = flow_of(end);

	if (settle_end(m, end, ATTRIBUTE_FROM_PACKET))
		return;
	if (guess->scope == FLOW_UNDECIDED || is_gone_host(m, guess->host) || is_gone_host(m, guess->peer)) {
		settle_end(m, end, ATTRIBUTE_FINAL);
		return;
	}
	assign(m, &flow, guess);
	OBSERVE(m, OBSERVER_DECIDED, .event = &end->event, .flow = &flow);
	count_end(m, &flow, end);
}

/* What tells whose it is may still be on its way: a batch of NFLOG, or a neighbour. */
static void wait_or_settle(struct meter *m, struct pending_end *end)
{
	bool nflog = m->source[SOURCE_NFLOG].up, sighted;

	if (settle_end(m, end, nflog ? ATTRIBUTE_FROM_PACKET : ATTRIBUTE_FROM_TABLES))
		return;
	OBSERVE(m, OBSERVER_WAITS, .event = &end->event);
	if (nflog)
		end->guess = ask(m, &end->event, ATTRIBUTE_FROM_TABLES, &sighted);
	if (!pending_ends_push(m->pending_ends, end))
		settle_waited(m, end);
}

static void on_destroy(struct meter *m, const struct ct_event *event)
{
	uint64_t key = meter_key(m, event);
	struct pending_end end = { .deadline = m->now + METER_FLUSH_NS, .event = *event };
	struct flow *flow;

	end.event.key = key;
	m->stats.destroys++;
	if (tombstones_destroy(m->tombstones, key, event, m->now) == TOMBSTONES_REPEATED) {
		m->stats.duplicates++;
		OBSERVE(m, OBSERVER_REPEATED, .event = event);
		return;
	}
	if (!event->has_counters)
		m->stats.ended_uncounted++;
	flow = hashtable_find(m->flows, key);
	OBSERVE(m, OBSERVER_ENDED, .event = event, .flow = flow);
	if (flow) {
		bool decided = flow->scope != FLOW_UNDECIDED;
		const struct flow last = *flow;

		meter_count(m, flow, event);
		if (decided)
			journal_ended(&m->journal, flow, &last, true, !m->dumps_to_fold);
		memcpy(end.bytes, flow->bytes, sizeof(end.bytes));
		memcpy(end.packets, flow->packets, sizeof(end.packets));
		meter_drop(m, flow);
		hashtable_remove(m->flows, flow);
		if (decided)
			return;
	} else if (!born_while_metering(m, event)) {
		/* No waiting for a sighting here: by then it could be that of the next flow between the same ends. */
		m->stats.ended_before_first_dump++;
		OBSERVE(m, OBSERVER_EARLY, .event = event);
		return;
	}
	wait_or_settle(m, &end);
}

void meter_prefetch(const struct meter *meter, struct ct_event *event)
{
	event->key = flow_key(&meter->options.hash, event);
	hashtable_prefetch(meter->flows, event->key);
}

void meter_ct(struct meter *meter, const struct ct_event *event, uint64_t now)
{
	meter->now = now;
	switch (event->type) {
	case CT_ENTRY:
		on_entry(meter, event);
		break;
	case CT_DESTROY:
		on_destroy(meter, event);
		break;
	default: /* NEW and UPDATE carry no counters */
		break;
	}
}

/* --- Dumps */

void meter_dump_begin(struct meter *meter, uint64_t now)
{
	meter->now = now;
	meter->dump = meter->complete + 1;
	meter->dump_began = now;
	meter->dumps_begun++;
}

/* After a restart: everything that lives has been read, so what is still below the floor ended unread. */
static void fold_floors(struct meter *m)
{
	if (!m->dumps_to_fold || --m->dumps_to_fold)
		return;
	for (uint32_t i = 0; i < hosts_count(m->hosts); i++)
		hosts_fold_floor(hosts_get(m->hosts, i));
}

void meter_dump_end(struct meter *meter, bool complete, uint64_t now)
{
	meter->now = now;
	if (!meter->dump_began)
		return;
	meter->last_dump_ns = now - meter->dump_began;
	meter->last_dump_end = now;
	meter->dump_began = 0;
	meter->stats.dumps++;
	if (!complete) {
		meter->stats.dumps_incomplete++;
		return;
	}
	meter->complete = meter->dump;
	meter->completed_at[meter->complete % METER_DUMPS_REMEMBERED] = now;
	meter->ready = true;
	meter->sweep = 0;
	fold_floors(meter);
	wan_reconcile(meter->wan, meter->topology);
	meter_names_changed(meter); /* addresses that were new since the last dump may have names */
}

static bool is_gone(const struct meter *m, const struct flow *flow)
{
	uint16_t first_missed = flow->dump + 1;

	if ((int16_t)(m->complete - flow->dump) < GONE_DUMPS)
		return false;
	return m->now - m->completed_at[first_missed % METER_DUMPS_REMEMBERED] >= GONE_NS;
}

static bool settle_gone(void *ctx, void *record)
{
	struct meter *m = ctx;
	struct flow *flow = record;
	const struct meter_held *held;
	const struct flow last = *flow;

	if (!is_gone(m, flow))
		return false;
	m->stats.ended_unseen++;
	OBSERVE(m, OBSERVER_GONE, .flow = flow);
	held = hashtable_find(m->held, flow->key);
	if (held) {
		struct ct_event event = held->event;

		settle(m, flow, &event, ATTRIBUTE_FINAL);
	}
	journal_ended(&m->journal, flow, &last, last.scope != FLOW_UNDECIDED, !m->dumps_to_fold);
	meter_drop(m, flow);
	return true;
}

void meter_source(struct meter *meter, enum source source, bool up, uint64_t receive_buffer)
{
	meter->source[source].up = up;
	meter->source[source].receive_buffer = receive_buffer;
}

void meter_overrun(struct meter *meter, enum source source, uint64_t now)
{
	meter->now = now;
	meter->source[source].overruns++;
}

void meter_damaged(struct meter *meter, enum source source)
{
	(void)source;
	meter->stats.damaged++;
}

uint64_t meter_offloaded(const struct meter *meter)
{
	return meter->flows_offloaded;
}

/* --- Time */

static void settle_waiting(struct meter *m, uint64_t until)
{
	struct pending_end end;

	while (pending_ends_pop(m->pending_ends, until, &end))
		settle_waited(m, &end);
}

/* A few hosts per call: those that no flow refers to and that nothing was counted for in a long time. */
static void forget_hosts(struct meter *m)
{
	for (int i = 0; i < HOSTS_PER_TICK && m->options.forget_after_ns; i++) {
		uint32_t index = m->forget_next++ % hosts_count(m->hosts);
		const struct host *host = hosts_get(m->hosts, index);

		if (host->connections[TRAFFIC_IPV4] || host->connections[TRAFFIC_IPV6])
			continue;
		if (m->now - host->last_seen > m->options.forget_after_ns)
			hosts_forget(m->hosts, index);
	}
}

void meter_tick(struct meter *meter, uint64_t now)
{
	meter->now = now;
	settle_waiting(meter, now);
	/* After a stall the repetitions of ends that were read before it may still be in the queue. */
	if (now - meter->ticked > STALL_NS)
		meter->tombstones_until = now + TOMBSTONES_KEEP_NS;
	meter->ticked = now;
	if (now >= meter->tombstones_until)
		tombstones_expire(meter->tombstones, meter->dump_began, now);
	sightings_expire(meter->sightings, SIGHTING_KEEP_NS, now);
	forget_hosts(meter);
	for (int i = 0; i < SWEEP_PER_TICK && meter->sweep < HASHTABLE_SHARDS; i++)
		hashtable_sweep(meter->flows, meter->sweep++, settle_gone, meter);
}

static bool settle_held(void *ctx, void *record)
{
	struct meter *m = ctx;
	struct meter_held *held = record;
	struct flow *flow = hashtable_find(m->flows, held->key);

	if (flow)
		settle(m, flow, &held->event, ATTRIBUTE_FINAL);
	return true;
}

void meter_settle_ends(struct meter *meter, uint64_t now)
{
	meter->now = now;
	settle_waiting(meter, UINT64_MAX);
}

void meter_settle(struct meter *meter, uint64_t now)
{
	meter_settle_ends(meter, now);
	for (unsigned int i = 0; i < HASHTABLE_SHARDS; i++)
		hashtable_sweep(meter->held, i, settle_held, meter);
}
