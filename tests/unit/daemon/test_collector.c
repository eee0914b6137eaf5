/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which source is opened when, and what is done and said when one fails; the sockets are fake, the meter is not. */
#include "collector.h"

#include "hostmeter/config/config.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/trace/trace.h"
#include "recorder.h"
#include "reliability.h"

#include "events.h"
#include "fake_meter.h"
#include "fake_nl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* --- Instead of reliability.c, which starts a process */

struct reliability *reliability_new(struct nl *nl, double fill_percent)
{
	(void)fill_percent;
	return (struct reliability *)nl;
}

void reliability_free(struct reliability *reliability)
{
	(void)reliability;
}

void reliability_opened(struct reliability *reliability)
{
	(void)reliability;
	fake_note("guard", "");
}

void reliability_closed(struct reliability *reliability)
{
	(void)reliability;
	fake_note("no-guard", "");
}

void reliability_tick(struct reliability *reliability)
{
	(void)reliability;
	fake_note("tick", "");
}

void reliability_describe(const struct reliability *reliability, struct snapshot_process *process)
{
	(void)reliability;
	process->reliable_losses = 5;
}

/* --- The collector */

static struct config config = { .nflog_group = 60, .dump_interval_ns = 10 * S, .dump_share = 100 };
static struct meter *meter;
static struct collector *collector;

static int begin(void **state)
{
	const struct meter_options options = { .hash = { { 1, 2 } }, .max_hosts = 10, .max_flows = 100 };

	if (scratch_enter(state))
		return -1;
	fake_meter_log(state);
	fake_begin();
	meter = meter_new(&options);
	collector = collector_new(&fake.loop, &config, meter, NULL, NULL);
	return meter && collector ? 0 : -1;
}

static int end(void **state)
{
	collector_free(collector);
	meter_free(meter);
	return scratch_leave(state);
}

/* All sources are open, the first dump is in; nothing is noted yet. */
static void run(void)
{
	assert_int_equal(collector_open_topology(collector), 0);
	assert_int_equal(collector_start(collector), 0);
	fake_done(SOURCE_DUMP, FAKE_CT_SEQ);
	buf_reset(&fake.calls);
}

/* The log has this line as its last. */
static void check_log(void **state, const char *expected)
{
	const char *text = scratch_read(state, "log"), *at = text;

	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		at = line;
	assert_string_equal(at, expected);
}

static struct snapshot look(void)
{
	struct snapshot s;

	assert_int_equal(meter_snapshot(meter, &s, fake.loop.now), 0);
	return s;
}

static void sources_are_opened_in_order(void **state)
{
	struct snapshot s;

	assert_int_equal(collector_open_topology(collector), 0);
	fake_check("open-rtnetlink dump-network ");
	assert_int_equal(collector_start(collector), 0);
	fake_check("open-events guard open-dump open-nflog dump-links drain-rtnetlink dump-flows ");
	check_log(state, "");
	s = look();
	for (enum source source = 0; source < SOURCE_COUNT; source++) {
		assert_true(s.source[source].up);
		assert_int_equal(s.source[source].receive_buffer, 100 + source);
	}
	snapshot_clear(&s);
}

static void without_rtnetlink_nothing_is_dumped(void **state)
{
	(void)state;
	fake.fails[SOURCE_RTNL] = -EPERM;
	assert_int_equal(collector_open_topology(collector), -EPERM);
	fake_check("open-rtnetlink ");
}

static void without_connection_tracking_it_does_not_start(void **state)
{
	fake.fails[SOURCE_EVENTS] = -EPROTONOSUPPORT;
	assert_int_equal(collector_start(collector), -EPROTONOSUPPORT);
	fake_check("open-events ");
	check_log(state, "hostmeter: error: connection tracking: this kernel has none (nf_conntrack_netlink)\n");
	fake.fails[SOURCE_EVENTS] = 0;
	fake.fails[SOURCE_DUMP] = -EPERM;
	assert_int_equal(collector_start(collector), -EPERM);
	fake_check("open-events guard open-dump ");
	check_log(state, "hostmeter: error: connection tracking: Operation not permitted\n");
}

static void a_taken_nflog_group_is_tried_again(void **state)
{
	static const char line[] = "hostmeter: warning: NFLOG group 60 is taken by another process (--nflog-group): "
				   "hosts are told apart by the neighbour table alone\n";

	fake.fails[SOURCE_NFLOG] = -EPERM;
	run();
	assert_string_equal(scratch_read(state, "log"), line);
	fake.loop.timer[0]->due = 0; /* no dumps in between */
	fake_advance(10 * S - 1);
	fake_check("");
	fake_advance(1);
	fake_check("open-nflog ");
	fake.fails[SOURCE_NFLOG] = 0;
	fake_advance(10 * S);
	fake_check("open-nflog ");
	fake_advance(100 * S);
	fake_check("");
	assert_string_equal(scratch_read(state, "log"), line); /* said once */
}

static void another_fault_of_nflog_is_named(void **state)
{
	fake.fails[SOURCE_NFLOG] = -EPROTONOSUPPORT;
	run();
	check_log(state,
		"hostmeter: warning: NFLOG group 60: Protocol not supported: hosts are told apart by the neighbour "
		"table alone\n");
}

static void a_lost_source_is_opened_again(void **state)
{
	static const struct {
		enum source source;
		const char *at_once, *later;
	} rows[] = {
		{ SOURCE_EVENTS, "no-guard ", "open-events guard dump-links drain-rtnetlink dump-flows " },
		{ SOURCE_DUMP, "", "open-dump dump-links drain-rtnetlink dump-flows " },
		{ SOURCE_NFLOG, "", "open-nflog " },
		{ SOURCE_RTNL, "", "open-rtnetlink dump-network " },
	};
	char expected[128];

	run();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct snapshot s;

		fake_failed(rows[i].source, -EIO);
		fake_check(rows[i].at_once);
		snprintf(expected, sizeof(expected),
			"hostmeter: warning: source %s failed: Input/output error: opened again in 10 s\n",
			source_name(rows[i].source));
		check_log(state, expected);
		s = look();
		assert_false(s.source[rows[i].source].up);
		snapshot_clear(&s);
		fake.loop.timer[0]->due = 0; /* no dumps in between */
		fake_advance(10 * S - 1);
		fake_check("");
		fake_advance(1);
		fake_check(rows[i].later);
		s = look();
		assert_true(s.source[rows[i].source].up);
		snapshot_clear(&s);
		if (fake.dumping[SOURCE_DUMP])
			fake_done(SOURCE_DUMP, FAKE_CT_SEQ);
	}
	fake_failed(SOURCE_RTNL, -EBADF);
	check_log(state, expected); /* not more than once in ten minutes for each source */
}

/* Before each dump, and once after the first complete one (wan.h). */
static void links_are_read_before_what_flows_have(void **state)
{
	(void)state;
	assert_int_equal(collector_open_topology(collector), 0);
	assert_int_equal(collector_start(collector), 0);
	fake_check("open-rtnetlink dump-network open-events guard open-dump open-nflog dump-links drain-rtnetlink "
		   "dump-flows ");
	fake_overrun(SOURCE_DUMP);
	fake_check("");
	fake_advance(10 * S);
	fake_check("dump-links drain-rtnetlink dump-flows ");
	fake_done(SOURCE_DUMP, FAKE_CT_SEQ);
	fake_check("dump-links ");
	fake_advance(10 * S);
	fake_done(SOURCE_DUMP, FAKE_CT_SEQ);
	fake_check("dump-links drain-rtnetlink dump-flows ");
}

static void a_dump_ends_with_its_socket(void **state)
{
	struct snapshot s;

	(void)state;
	run();
	fake_advance(10 * S);
	fake_check("dump-links drain-rtnetlink dump-flows ");
	fake_failed(SOURCE_DUMP, -EIO);
	s = look();
	assert_int_equal(s.stats.dumps, 2);
	assert_int_equal(s.stats.dumps_incomplete, 1);
	snapshot_clear(&s);
}

static void before_the_start_only_the_topology_is_opened_again(void **state)
{
	(void)state;
	assert_int_equal(collector_open_topology(collector), 0);
	fake_failed(SOURCE_RTNL, -EIO);
	fake.fails[SOURCE_RTNL] = -EIO;
	buf_reset(&fake.calls);
	fake_advance(10 * S);
	fake_check("open-rtnetlink ");
	fake.fails[SOURCE_RTNL] = 0;
	fake_advance(10 * S);
	fake_check("open-rtnetlink dump-network ");
}

static void an_overrun_is_made_good(void **state)
{
	struct snapshot s;

	run();
	fake_overrun(SOURCE_NFLOG);
	fake_check("");
	check_log(state,
		"hostmeter: warning: the kernel dropped messages of source nflog, which were not read in time "
		"(hostmeter_overruns_total)\n");
	fake_overrun(SOURCE_RTNL);
	fake_check("dump-network ");
	/* The last dump began now: the next comes after a second instead of ten. */
	fake_overrun(SOURCE_EVENTS);
	fake_advance(S - 1);
	fake_check("");
	fake_advance(1);
	fake_check("dump-links drain-rtnetlink dump-flows ");
	fake_overrun(SOURCE_DUMP); /* what it did not list is not gone */
	s = look();
	for (enum source source = 0; source < SOURCE_COUNT; source++)
		assert_int_equal(s.source[source].overruns, 1);
	assert_int_equal(s.stats.dumps, 2);
	assert_int_equal(s.stats.dumps_incomplete, 1);
	snapshot_clear(&s);
}

static void a_replay_sees_overruns_and_requests(void **state)
{
	static const uint16_t types[] = { NLMSG_OVERRUN, RTM_GETLINK, NLMSG_DONE };
	const char *path = scratch_path(state, "trace");
	struct trace_reader *reader;
	struct trace_datagram datagram;

	run();
	assert_int_equal(recorder_open_file(collector_recorder(collector), path), 0);
	fake_overrun(SOURCE_RTNL);
	fake_done(SOURCE_RTNL, 2);
	collector_free(collector);
	collector = NULL;
	assert_int_equal(trace_open(&reader, path), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(trace_read(reader, &datagram), 1);
		assert_int_equal(((const struct nlmsghdr *)datagram.data)->nlmsg_type, types[i]);
		assert_int_equal(datagram.protocol, NETLINK_ROUTE);
		assert_int_equal(datagram.outgoing, i == 1);
	}
	assert_int_equal(trace_read(reader, &datagram), 0);
	trace_reader_free(reader);
}

static void offloaded_flows_are_warned_of_once(void **state)
{
	static const char line[] =
		"hostmeter: warning: connections are offloaded (flowtable or hardware): their counts may lag, and "
		"their last bytes be lost; a flowtable counts only with its counter flag\n";
	struct ct_event event = event_flow("192.168.1.10", SERVER4);
	union message m;

	event.status = 1 << 14;
	run();
	for (int i = 0; i < 2; i++) {
		fake_advance(10 * S);
		fake_receive(SOURCE_DUMP, build_ct(&m, &event, 0));
		assert_string_equal(scratch_read(state, "log"), i ? line : "");
		fake_done(SOURCE_DUMP, FAKE_CT_SEQ);
		assert_string_equal(scratch_read(state, "log"), line);
	}
}

static void the_end_is_one_more_dump(void **state)
{
	(void)state;
	run();
	collector_stop(collector);
	fake_check("dump-links drain-rtnetlink dump-flows ");
	assert_false(fake.loop.stopped);
	fake_done(SOURCE_DUMP, FAKE_CT_SEQ);
	assert_true(fake.loop.stopped);
	assert_true(collector_drain(collector));
	fake_check("drain-nflog drain-events ");
}

static void without_a_start_the_end_is_at_once(void **state)
{
	(void)state;
	collector_stop(collector);
	assert_true(fake.loop.stopped);
	assert_false(collector_drain(collector));
	fake_check("");
}

static void it_describes_itself(void **state)
{
	struct snapshot_process process = { 0 };

	(void)state;
	run();
	collector_tick(collector);
	fake_check("tick ");
	collector_describe(collector, &process);
	assert_int_equal(process.nflog_group, 60);
	assert_int_equal(process.dump_interval_ns, 10 * S);
	assert_int_equal(process.reliable_losses, 5);
	for (enum source source = 0; source < SOURCE_COUNT; source++)
		assert_int_equal(process.receive_buffer_asked[source], 200 + source);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sources_are_opened_in_order),
		TEST(without_rtnetlink_nothing_is_dumped),
		TEST(without_connection_tracking_it_does_not_start),
		TEST(a_taken_nflog_group_is_tried_again),
		TEST(another_fault_of_nflog_is_named),
		TEST(a_lost_source_is_opened_again),
		TEST(links_are_read_before_what_flows_have),
		TEST(a_dump_ends_with_its_socket),
		TEST(before_the_start_only_the_topology_is_opened_again),
		TEST(an_overrun_is_made_good),
		TEST(a_replay_sees_overruns_and_requests),
		TEST(offloaded_flows_are_warned_of_once),
		TEST(the_end_is_one_more_dump),
		TEST(without_a_start_the_end_is_at_once),
		TEST(it_describes_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
