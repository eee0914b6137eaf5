/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dump_schedule.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/meter/dispatch.h"
#include "hostmeter/meter/meter.h"

#include "netlink_build.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

#define S CLOCK_NS_PER_S
#define MS CLOCK_NS_PER_MS
#define NEVER UINT64_MAX

/* The rest of a meter: requests go to the dispatcher, as nl sends them; ends come from it. */
struct world {
	struct meter *meter;
	struct dispatch *dispatch;
	struct dump_schedule *schedule;
	uint64_t now;
	uint64_t wake; /* the latest delay; NEVER: none since it was looked at */
	int error;     /* of a request */
	int requests, finished;
};

static uint64_t cpu; /* of this process */

static void message(struct world *w, uint16_t type, bool outgoing)
{
	const struct rtgenmsg fixed = { 0 };
	union message m;

	build_start(&m, type, &fixed, sizeof(fixed));
	m.head.nlmsg_seq = 9;
	m.head.nlmsg_flags = outgoing ? NLM_F_REQUEST | NLM_F_DUMP : NLM_F_MULTI;
	dispatch_datagram(w->dispatch, NETLINK_NETFILTER, outgoing, &m, NLMSG_ALIGN(m.head.nlmsg_len), w->now);
}

static int request(void *ctx)
{
	struct world *w = ctx;

	if (w->error)
		return w->error;
	w->requests++;
	message(w, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, true);
	return 0;
}

static void wake(void *ctx, uint64_t delay_ns)
{
	struct world *w = ctx;

	w->wake = delay_ns;
}

static uint64_t cpu_ns(void)
{
	return cpu;
}

static void finished(void *ctx)
{
	struct world *w = ctx;

	w->finished++;
}

static struct world *world_new(double share)
{
	const struct meter_options options = { .hash = { { 1, 2 } }, .max_hosts = 10, .max_flows = 10 };
	struct world *w = calloc(1, sizeof(*w));
	const struct dump_schedule_calls calls = { w, request, wake, cpu_ns, finished };

	assert_non_null(w);
	w->wake = NEVER;
	w->meter = meter_new(&options);
	w->dispatch = dispatch_new(w->meter);
	w->schedule = dump_schedule_new(w->dispatch, &calls, 10 * S, share);
	assert_non_null(w->schedule);
	return w;
}

static int setup(void **state)
{
	*state = world_new(5);
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	dispatch_free(w->dispatch);
	dump_schedule_free(w->schedule);
	meter_free(w->meter);
	free(w);
	return 0;
}

/* The dump that runs ends at that time, and has cost so much in all. */
static void end(struct world *w, uint64_t now, uint64_t cost)
{
	w->now = now;
	cpu += cost;
	message(w, NLMSG_DONE, false);
}

static void start(struct world *w, uint64_t now)
{
	w->now = now;
	dump_schedule_start(w->schedule, now);
}

static uint64_t take_wake(struct world *w)
{
	uint64_t delay = w->wake;

	w->wake = NEVER;
	return delay;
}

/* --- When the next is due */

static uint64_t delay_after(uint64_t cost, uint64_t ended)
{
	void *state = world_new(5);
	struct world *w = state;
	uint64_t delay;

	start(w, 100 * S);
	end(w, ended, cost);
	delay = take_wake(w);
	teardown(&state);
	return delay;
}

static void test_a_cheap_dump_keeps_the_interval(void **state)
{
	struct world *w = *state;

	start(w, 100 * S);
	assert_int_equal(w->requests, 1); /* the first is due at once */
	assert_int_equal(take_wake(w), NEVER);
	end(w, 100 * S, 10 * MS);
	assert_int_equal(dump_schedule_cost(w->schedule), 10 * MS);
	assert_int_equal(dump_schedule_interval(w->schedule, 100 * S), 10 * S);
	assert_int_equal(take_wake(w), 10 * S);
	assert_int_equal(delay_after(10 * MS, 103 * S), 7 * S);
	assert_int_equal(delay_after(10 * MS, 110 * S), 0);
	assert_int_equal(delay_after(10 * MS, 200 * S), 0);
}

/* 2 s of CPU at 5 % of a core: every 40 s, not more often. */
static void test_a_dear_dump_stretches_it(void **state)
{
	struct world *w = *state, *other = world_new(20);
	void *others = other;

	start(w, 100 * S);
	end(w, 130 * S, 2 * S);
	assert_int_equal(dump_schedule_interval(w->schedule, 100 * S), 40 * S);
	assert_int_equal(take_wake(w), 10 * S);
	start(other, 100 * S);
	end(other, 130 * S, 2 * S);
	assert_int_equal(dump_schedule_interval(other->schedule, 100 * S), 10 * S);
	teardown(&others);
}

static void dumped(struct world *w, uint64_t cost)
{
	start(w, 100 * S);
	end(w, 100 * S, cost);
}

static void test_a_watcher_makes_it_shorter_for_a_while(void **state)
{
	struct world *w = *state;

	dumped(w, 10 * MS);
	dump_schedule_watch(w->schedule, 2 * S, 101 * S, 105 * S);
	assert_int_equal(take_wake(w), 1 * S);
	assert_int_equal(dump_schedule_interval(w->schedule, 105 * S), 10 * S); /* nobody looks any more */
}

static void test_not_more_often_than_once_a_second(void **state)
{
	struct world *w = *state;

	dumped(w, 1 * MS);
	dump_schedule_watch(w->schedule, 10 * MS, 101 * S, 200 * S);
	assert_int_equal(dump_schedule_interval(w->schedule, 101 * S), 1 * S);
}

static void test_no_watcher_breaks_the_share(void **state)
{
	struct world *w = *state;

	dumped(w, 200 * MS);
	dump_schedule_watch(w->schedule, 1 * S, 101 * S, 200 * S);
	assert_int_equal(dump_schedule_interval(w->schedule, 101 * S), 4 * S);
}

static void test_a_slow_watcher_does_not_slow_down_others(void **state)
{
	struct world *w = *state;

	dumped(w, 1 * MS);
	dump_schedule_watch(w->schedule, 60 * S, 101 * S, 200 * S);
	assert_int_equal(dump_schedule_interval(w->schedule, 101 * S), 10 * S);
	dump_schedule_watch(w->schedule, 2 * S, 101 * S, 200 * S);
	dump_schedule_watch(w->schedule, 5 * S, 101 * S, 190 * S);
	assert_int_equal(dump_schedule_interval(w->schedule, 101 * S), 2 * S);
}

/* --- From one to the next */

static void test_one_dump_follows_the_other(void **state)
{
	struct world *w = *state;

	dump_schedule_due(w->schedule, 90 * S); /* nothing before the start */
	assert_int_equal(dump_schedule_now(w->schedule, 90 * S), -EBUSY);
	assert_int_equal(w->requests, 0);
	start(w, 100 * S);
	start(w, 101 * S); /* once */
	dump_schedule_due(w->schedule, 102 * S);
	assert_int_equal(dump_schedule_now(w->schedule, 102 * S), -EBUSY);
	assert_int_equal(w->requests, 1);
	end(w, 103 * S, MS);
	dump_schedule_due(w->schedule, 110 * S);
	assert_int_equal(w->requests, 2);
	end(w, 111 * S, MS);
	assert_int_equal(take_wake(w), 9 * S);
	assert_int_equal(dump_schedule_now(w->schedule, 112 * S), 0);
	assert_int_equal(w->requests, 3);
}

/* An overrun, or the loss of the socket: the next one comes in its time. */
static void test_a_dump_that_is_broken_off_is_over(void **state)
{
	struct world *w = *state;

	start(w, 100 * S);
	dispatch_dump_aborted(w->dispatch, 104 * S);
	assert_int_equal(take_wake(w), 6 * S);
	dump_schedule_due(w->schedule, 110 * S);
	assert_int_equal(w->requests, 2);
}

/* nl repeats a dump that the kernel says was interrupted: all of it is one dump to pay for. */
static void test_a_repeated_dump_costs_all_its_time(void **state)
{
	struct world *w = *state;

	start(w, 100 * S);
	end(w, 101 * S, 300 * MS);
	message(w, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, true);
	take_wake(w);
	dump_schedule_due(w->schedule, 110 * S);
	assert_int_equal(w->requests, 1);
	end(w, 112 * S, 300 * MS);
	assert_int_equal(dump_schedule_cost(w->schedule), 600 * MS);
	assert_int_equal(take_wake(w), 0);
}

static void test_a_request_that_fails_is_made_again(void **state)
{
	struct world *w = *state;

	w->error = -ENOTCONN;
	start(w, 100 * S);
	assert_int_equal(take_wake(w), 10 * S);
	assert_int_equal(dump_schedule_now(w->schedule, 105 * S), -ENOTCONN);
	w->error = 0;
	dump_schedule_due(w->schedule, 115 * S);
	assert_int_equal(w->requests, 1);
}

static void test_who_asks_once_gets_one_soon(void **state)
{
	struct world *w = *state;

	dump_schedule_ask(w->schedule, 99 * S);
	start(w, 100 * S);
	dump_schedule_ask(w->schedule, 100 * S); /* one runs */
	assert_int_equal(take_wake(w), NEVER);
	end(w, 100 * S + 100 * MS, MS);
	assert_int_equal(take_wake(w), 9 * S + 900 * MS);
	dump_schedule_ask(w->schedule, 100 * S + 200 * MS);
	assert_int_equal(take_wake(w), 800 * MS);
	assert_int_equal(dump_schedule_interval(w->schedule, 100 * S + 300 * MS), 10 * S);
}

static void test_who_waits_gets_one_as_soon_as_the_share_allows(void **state)
{
	struct world *w = *state;

	assert_false(dump_schedule_refresh(w->schedule, 0, S, 99 * S));
	dumped(w, MS);
	take_wake(w);
	assert_true(dump_schedule_refresh(w->schedule, 0, S, 100 * S + 100 * MS));
	assert_int_equal(take_wake(w), 150 * MS);
	assert_int_equal(dump_schedule_interval(w->schedule, 100 * S + 100 * MS), 10 * S);
	dump_schedule_due(w->schedule, 100 * S + 250 * MS);
	assert_int_equal(w->requests, 2);
	/* Who asks meanwhile waits for the next, which costs 2 s of the share. */
	assert_true(dump_schedule_refresh(w->schedule, 0, S, 100 * S + 251 * MS));
	assert_int_equal(w->requests, 2);
	end(w, 100 * S + 300 * MS, 100 * MS);
	assert_int_equal(take_wake(w), 1950 * MS);
	/* Who asks then does not: it takes longer than he waits. The plan stays. */
	assert_false(dump_schedule_refresh(w->schedule, 0, S, 100 * S + 400 * MS));
	assert_int_equal(take_wake(w), NEVER);
	assert_true(dump_schedule_refresh(w->schedule, 0, S, 101 * S + 300 * MS));
	assert_int_equal(take_wake(w), 950 * MS);
	dump_schedule_due(w->schedule, 102 * S + 250 * MS);
	end(w, 102 * S + 260 * MS, 2 * MS);
	assert_int_equal(take_wake(w), 9990 * MS);
}

/* The first packets of what there is now are to come before; a dump that its interval brings earlier does not do. */
static void test_who_waits_says_from_when(void **state)
{
	struct world *w = *state;

	dumped(w, MS);
	assert_true(dump_schedule_refresh(w->schedule, 150 * MS, S, 105 * S));
	assert_int_equal(take_wake(w), 150 * MS);
	assert_true(dump_schedule_refresh(w->schedule, 150 * MS, S, 105 * S + 60 * MS)); /* the first is first */
	assert_int_equal(take_wake(w), 90 * MS);
	dump_schedule_due(w->schedule, 105 * S + 150 * MS);
	end(w, 105 * S + 160 * MS, MS);
	assert_int_equal(take_wake(w), 9990 * MS);
	assert_true(dump_schedule_refresh(w->schedule, 150 * MS, S, 115 * S + 100 * MS));
	dump_schedule_due(w->schedule, 115 * S + 150 * MS);
	end(w, 115 * S + 160 * MS, MS);
	assert_int_equal(take_wake(w), 240 * MS);
	assert_false(dump_schedule_refresh(w->schedule, 150 * MS, 100 * MS, 200 * S));
}

/* A question every 15 s at 0.4 s of CPU each, 200,000 flows: never more than 5 % of a core. */
static void test_who_waits_never_breaks_the_share(void **state)
{
	struct world *w = *state;
	uint64_t now = 100 * S, due, begin = now, spent = 400 * MS;

	start(w, now);
	end(w, now, 400 * MS);
	due = now + take_wake(w);
	for (uint64_t asked = 103 * S; asked < 1000 * S; asked += 15 * S) {
		while (due <= asked) {
			now = due;
			w->now = now;
			dump_schedule_due(w->schedule, now);
			end(w, now, 400 * MS);
			spent += 400 * MS;
			due = now + take_wake(w);
		}
		if (dump_schedule_refresh(w->schedule, 0, S / 2, asked))
			due = asked + take_wake(w);
		assert_true(spent * 20 <= asked - begin + 8 * S);
	}
	assert_true(w->requests > 60); /* and more often than every 15 s */
}

/* --- The end */

static void test_the_end_waits_for_one_more_dump(void **state)
{
	struct world *w = *state;

	dumped(w, MS);
	dump_schedule_finish(w->schedule);
	assert_int_equal(w->requests, 2);
	assert_int_equal(take_wake(w), 2 * S);
	assert_int_equal(w->finished, 0);
	dump_schedule_watch(w->schedule, S, 101 * S, 200 * S);
	assert_int_equal(dump_schedule_now(w->schedule, 101 * S), -EBUSY);
	end(w, 101 * S, MS);
	assert_int_equal(w->finished, 1);
	assert_int_equal(take_wake(w), NEVER);
	assert_int_equal(w->requests, 2);
}

static void test_the_end_takes_the_dump_that_runs(void **state)
{
	struct world *w = *state;

	start(w, 100 * S);
	dump_schedule_finish(w->schedule);
	assert_int_equal(w->requests, 1);
	end(w, 101 * S, MS);
	assert_int_equal(w->finished, 1);
}

static void test_the_end_does_not_wait_for_ever(void **state)
{
	struct world *w = *state;

	start(w, 100 * S);
	dump_schedule_finish(w->schedule);
	dump_schedule_due(w->schedule, 102 * S);
	assert_int_equal(w->finished, 1);
}

static void test_the_end_is_at_once_without_a_dump(void **state)
{
	struct world *w = *state, *other = world_new(5);
	void *others = other;

	dump_schedule_finish(w->schedule); /* nothing was started */
	assert_int_equal(w->finished, 1);
	dumped(other, MS);
	other->error = -ENOTCONN;
	dump_schedule_finish(other->schedule);
	assert_int_equal(other->finished, 1);
	teardown(&others);
}

static void test_the_second_time_it_ends_at_once(void **state)
{
	struct world *w = *state;

	start(w, 100 * S);
	dump_schedule_finish(w->schedule);
	dump_schedule_finish(w->schedule);
	assert_int_equal(w->finished, 1);
}

static void test_another_interval_counts_at_once(void **state)
{
	struct world *w = *state;

	start(w, 100 * S);
	end(w, 100 * S, S / 100);
	assert_int_equal(take_wake(w), 10 * S);
	dump_schedule_configure(w->schedule, 3 * S, 5, 101 * S);
	assert_int_equal(take_wake(w), 2 * S);
	assert_int_equal(dump_schedule_interval(w->schedule, 101 * S), 3 * S);
	/* A hundredth of a second of CPU in a tenth of a per cent. */
	dump_schedule_configure(w->schedule, 3 * S, 0.1, 101 * S);
	assert_int_equal(take_wake(w), 9 * S);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_cheap_dump_keeps_the_interval),
		TEST(test_a_dear_dump_stretches_it),
		TEST(test_a_watcher_makes_it_shorter_for_a_while),
		TEST(test_not_more_often_than_once_a_second),
		TEST(test_no_watcher_breaks_the_share),
		TEST(test_a_slow_watcher_does_not_slow_down_others),
		TEST(test_another_interval_counts_at_once),
		TEST(test_one_dump_follows_the_other),
		TEST(test_a_dump_that_is_broken_off_is_over),
		TEST(test_a_repeated_dump_costs_all_its_time),
		TEST(test_a_request_that_fails_is_made_again),
		TEST(test_who_asks_once_gets_one_soon),
		TEST(test_who_waits_gets_one_as_soon_as_the_share_allows),
		TEST(test_who_waits_says_from_when),
		TEST(test_who_waits_never_breaks_the_share),
		TEST(test_the_end_waits_for_one_more_dump),
		TEST(test_the_end_takes_the_dump_that_runs),
		TEST(test_the_end_does_not_wait_for_ever),
		TEST(test_the_end_is_at_once_without_a_dump),
		TEST(test_the_second_time_it_ends_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
