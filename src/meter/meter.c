/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How each byte is counted once.
 *
 * The kernel reports a flow's two counters in each dump while the flow lives, and in DESTROY when it has ended. The
 * flow's record holds what was counted; each reading adds the difference. Three things make this difficult.
 *
 * Order. Dumps and events come from two sockets, so an entry of a dump may be read after the flow's DESTROY. A flow
 * that ended leaves a tombstone (tombstones.h); an entry that meets one is ignored. A flow that is in no dump yet is
 * counted from zero: it began after the first dump, which listed everything that lived.
 *
 * Attribution. The host of a flow may be known only after the first reading. Until then nothing is counted: the record
 * stays at its baseline, and the latest reading is kept in held. So bytes never move from one host to another.
 *
 * Lost ends. A flow that ended without DESTROY is missing from dumps. After three complete dumps and a minute without
 * an overrun of the events' socket (dumps.c) it is settled with its last reading. Not earlier: with reliable delivery
 * the kernel removes the entry first and repeats its DESTROY until that is delivered; without the record, that DESTROY
 * would be counted from zero.
 *
 * The baseline. What flows had before the meter began is not counted. A flow in the first dump, or in a DESTROY before
 * its end, starts from the counters it has, unless its first packet was seen or its time of birth is later.
 */
#include "hostmeter/meter/meter.h"

#include "state.h"
#include "zones.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <stdlib.h>

#define STALL_NS CLOCK_NS_PER_S
#define SIGHTING_KEEP_NS (120 * CLOCK_NS_PER_S) /* longer than any default dump interval */

enum {
	MAX_SIGHTINGS = 1 << 18,
	MAX_TOMBSTONES = 1 << 20,
	MAX_PENDING_ENDS = 1 << 16,
	MAX_HELD = 1 << 16,
	MAX_HELD_FOR_REPLY = 1 << 13, /* by those that only wait for a reply, which gives a host its place */
	MAX_NEIGHBOURS = 1 << 14,
	MAX_ROUTES = 1 << 12,
	MAX_ZONES = 1 << 10,
	HOSTS_PER_TICK = 64,
	SWEEP_PER_TICK = 16,
};

static void note_left(void *ctx, uint32_t index)
{
	struct meter *m = ctx;

	journal_left(&m->journal, index);
}

/* Whether the MAC is of a host that is not made up, as far as is known. */
static bool is_worth(void *ctx, const struct mac *mac)
{
	const struct meter *m = ctx;
	uint32_t index = hosts_find_mac(m->hosts, mac);
	const struct host *host = index == HOST_NONE ? NULL : hosts_get(m->hosts, index);

	return host && (host->is_answered || host->is_configured);
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
	m->topology = topology_new(&options->sides, MAX_ROUTES);
	m->tunnels = tunnels_new(&options->tunnels);
	m->zones = zones_new(MAX_ZONES);
	m->hosts = hosts_new(options->max_hosts);
	m->wan = wan_new();
	m->dumps.sweep = HASHTABLE_SHARDS;
	m->journal = (struct journal){ .hash = &m->options.hash, .hosts = m->hosts };
	if (m->hosts)
		hosts_watch(m->hosts, note_left, m);
	if (m->neigh)
		neigh_prefer(m->neigh, is_worth, m);
	if (m->flows && m->held && m->tombstones && m->pending_ends && m->sightings && m->neigh && m->topology &&
		m->tunnels && m->zones && m->hosts && m->wan)
		return m;
	meter_free(m);
	return NULL;
}

void meter_free(struct meter *meter)
{
	if (!meter)
		return;
	wan_free(meter->wan);
	hosts_free(meter->hosts);
	topology_free(meter->topology);
	zones_free(meter->zones);
	tunnels_free(meter->tunnels);
	neigh_free(meter->neigh);
	sightings_free(meter->sightings);
	pending_ends_free(meter->pending_ends);
	tombstones_free(meter->tombstones);
	hashtable_free(meter->held);
	hashtable_free(meter->flows);
	buf_free(&meter->journal.blob);
	free(meter);
}

/* --- The observer */

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
		.tunnels = m->tunnels,
		.neigh = m->neigh,
		.sightings = m->sightings,
		.names = m->options.names,
		.hosts = m->hosts,
		.zones = m->has_zones ? m->zones : NULL,
		.now = m->now,
		.is_answered = event->bytes[CT_REPLY] || event->status & IPS_SEEN_REPLY,
		.may_wait = m->is_first_reading && hashtable_count(m->held) < MAX_HELD_FOR_REPLY,
		.all_is_sighted = m->dumps.ready && m->stats.sightings && m->source[SOURCE_NFLOG].up,
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
	if (flow_has_host(flow)) {
		m->stats.attributed[a->by]++;
		/* Logging rules would have shown the first packet of this new flow. */
		m->stats.unsighted += m->dumps.ready && a->scope == FLOW_WAN &&
			(a->by == FLOW_BY_NEIGHBOUR || a->by == FLOW_BY_ADDRESS);
		meter_meet_host(m, a->host);
	}
	if (a->peer != HOST_NONE)
		meter_meet_host(m, a->peer);
}

/* Writes the answer into the record. False if the evidence is not enough. */
static bool decide(struct meter *m, struct flow *flow, const struct ct_event *event, enum attribute_evidence evidence)
{
	bool sighted, swapped;
	struct attribution a = ask(m, event, evidence, &sighted);

	if (a.scope == FLOW_UNDECIDED)
		return false;
	assign(m, flow, &a);
	OBSERVE(m, OBSERVER_DECIDED, .event = event, .flow = flow, .end = m->end);
	if (sighted)
		sightings_used(m->sightings, attribute_pair(&m->options.hash, m->sightings, event, &swapped));
	return true;
}

/* A first packet may still come only if rules log it, which is known once any packet came. */
static enum attribute_evidence first_evidence(const struct meter *m)
{
	return m->source[SOURCE_NFLOG].up && m->stats.sightings ? ATTRIBUTE_FROM_PACKET : ATTRIBUTE_FROM_TABLES;
}

/* Whether the first packet of the original direction was seen. A reply proves nothing: the flow may be older. */
static bool was_sighted(const struct meter *m, const struct ct_event *event)
{
	struct sightings_end end[2];
	bool swapped;

	uint64_t pair = attribute_pair(&m->options.hash, m->sightings, event, &swapped);

	return sightings_find(m->sightings, pair, end) && end[swapped].seen;
}

static bool born_while_metering(const struct meter *m, const struct ct_event *event)
{
	if (m->dumps.ready || (m->checkpoint.restored && !m->checkpoint.gaps))
		return true;
	return event->start_ns ? event->start_ns >= m->options.start_real_ns : was_sighted(m, event);
}

/* --- Live flows */

void meter_connect(struct meter *m, const struct flow *flow, int step)
{
	if (!flow_has_host(flow))
		return;
	hosts_connect(m->hosts, flow->host, flow->v6, step);
	if (flow->peer != HOST_NONE)
		hosts_connect(m->hosts, flow->peer, flow->v6, step);
}

static void settle_flow(struct meter *m, struct flow *flow, const struct ct_event *event,
	enum attribute_evidence evidence)
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
	if (!held) { /* no room: decide now */
		settle_flow(m, flow, event, ATTRIBUTE_FINAL);
		return;
	}
	m->waiting = traffic_count_less(&m->waiting, &held->waiting);
	held->event = *event;
	held->waiting = meter_waiting(event, &flow->counts);
	traffic_count_add(&m->waiting, &held->waiting);
}

static void unhold(struct meter *m, uint64_t key)
{
	struct meter_held *held = hashtable_find(m->held, key);

	if (!held)
		return;
	m->waiting = traffic_count_less(&m->waiting, &held->waiting);
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
	if (tombstones_entry(m->tombstones, key, m->dumps.since) == TOMBSTONES_REPEATED) {
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
			flow->counts = flow_counts_of(event);
		}
		evidence = first_evidence(m);
	}
	flow->dump = m->dumps.number;
	note_status(m, flow, event);
	if (flow->scope != FLOW_UNDECIDED) {
		meter_count(m, flow, event);
		return;
	}
	m->is_first_reading = fresh;
	settle_flow(m, flow, event, evidence);
	m->is_first_reading = false;
	if (flow->scope == FLOW_UNDECIDED)
		hold(m, flow, event);
	else if (!fresh)
		unhold(m, key);
}

void meter_drop(struct meter *m, struct flow *flow)
{
	meter_connect(m, flow, -1);
	m->flows_undecided -= flow->scope == FLOW_UNDECIDED;
	m->flows_uncounted -= flow->uncounted;
	m->flows_offloaded -= flow->offloaded;
	unhold(m, flow->key);
}

/* --- Flows that ended */

/* Counts the rest of a flow whose record is gone and which was decided now. */
static void count_end(struct meter *m, struct flow *flow, const struct pending_end *end)
{
	flow->key = meter_key(m, &end->event);
	meter_count(m, flow, &end->event);
	journal_ended(&m->journal, flow, &end->counts, false, !m->checkpoint.dumps_to_fold);
}

static struct flow flow_of(const struct pending_end *end)
{
	return (struct flow){ .v6 = end->event.family == 6, .peer = HOST_NONE, .counts = end->counts };
}

/* False if the evidence is not enough. */
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

/* The deadline has passed: by the first packet if it came, else by what was known at the end, else by what is known
 * now. */
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

/* The hosts of a guess keep their indexes until the end is settled. */
static void refer(struct meter *m, const struct pending_end *end, int step)
{
	if (end->guess.scope == FLOW_UNDECIDED)
		return;
	hosts_refer(m->hosts, end->guess.host, step);
	hosts_refer(m->hosts, end->guess.peer, step);
}

/* The first packet may still come in a batch of NFLOG. */
static void wait_or_settle(struct meter *m, struct pending_end *end)
{
	bool nflog = m->source[SOURCE_NFLOG].up, sighted;
	struct traffic_count waiting;

	if (settle_end(m, end, nflog ? ATTRIBUTE_FROM_PACKET : ATTRIBUTE_FROM_TABLES))
		return;
	OBSERVE(m, OBSERVER_WAITS, .event = &end->event);
	if (nflog)
		end->guess = ask(m, &end->event, ATTRIBUTE_FROM_TABLES, &sighted);
	if (!pending_ends_push(m->pending_ends, end)) {
		settle_waited(m, end);
		return;
	}
	refer(m, end, 1);
	waiting = meter_waiting(&end->event, &end->counts);
	traffic_count_add(&m->waiting, &waiting);
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

		end.counts = flow->counts;
		meter_count(m, flow, event);
		if (decided)
			journal_ended(&m->journal, flow, &end.counts, true, !m->checkpoint.dumps_to_fold);
		meter_drop(m, flow);
		hashtable_remove(m->flows, flow);
		if (decided)
			return;
	} else if (!born_while_metering(m, event)) {
		/* It does not wait for a sighting, which could be that of the next flow between the same ends. */
		m->stats.ended_before_first_dump++;
		OBSERVE(m, OBSERVER_EARLY, .event = event);
		return;
	}
	wait_or_settle(m, &end);
}

void meter_prefetch(const struct meter *meter, struct ct_event *events, size_t count)
{
	for (size_t i = 0; i < count; i++)
		events[i].key = flow_key(&meter->options.hash, &events[i]);
	for (size_t i = 0; i < count; i++) /* in a loop of its own, so that many wait for memory at once */
		hashtable_prefetch(meter->flows, events[i].key);
}

void meter_ct(struct meter *meter, const struct ct_event *event, uint64_t now)
{
	meter->now = now;
	meter->has_zones |= event->zone != 0;
	if (event->type == CT_ENTRY)
		on_entry(meter, event);
	else if (event->type == CT_DESTROY)
		on_destroy(meter, event);
	/* NEW and UPDATE carry no counters */
}

/* --- Sources */

void meter_source(struct meter *meter, enum source source, bool up, uint64_t receive_buffer)
{
	meter->source[source].up = up;
	meter->source[source].receive_buffer = receive_buffer;
}

void meter_overrun(struct meter *meter, enum source source, uint64_t now)
{
	meter->now = now;
	meter->source[source].overruns++;
	if (source != SOURCE_EVENTS)
		return;
	/* Ends that found no room in the socket come later, and those of which a repetition found none come again. */
	meter->dumps.overrun = now;
	meter->tombstones_until = now + TOMBSTONES_KEEP_NS;
}

void meter_damaged(struct meter *meter)
{
	meter->stats.damaged++;
}

uint64_t meter_offloaded(const struct meter *meter)
{
	return meter->flows_offloaded;
}

/* --- Time */

static void settle_pending(struct meter *m, uint64_t until)
{
	struct pending_end end;

	while (pending_ends_pop(m->pending_ends, until, &end)) {
		struct traffic_count waiting = meter_waiting(&end.event, &end.counts);

		m->waiting = traffic_count_less(&m->waiting, &waiting);
		settle_waited(m, &end);
		refer(m, &end, -1);
	}
}

static bool was_silent(const struct meter *m, const struct host *host, uint64_t most)
{
	return most && m->now - host->last_seen > most;
}

/* Looks at a few hosts per call. */
static void forget_hosts(struct meter *m)
{
	for (int i = 0; i < HOSTS_PER_TICK; i++) {
		uint32_t index = m->forget_next++ % hosts_count(m->hosts);
		const struct host *host = hosts_get(m->hosts, index);

		if (host->connections[TRAFFIC_IPV4] || host->connections[TRAFFIC_IPV6])
			continue;
		if (!host->is_answered && !host->is_configured && was_silent(m, host, m->options.forget_unanswered_ns))
			hosts_leave(m->hosts, index, HOSTS_LEFT_UNANSWERED);
		else if (was_silent(m, host, m->options.forget_after_ns))
			hosts_leave(m->hosts, index, HOSTS_LEFT_SILENT);
	}
}

static bool settle_gone(void *ctx, void *record)
{
	struct meter *m = ctx;
	struct flow *flow = record;
	const struct meter_held *held;
	const struct flow last = *flow;

	if (!meter_is_gone(m, flow))
		return false;
	m->stats.ended_unseen++;
	OBSERVE(m, OBSERVER_GONE, .flow = flow);
	held = hashtable_find(m->held, flow->key);
	if (held)
		settle_flow(m, flow, &held->event, ATTRIBUTE_FINAL);
	journal_ended(&m->journal, flow, &last.counts, last.scope != FLOW_UNDECIDED, !m->checkpoint.dumps_to_fold);
	meter_drop(m, flow);
	return true;
}

void meter_tick(struct meter *meter, uint64_t now)
{
	meter->now = now;
	topology_tick(meter->topology, now);
	settle_pending(meter, now);
	/* After a stall, repetitions of ends that were read before it may still be in the queue. */
	if (now - meter->ticked > STALL_NS)
		meter->tombstones_until = now + TOMBSTONES_KEEP_NS;
	meter->ticked = now;
	if (now >= meter->tombstones_until)
		tombstones_expire(meter->tombstones, meter->dumps.since, now);
	sightings_expire(meter->sightings, SIGHTING_KEEP_NS, now);
	forget_hosts(meter);
	for (int i = 0; i < SWEEP_PER_TICK && meter->dumps.sweep < HASHTABLE_SHARDS; i++)
		hashtable_sweep(meter->flows, meter->dumps.sweep++, settle_gone, meter);
}

static bool settle_held(void *ctx, void *record)
{
	struct meter *m = ctx;
	struct meter_held *held = record;
	struct flow *flow = hashtable_find(m->flows, held->key);

	m->waiting = traffic_count_less(&m->waiting, &held->waiting);
	if (flow)
		settle_flow(m, flow, &held->event, ATTRIBUTE_FINAL);
	return true;
}

void meter_settle_ends(struct meter *meter, uint64_t now)
{
	meter->now = now;
	settle_pending(meter, UINT64_MAX);
}

void meter_settle(struct meter *meter, uint64_t now)
{
	meter_settle_ends(meter, now);
	for (unsigned int i = 0; i < HASHTABLE_SHARDS; i++)
		hashtable_sweep(meter->held, i, settle_held, meter);
}
