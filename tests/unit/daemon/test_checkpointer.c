/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "checkpointer.h"
#include "hostmeter/meter/checkpoint.h"
#include "hostmeter/meter/meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define S (UINT64_C(1000000000))

static char directory[] = "/tmp/test_keeper.XXXXXX", path[64];

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
	struct keeper *keeper = keeper_new(path);
	struct meter *meter = fresh();

	(void)state;
	keeper_finish(keeper, meter, 1 * S);
	assert_int_equal(access(path, F_OK), -1);
	meter_dump_begin(meter, 2 * S);
	meter_dump_end(meter, false, 3 * S);
	keeper_begin(keeper, meter);
	assert_false(keeper_turn(keeper, meter, 4 * S));
	keeper_finish(keeper, meter, 5 * S);
	assert_int_equal(access(path, F_OK), -1);
	meter_free(meter);
	keeper_free(keeper);
}

static void what_was_saved_is_gone_on_from_and_saved_again(void **state)
{
	struct keeper *keeper = keeper_new(path);
	struct meter *meter = fresh();

	(void)state;
	meter_dump_begin(meter, 2 * S);
	meter_dump_end(meter, true, 3 * S);
	keeper_finish(keeper, meter, 4 * S);
	assert_int_equal(keeper_saved_at(keeper), 4 * S);
	meter_free(meter);
	keeper_free(keeper);

	keeper = keeper_new(path);
	meter = fresh();
	assert_int_equal(keeper_load(keeper, meter, 5 * S), 0);
	assert_true(checkpoint_loaded(meter));
	keeper_finish(keeper, meter, 6 * S); /* its baselines are those of the file */
	assert_int_equal(keeper_saved_at(keeper), 6 * S);
	assert_int_equal(keeper_failures(keeper), 0);
	unlink(path);
	meter_free(meter);
	keeper_free(keeper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_saved_before_the_first_whole_dump),
		cmocka_unit_test(what_was_saved_is_gone_on_from_and_saved_again),
	};
	int failed;

	if (!mkdtemp(directory))
		return 1;
	snprintf(path, sizeof(path), "%s/checkpoint", directory);
	failed = cmocka_run_group_tests_name("keeper", tests, NULL, NULL);
	rmdir(directory);
	return failed;
}
