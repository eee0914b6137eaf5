/* SPDX-License-Identifier: GPL-2.0-or-later */
/* --record and --replay as far as they need no running meter: with a trace as the source. */
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"
#include "hostmeter/trace/trace.h"

#include "fake_meter.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Two datagrams that no parser knows: a copy that is no pseudonymised one must keep them. */
static void make_trace(void **state, const char *name)
{
	const struct trace_datagram datagram = { UINT64_C(1700000000000000000), 0, false, "sixteen bytes...", 16 };
	struct trace_writer *writer;

	assert_int_equal(trace_create(&writer, scratch_path(state, name)), 0);
	assert_int_equal(trace_write(writer, &datagram), 0);
	assert_int_equal(trace_write(writer, &datagram), 0);
	assert_int_equal(trace_close(writer), 0);
}

static int copy(void **state, const char *from, const char *to)
{
	struct config config = { .replay = (char *)scratch_path(state, from),
		.record = (char *)scratch_path(state, to) };
	struct buf out = BUF_INIT;

	fake_meter_log(state);
	config.mode = CONFIG_REPLAY;
	return cmd_replay(&config, &out);
}

static void a_trace_is_copied_as_it_is(void **state)
{
	struct trace_reader *reader;
	struct trace_datagram datagram;

	make_trace(state, "a");
	assert_int_equal(copy(state, "a", "b"), CMD_OK);
	assert_non_null(strstr(scratch_read(state, "log"), "/b: 2 datagrams, "));
	assert_int_equal(trace_open(&reader, scratch_path(state, "b")), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(trace_read(reader, &datagram), 1);
		assert_int_equal(datagram.len, 16);
		assert_memory_equal(datagram.data, "sixteen bytes...", 16);
	}
	assert_int_equal(trace_read(reader, &datagram), 0);
	trace_reader_free(reader);
}

static void a_trace_is_not_copied_onto_itself(void **state)
{
	make_trace(state, "a");
	assert_int_equal(copy(state, "a", "a"), CMD_FAILED);
	assert_non_null(strstr(scratch_read(state, "log"), "choose another file for --record\n"));
	assert_int_equal(copy(state, "a", "b"), CMD_OK);
}

/* Somebody else may have made the link, or wait to read. */
static void only_a_file_of_ours_is_written(void **state)
{
	make_trace(state, "a");
	scratch_write(state, "victim", "w", "precious\n");
	assert_int_equal(symlink("victim", scratch_path(state, "b")), 0);
	assert_int_equal(copy(state, "a", "b"), CMD_FAILED);
	assert_non_null(strstr(scratch_read(state, "log"), "/b: is a symbolic link, which is not followed"));
	assert_string_equal(scratch_read(state, "victim"), "precious\n");
	assert_int_equal(mkfifo(scratch_path(state, "c"), 0600), 0);
	assert_int_equal(copy(state, "a", "c"), CMD_FAILED);
	assert_non_null(strstr(scratch_read(state, "log"), "/c: is not a regular file\n"));
}

static void what_is_no_trace_is_refused(void **state)
{
	scratch_write(state, "a", "w", "this is no trace, but long enough for the head of one");
	assert_int_equal(copy(state, "a", "b"), CMD_FAILED);
	assert_non_null(strstr(scratch_read(state, "log"), "/a: damaged, or no pcap file"));
	assert_int_equal(copy(state, "none", "b"), CMD_FAILED);
	assert_non_null(strstr(scratch_read(state, "log"), "/none: No such file or directory"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(a_trace_is_copied_as_it_is),
		SCRATCH_TEST(a_trace_is_not_copied_onto_itself),
		SCRATCH_TEST(only_a_file_of_ours_is_written),
		SCRATCH_TEST(what_is_no_trace_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
