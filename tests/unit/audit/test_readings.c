/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was read of a flow at the four moments, whatever of it a dump or an end left out. */
#include "readings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)

static struct ct_event event(enum ct_event_type type, uint16_t port, uint64_t bytes)
{
	struct ct_event e = { .type = type, .family = 4, .proto = 6, .id = 1, .has_counters = true };

	addr_parse(&e.tuple[CT_ORIGINAL].src, "192.168.1.2");
	addr_parse(&e.tuple[CT_ORIGINAL].dst, "203.0.113.9");
	e.tuple[CT_ORIGINAL].sport = port;
	e.bytes[CT_ORIGINAL] = bytes;
	e.bytes[CT_REPLY] = 2 * bytes;
	return e;
}

static void entry(struct readings *readings, uint64_t bytes, uint64_t now)
{
	struct ct_event e = event(CT_ENTRY, 1000, bytes);

	readings_add(readings, &e, now);
}

static void end(struct readings *readings, uint64_t bytes, uint64_t now)
{
	struct ct_event e = event(CT_DESTROY, 1000, bytes);

	readings_add(readings, &e, now);
}

/* The dump of a moment, with the flow in it unless bytes is negative. */
static void dump(struct readings *readings, int64_t bytes, uint64_t now)
{
	readings_dump_begins(readings, now);
	if (bytes >= 0)
		entry(readings, (uint64_t)bytes, now);
	readings_dump_ended(readings, now + S);
}

struct kept {
	struct audit_flow flow[4];
	size_t count;
};

static void keep(void *ctx, const struct audit_flow *flow)
{
	struct kept *kept = ctx;

	kept->flow[kept->count++] = *flow;
}

/* Settles, frees, and returns what there was. */
static struct kept settle(struct readings *readings)
{
	struct kept kept = { .count = 0 };

	readings_each(readings, keep, &kept);
	readings_free(readings);
	return kept;
}

static void expect_values(const struct audit_flow *flow, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	const uint64_t want[AUDIT_MOMENTS] = { a, b, c, d };

	for (int m = 0; m < AUDIT_MOMENTS; m++) {
		assert_int_equal(flow->value[m][CT_ORIGINAL], want[m]);
		assert_int_equal(flow->value[m][CT_REPLY], 2 * want[m]);
	}
}

static void a_flow_that_lives(void **state)
{
	struct readings *readings = readings_new(4);
	struct kept kept;

	(void)state;
	dump(readings, 10, 10 * S);
	dump(readings, 20, 20 * S);
	dump(readings, -1, 30 * S); /* a dump may miss one */
	dump(readings, 50, 40 * S);
	kept = settle(readings);
	assert_int_equal(kept.count, 1);
	expect_values(&kept.flow[0], 10, 20, 20, 50);
	assert_int_equal(kept.flow[0].ended, AUDIT_MOMENTS);
	assert_false(kept.flow[0].vanished || kept.flow[0].zeroed || kept.flow[0].reused);
}

static void a_flow_that_ends(void **state)
{
	struct readings *readings = readings_new(4);
	struct kept kept;

	(void)state;
	dump(readings, 10, 10 * S);
	dump(readings, 20, 20 * S);
	end(readings, 70, 25 * S);
	end(readings, 70, 26 * S); /* once more */
	dump(readings, -1, 30 * S);
	dump(readings, -1, 40 * S);
	kept = settle(readings);
	assert_int_equal(kept.count, 1);
	expect_values(&kept.flow[0], 10, 20, 70, 70);
	assert_int_equal(kept.flow[0].ended, AUDIT_END_LOW);
	/* Its bytes may be held back for two seconds; 31 s is when the dump had ended. */
	assert_false(kept.flow[0].fresh_end[AUDIT_END]);
}

static void an_end_shortly_before(void **state)
{
	struct readings *readings = readings_new(4);
	struct kept kept;

	(void)state;
	dump(readings, 10, 10 * S);
	dump(readings, 20, 20 * S);
	end(readings, 70, 29 * S + S / 2);
	dump(readings, -1, 30 * S);
	dump(readings, -1, 40 * S);
	kept = settle(readings);
	assert_true(kept.flow[0].fresh_end[AUDIT_END]);
	assert_false(kept.flow[0].fresh_end[AUDIT_BEGIN]);
}

static void counters_that_fall_are_added(void **state)
{
	struct readings *readings = readings_new(4);
	struct kept kept;

	(void)state;
	dump(readings, 100, 10 * S);
	dump(readings, 40, 20 * S);
	dump(readings, 50, 30 * S);
	dump(readings, 50, 40 * S);
	kept = settle(readings);
	expect_values(&kept.flow[0], 100, 140, 150, 150);
	assert_true(kept.flow[0].zeroed);
}

static void no_end_was_heard(void **state)
{
	struct readings *readings = readings_new(4);
	struct kept kept;

	(void)state;
	dump(readings, 10, 10 * S);
	dump(readings, 20, 20 * S);
	dump(readings, -1, 30 * S);
	dump(readings, -1, 40 * S);
	kept = settle(readings);
	expect_values(&kept.flow[0], 10, 20, 20, 20);
	assert_true(kept.flow[0].vanished);
}

/* The same tuple and id again: another flow, unless the dump wrote the entry before the end. */
static void the_next_flow_of_the_same_name(void **state)
{
	struct readings *readings = readings_new(4);
	struct kept kept;

	(void)state;
	dump(readings, 10, 10 * S);
	end(readings, 30, 15 * S);
	dump(readings, 5, 20 * S);
	dump(readings, 6, 30 * S);
	dump(readings, 7, 40 * S);
	kept = settle(readings);
	assert_int_equal(kept.count, 2);
	expect_values(&kept.flow[0], 10, 30, 30, 30);
	expect_values(&kept.flow[1], 0, 5, 6, 7);
	assert_true(kept.flow[1].reused);

	readings = readings_new(4);
	dump(readings, 10, 10 * S);
	readings_dump_begins(readings, 20 * S);
	end(readings, 30, 20 * S);
	entry(readings, 25, 20 * S);
	readings_dump_ended(readings, 21 * S);
	dump(readings, -1, 30 * S);
	dump(readings, -1, 40 * S);
	kept = settle(readings);
	assert_int_equal(kept.count, 1);
	expect_values(&kept.flow[0], 10, 30, 30, 30);
}

static void what_is_reported_stays_with_its_flow(void **state)
{
	const struct audit_owner owner = { .scope = AUDIT_LOCAL, .host = 7, .peer = AUDIT_NOBODY, .began = true };
	struct readings *readings = readings_new(4);
	struct ct_event e = event(CT_ENTRY, 1000, 0);
	struct kept kept;

	(void)state;
	readings_report(readings, AUDIT_BEGIN, &e, &owner); /* before it was read at all */
	dump(readings, 10, 10 * S);
	kept = settle(readings);
	assert_int_equal(kept.count, 1);
	assert_true(kept.flow[0].reported[AUDIT_BEGIN].given);
	assert_int_equal(kept.flow[0].reported[AUDIT_BEGIN].host, 7);
	assert_false(kept.flow[0].reported[AUDIT_END].given);
	expect_values(&kept.flow[0], 10, 10, 10, 10);
}

static void no_room(void **state)
{
	struct readings *readings = readings_new(2);

	(void)state;
	for (uint16_t port = 1; port <= 5; port++) {
		struct ct_event e = event(CT_ENTRY, port, 1);

		readings_add(readings, &e, 0);
	}
	assert_int_equal(readings_refused(readings), 3);
	assert_int_equal(settle(readings).count, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_that_lives),
		cmocka_unit_test(a_flow_that_ends),
		cmocka_unit_test(an_end_shortly_before),
		cmocka_unit_test(counters_that_fall_are_added),
		cmocka_unit_test(no_end_was_heard),
		cmocka_unit_test(the_next_flow_of_the_same_name),
		cmocka_unit_test(what_is_reported_stays_with_its_flow),
		cmocka_unit_test(no_room),
	};

	return cmocka_run_group_tests_name("readings", tests, NULL, NULL);
}
