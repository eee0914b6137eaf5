/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pending_ends.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct pending_end end_at(uint64_t deadline)
{
	return (struct pending_end){ .deadline = deadline,
		.event = { .id = (uint32_t)deadline },
		.counts = { .bytes = { deadline + 1, deadline + 2 }, .packets = { 3, (uint32_t)deadline } } };
}

static bool push(struct pending_ends *ends, uint64_t deadline)
{
	struct pending_end end = end_at(deadline);

	return pending_ends_push(ends, &end);
}

/* The next one out must be that of this deadline, whole. */
static void expect(struct pending_ends *ends, uint64_t now, uint64_t deadline)
{
	struct pending_end end, want = end_at(deadline);

	assert_true(pending_ends_pop(ends, now, &end));
	assert_true(end.deadline == want.deadline);
	assert_int_equal(end.event.id, want.event.id);
	assert_memory_equal(&end.counts, &want.counts, sizeof(want.counts));
}

static void comes_out_in_order_when_due(void **state)
{
	struct pending_ends *ends = pending_ends_new(10);
	struct pending_end end;

	(void)state;
	assert_false(pending_ends_pop(ends, UINT64_MAX, &end));
	assert_true(push(ends, 100));
	assert_true(push(ends, 200));
	assert_int_equal(pending_ends_count(ends), 2);
	assert_false(pending_ends_pop(ends, 99, &end));
	expect(ends, 100, 100);
	assert_false(pending_ends_pop(ends, 199, &end));
	assert_true(push(ends, 300));
	expect(ends, UINT64_MAX, 200);
	expect(ends, UINT64_MAX, 300);
	assert_false(pending_ends_pop(ends, UINT64_MAX, &end));
	assert_int_equal(pending_ends_count(ends), 0);
	pending_ends_free(ends);
	pending_ends_free(NULL);
}

/* Ends come and go, and their number rises and falls. */
static void the_order_stays_while_the_number_changes(void **state)
{
	struct pending_ends *ends = pending_ends_new(100000);
	uint64_t in = 1, out = 1;

	(void)state;
	for (int round = 0; round < 60; round++) {
		for (int i = 0; i < 7 * round; i++)
			assert_true(push(ends, in++));
		for (int i = 0; i < 5 * round; i++, out++)
			expect(ends, out, out);
		assert_int_equal(pending_ends_count(ends), in - out);
	}
	for (; out < in; out++)
		expect(ends, UINT64_MAX, out);
	assert_true(push(ends, in));
	expect(ends, in, in);
	pending_ends_free(ends);
}

static void the_limit_holds(void **state)
{
	static const size_t limits[] = { 1, 63, 64, 65, 200 };
	struct pending_ends *ends;

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		ends = pending_ends_new(limits[i]);
		for (size_t j = 0; j < limits[i]; j++)
			assert_true(push(ends, j));
		assert_false(push(ends, 1000));
		assert_int_equal(pending_ends_count(ends), limits[i]);
		expect(ends, UINT64_MAX, 0);
		assert_true(push(ends, 1000));
		pending_ends_free(ends);
	}
	ends = pending_ends_new(0);
	assert_false(push(ends, 1));
	pending_ends_free(ends);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_out_in_order_when_due),
		cmocka_unit_test(the_order_stays_while_the_number_changes),
		cmocka_unit_test(the_limit_holds),
	};

	return cmocka_run_group_tests_name("pending_ends", tests, NULL, NULL);
}
