/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each warning by its limit: the last value without it, and the first with it. */
#include "warnings.h"

#include "hostmeter/base/buf.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)

/* A meter that runs, with 20 flows, and nothing to warn of. */
static struct snapshot healthy(void)
{
	struct snapshot s = { .process = { .running = true, .reliable = true, .dump_interval_ns = 10 * S },
		.flows = 20,
		.ready = true,
		.now = 1040 * S,
		.last_dump_end = 1000 * S };

	for (enum source source = 0; source < SOURCE_COUNT; source++)
		s.source[source].up = true;
	return s;
}

/* The ids and counts, in order, each with a blank behind. */
static void check(const struct snapshot *snapshot, const char *expected)
{
	struct buf out = BUF_INIT;
	struct warning warning;

	for (size_t i = 0; warnings_next(snapshot, &i, &warning);) {
		assert_true(warning.text && *warning.text);
		buf_printf(&out, "%s %" PRIu64 " ", warning.id, warning.count);
	}
	assert_string_equal(buf_text(&out), expected);
	buf_free(&out);
}

static void a_healthy_meter_warns_of_nothing(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	check(&s, "");
}

static void sources_are_counted_together(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	s.source[SOURCE_NFLOG].up = s.source[SOURCE_RTNL].up = false;
	s.source[SOURCE_EVENTS].overruns = 3;
	s.source[SOURCE_DUMP].overruns = 4;
	check(&s, "source-down 2 overruns 7 ");
}

/* All flows without counters is another fault than some. */
static void flows_without_counters(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	s.flows_uncounted = 19;
	check(&s, "flows-without-counters 19 ");
	s.flows_uncounted = 20;
	check(&s, "accounting-off 20 ");
	s.flows = s.flows_uncounted = 0;
	check(&s, "");
}

static void first_packets_that_nobody_logs(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	s.stats.unsighted = 4;
	check(&s, "");
	s.stats.unsighted = 5;
	check(&s, "no-rules 5 ");
	s.source[SOURCE_NFLOG].up = false; /* rules would not help */
	check(&s, "source-down 1 ");
}

static void ends_are_reliable_only_while_the_meter_runs(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	s.process.reliable = false;
	check(&s, "unreliable-ends 1 ");
	s.ready = false;
	check(&s, "");
	s.ready = true;
	s.process.running = false; /* a replay */
	check(&s, "");
}

static void a_dump_is_late_after_three_intervals_and_ten_seconds(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	s.now++;
	check(&s, "stale-dump 1 ");
	s.process.dump_interval_ns++;
	check(&s, "");
	s.now += 1000 * S;
	s.process.running = false;
	check(&s, "");
	s.process.running = true;
	s.last_dump_end = 0; /* none yet */
	check(&s, "");
}

static void what_is_counted_is_warned_of(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	s.flows_offloaded = 1;
	s.process.checkpoint_failures = 2;
	s.stats.hosts_folded = UINT64_MAX;
	check(&s, "offloaded-flows 1 checkpoint-failed 2 hosts-folded 18446744073709551615 ");
	s.interfaces_missing = 3;
	s.process.waitings = 4;
	check(&s,
		"offloaded-flows 1 checkpoint-failed 2 interface-missing 3 listen-waiting 4 "
		"hosts-folded 18446744073709551615 ");
}

/* A few devices that only send are no flood, nor are many hosts of whom some never got a reply. */
static void hosts_that_somebody_makes_up(void **state)
{
	struct snapshot s = healthy();

	(void)state;
	s.places = (struct hosts_stats){ .taken = 199, .limit = 4096, .unanswered = 99 };
	check(&s, "");
	s.places.taken = 198;
	s.places.unanswered = 100;
	check(&s, "made-up-hosts 100 ");
	s.places = (struct hosts_stats){ .taken = 10, .limit = 10, .folded = 200, .folded_unanswered = 100 };
	check(&s, "");
	s.places.folded_unanswered = 101;
	check(&s, "made-up-hosts 101 ");
	s.places.unanswered = 6;
	check(&s, "made-up-hosts 107 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_healthy_meter_warns_of_nothing),
		cmocka_unit_test(sources_are_counted_together),
		cmocka_unit_test(flows_without_counters),
		cmocka_unit_test(first_packets_that_nobody_logs),
		cmocka_unit_test(ends_are_reliable_only_while_the_meter_runs),
		cmocka_unit_test(a_dump_is_late_after_three_intervals_and_ten_seconds),
		cmocka_unit_test(what_is_counted_is_warned_of),
		cmocka_unit_test(hosts_that_somebody_makes_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
