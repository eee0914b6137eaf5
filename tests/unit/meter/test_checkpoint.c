/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pieces that a checkpoint comes in. What it keeps is the simulation's and test_restart.py's to show. */
#include "hostmeter/meter/checkpoint.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/meter/snapshot.h"

#include "events.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define S (UINT64_C(1000000000))

enum { FLOWS = 30000, BLOBS = 1000, LONGEST = 160 << 10 };

static struct meter *fresh(void)
{
	const struct meter_options options = { .hash = { { 1, 2 } }, .max_hosts = 10, .max_flows = 2 * FLOWS };
	struct meter *meter = meter_new(&options);

	assert_non_null(meter);
	return meter;
}

static struct ct_event flow(uint32_t number, enum ct_event_type type)
{
	struct ct_event e = { .type = type, .family = 4, .proto = 17, .id = number, .has_counters = true };

	e.tuple[CT_ORIGINAL] = (struct ct_tuple){ event_ip("192.168.1.2"), event_ip("198.51.100.1"), 1000, 53 };
	e.tuple[CT_REPLY] = (struct ct_tuple){ event_ip("198.51.100.1"), event_ip("192.168.1.2"), 53, 1000 };
	e.bytes[CT_ORIGINAL] = 100 + number;
	e.packets[CT_ORIGINAL] = 1;
	return e;
}

/* So many live flows, as many that have just ended. */
static struct meter *busy(void)
{
	struct meter *meter = fresh();

	meter_dump_begin(meter, 2 * S);
	for (uint32_t i = 0; i < FLOWS; i++) {
		const struct ct_event entry = flow(i, CT_ENTRY);

		meter_ct(meter, &entry, 2 * S);
	}
	meter_dump_end(meter, true, 3 * S);
	for (uint32_t i = 0; i < FLOWS; i++) {
		const struct ct_event end = flow(FLOWS + i, CT_DESTROY);

		meter_ct(meter, &end, 4 * S);
	}
	return meter;
}

/* All blobs of a checkpoint; how many. */
static size_t save(struct meter *meter, struct buf blob[static BLOBS])
{
	size_t count = 0;

	checkpoint_begin(meter);
	for (bool last = false; !last; count++) {
		assert_true(count < BLOBS);
		last = checkpoint_step(meter, &blob[count]);
	}
	return count;
}

static void no_step_is_long(void **state)
{
	static struct buf blob[BLOBS];
	struct meter *meter = busy();
	size_t count = save(meter, blob), bytes = 0;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_in_range(blob[i].len, 1, LONGEST);
		bytes += blob[i].len;
		buf_free(&blob[i]);
	}
	/* Both kinds took several: 16 bytes of a tombstone, 40 and more of a flow. */
	assert_true(count > 2 + FLOWS * (16 + 40) / LONGEST);
	assert_true(bytes > FLOWS * (16 + 40));
	meter_free(meter);
}

static uint64_t duplicates(const struct meter *meter)
{
	struct snapshot snapshot;
	uint64_t count;

	assert_int_equal(meter_snapshot(meter, &snapshot, 9 * S), 0);
	count = snapshot.stats.duplicates;
	snapshot_clear(&snapshot);
	return count;
}

/* An end that is told again after the restart, as reliable delivery does, is known by its tombstone. */
static void ends_are_known_after_a_restart(void **state)
{
	static struct buf blob[BLOBS];
	struct meter *meter = busy();
	size_t count = save(meter, blob);

	(void)state;
	meter_free(meter);
	meter = fresh();
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(checkpoint_load(meter, blob[i].data, blob[i].len, 5 * S), 0);
		assert_int_equal(checkpoint_loaded(meter), i == count - 1);
		buf_free(&blob[i]);
	}
	for (uint32_t i = 0; i < FLOWS; i++) {
		const struct ct_event end = flow(FLOWS + i, CT_DESTROY);

		meter_ct(meter, &end, 5 * S);
	}
	assert_int_equal(duplicates(meter), FLOWS);
	meter_free(meter);
}

/* Cut anywhere, or of another version: an error, and no memory that is not the blob's. */
static void damaged_blobs_are_refused(void **state)
{
	static struct buf blob[BLOBS];
	struct meter *meter = busy();
	size_t count = save(meter, blob);

	(void)state;
	meter_free(meter);
	for (size_t i = 0; i < count; i++) {
		char *exact = malloc(blob[i].len - 1);

		assert_non_null(exact);
		memcpy(exact, blob[i].data, blob[i].len - 1);
		meter = fresh();
		assert_int_equal(checkpoint_load(meter, exact, blob[i].len - 1, 5 * S), -EBADMSG);
		meter_free(meter);
		meter = fresh();
		exact[1]++;
		assert_int_equal(checkpoint_load(meter, exact, blob[i].len - 1, 5 * S), -EPROTO);
		meter_free(meter);
		free(exact);
		buf_free(&blob[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_step_is_long),
		cmocka_unit_test(ends_are_known_after_a_restart),
		cmocka_unit_test(damaged_blobs_are_refused),
	};

	return cmocka_run_group_tests_name("checkpoint", tests, NULL, NULL);
}
