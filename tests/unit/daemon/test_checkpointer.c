/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "checkpointer.h"
#include "hostmeter/meter/checkpoint.h"
#include "hostmeter/meter/meter.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define S (UINT64_C(1000000000))

static char directory[] = "/tmp/test_checkpointer.XXXXXX", path[64], aside[64];

static struct meter *fresh(void)
{
	const struct meter_options options = { .hash = { { 1, 2 } }, .max_hosts = 10, .max_flows = 10 };
	struct meter *meter = meter_new(&options);

	assert_non_null(meter);
	return meter;
}

/* A checkpoint without baselines would have the next meter count old flows from zero. */
static void nothing_is_saved_before_the_first_whole_dump(void **state)
{
	struct checkpointer *checkpointer = checkpointer_new(path);
	struct meter *meter = fresh();

	(void)state;
	checkpointer_finish(checkpointer, meter, 1 * S);
	assert_int_equal(access(path, F_OK), -1);
	meter_dump_begin(meter, 2 * S);
	meter_dump_end(meter, false, 3 * S);
	checkpointer_begin(checkpointer, meter);
	assert_false(checkpointer_turn(checkpointer, meter, 4 * S));
	checkpointer_finish(checkpointer, meter, 5 * S);
	assert_int_equal(access(path, F_OK), -1);
	meter_free(meter);
	checkpointer_free(checkpointer);
}

static void what_was_saved_is_gone_on_from_and_saved_again(void **state)
{
	struct checkpointer *checkpointer = checkpointer_new(path);
	struct meter *meter = fresh();

	(void)state;
	meter_dump_begin(meter, 2 * S);
	meter_dump_end(meter, true, 3 * S);
	checkpointer_finish(checkpointer, meter, 4 * S);
	assert_int_equal(checkpointer_saved_at(checkpointer), 4 * S);
	meter_free(meter);
	checkpointer_free(checkpointer);

	checkpointer = checkpointer_new(path);
	meter = fresh();
	assert_int_equal(checkpointer_load(checkpointer, meter, 5 * S), 0);
	assert_true(checkpoint_loaded(meter));
	checkpointer_finish(checkpointer, meter, 6 * S); /* its baselines are those of the file */
	assert_int_equal(checkpointer_saved_at(checkpointer), 6 * S);
	assert_int_equal(checkpointer_failures(checkpointer), 0);
	unlink(path);
	meter_free(meter);
	checkpointer_free(checkpointer);
}

/* Why it failed is known until a checkpoint is saved again; how often, for ever. */
static void the_error_of_the_latest(void **state)
{
	struct checkpointer *checkpointer = checkpointer_new(path);
	struct meter *meter = fresh();

	(void)state;
	meter_dump_begin(meter, 2 * S);
	meter_dump_end(meter, true, 3 * S);
	assert_int_equal(rename(directory, aside), 0);
	checkpointer_finish(checkpointer, meter, 4 * S);
	assert_int_equal(checkpointer_error(checkpointer), -ENOENT);
	assert_int_equal(checkpointer_failures(checkpointer), 1);
	assert_int_equal(rename(aside, directory), 0);
	checkpointer_finish(checkpointer, meter, 5 * S);
	assert_int_equal(checkpointer_error(checkpointer), 0);
	assert_int_equal(checkpointer_failures(checkpointer), 1);
	unlink(path);
	meter_free(meter);
	checkpointer_free(checkpointer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_saved_before_the_first_whole_dump),
		cmocka_unit_test(the_error_of_the_latest),
		cmocka_unit_test(what_was_saved_is_gone_on_from_and_saved_again),
	};
	int failed;

	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/checkpoint", directory);
	snprintf(aside, sizeof(aside), "%s.aside", directory);
	failed = cmocka_run_group_tests_name("checkpointer", tests, NULL, NULL);
	rmdir(directory);
	return failed;
}
