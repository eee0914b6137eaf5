/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_kernel: a connection tracking that knows the truth. It keeps entries with counters as the kernel does, tells of
 * them as the kernel does (DESTROY to a socket that may be full, dumps made piece by piece while they are read, first
 * packets in late batches), and sums every byte for the host whose it is.
 *
 * What it takes from the kernel (nf_conntrack_core.c, nf_conntrack_ecache.c, nf_conntrack_netlink.c):
 * - An entry's id comes from its address and tuple, so whoever gets the memory next under the same tuple has the same
 * id.
 * - A DESTROY is sent first, the entry unlinked a moment later, its memory free after that.
 * - A reliable listener that did not get it makes the kernel unlink the entry at once, keep its memory, and send the
 *   DESTROY to everybody again, until all have it. A socket that overran takes nothing until it was drained.
 * - With nf_conntrack_events=2, an entry born while nobody listens never tells its end.
 * - A piece of a dump is made when the one before it is read, and may be read much later.
 */
#pragma once

#include "sim_truth.h"

/* --- Packets */

static inline struct ct_event sim_event_of(const struct sim_kernel *k, const struct sim_conn *c,
	enum ct_event_type type)
{
	struct ct_event event = k->path[c->path].event;

	event.type = type;
	event.id = (uint32_t)(1 + c->path * SIM_SLOTS + c->slot);
	event.start_ns = k->traits.timestamps ? c->start_ns : 0;
	for (int dir = 0; dir < 2; dir++) {
		event.bytes[dir] = c->counter[dir].bytes;
		event.packets[dir] = c->counter[dir].packets;
	}
	return event;
}

/* The rules see the first packet of either direction, and after a zeroing once more. */
static inline void sim_log_packet(struct sim_kernel *k, const struct sim_conn *c, int dir)
{
	const struct sim_path *p = &k->path[c->path];
	bool from_lan = (dir == CT_ORIGINAL) == (p->kind == SIM_OUTBOUND);
	char mac[MAC_TEXT] = "02:00:00:00:00:fe";

	if (!k->listening || !k->traits.nflog || (p->kind != SIM_OUTBOUND && p->kind != SIM_INBOUND) ||
		k->firsts == SIM_SIGHTINGS || sim_chance(k, k->traits.sighting_lost))
		return;
	if (from_lan)
		sim_mac(mac, c->host);
	k->first[k->firsts++] = (struct sim_first_packet){
		.sighting = event_sighting(&p->event, dir, from_lan ? LAN : WAN, from_lan ? WAN : LAN, mac),
		.serial = c->serial,
		.path = c->path,
		.begins = dir == CT_ORIGINAL && !c->peak[dir].packets,
		.due = k->now + sim_random(k, 100 * CLOCK_NS_PER_MS),
	};
}

static inline void sim_packets(struct sim_kernel *k, struct sim_conn *c, int dir, uint64_t packets)
{
	struct traffic_count more = { .packets = packets };

	for (uint64_t i = 0; i < packets; i++)
		more.bytes += 40 + sim_random(k, 1461);
	if (!c->counter[dir].packets)
		sim_log_packet(k, c, dir);
	traffic_count_add(&c->counter[dir], &more);
	traffic_count_add(&c->whole[dir], &more);
	traffic_count_add(sim_count(k, &k->truth, c->path, c->host, dir), &more);
}

/* The entry as it is now; NULL if its memory was freed. */
static inline struct sim_conn *sim_find(struct sim_kernel *k, uint32_t serial)
{
	for (int i = 0; i < SIM_CONNS; i++) {
		if (k->conn[i].serial == serial && k->conn[i].state != SIM_FREE)
			return &k->conn[i];
	}
	return NULL;
}

static inline void sim_traffic(struct sim_kernel *k)
{
	struct sim_conn *c = &k->conn[sim_random(k, SIM_CONNS)];

	if (c->state == SIM_LIVE)
		sim_packets(k, c, (int)sim_random(k, 2), 1 + sim_random(k, sim_chance(k, 500) ? 50 : 3));
}

/* --- Birth and death */

static inline bool sim_same_key(const struct sim_kernel *k, const struct sim_conn *a, const struct sim_conn *b)
{
	return !k->traits.timestamps && a->path == b->path && a->slot == b->slot && a->serial != b->serial;
}

static inline void sim_birth(struct sim_kernel *k, bool tells)
{
	int path = (int)sim_random(k, SIM_PATHS), at = 0, pick;
	struct sim_path *p = &k->path[path];
	struct sim_conn *c;

	for (int i = (int)sim_random(k, SIM_CONNS), n = 0; n < SIM_CONNS; n++, i++) {
		at = i % SIM_CONNS;
		if (k->conn[at].state == SIM_FREE)
			break;
	}
	c = &k->conn[at];
	if (p->listed >= 0 || c->state != SIM_FREE || !k->free_slots)
		return;
	/* The memory that was freed last is given out first, on this processor. */
	pick = sim_chance(k, 8000) ? k->free_slots - 1 : (int)sim_random(k, (uint64_t)k->free_slots);
	*c = (struct sim_conn){
		.state = SIM_LIVE,
		.serial = ++k->serials,
		.path = path,
		.slot = k->free_slot[pick],
		.host = p->kind == SIM_OF_ROUTER ? SIM_ROUTER : k->owner[p->address],
		.start_ns = k->real,
		.silent = k->traits.silent_births && !k->listening,
	};
	k->free_slot[pick] = k->free_slot[--k->free_slots];
	p->listed = at;
	if (tells)
		fprintf(stderr, "%17u is born: path %d slot %d host %d%s\n", c->serial, path, c->slot, c->host,
			c->silent ? ", silent" : "");
	k->tally[SIM_BIRTHS]++;
	if (!k->traits.timestamps && k->ghost[path][c->slot][0].packets) {
		sim_lose(k, SIM_MERGED, path, c->host, k->ghost[path][c->slot]);
		k->tally[SIM_SAME_KEY]++;
	}
	sim_packets(k, c, CT_ORIGINAL, 1);
}

static inline void sim_free(struct sim_kernel *k, struct sim_conn *c)
{
	k->free_slot[k->free_slots++] = c->slot;
	c->state = SIM_FREE;
}

static inline void sim_unlink(struct sim_kernel *k, const struct sim_conn *c)
{
	if (k->path[c->path].listed == c - k->conn)
		k->path[c->path].listed = -1;
}

static inline void sim_remember_end(struct sim_kernel *k, const struct sim_conn *c)
{
	if (k->ends == k->ends_size) {
		k->ends_size = k->ends_size * 2 + 16;
		k->end = realloc(k->end, k->ends_size * sizeof(*k->end));
		if (!k->end)
			abort();
	}
	k->end[k->ends] = (struct sim_end){ .serial = c->serial, .path = c->path, .slot = c->slot, .host = c->host };
	for (int dir = 0; dir < 2; dir++) {
		k->end[k->ends].peak[dir] = traffic_count_max(&c->peak[dir], &c->counter[dir]);
		k->end[k->ends].whole[dir] = c->whole[dir];
	}
	k->ends++;
}

/* True: the meter's socket has it. */
static inline bool sim_queue(struct sim_kernel *k, struct sim_conn *c)
{
	if (k->events == SIM_EVENTS || (k->crowded && sim_chance(k, k->traits.crowded)))
		k->deaf = k->overrun = true;
	if (k->deaf)
		return false;
	k->event[k->events++] = (struct sim_event){ sim_event_of(k, c, CT_DESTROY), *c };
	if (!c->queued)
		sim_remember_end(k, c);
	else
		k->tally[SIM_REPEATS]++;
	c->queued = true;
	return true;
}

/* Tells everybody of the end. False: somebody who wants reliable delivery did not get it. */
static inline bool sim_tell_end(struct sim_kernel *k, struct sim_conn *c)
{
	bool told = true;

	if (c->silent)
		return true;
	if (k->listening && !sim_queue(k, c)) {
		told = !k->reliable;
		k->tally[SIM_UNDELIVERED]++;
	}
	return told && !k->other_stuck;
}

/* Its DESTROY is out, for those who got it. */
static inline void sim_done(struct sim_kernel *k, struct sim_conn *c, uint64_t unlink_ns)
{
	if (!c->queued) {
		bool unseen = c->silent && !c->told[CT_ORIGINAL].packets;

		sim_lose_rest(k, k->listening && !unseen ? SIM_UNHEARD : SIM_KILLED, c);
		if (k->listening) {
			sim_remember_end(k, c);
			k->end[k->ends - 1].unheard = true;
		}
		sim_haunt(k, c->path, c->slot, c->counter);
		sim_haunt(k, c->path, c->slot, c->peak);
		k->tally[SIM_LOST]++;
	}
	c->state = SIM_LEAVING;
	c->until = k->now + unlink_ns;
}

static inline void sim_death(struct sim_kernel *k, struct sim_conn *c)
{
	if (c->state != SIM_LIVE || (!k->listening && k->traits.gentle))
		return;
	if (sim_tell_end(k, c)) {
		sim_done(k, c, sim_chance(k, 7000) ? 0 : sim_random(k, 50 * CLOCK_NS_PER_MS));
	} else {
		sim_unlink(k, c);
		c->state = SIM_DYING;
		c->died = k->now;
		c->until = k->now + SIM_RETRY_NS;
	}
}

/* What the kernel does by itself as time goes by. */
static inline void sim_work(struct sim_kernel *k)
{
	for (int i = 0; i < SIM_CONNS; i++) {
		struct sim_conn *c = &k->conn[i];

		if (c->state == SIM_DYING && c->until <= k->now) {
			c->until = k->now + SIM_RETRY_NS;
			if (!sim_tell_end(k, c))
				continue;
			k->tally[SIM_OVERDUE] += k->listening && k->now - c->died >= 60 * CLOCK_NS_PER_S;
			sim_done(k, c, 0);
		}
		if (c->state == SIM_LEAVING && c->until <= k->now) {
			sim_unlink(k, c);
			sim_free(k, c);
		}
	}
}

/* conntrack -L -z */
static inline void sim_zero(struct sim_kernel *k)
{
	k->tally[SIM_ZEROINGS]++;
	for (int i = 0; i < SIM_CONNS; i++) {
		struct sim_conn *c = &k->conn[i];
		struct traffic_count gone[2];

		if (c->state != SIM_LIVE)
			continue;
		for (int dir = 0; dir < 2; dir++) {
			gone[dir].bytes = c->counter[dir].bytes < c->whole[dir].bytes ? c->counter[dir].bytes :
											c->whole[dir].bytes;
			gone[dir].packets = c->counter[dir].packets < c->whole[dir].packets ? c->counter[dir].packets :
											      c->whole[dir].packets;
			c->peak[dir] = traffic_count_max(&c->peak[dir], &c->counter[dir]);
		}
		sim_lose(k, SIM_ZEROED, c->path, c->host, gone);
		memset(c->counter, 0, sizeof(c->counter));
	}
}

/* --- Dumps */

/* Makes the next piece. An entry may come twice (the walk begins a chain anew when its place in it has gone). */
static inline void sim_make_piece(struct sim_kernel *k, bool may_miss)
{
	int room = 1 + (int)sim_random(k, SIM_LINES);

	if (k->walk > 0 && k->walk < SIM_CONNS && sim_chance(k, 1000)) {
		k->walk -= (int)sim_random(k, (uint64_t)k->walk < 4 ? (uint64_t)k->walk + 1 : 4);
		k->tally[SIM_TWICE]++;
	}
	for (k->lines = 0; k->lines < room && k->walk < SIM_CONNS; k->walk++) {
		struct sim_conn *c = &k->conn[k->walk];

		if (c->state != SIM_LIVE && c->state != SIM_LEAVING)
			continue;
		c->missed = may_miss && !c->missed && sim_chance(k, k->traits.missing);
		if (!c->missed)
			k->line[k->lines++] = (struct sim_event){ sim_event_of(k, c, CT_ENTRY), *c };
	}
}
