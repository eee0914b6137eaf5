/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "journal.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* kind, version, key | kind of record, flow (8 + 2 * 12 + 4 + 2), two hosts that are none (5 each) | counts, flags */
enum { HEAD = 18, DECIDED = 1 + 38 + 10, ENDED = DECIDED + 24 + 1 };

static const struct hash_key hash = { { 1, 2 } };

static void nothing_is_recorded_before_a_checkpoint(void **state)
{
	struct journal journal = { .hash = &hash };
	const struct flow flow = { .key = 5 };

	(void)state;
	journal_decided(&journal, &flow);
	journal_ended(&journal, &flow, &flow.counts, true, false);
	assert_int_equal(journal.blob.len, 0);
	assert_false(journal.totals_moved);
}

static void a_blob_is_taken_once(void **state)
{
	struct journal journal = { .hash = &hash, .running = true };
	const struct flow flow = { .key = 5, .counts.bytes = { 600, 700 } };
	const struct flow_counts last = { .bytes = { 100, 200 } };
	struct buf out = BUF_INIT;

	(void)state;
	journal_decided(&journal, &flow);
	journal_ended(&journal, &flow, &last, true, true);
	assert_false(journal.totals_moved);
	journal_take(&journal, &out);
	assert_int_equal(out.len, HEAD + DECIDED + ENDED);
	assert_int_equal(out.data[0], CHECKPOINT_JOURNAL);
	assert_int_equal(out.data[2], 1); /* the key of the fingerprints */
	assert_int_equal(out.data[HEAD], CHECKPOINT_DECIDED);
	assert_int_equal(out.data[HEAD + 1], 5);
	assert_int_equal(out.data[HEAD + DECIDED], CHECKPOINT_ENDED);
	assert_int_equal(out.data[HEAD + 2 * DECIDED], 100);
	assert_int_equal(out.data[out.len - 1], CHECKPOINT_WAS_DECIDED | CHECKPOINT_MOVES_FLOOR);
	journal_take(&journal, &out);
	assert_int_equal(out.len, HEAD + DECIDED + ENDED);
	buf_free(&out);
	buf_free(&journal.blob);
}

static void an_end_below_the_floor_asks_for_totals(void **state)
{
	struct journal journal = { .hash = &hash, .running = true };
	const struct flow flow = { .key = 5 };

	(void)state;
	journal_ended(&journal, &flow, &flow.counts, false, false);
	assert_true(journal.totals_moved);
	assert_int_equal(journal.blob.data[journal.blob.len - 1], 0);
	buf_free(&journal.blob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_recorded_before_a_checkpoint),
		cmocka_unit_test(a_blob_is_taken_once),
		cmocka_unit_test(an_end_below_the_floor_asks_for_totals),
	};

	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
