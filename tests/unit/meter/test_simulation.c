/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The meter against a conntrack that knows the truth (sim_kernel.h), for a million random steps over many seeds.
 *
 * After every step, for each host, family and direction, bytes and packets alike: counted <= true, and counted never
 * falls, nor does what was shown fall with a restart. At the end, when all has been told: counted = true, but for what
 * cannot be known; each such loss must be declared by the meter in its own statistics and is bounded by what the
 * simulation knows was lost that way.
 *
 * HM_SIM_STEPS sets the number of steps. HM_SIM_SEED runs one seed alone and tells each step on standard error.
 */
#include "state.h"

#include "sim_meter.h"

enum { STEPS_PER_SEED = 4000, ENOUGH_STEPS = 100000 };

/* --- Steps */

static void disturb(struct sim *sim)
{
	struct sim_kernel *k = &sim->k;
	const struct sim_traits *t = &k->traits;
	int address = (int)sim_random(k, SIM_LAN_HOSTS), other = (int)sim_random(k, SIM_LAN_HOSTS);

	/*
	 * Not before a meter knows its flows: the rules see a zeroed flow's next packet as its first, and so it would
	 * look young.
	 */
	if (sim->kept.count && sim_chance(k, t->zeroing)) {
		tell(sim, "somebody zeroes");
		sim_zero(k);
	}
	if (sim_chance(k, t->stuck * (k->other_stuck ? 5 : 1)))
		k->other_stuck = !k->other_stuck;
	/* Not before the first dump: an end that is told after it is taken for that of a young flow. */
	k->crowded = t->crowded && sim->meter && sim->ready && k->now > sim->ready_at + 2 * S;
	if (sim_chance(k, t->unreliable))
		k->reliable = !k->reliable;
	if (t->moves && sim_chance(k, 50)) {
		int host = k->owner[address];

		k->owner[address] = k->owner[other];
		k->owner[other] = host;
		if (sim->meter) {
			tell_neighbour(sim, address);
			tell_neighbour(sim, other);
		}
	}
	if (sim_chance(k, t->forgetting)) {
		sim->gone[address] = !sim->gone[address];
		if (sim->meter)
			tell_neighbour(sim, address);
	}
}

static void live_or_die(struct sim *sim)
{
	struct sim_kernel *k = &sim->k;
	bool dying = false;

	if (!sim->meter) {
		if (sim_chance(k, 500))
			start_meter(sim);
		return;
	}
	if (!sim_chance(k, k->traits.killing))
		return;
	if (k->traits.gentle) {
		journal(sim);
		for (int i = 0; i < SIM_CONNS; i++)
			dying |= k->conn[i].state == SIM_DYING;
		if (k->ends || dying)
			return;
	} else if (sim_chance(k, 2000)) {
		tell(sim, "asked to end");
		while (k->events)
			read_events(sim, UINT64_MAX);
		meter_dump_end(sim->meter, false, k->now); /* the one in the air, if any, is given up */
		meter_settle(sim->meter, k->now);
		judge(sim);
		journal(sim);
		sim->saving = false;
		begin_checkpoint(sim);
		while (sim->saving)
			step_checkpoint(sim);
		show(sim);
	}
	kill_meter(sim);
}

static void pass_time(struct sim *sim)
{
	struct sim_kernel *k = &sim->k;
	uint64_t by = 1 + sim_random(k, 20 * MS);

	if (k->now > sim->ready_at + 2 * S && sim_chance(k, k->traits.jumping))
		by = sim_random(k, sim_chance(k, 500) ? 70 * S : 6 * S);
	k->now += by;
	k->real += by;
	if (by > S)
		tell(sim, "the clock jumps by %.3f s", (double)by / 1e9);
	for (int i = 0; by > S && i < 20; i++) { /* time for the kernel to repeat itself */
		sim_traffic(k);
		sim_death(k, &k->conn[sim_random(k, SIM_CONNS)]);
		sim_work(k);
		for (int j = 0; j < SIM_CONNS; j++)
			k->conn[j].until = k->now;
	}
	sim_work(k);
}

static void read_something(struct sim *sim)
{
	struct sim_kernel *k = &sim->k;

	switch (sim_random(k, 8)) {
	case 0:
	case 1:
		read_events(sim, 1 + sim_random(k, 12));
		break;
	case 2:
	case 3:
		read_sighting(sim);
		break;
	case 4:
	case 5:
		if (sim->dumping || k->now >= sim->dump_began + S) /* as pace.c */
			read_dump(sim);
		break;
	case 6:
		turn(sim);
		break;
	default:
		if (sim_chance(k, 1000))
			show(sim);
	}
}

static void step(struct sim *sim)
{
	struct sim_kernel *k = &sim->k;
	bool tick_first = sim_random(k, 2);

	sim->steps++;
	pass_time(sim);
	live_or_die(sim);
	disturb(sim);
	if (sim->meter && tick_first && k->now >= sim->next_tick)
		tick(sim);
	sim_traffic(k);
	if (sim_chance(k, 700))
		sim_birth(k, sim->tells);
	if (sim_chance(k, 1200))
		sim_death(k, &k->conn[sim_random(k, SIM_CONNS)]);
	if (!sim->meter)
		return;
	if ((sim->ready || sim->restored) && sim_chance(k, k->traits.flood))
		flood(sim);
	read_something(sim);
	if (k->now >= sim->next_tick)
		tick(sim);
	judge(sim);
}

/* Everything is told and read, whatever is gone is missed long enough, all waits are over. */
static void come_to_rest(struct sim *sim)
{
	struct sim_kernel *k = &sim->k;

	if (!sim->meter)
		start_meter(sim);
	k->other_stuck = k->crowded = false;
	k->traits.missing = k->traits.aborting = 0;
	for (int i = 0; i < SIM_CONNS; i += 2)
		sim_death(k, &k->conn[i]);
	for (int dump = 0; dump < 6; dump++) {
		for (int second = 0; second < 20; second++) {
			k->now += S;
			k->real += S;
			sim_work(k);
			while (k->firsts)
				read_sighting(sim);
			read_events(sim, UINT64_MAX);
			tick(sim);
			turn(sim);
			judge(sim);
		}
		do
			read_dump(sim);
		while (sim->dumping);
		judge(sim);
	}
	meter_settle(sim->meter, k->now);
	assert_int_equal(sim->meter->waiting.bytes + sim->meter->waiting.packets, 0);
	judge_end(sim);
	sim->k.tally[SIM_LEFT] += sim->left;
}

static struct sim_traits pick_traits(uint64_t seed)
{
	struct sim_kernel dice = { .random = seed * UINT64_C(0xd1342543de82ef95) + 7 };
	struct sim_traits traits = { .aborting = 100 };

	for (int i = 0; i < 8; i++)
		sim_random(&dice, 2);
	traits.timestamps = sim_chance(&dice, 2000);
	traits.nflog = sim_chance(&dice, 9000);
	traits.old_flows = sim_chance(&dice, 6000);
	traits.sighting_lost = sim_chance(&dice, 4000) ? 2000 : 0;
	traits.silent_births = sim_chance(&dice, 2000);
	traits.moves = sim_chance(&dice, 1000);
	traits.gentle = sim_chance(&dice, 4000);
	traits.killing = sim_chance(&dice, 5000) ? 20 : 0;
	traits.zeroing = sim_chance(&dice, 1500) ? 10 : 0;
	traits.unreliable = sim_chance(&dice, 2500) ? 20 : 0;
	traits.stuck = sim_chance(&dice, 4000) ? 10 : 0;
	traits.missing = sim_chance(&dice, 2000) ? 50 : 0;
	traits.jumping = sim_chance(&dice, 5000) ? 20 : 0;
	traits.forgetting = sim_chance(&dice, 2000) ? 20 : 0;
	traits.crowded = sim_chance(&dice, 2500) ? 9990 : 0;
	if (traits.crowded)
		traits.jumping = 50;
	traits.flood = sim_chance(&dice, 2500) ? 300 : 0;
	return traits;
}

static void run_seed(struct sim *sim, uint64_t seed, uint64_t steps, bool tells)
{
	struct sim_traits traits = pick_traits(seed);

	memset(sim, 0, sizeof(*sim));
	sim->seed = seed;
	sim->tells = tells;
	sim_start(&sim->k, seed, &traits);
	for (uint64_t i = traits.old_flows ? sim_random(&sim->k, 200) : 0; i; i--) {
		pass_time(sim);
		sim_birth(&sim->k, sim->tells);
		sim_traffic(&sim->k);
	}
	pass_time(sim);
	start_meter(sim);
	while (!traits.old_flows && !sim->ready) {
		sim->k.now += S;
		read_dump(sim);
	}
	while (steps--)
		step(sim);
	come_to_rest(sim);
	meter_free(sim->meter);
	file_free(&sim->kept);
	file_free(&sim->begun);
	sim_stop(&sim->k);
}

static uint64_t number_from(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : otherwise;
}

/* A simulation in which nothing goes wrong proves nothing. */
static void check_tally(const uint64_t tally[SIM_TALLIES])
{
	static const char *const names[SIM_TALLIES] = {
		"births",
		"births under the key of an unheard end",
		"repeated DESTROYs",
		"DESTROYs that found a full socket",
		"of these delivered a minute later",
		"ends not told",
		"dumps with an entry twice",
		"lines of dead entries",
		"zeroings",
		"restarts",
		"cold starts",
		"flows of made-up MACs",
		"hosts that lost their place",
		"sums that had to be exact",
	};

	for (int i = 0; i < SIM_TALLIES; i++) {
		print_message("%10" PRIu64 " %s\n", tally[i], names[i]);
		assert_int_not_equal(tally[i], 0);
	}
}

static void exactly_once(void **state)
{
	uint64_t steps = number_from("HM_SIM_STEPS", 1000000), only = number_from("HM_SIM_SEED", 0);
	uint64_t tally[SIM_TALLIES] = { 0 };
	struct sim *sim = malloc(sizeof(*sim));

	(void)state;
	assert_non_null(sim);
	for (uint64_t seed = only ? only : 1, done = 0; done < (only ? 1 : steps); seed++, done += STEPS_PER_SEED) {
		run_seed(sim, seed, STEPS_PER_SEED, only);
		for (int i = 0; i < SIM_TALLIES; i++)
			tally[i] += sim->k.tally[i];
	}
	free(sim);
	if (!only && steps >= ENOUGH_STEPS)
		check_tally(tally);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exactly_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
