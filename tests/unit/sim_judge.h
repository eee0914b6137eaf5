/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_judge: one run of the simulation, and what must hold in it after every step and at its end.
 */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/meter/meter.h"

#include "sim_kernel.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define S CLOCK_NS_PER_S
#define MS CLOCK_NS_PER_MS

/* Blobs in order, as a file keeps them. */
struct file {
	struct buf bytes;
	size_t *end;
	size_t count, size;
};

struct sim {
	struct sim_kernel k;
	uint64_t seed, steps;
	bool tells;
	struct meter *meter; /* NULL: none runs */
	struct file kept, begun;
	bool saving;
	bool dumping, ready, restored;
	uint64_t born, dump_began, ready_at, next_tick;
	struct sim_sums counted, shown;
	struct snapshot_stats stats; /* of the meter that runs, as seen last */
	uint64_t pending_ends, undecided, left;
	struct snapshot_stats declared; /* of those before it, since counters began */
	uint64_t overruns;
	bool gone[SIM_LAN_HOSTS]; /* neighbours that are forgotten for now */
};

#define tell(sim, ...)                                                                                                 \
	do {                                                                                                           \
		if ((sim)->tells) {                                                                                    \
			fprintf(stderr, "%8.3f ", (double)((sim)->k.now - 1000 * S) / 1e9);                            \
			fprintf(stderr, __VA_ARGS__);                                                                  \
			fputc('\n', stderr);                                                                           \
		}                                                                                                      \
	} while (0)

/* --- What the meter says */

#define SIM_MADE_UP "02:66:"

static inline int host_of(const struct snapshot_host *host)
{
	if (!strncmp(host->mac, SIM_MADE_UP, strlen(SIM_MADE_UP)))
		return SIM_UNKNOWN;
	if (host->mac[0])
		return (int)strtol(host->mac + 15, NULL, 16) - 0x10;
	return strcmp(host->label, "router") ? SIM_UNKNOWN : SIM_ROUTER;
}

static inline void look(struct sim *sim, struct sim_sums *counted)
{
	struct snapshot snapshot;

	memset(counted, 0, sizeof(*counted));
	assert_int_equal(meter_snapshot(sim->meter, &snapshot, sim->k.now), 0);
	for (size_t i = 0; i < snapshot.hosts; i++) {
		int host = host_of(&snapshot.host[i]);

		assert_in_range(host, 0, SIM_HOSTS - 1);
		traffic_add(&counted->of[0][host], &snapshot.host[i].wan);
		traffic_add(&counted->of[1][host], &snapshot.host[i].local);
	}
	sim->stats = snapshot.stats;
	sim->pending_ends = snapshot.pending_ends;
	sim->undecided = snapshot.flows_undecided;
	sim->left = 0;
	for (int i = 0; i < HOSTS_REASONS; i++)
		sim->left += snapshot.places.left[i];
	snapshot_clear(&snapshot);
}

/* --- The judge */

enum {
	SUMS = sizeof(struct sim_sums) / sizeof(uint64_t),
	PER_HOST = sizeof(struct traffic) / sizeof(uint64_t),
	PER_SCOPE = SIM_HOSTS * PER_HOST
};

static inline const uint64_t *numbers(const struct sim_sums *sums)
{
	return (const uint64_t *)sums;
}

static inline const char *name_of(int i, char text[static 64])
{
	static const char *const hosts[SIM_HOSTS] = { "host 0", "host 1", "host 2", "host 3", "router", "unknown" };

	snprintf(text, 64, "%s %s of %s IPv%d %s", i / PER_SCOPE ? "local" : "WAN", i % 2 ? "packets" : "bytes",
		hosts[i % PER_SCOPE / PER_HOST], i % PER_HOST / 4 ? 6 : 4, i % 4 / 2 == TRAFFIC_IN ? "in" : "out");
	return text;
}

static inline void blame(const struct sim *sim, const char *what, int i, uint64_t counted, uint64_t other)
{
	char text[64];

	fail_msg("HM_SIM_SEED=%" PRIu64 " step %" PRIu64 " at %.3f s: %s: %s: counted %" PRIu64 ", against %" PRIu64,
		sim->seed, sim->steps, (double)(sim->k.now - 1000 * S) / 1e9, what, name_of(i, text), counted, other);
}

/* The sum over hosts of number i of the first host. */
static inline uint64_t over_hosts(const struct sim_sums *sums, int i)
{
	uint64_t sum = 0;

	for (int host = 0; host < SIM_HOSTS; host++)
		sum += numbers(sums)[i + host * PER_HOST];
	return sum;
}

/* In a flood, hosts lose their places: what they had is of "other", and all together never have less. */
static inline bool fell(const struct sim *sim, const struct sim_sums *counted, int i)
{
	if (!sim->k.traits.flood)
		return numbers(counted)[i] < numbers(&sim->counted)[i];
	return i % PER_SCOPE < PER_HOST && over_hosts(counted, i) < over_hosts(&sim->counted, i);
}

static inline void judge(struct sim *sim)
{
	struct sim_sums counted;

	look(sim, &counted);
	if (!memcmp(&counted, &sim->counted, sizeof(counted)))
		return; /* the truth never falls */
	for (int i = 0; i < SUMS; i++) {
		uint64_t now = numbers(&counted)[i], before = numbers(&sim->counted)[i],
			 truth = numbers(&sim->k.truth)[i];

		if (fell(sim, &counted, i))
			blame(sim, "fell", i, now, before);
		if (now > truth && !sim->k.traits.moves && i % PER_SCOPE / PER_HOST != SIM_UNKNOWN)
			blame(sim, "more than the truth", i, now, truth);
		if (i % PER_SCOPE < PER_HOST && over_hosts(&counted, i) > over_hosts(&sim->k.truth, i))
			blame(sim, "more than the truth of all", i, over_hosts(&counted, i),
				over_hosts(&sim->k.truth, i));
	}
	sim->counted = counted;
}

/* Whether the meter says that numbers may lack something in this way. Who zeroes or kills knows what he does. */
static inline bool is_declared(const struct sim *sim, enum sim_loss why)
{
	const struct snapshot_stats *now = &sim->stats, *before = &sim->declared;

	switch (why) {
	case SIM_BASELINED:
		return now->baselined + before->baselined;
	case SIM_TOO_EARLY:
		return now->ended_before_first_dump + before->ended_before_first_dump;
	case SIM_UNHEARD:
	case SIM_MERGED:
		return now->ended_unseen + before->ended_unseen + now->counter_resets + before->counter_resets ||
			sim->overruns;
	default:
		return true;
	}
}

static inline void judge_end(struct sim *sim)
{
	judge(sim);
	for (int i = 0; i < SUMS; i++) {
		uint64_t truth, counted, allowed = 0;

		if (i % PER_SCOPE >= PER_HOST)
			continue;
		truth = over_hosts(&sim->k.truth, i);
		counted = over_hosts(&sim->counted, i);
		for (enum sim_loss why = 0; why < SIM_LOSSES; why++)
			allowed += is_declared(sim, why) ? over_hosts(&sim->k.loss[why], i) : 0;
		if (counted + allowed < truth)
			blame(sim, allowed ? "less than was lost" : "less than the truth", i, counted, truth - allowed);
		sim->k.tally[SIM_EXACT] += truth && !allowed;
	}
}
