/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recorder.h"

#include "hostmeter/http/server.h"
#include "hostmeter/trace/trace.h"

#include <errno.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* The rest of the meter: each request that is made is recorded at once, as nl does it. */
struct fixture {
	struct recorder *recorder;
	bool network_running;
	int flows_error;
	int network_dumps, flow_dumps, wakes;
	const void *woken;
	struct buf file; /* what a reader has read */
};

static void say(struct fixture *f, uint16_t protocol, bool outgoing, const char *text)
{
	const struct trace_datagram d = { 7, protocol, outgoing, text, strlen(text) };

	recorder_datagram(f->recorder, &d);
}

static int dump_network(void *ctx)
{
	struct fixture *f = ctx;

	f->network_dumps++;
	f->network_running = true;
	say(f, NETLINK_ROUTE, true, "network?");
	return 0;
}

static bool network_running(void *ctx)
{
	return ((struct fixture *)ctx)->network_running;
}

static int dump_flows(void *ctx)
{
	struct fixture *f = ctx;

	if (f->flows_error)
		return f->flows_error;
	f->flow_dumps++;
	recorder_dump_begins(f->recorder); /* as the dispatcher tells it */
	say(f, NETLINK_NETFILTER, true, "flows?");
	return 0;
}

static void wake(void *ctx, void *body)
{
	struct fixture *f = ctx;

	f->wakes++;
	f->woken = body;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	const struct recorder_calls calls = { f, dump_network, network_running, dump_flows, wake, f };

	f->recorder = recorder_new(&calls);
	*state = f;
	return f->recorder ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	buf_free(&f->file);
	recorder_free(f->recorder);
	free(f);
	return 0;
}

/* Reads what is there: 0 at the end of the recording, -EAGAIN if there is more to come. */
static long drain(struct fixture *f, struct http_shared *body)
{
	long got;

	do {
		char *room = buf_reserve(&f->file, 1000);

		got = body->read(body->ctx, f->file.len, room, 1000);
		if (got > 0)
			buf_commit(&f->file, (size_t)got);
	} while (got > 0);
	return got;
}

/* The texts of the datagrams that were read, in order, a space after each; a note in brackets. */
static void check_file(struct fixture *f, const char *expected)
{
	FILE *stream = fmemopen(f->file.data, f->file.len, "r");
	struct trace_reader *reader;
	struct trace_datagram d;
	struct buf seen = BUF_INIT;
	char note[100];
	int got;

	assert_int_equal(trace_open_stream(&reader, stream), 0);
	while ((got = trace_read(reader, &d)) == 1) {
		if (trace_is_note(&d, note, sizeof(note)))
			buf_printf(&seen, "[%s] ", note);
		else
			buf_printf(&seen, "%.*s ", (int)d.len, (const char *)d.data);
	}
	assert_int_equal(got, 0);
	assert_string_equal(buf_text(&seen), expected);
	buf_free(&seen);
	trace_reader_free(reader);
}

static void recording_begins_with_what_a_replay_needs(void **state)
{
	struct fixture *f = *state;
	struct http_shared body;

	assert_false(recorder_wanted(f->recorder));
	assert_int_equal(recorder_open(f->recorder, &body), 0);
	assert_true(body.live);
	assert_true(recorder_wanted(f->recorder));
	say(f, NETLINK_ROUTE, false, "early");
	f->network_running = true; /* another dump */
	recorder_tick(f->recorder);
	assert_int_equal(f->network_dumps, 0);
	f->network_running = false;
	recorder_tick(f->recorder);
	assert_int_equal(f->network_dumps, 1);
	say(f, NETLINK_ROUTE, false, "link");
	say(f, NETLINK_NETFILTER, false, "too-early");
	recorder_tick(f->recorder);
	assert_int_equal(f->flow_dumps, 0);
	f->network_running = false;
	f->flows_error = -EBUSY;
	recorder_tick(f->recorder);
	say(f, NETLINK_ROUTE, false, "neighbour");
	say(f, NETLINK_NETFILTER, false, "still-too-early");
	f->flows_error = 0;
	recorder_tick(f->recorder);
	say(f, NETLINK_NETFILTER, false, "flow");
	say(f, NETLINK_ROUTE, false, "route");
	recorder_tick(f->recorder);
	assert_int_equal(f->network_dumps, 1);
	assert_int_equal(f->flow_dumps, 1);
	assert_int_equal(drain(f, &body), -EAGAIN);
	check_file(f, "network? link neighbour flows? flow route ");

	f->wakes = 0;
	say(f, NETLINK_NETFILTER, false, "end");
	assert_int_equal(f->wakes, 1);
	assert_ptr_equal(f->woken, body.ctx);
	assert_int_equal(drain(f, &body), -EAGAIN);
	check_file(f, "network? link neighbour flows? flow route end ");
	body.release(body.ctx);
	assert_false(recorder_wanted(f->recorder));
}

static void recording_begins_with_anybodys_dump(void **state)
{
	struct fixture *f = *state;
	struct http_shared body;

	assert_int_equal(recorder_open(f->recorder, &body), 0);
	recorder_dump_begins(f->recorder); /* too early: the network is not known */
	recorder_tick(f->recorder);
	f->network_running = false;
	f->flows_error = -EBUSY;
	recorder_tick(f->recorder);
	say(f, NETLINK_NETFILTER, false, "too-early");
	recorder_dump_begins(f->recorder);
	say(f, NETLINK_NETFILTER, true, "flows?");
	recorder_tick(f->recorder);
	assert_int_equal(f->flow_dumps, 0);
	assert_int_equal(drain(f, &body), -EAGAIN);
	check_file(f, "network? flows? ");
	body.release(body.ctx);
}

static void begin(struct fixture *f, struct http_shared *body)
{
	assert_int_equal(recorder_open(f->recorder, body), 0);
	recorder_tick(f->recorder);
	f->network_running = false;
	recorder_tick(f->recorder);
}

static void readers_are_few(void **state)
{
	struct fixture *f = *state;
	struct http_shared body[RECORDER_READERS], more;

	for (int i = 0; i < RECORDER_READERS; i++)
		begin(f, &body[i]);
	assert_int_equal(recorder_open(f->recorder, &more), -EBUSY);
	body[0].release(body[0].ctx);
	begin(f, &body[0]);
	say(f, NETLINK_NETFILTER, false, "both");
	for (int i = 0; i < RECORDER_READERS; i++) {
		buf_reset(&f->file);
		assert_int_equal(drain(f, &body[i]), -EAGAIN);
		assert_non_null(memmem(f->file.data, f->file.len, "both", 4));
		body[i].release(body[i].ctx);
	}
}

static void slow_reader_is_cut_and_told(void **state)
{
	static char large[30000];
	struct fixture *f = *state;
	struct trace_datagram d = { 7, NETLINK_NETFILTER, false, large, sizeof(large) };
	struct http_shared slow, quick;
	size_t whole = 0;
	int sent = 0;
	char expected[100];

	begin(f, &slow);
	begin(f, &quick);
	for (; sent < 200; sent++) {
		recorder_datagram(f->recorder, &d);
		buf_reset(&f->file);
		assert_int_equal(drain(f, &quick), -EAGAIN);
		whole += f->file.len;
	}
	/* The quick one has all, the slow one no more than the queue holds. */
	assert_true(whole >= 200 * sizeof(large));
	buf_reset(&f->file);
	assert_int_equal(drain(f, &slow), 0);
	assert_true(f->file.len <= RECORDER_QUEUE + 1000);
	snprintf(expected, sizeof(expected), "the recording was cut, and %d datagrams were dropped",
		200 - (int)(f->file.len / sizeof(large)));
	assert_non_null(memmem(f->file.data, f->file.len, expected, strlen(expected)));
	/* What came before is whole. */
	recorder_datagram(f->recorder, &d);
	assert_int_equal(drain(f, &slow), 0);
	slow.release(slow.ctx);
	quick.release(quick.ctx);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(recording_begins_with_what_a_replay_needs),
		TEST(recording_begins_with_anybodys_dump),
		TEST(readers_are_few),
		TEST(slow_reader_is_cut_and_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
