/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The ledger's file on a disk that fails: at each call that changes it, by a power cut, a full disk or an error, and
 * over and over again by chance. What is in the file is the reading before or the new one, whole.
 */
#include "calendar.h"
#include "sim_disk.h"
#include "store.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define MORNING INT64_C(1780300800) /* 2026-06-01 10:00 in Brussels */

enum { HOUR = 3600, HOSTS = 30 };

static const struct store_options options = { .keep_hours = 3, .keep_days = 40 };

static int begin(void **state)
{
	(void)state;
	disk_begin();
	srandom(15);
	return calendar_use("Europe/Brussels");
}

static int end(void **state)
{
	(void)state;
	disk_end();
	return 0;
}

/* Each host has used so much, in both families. */
struct use {
	uint64_t bytes;
	int64_t at;
};

static int commit(struct store *store, struct use use)
{
	struct reading_entry entry[2 * HOSTS];
	struct reading r = { .run = "one",
		.boot = "one",
		.since = use.at - HOUR,
		.at = use.at,
		.cause = "hour",
		.entry = entry,
		.entries = 2 * HOSTS };

	memset(entry, 0, sizeof(entry));
	for (int i = 0; i < 2 * HOSTS; i++) {
		snprintf(entry[i].key, sizeof(entry[i].key), "02:00:00:00:00:%02x", i / 2);
		snprintf(entry[i].name, sizeof(entry[i].name), "host-%d", i / 2);
		entry[i].kind = i % 2 ? READING_WAN6 : READING_WAN4;
		for (int v = 0; v < READING_VALUES; v++)
			entry[i].value[v] = v < READING_IN_PACKETS ? use.bytes : use.bytes / 800;
	}
	return store_commit(store, &r);
}

static void add(void *ctx, const struct store_row *row)
{
	uint64_t *sum = ctx;

	*sum += row->value[READING_IN_BYTES] + row->value[READING_OUT_BYTES];
}

/* What one series has, if all have the same. */
static uint64_t used(struct store *store)
{
	uint64_t sum = 0;

	assert_int_equal(store_walk(store, 0, INT64_MAX, add, &sum), 0);
	assert_int_equal(sum % (2 * HOSTS * 2), 0);
	return sum / (2 * HOSTS * 2);
}

static struct store *open_store(void)
{
	struct store *store;

	assert_int_equal(store_open(&store, "ledger.db", false, &options), 0);
	return store;
}

/* Breaks a commit at each of its calls in turn. *store is open again afterwards, and has all that was used. */
static void break_each_call(struct store **store, struct use *use, int code, bool power)
{
	for (int call = 0;; call++) {
		uint64_t before = used(*store);
		struct use next = { use->bytes + 10, use->at + HOUR };
		bool failed;
		int error;

		disk_fail_after(call, code);
		error = commit(*store, next);
		failed = disk.failed;
		if (power)
			disk_fail_after(0, SQLITE_IOERR); /* nothing more comes through */
		else
			disk_fail_after(-1, SQLITE_OK);
		if (error || power) {
			store_close(*store);
			if (power)
				disk_power_cut();
			*store = open_store();
		}
		if (!error)
			assert_int_equal(used(*store), next.bytes);
		else
			assert_true(used(*store) == before || used(*store) == next.bytes);
		assert_int_equal(commit(*store, next), 0);
		assert_int_equal(used(*store), next.bytes);
		*use = next;
		if (!failed)
			return;
	}
}

static void a_commit_is_whole_or_not_there(void **state)
{
	struct use use = { 0, MORNING };
	struct store *store = open_store();

	(void)state;
	assert_int_equal(commit(store, use), 0);
	break_each_call(&store, &use, SQLITE_IOERR, true);
	break_each_call(&store, &use, SQLITE_IOERR, false);
	break_each_call(&store, &use, SQLITE_FULL, false);
	break_each_call(&store, &use, SQLITE_FULL, true);
	store_close(store);
}

/* The first commit of a day sums up the one before and removes what is old. */
static void a_day_is_summed_up_whole_or_not(void **state)
{
	struct use use = { 0, MORNING };
	struct store *store = open_store();

	(void)state;
	for (int call = 0; call < 200; call++) {
		struct use next = { use.bytes + 10, use.at + 24 * HOUR };

		disk_fail_after(call, SQLITE_IOERR);
		commit(store, next);
		disk_fail_after(0, SQLITE_IOERR);
		store_close(store);
		disk_power_cut();
		store = open_store();
		assert_true(used(store) == use.bytes || used(store) == next.bytes);
		assert_int_equal(commit(store, next), 0);
		assert_int_equal(used(store), next.bytes);
		use = next;
	}
	store_close(store);
}

/* The file is being made. */
static void a_file_that_was_not_finished(void **state)
{
	struct store *store;
	bool failed = true;

	(void)state;
	for (int call = 0; failed; call++) {
		disk_end();
		disk_begin();
		disk_fail_after(call, SQLITE_IOERR);
		store_open(&store, "ledger.db", false, &options);
		failed = disk.failed;
		disk_fail_after(0, SQLITE_IOERR);
		store_close(store);
		disk_power_cut();
		store = open_store();
		assert_int_equal(commit(store, (struct use){ 10, MORNING }), 0);
		assert_int_equal(used(store), 10);
		store_close(store);
	}
}

/* Any order of power cuts, full disks and closing, for long. */
static void what_was_used_is_there_whatever_happens(void **state)
{
	struct use use = { 0, MORNING };
	struct store *store = open_store();
	uint64_t committed = 0;

	(void)state;
	for (int step = 0; step < 2000; step++) {
		bool power = random() % 8 == 0;
		int error;

		use.bytes += (uint64_t)(random() % 100);
		use.at += random() % 3 ? HOUR : random() % (3 * 24 * HOUR);
		if (random() % 4 == 0)
			disk_fail_after((int)(random() % 60), random() % 2 ? SQLITE_FULL : SQLITE_IOERR);
		error = commit(store, use);
		if (power) {
			disk_fail_after(0, SQLITE_IOERR);
			store_close(store);
			disk_power_cut();
			store = open_store();
		} else {
			disk_fail_after(-1, SQLITE_OK);
			if (random() % 16 == 0) {
				store_close(store);
				store = open_store();
			}
		}
		if (!error)
			committed = use.bytes;
		assert_true(used(store) >= committed && used(store) <= use.bytes);
		committed = used(store);
	}
	store_close(store);
}

/*
 * The size is of thirty hosts that are busy for ten years in both families, the last months in each hour. What is
 * written is of a day on which they sleep for eight hours; busy in all hours they cost a fifth more than a megabyte.
 */
static void ten_years_fit(void **state)
{
	struct use use = { 0, MORNING };
	struct store *store;
	unsigned long written, syncs;

	(void)state;
	assert_int_equal(store_open(&store, "ledger.db", false, &(struct store_options){ 62, 3660 }), 0);
	for (int day = 0; day < 3650; day++, use.at += 24 * HOUR, use.bytes += 123456789)
		assert_int_equal(commit(store, use), 0);
	for (int hour = 0; hour < 70 * 24; hour++, use.at += HOUR, use.bytes += 123456789)
		assert_int_equal(commit(store, use), 0);
	written = disk.written;
	syncs = disk.syncs;
	for (int hour = 0; hour < 24; hour++, use.at += HOUR, use.bytes += hour < 8 ? 0 : 123456789)
		assert_int_equal(commit(store, use), 0);
	written = disk.written - written;
	syncs = disk.syncs - syncs;
	print_message("a file of %.2f MB; %lu KB and %lu syncs a day\n", (double)disk_find("ledger.db")->now.size / 1e6,
		written / 1000, syncs);
	assert_true(disk_find("ledger.db")->now.size < 10000000);
	assert_true(written < 1000000);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_commit_is_whole_or_not_there, begin, end),
		cmocka_unit_test_setup_teardown(a_day_is_summed_up_whole_or_not, begin, end),
		cmocka_unit_test_setup_teardown(a_file_that_was_not_finished, begin, end),
		cmocka_unit_test_setup_teardown(what_was_used_is_there_whatever_happens, begin, end),
		cmocka_unit_test_setup_teardown(ten_years_fit, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
