/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pending_ends.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct pending_end end_at(uint64_t deadline)
{
	return (struct pending_end){ .deadline = deadline,
		.event = { .id = (uint32_t)deadline },
		.bytes = { deadline + 1, deadline + 2 },
		.packets = { 3, (uint32_t)deadline } };
}

static bool push(struct pending_ends *waiting, uint64_t deadline)
{
	struct pending_end end = end_at(deadline);

	return pending_ends_push(waiting, &end);
}

/* The next one out must be that of this deadline, whole. */
static void expect(struct pending_ends *waiting, uint64_t now, uint64_t deadline)
{
	struct pending_end end, want = end_at(deadline);

	assert_true(pending_ends_pop(waiting, now, &end));
	assert_true(end.deadline == want.deadline);
	assert_int_equal(end.event.id, want.event.id);
	assert_memory_equal(end.bytes, want.bytes, sizeof(want.bytes));
	assert_memory_equal(end.packets, want.packets, sizeof(want.packets));
}

static void comes_out_in_order_when_due(void **state)
{
	struct pending_ends *waiting = pending_ends_new(10);
	struct pending_end end;

	(void)state;
	assert_false(pending_ends_pop(waiting, UINT64_MAX, &end));
	assert_true(push(waiting, 100));
	assert_true(push(waiting, 200));
	assert_int_equal(pending_ends_count(waiting), 2);
	assert_false(pending_ends_pop(waiting, 99, &end));
	expect(waiting, 100, 100);
	assert_false(pending_ends_pop(waiting, 199, &end));
	assert_true(push(waiting, 300));
	expect(waiting, UINT64_MAX, 200);
	expect(waiting, UINT64_MAX, 300);
	assert_false(pending_ends_pop(waiting, UINT64_MAX, &end));
	assert_int_equal(pending_ends_count(waiting), 0);
	pending_ends_free(waiting);
	pending_ends_free(NULL);
}

/* In at one end, out at the other, their number rising and falling: the ring wraps, grows while wrapped, empties. */
static void the_ring_grows_while_it_turns(void **state)
{
	struct pending_ends *waiting = pending_ends_new(100000);
	uint64_t in = 1, out = 1;

	(void)state;
	for (int round = 0; round < 60; round++) {
		for (int i = 0; i < 7 * round; i++)
			assert_true(push(waiting, in++));
		for (int i = 0; i < 5 * round; i++, out++)
			expect(waiting, out, out);
		assert_int_equal(pending_ends_count(waiting), in - out);
	}
	for (; out < in; out++)
		expect(waiting, UINT64_MAX, out);
	assert_true(push(waiting, in));
	expect(waiting, in, in);
	pending_ends_free(waiting);
}

static void the_limit_holds(void **state)
{
	static const size_t limits[] = { 1, 63, 64, 65, 200 };
	struct pending_ends *waiting;

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		waiting = pending_ends_new(limits[i]);
		for (size_t j = 0; j < limits[i]; j++)
			assert_true(push(waiting, j));
		assert_false(push(waiting, 1000));
		assert_int_equal(pending_ends_count(waiting), limits[i]);
		expect(waiting, UINT64_MAX, 0);
		assert_true(push(waiting, 1000));
		pending_ends_free(waiting);
	}
	waiting = pending_ends_new(0);
	assert_false(push(waiting, 1));
	pending_ends_free(waiting);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(comes_out_in_order_when_due),
		cmocka_unit_test(the_ring_grows_while_it_turns),
		cmocka_unit_test(the_limit_holds),
	};

	return cmocka_run_group_tests_name("waiting", tests, NULL, NULL);
}
