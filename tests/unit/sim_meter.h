/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_meter: the life of the meter in the simulation: what it reads and in which order, how it is killed and goes on.
 */
#pragma once

#include "hostmeter/meter/checkpoint.h"

#include "sim_judge.h"

/* --- The file that outlives the meter, written as checkpointer.c does */

static inline void file_add(struct file *file, const struct buf *blob)
{
	if (file->count == file->size) {
		file->size = file->size * 2 + 64;
		file->end = realloc(file->end, file->size * sizeof(*file->end));
		assert_non_null(file->end);
	}
	buf_add(&file->bytes, blob->data, blob->len);
	file->end[file->count++] = file->bytes.len;
}

static inline void file_clear(struct file *file)
{
	buf_reset(&file->bytes);
	file->count = 0;
}

static inline void file_free(struct file *file)
{
	buf_free(&file->bytes);
	free(file->end);
}

static inline void append(struct sim *sim, void (*fill)(struct meter *meter, struct buf *out))
{
	struct buf blob = BUF_INIT;

	fill(sim->meter, &blob);
	if (blob.len && sim->kept.count)
		file_add(&sim->kept, &blob);
	if (blob.len && sim->saving)
		file_add(&sim->begun, &blob);
	buf_free(&blob);
}

static inline bool is_read(const struct sim_end *end)
{
	return end->read;
}

static inline bool is_saved(const struct sim_end *end)
{
	return end->saving;
}

static inline void forget_ends(struct sim *sim, bool (*is_safe)(const struct sim_end *end))
{
	struct sim_kernel *k = &sim->k;
	size_t left = 0;

	for (size_t i = 0; i < k->ends; i++) {
		if (!is_safe(&k->end[i]))
			k->end[left++] = k->end[i];
	}
	k->ends = left;
}

/* After this, what was read and does not wait any more survives a kill. */
static inline void journal(struct sim *sim)
{
	append(sim, checkpoint_journal);
	if (!sim->pending_ends)
		forget_ends(sim, is_read);
}

static inline void show(struct sim *sim)
{
	journal(sim);
	append(sim, checkpoint_totals);
	sim->shown = sim->counted;
}

static inline void begin_checkpoint(struct sim *sim)
{
	/* Until every baseline is known there is nothing to go on from. */
	if (sim->saving || !(sim->ready || sim->restored))
		return;
	tell(sim, "checkpoint begins");
	checkpoint_begin(sim->meter);
	/* What is held back of flows that nobody owns yet is not saved: were one of them dead, it would be lost. */
	for (size_t i = 0; i < sim->k.ends; i++)
		sim->k.end[i].saving = sim->k.end[i].unheard && !sim->undecided;
	file_clear(&sim->begun);
	sim->saving = true;
}

static inline void step_checkpoint(struct sim *sim)
{
	struct buf blob = BUF_INIT;
	bool last = checkpoint_step(sim->meter, &blob);

	if (blob.len) /* not while a dump is in the air */
		file_add(&sim->begun, &blob);
	buf_free(&blob);
	if (!last)
		return;
	struct file old = sim->kept;

	tell(sim, "checkpoint is whole, %zu blobs", sim->begun.count);
	sim->kept = sim->begun;
	sim->begun = old;
	sim->saving = false;
	forget_ends(sim, is_saved);
	append(sim, checkpoint_journal);
	append(sim, checkpoint_totals);
}

static inline void turn(struct sim *sim)
{
	journal(sim);
	for (uint64_t i = sim_random(&sim->k, 3); i && sim->saving; i--)
		step_checkpoint(sim);
}

/* --- The meter's life */

static inline void take(void *ctx, const struct rtnl_event *event)
{
	struct sim *sim = ctx;

	meter_rtnl(sim->meter, event, sim->k.now);
}

static inline void tell_neighbour(struct sim *sim, int address)
{
	for (int v6 = 0; v6 < 2; v6++) {
		char ip[ADDR_TEXT], mac[MAC_TEXT];
		struct rtnl_event event;

		sim_address(ip, v6, address);
		sim_mac(mac, sim->k.owner[address]);
		event = event_neigh(LAN, ip, mac);
		event.gone = sim->gone[address];
		take(sim, &event);
	}
}

static inline struct meter *make_meter(struct sim *sim)
{
	struct meter_options options = { .hash = { { sim->seed, sim_random(&sim->k, UINT32_MAX) } },
		.max_hosts = sim->k.traits.flood ? 2 : 64,
		.forget_after_ns = sim->k.traits.flood ? 2 * S : 0,
		.forget_unanswered_ns = sim->k.traits.flood ? S : 0,
		.max_flows = 100000,
		.start_real_ns = sim->k.real };
	struct meter *meter = meter_new(&options);

	assert_non_null(meter);
	return meter;
}

/* Counters begin at zero: nothing of what was before is the meter's. */
static inline void start_cold(struct sim *sim)
{
	struct sim_kernel *k = &sim->k;

	tell(sim, "starts cold");
	k->tally[SIM_COLD_STARTS]++;
	memset(&k->truth, 0, sizeof(k->truth));
	memset(k->loss, 0, sizeof(k->loss));
	memset(k->ghost, 0, sizeof(k->ghost));
	memset(&sim->counted, 0, sizeof(sim->counted));
	memset(&sim->shown, 0, sizeof(sim->shown));
	memset(&sim->declared, 0, sizeof(sim->declared));
	sim->overruns = 0;
	for (int i = 0; i < SIM_CONNS; i++)
		memset(k->conn[i].whole, 0, sizeof(k->conn[i].whole));
}

static inline void load(struct sim *sim)
{
	size_t from = 0;

	sim->meter = make_meter(sim);
	for (size_t i = 0; i < sim->kept.count; from = sim->kept.end[i++])
		assert_int_equal(checkpoint_load(sim->meter, sim->kept.bytes.data + from, sim->kept.end[i] - from,
					 sim->k.now),
			0);
	sim->restored = checkpoint_loaded(sim->meter);
	if (sim->restored) {
		tell(sim, "restored from %zu blobs", sim->kept.count);
		sim->counted = sim->shown;
		sim->k.tally[SIM_RESTARTS]++;
		return;
	}
	meter_free(sim->meter);
	sim->meter = make_meter(sim);
	start_cold(sim);
}

static inline void start_meter(struct sim *sim)
{
	struct sim_kernel *k = &sim->k;

	sim->ready = sim->dumping = false;
	load(sim);
	begin_checkpoint(sim);
	events_of_network(take, sim);
	for (int i = 0; i < SIM_LAN_HOSTS; i++)
		tell_neighbour(sim, i);
	meter_source(sim->meter, SOURCE_NFLOG, k->traits.nflog, 0);
	k->listening = true;
	k->deaf = k->overrun = false;
	sim->born = k->real;
	sim->next_tick = k->now + METER_TICK_NS;
	sim->dump_began = k->now - sim_random(k, S); /* the first dump is not far */
	for (int i = 0; i < SIM_PATHS; i++)
		k->path[i].ended = sim->restored ? k->now : 0; /* tombstones are restored as if they were new */
	judge(sim);
}

static inline void add_stats(struct snapshot_stats *to, const struct snapshot_stats *more)
{
	to->baselined += more->baselined;
	to->ended_before_first_dump += more->ended_before_first_dump;
	to->ended_unseen += more->ended_unseen;
	to->counter_resets += more->counter_resets;
}

/* kill -9: what was not written is gone, and so is what waits in the sockets. */
static inline void kill_meter(struct sim *sim)
{
	struct sim_kernel *k = &sim->k;

	tell(sim, "killed with %zu ends in its hands", k->ends);
	meter_free(sim->meter);
	sim->meter = NULL;
	sim->saving = false;
	add_stats(&sim->declared, &sim->stats);
	k->tally[SIM_LEFT] += sim->left;
	sim->left = 0;
	for (size_t i = 0; i < k->ends; i++) {
		sim_lose(k, SIM_KILLED, k->end[i].path, k->end[i].host, k->end[i].whole);
		sim_haunt(k, k->end[i].path, k->end[i].slot, k->end[i].peak);
	}
	k->ends = 0;
	k->events = k->firsts = k->lines = 0;
	k->listening = false;
	for (int i = 0; i < SIM_CONNS; i++) {
		struct sim_conn *c = &k->conn[i];

		c->known = c->sighted = c->queued = false;
		memset(c->told, 0, sizeof(c->told));
	}
}

/* --- A flood */

/*
 * Short flows whose MACs and addresses somebody makes up, most of them without a reply. Their ends are written at once,
 * so that none of it may be lost.
 */
static inline void flood(struct sim *sim)
{
	struct sim_kernel *k = &sim->k;

	for (uint64_t i = 1 + sim_random(k, 8); i; i--) {
		char ip[ADDR_TEXT], mac[MAC_TEXT];
		struct ct_event event;
		struct sighting first;
		struct traffic_count *truth = k->truth.of[0][SIM_UNKNOWN].of[TRAFFIC_IPV4];

		snprintf(ip, sizeof(ip), "192.168.1.%d", 100 + (int)sim_random(k, 100));
		snprintf(mac, sizeof(mac), SIM_MADE_UP "00:00:%02x:%02x", (unsigned int)sim_random(k, 4),
			(unsigned int)sim_random(k, 256));
		event = event_masqueraded(ip, SERVER4);
		event.type = CT_DESTROY;
		event.id = (uint32_t)(1000000 + k->tally[SIM_FLOODED]++);
		event.bytes[CT_ORIGINAL] = 28 + sim_random(k, 1000);
		event.packets[CT_ORIGINAL] = 1;
		if (sim_chance(k, 500)) {
			event.bytes[CT_REPLY] = 28 + sim_random(k, 1000);
			event.packets[CT_REPLY] = 1;
		}
		first = event_sighting(&event, CT_ORIGINAL, LAN, WAN, mac);
		meter_sighting(sim->meter, &first, k->now);
		meter_ct(sim->meter, &event, k->now);
		traffic_count_add(&truth[TRAFFIC_OUT],
			&(struct traffic_count){ event.bytes[CT_ORIGINAL], event.packets[CT_ORIGINAL] });
		traffic_count_add(&truth[TRAFFIC_IN],
			&(struct traffic_count){ event.bytes[CT_REPLY], event.packets[CT_REPLY] });
	}
	tell(sim, "a flood");
	journal(sim);
}

/* --- What the meter reads */

/* The age of a flow is known from its first packet, from its time of birth, or from the dump that lacked it. */
static inline bool may_be_old(const struct sim *sim, const struct sim_conn *c)
{
	if (sim->restored || c->known)
		return false;
	return sim->k.traits.timestamps ? c->start_ns < sim->born : !c->sighted;
}

static inline void read_event(struct sim *sim)
{
	struct sim_kernel *k = &sim->k;
	struct sim_event e = k->event[0];
	const struct sim_conn *c = sim_find(k, e.conn.serial);

	memmove(&k->event[0], &k->event[1], (size_t)--k->events * sizeof(k->event[0]));
	tell(sim, "DESTROY of %u: path %d id %u, %" PRIu64 "/%" PRIu64 " bytes", e.conn.serial, e.conn.path, e.event.id,
		e.event.bytes[0], e.event.bytes[1]);
	for (size_t i = 0; i < k->ends; i++) {
		if (k->end[i].serial != e.conn.serial || k->end[i].read)
			continue;
		k->end[i].read = true;
		if (may_be_old(sim, c ? c : &e.conn) && (!sim->ready || k->now < sim->ready_at + S))
			sim_lose(k, SIM_TOO_EARLY, e.conn.path, e.conn.host, e.conn.whole);
	}
	k->path[e.conn.path].ended = k->now;
	meter_ct(sim->meter, &e.event, k->now);
}

static inline void read_events(struct sim *sim, uint64_t count)
{
	while (count-- && sim->k.events)
		read_event(sim);
	if (sim->k.events)
		return;
	sim->k.deaf = false;
	if (sim->k.overrun)
		meter_overrun(sim->meter, SOURCE_EVENTS, sim->k.now);
	sim->overruns += sim->k.overrun;
	sim->k.overrun = false;
}

static inline void read_sighting(struct sim *sim)
{
	struct sim_kernel *k = &sim->k;
	struct sim_first_packet first = k->first[0];
	struct sim_conn *c;

	if (!k->firsts || first.due > k->now)
		return;
	for (int i = 0; i < k->events; i++) {
		if (k->event[i].conn.path == first.path) {
			read_events(sim, UINT64_MAX); /* as keep_order() */
			break;
		}
	}
	c = sim_find(k, first.serial);
	memmove(&k->first[0], &k->first[1], (size_t)--k->firsts * sizeof(k->first[0]));
	if (first.begins && c)
		c->sighted = true;
	tell(sim, "first packet of %u", first.serial);
	meter_sighting(sim->meter, &first.sighting, k->now);
}

static inline void read_line(struct sim *sim, const struct sim_event *line)
{
	struct sim_kernel *k = &sim->k;
	struct sim_conn *c = sim_find(k, line->conn.serial);
	/* A line close behind an end of the same key may well be passed over. */
	bool heeded = k->path[line->conn.path].ended + S < sim->dump_began;

	tell(sim, "line of %u: path %d id %u, %" PRIu64 "/%" PRIu64 " bytes", line->conn.serial, line->conn.path,
		line->event.id, line->event.bytes[0], line->event.bytes[1]);
	if (!sim->ready && may_be_old(sim, c ? c : &line->conn))
		sim_lose(k, SIM_BASELINED, line->conn.path, line->conn.host, line->conn.whole);
	if (c && heeded) {
		c->known = true;
		memcpy(c->told, line->conn.whole, sizeof(c->told));
	}
	k->tally[SIM_LATE] += !c;
	meter_ct(sim->meter, &line->event, k->now);
}

/*
 * Which of two flows of one key was first is told by the order of reading alone. So ends that were sent before a line
 * was made are read before it where that matters.
 */
static inline void keep_order(struct sim *sim)
{
	for (int i = 0; i < sim->k.lines; i++) {
		for (int j = 0; j < sim->k.events; j++) {
			if (sim_same_key(&sim->k, &sim->k.line[i].conn, &sim->k.event[j].conn)) {
				read_events(sim, UINT64_MAX);
				return;
			}
		}
	}
}

static inline void end_dump(struct sim *sim, bool complete)
{
	read_events(sim, UINT64_MAX);
	tell(sim, "dump ends, %s", complete ? "complete" : "incomplete");
	meter_dump_end(sim->meter, complete, sim->k.now);
	sim->dumping = false;
	if (complete && !sim->ready)
		sim->ready_at = sim->k.now;
	sim->ready |= complete;
	begin_checkpoint(sim);
}

static inline void read_dump(struct sim *sim)
{
	struct sim_kernel *k = &sim->k;
	struct sim_event line[SIM_LINES];
	int lines;

	if (!sim->dumping) {
		tell(sim, "dump begins");
		meter_dump_begin(sim->meter, k->now);
		sim->dumping = true;
		sim->dump_began = k->now;
		k->walk = 0;
		sim_make_piece(k, sim->ready);
		return;
	}
	keep_order(sim);
	lines = k->lines;
	memcpy(line, k->line, sizeof(line));
	sim_make_piece(k, sim->ready);
	for (int i = 0; i < lines; i++)
		read_line(sim, &line[i]);
	if (!lines)
		end_dump(sim, true);
	else if (sim_chance(k, k->traits.aborting))
		end_dump(sim, false);
}

static inline void tick(struct sim *sim)
{
	tell(sim, "tick");
	meter_tick(sim->meter, sim->k.now);
	sim->next_tick = sim->k.now + METER_TICK_NS;
}
