/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * damage_world: a few hosts with flows that the test knows the truth of, and a meter that saves its checkpoints to real
 * files. What was shown, and what is true, is kept per host and direction.
 */
#pragma once

#include "checkpointer.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/meter/checkpoint.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/meter/snapshot.h"

#include "events.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S CLOCK_NS_PER_S

enum { WORLD_HOSTS = 3, WORLD_FLOWS = 24, WORLD_SUMS = 2 * WORLD_HOSTS };

/* Bytes by host: original (out), reply (in). */
struct world_sums {
	uint64_t of[WORLD_SUMS];
};

struct world {
	uint64_t random, now;
	struct meter *meter;
	struct checkpointer *checkpointer;
	struct ct_event flow[WORLD_FLOWS]; /* id 0: none */
	int host[WORLD_FLOWS];
	uint32_t ids;
	struct world_sums truth, shown;
};

static inline uint64_t world_random(struct world *w, uint64_t below)
{
	w->random = w->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (w->random >> 33) % below;
}

static inline void world_take(void *ctx, const struct rtnl_event *event)
{
	struct world *w = ctx;

	meter_rtnl(w->meter, event, w->now);
}

static inline struct meter *world_fresh_meter(void)
{
	const struct meter_options options = { .hash = { { 1, 2 } }, .max_hosts = 16, .max_flows = 1000 };
	struct meter *meter = meter_new(&options);

	assert_non_null(meter);
	return meter;
}

static inline void world_network(struct world *w)
{
	events_of_network(world_take, w);
	for (int i = 0; i < WORLD_HOSTS; i++) {
		char ip[ADDR_TEXT], mac[MAC_TEXT];
		struct rtnl_event event;

		snprintf(ip, sizeof(ip), "192.168.1.%d", 10 + i);
		snprintf(mac, sizeof(mac), "02:00:00:00:00:%02x", 0x10 + i);
		event = event_neigh(LAN, ip, mac);
		world_take(w, &event);
	}
}

static inline struct world_sums world_counted(const struct world *w)
{
	struct world_sums sums = { { 0 } };
	struct snapshot snapshot;

	assert_int_equal(meter_snapshot(w->meter, &snapshot, w->now), 0);
	for (size_t i = 0; i < snapshot.hosts; i++) {
		long host = snapshot.host[i].mac[0] ? strtol(snapshot.host[i].mac + 15, NULL, 16) - 0x10 : -1;

		if (host < 0) {
			assert_int_equal(traffic_sum(&snapshot.host[i].wan, TRAFFIC_IN).bytes, 0);
			continue;
		}
		assert_in_range(host, 0, WORLD_HOSTS - 1);
		sums.of[2 * host] = traffic_sum(&snapshot.host[i].wan, TRAFFIC_OUT).bytes;
		sums.of[2 * host + 1] = traffic_sum(&snapshot.host[i].wan, TRAFFIC_IN).bytes;
	}
	snapshot_clear(&snapshot);
	return sums;
}

/* Whether every sum of a is at least that of b. */
static inline bool world_at_least(const struct world_sums *a, const struct world_sums *b)
{
	for (int i = 0; i < WORLD_SUMS; i++)
		if (a->of[i] < b->of[i])
			return false;
	return true;
}

static inline void world_dump(struct world *w)
{
	w->now += S;
	meter_dump_begin(w->meter, w->now);
	for (int i = 0; i < WORLD_FLOWS; i++) {
		w->flow[i].type = CT_ENTRY;
		if (w->flow[i].id)
			meter_ct(w->meter, &w->flow[i], w->now);
	}
	w->now += S;
	meter_dump_end(w->meter, true, w->now);
}

static inline void world_save(struct world *w)
{
	checkpointer_begin(w->checkpointer, w->meter);
	while (checkpointer_turn(w->checkpointer, w->meter, w->now))
		;
}

static inline void world_show(struct world *w)
{
	checkpointer_before_show(w->checkpointer, w->meter);
	w->shown = world_counted(w);
}

static inline void world_traffic(struct world *w, int i)
{
	struct ct_event *flow = &w->flow[i];

	if (!flow->id) {
		char ip[ADDR_TEXT];

		w->host[i] = (int)world_random(w, WORLD_HOSTS);
		snprintf(ip, sizeof(ip), "192.168.1.%d", 10 + w->host[i]);
		*flow = event_masqueraded(ip, SERVER4);
		flow->tuple[CT_ORIGINAL].sport = flow->tuple[CT_REPLY].dport = (uint16_t)(40000 + i);
		flow->id = ++w->ids;
	}
	for (int dir = 0; dir < 2; dir++) {
		uint64_t more = 1 + world_random(w, 100000);

		flow->bytes[dir] += more;
		flow->packets[dir]++;
		w->truth.of[2 * w->host[i] + dir] += more;
	}
}

static inline void world_end(struct world *w, int i)
{
	w->flow[i].type = CT_DESTROY;
	if (w->flow[i].id)
		meter_ct(w->meter, &w->flow[i], w->now);
	w->flow[i].id = 0;
}

/* Something happens; at its end all that was read is in the files. */
static inline void world_step(struct world *w)
{
	w->now += S / 10;
	for (uint64_t i = world_random(w, 4); i; i--)
		world_traffic(w, (int)world_random(w, WORLD_FLOWS));
	if (world_random(w, 3) == 0)
		world_end(w, (int)world_random(w, WORLD_FLOWS));
	if (world_random(w, 12) == 0)
		world_dump(w);
	if (world_random(w, 20) == 0)
		world_save(w);
	if (world_random(w, 10) == 0)
		world_show(w);
	checkpointer_turn(w->checkpointer, w->meter, w->now);
}

static inline void world_start(struct world *w, const char *path, uint64_t seed)
{
	*w = (struct world){ .random = seed, .now = 100 * S };
	for (int i = 0; i < 4; i++)
		world_random(w, 2);
	w->meter = world_fresh_meter();
	w->checkpointer = checkpointer_new(path);
	assert_non_null(w->checkpointer);
	world_network(w);
	world_dump(w);
	world_save(w);
}

static inline void world_kill(struct world *w)
{
	meter_free(w->meter);
	checkpointer_free(w->checkpointer);
	w->meter = NULL;
	w->checkpointer = NULL;
}

/* False: it starts anew. */
static inline bool world_go_on(struct world *w, const char *path)
{
	bool loaded;

	w->meter = world_fresh_meter();
	w->checkpointer = checkpointer_new(path);
	assert_non_null(w->checkpointer);
	w->now += S;
	loaded = !checkpointer_load(w->checkpointer, w->meter, w->now);
	if (!loaded) {
		meter_free(w->meter);
		w->meter = world_fresh_meter();
	}
	world_network(w);
	return loaded && checkpoint_loaded(w->meter);
}
