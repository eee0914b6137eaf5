/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pending_ends.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct waiting_end end_at(uint64_t deadline)
{
	return (struct waiting_end){ .deadline = deadline,
		.event = { .id = (uint32_t)deadline },
		.bytes = { deadline + 1, deadline + 2 },
		.packets = { 3, (uint32_t)deadline } };
}

static bool push(struct waiting *waiting, uint64_t deadline)
{
	struct waiting_end end = end_at(deadline);

	return waiting_push(waiting, &end);
}

/* The next one out must be that of this deadline, whole. */
static void expect(struct waiting *waiting, uint64_t now, uint64_t deadline)
{
	struct waiting_end end, want = end_at(deadline);

	assert_true(waiting_pop(waiting, now, &end));
	assert_true(end.deadline == want.deadline);
	assert_int_equal(end.event.id, want.event.id);
	assert_memory_equal(end.bytes, want.bytes, sizeof(want.bytes));
	assert_memory_equal(end.packets, want.packets, sizeof(want.packets));
}

static void comes_out_in_order_when_due(void **state)
{
	struct waiting *waiting = waiting_new(10);
	struct waiting_end end;

	(void)state;
	assert_false(waiting_pop(waiting, UINT64_MAX, &end));
	assert_true(push(waiting, 100));
	assert_true(push(waiting, 200));
	assert_int_equal(waiting_count(waiting), 2);
	assert_false(waiting_pop(waiting, 99, &end));
	expect(waiting, 100, 100);
	assert_false(waiting_pop(waiting, 199, &end));
	assert_true(push(waiting, 300));
	expect(waiting, UINT64_MAX, 200);
	expect(waiting, UINT64_MAX, 300);
	assert_false(waiting_pop(waiting, UINT64_MAX, &end));
	assert_int_equal(waiting_count(waiting), 0);
	waiting_free(waiting);
	waiting_free(NULL);
}

/* In at one end, out at the other, their number rising and falling: the ring wraps, grows while wrapped, empties. */
static void the_ring_grows_while_it_turns(void **state)
{
	struct waiting *waiting = waiting_new(100000);
	uint64_t in = 1, out = 1;

	(void)state;
	for (int round = 0; round < 60; round++) {
		for (int i = 0; i < 7 * round; i++)
			assert_true(push(waiting, in++));
		for (int i = 0; i < 5 * round; i++, out++)
			expect(waiting, out, out);
		assert_int_equal(waiting_count(waiting), in - out);
	}
	for (; out < in; out++)
		expect(waiting, UINT64_MAX, out);
	assert_true(push(waiting, in));
	expect(waiting, in, in);
	waiting_free(waiting);
}

static void the_limit_holds(void **state)
{
	static const size_t limits[] = { 1, 63, 64, 65, 200 };
	struct waiting *waiting;

	(void)state;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		waiting = waiting_new(limits[i]);
		for (size_t j = 0; j < limits[i]; j++)
			assert_true(push(waiting, j));
		assert_false(push(waiting, 1000));
		assert_int_equal(waiting_count(waiting), limits[i]);
		expect(waiting, UINT64_MAX, 0);
		assert_true(push(waiting, 1000));
		waiting_free(waiting);
	}
	waiting = waiting_new(0);
	assert_false(push(waiting, 1));
	waiting_free(waiting);
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
