/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store.h"

#include "calendar.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define TV "02:00:00:00:00:01"
#define PHONE "02:00:00:00:00:02"
#define MORNING INT64_C(1780300800) /* 2026-06-01 10:00 in Brussels */

enum { HOUR = 3600, DAY = 86400 };

static char directory[] = "/tmp/test-store.XXXXXX";
static char path[64];

static int begin(void **state)
{
	(void)state;
	snprintf(directory, sizeof(directory), "/tmp/test-store.XXXXXX");
	assert_non_null(mkdtemp(directory));
	snprintf(path, sizeof(path), "%s/ledger.db", directory);
	return calendar_use("Europe/Brussels");
}

static int end(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", directory);
	return system(command);
}

static struct store *open_with(int keep_hours, int keep_days)
{
	struct store *store;

	assert_int_equal(store_open(&store, path, false,
				 &(struct store_options){ .keep_hours = keep_hours, .keep_days = keep_days }),
		0);
	return store;
}

static struct store *open_store(void)
{
	return open_with(62, 3660);
}

static struct reading_entry entry(const char *key, enum reading_kind kind, uint64_t in, uint64_t out)
{
	struct reading_entry e = { .kind = kind, .value = { in, out, in / 100, out / 100 } };

	snprintf(e.key, sizeof(e.key), "%s", key);
	return e;
}

/* A reading of one entry, of the run and boot called one. */
static int commit(struct store *store, int64_t at, struct reading_entry e)
{
	struct reading r = {
		.run = "one", .boot = "one", .since = at - HOUR, .at = at, .cause = "hour", .entry = &e, .entries = 1
	};

	return store_commit(store, &r);
}

/* Rows as text, "START KEY KIND IN/OUT" each; times relative to MORNING in hours. */
static void write_row(void *ctx, const struct store_row *row)
{
	char *text = ctx;
	size_t len = strlen(text);

	snprintf(text + len, 2000 - len, "%s%" PRId64 "+%" PRId64 " %s %d %" PRIu64 "/%" PRIu64, len ? ", " : "",
		(row->start - MORNING) / HOUR, (row->end - row->start) / HOUR, row->key, row->kind,
		row->value[READING_IN_BYTES], row->value[READING_OUT_BYTES]);
}

static void check_rows(struct store *store, int64_t from, int64_t to, const char *want)
{
	char text[2000] = "";

	assert_int_equal(store_walk(store, from, to, write_row, text), 0);
	assert_string_equal(text, want);
}

static void write_gap(void *ctx, const struct store_gap *gap)
{
	char *text = ctx;
	size_t len = strlen(text);

	snprintf(text + len, 2000 - len, "%s%" PRId64 "-%" PRId64 " %s", len ? ", " : "", gap->start - MORNING,
		gap->end - MORNING, gap->cause);
}

static void check_gaps(struct store *store, const char *want)
{
	char text[2000] = "";

	assert_int_equal(store_walk_gaps(store, 0, INT64_MAX, write_gap, text), 0);
	assert_string_equal(text, want);
}

static void differences_go_to_the_hour_that_ended(void **state)
{
	struct store *store = open_store();

	(void)state;
	assert_int_equal(commit(store, MORNING, entry(TV, READING_WAN4, 1000, 500)), 0);
	assert_int_equal(commit(store, MORNING + 1800, entry(TV, READING_WAN4, 1500, 500)), 0);
	assert_int_equal(commit(store, MORNING + HOUR, entry(TV, READING_WAN4, 1700, 600)), 0);
	assert_int_equal(commit(store, MORNING + HOUR + 1, entry(TV, READING_WAN4, 1700, 700)), 0);
	check_rows(store, 0, INT64_MAX, "-1+1 " TV " 0 1000/500, 0+1 " TV " 0 700/100, 1+1 " TV " 0 0/100");
	check_rows(store, MORNING, MORNING + HOUR, "0+1 " TV " 0 700/100");
	assert_int_equal(store_last(store), MORNING + HOUR + 1);
	assert_int_equal(store_first(store), MORNING - HOUR);
	store_close(store);
}

static void a_reading_counts_once(void **state)
{
	struct store *store = open_store();

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(commit(store, MORNING, entry(TV, READING_WAN4, 1000, 500)), 0);
	store_close(store);
	store = open_store();
	assert_int_equal(commit(store, MORNING, entry(TV, READING_WAN4, 1000, 500)), 0);
	/* A checkpoint that is older than the reading: nothing is taken back, and nothing counted again. */
	assert_int_equal(commit(store, MORNING, entry(TV, READING_WAN4, 900, 450)), 0);
	assert_int_equal(commit(store, MORNING, entry(TV, READING_WAN4, 1010, 500)), 0);
	check_rows(store, 0, INT64_MAX, "-1+1 " TV " 0 1010/500");
	check_gaps(store, "");
	store_close(store);
}

static void counters_begin_anew_with_a_run(void **state)
{
	struct store *store = open_store();
	struct reading_entry e = entry(TV, READING_WAN4, 1000, 500);
	struct reading r = { .run = "one",
		.boot = "one",
		.since = MORNING - HOUR,
		.at = MORNING,
		.cause = "hour",
		.entry = &e,
		.entries = 1 };

	(void)state;
	assert_int_equal(store_commit(store, &r), 0);
	/* The power went: what came after the commit is lost, and that is told. */
	e = entry(TV, READING_WAN4, 70, 50);
	r = (struct reading){ .run = "two",
		.boot = "two",
		.since = MORNING + 90,
		.at = MORNING + 100,
		.cause = "end",
		.entry = &e,
		.entries = 1 };
	assert_int_equal(store_commit(store, &r), 0);
	/* A proper end before a reboot. The marks of a series that does not come again hold no longer. */
	e = entry(PHONE, READING_WAN4, 7, 5);
	r = (struct reading){ .run = "three",
		.boot = "three",
		.since = MORNING + 500,
		.at = MORNING + 600,
		.cause = "hour",
		.entry = &e,
		.entries = 1 };
	assert_int_equal(store_commit(store, &r), 0);
	e = entry(TV, READING_WAN4, 71, 50);
	r.at = r.since = MORNING + 700;
	assert_int_equal(store_commit(store, &r), 0);
	/* The same boot with counters of its own, and one that was not running for a while. */
	snprintf(r.run, sizeof(r.run), "four");
	e = entry(TV, READING_WAN4, 1, 1);
	r.since = r.at = MORNING + 701;
	assert_int_equal(store_commit(store, &r), 0);
	e = entry(TV, READING_WAN4, 2, 1);
	r.since = r.at = MORNING + 801;
	assert_int_equal(store_commit(store, &r), 0);
	check_rows(store, 0, INT64_MAX, "-1+1 " TV " 0 1000/500, 0+1 " TV " 0 143/101, 0+1 " PHONE " 0 7/5");
	check_gaps(store,
		"0-90 power cut, 100-500 reboot, 600-700 not running, 700-701 counters lost, 701-801 not running");
	store_close(store);
}

static void interfaces_count_since_the_boot(void **state)
{
	struct store *store = open_store();
	struct reading_entry e = entry("wan eth0", READING_INTERFACE, 100000, 50000);
	struct reading r = {
		.run = "one", .boot = "one", .since = MORNING, .at = MORNING, .cause = "end", .entry = &e, .entries = 1
	};

	(void)state;
	assert_int_equal(store_commit(store, &r), 0); /* before anybody kept it */
	e = entry("wan eth0", READING_INTERFACE, 100200, 50000);
	assert_int_equal(store_commit(store, &r), 0);
	/* Another run of the meter changes nothing. */
	snprintf(r.run, sizeof(r.run), "two");
	e = entry("wan eth0", READING_INTERFACE, 100300, 50000);
	assert_int_equal(store_commit(store, &r), 0);
	/* Made anew: it fell. */
	e = entry("wan eth0", READING_INTERFACE, 30, 60000);
	assert_int_equal(store_commit(store, &r), 0);
	/* After a boot all is new, what came before the meter too; and an interface that was not there. */
	snprintf(r.boot, sizeof(r.boot), "two");
	e = entry("wan eth0", READING_INTERFACE, 4000, 0);
	assert_int_equal(store_commit(store, &r), 0);
	check_rows(store, 0, INT64_MAX, "-1+1 wan eth0 4 4330/60000");
	store_close(store);
}

/* Hours are kept for two days here, days for a month or two. */
static void old_rows_are_days_and_months(void **state)
{
	struct store *store = open_with(2, 31);
	uint64_t total = 0;
	char text[2000] = "";

	(void)state;
	for (int day = 0; day < 100; day++) {
		total += 100;
		assert_int_equal(commit(store, MORNING + day * DAY, entry(TV, READING_WAN4, total, 0)), 0);
	}
	/* 2026-06-01 to 09-08. Months until 08-08's, days until two days ago, hours. */
	assert_int_equal(store_walk(store, 0, INT64_MAX, write_row, text), 0);
	assert_non_null(strstr(text,
		"-10+720 " TV " 0 3000/0, 710+744 " TV " 0 3100/0, 1454+24 " TV " 0 100/0, 1478+24 "));
	assert_non_null(strstr(text, "2270+24 " TV " 0 100/0, 2294+24 " TV " 0 100/0, 2327+1 " TV " 0 100/0"));
	/* A month that is partly asked for is not there; days of which only the end is asked for neither. */
	check_rows(store, MORNING, MORNING + 75 * DAY - 20 * HOUR,
		"710+744 " TV " 0 3100/0, 1454+24 " TV " 0 100/0, "
		"1478+24 " TV " 0 100/0, 1502+24 " TV " 0 100/0, 1526+24 " TV " 0 100/0, 1550+24 " TV " 0 100/0, "
		"1574+24 " TV " 0 100/0, 1598+24 " TV " 0 100/0, 1622+24 " TV " 0 100/0, 1646+24 " TV " 0 100/0, "
		"1670+24 " TV " 0 100/0, 1694+24 " TV " 0 100/0, 1718+24 " TV " 0 100/0, 1742+24 " TV " 0 100/0, "
		"1766+24 " TV " 0 100/0");
	store_close(store);
	/* Keeping more does not bring back what is gone, and takes nothing twice. */
	store = open_with(62, 3660);
	assert_int_equal(commit(store, MORNING + 100 * DAY, entry(TV, READING_WAN4, total + 1, 0)), 0);
	memset(text, 0, sizeof(text));
	assert_int_equal(store_walk(store, 0, INT64_MAX, write_row, text), 0);
	assert_non_null(strstr(text, "2294+24 " TV " 0 100/0, 2327+1 " TV " 0 100/0"));
	store_close(store);
}

/* The last days of a month bring nothing; the month has what came before. */
static void a_month_that_ends_quietly(void **state)
{
	struct store *store = open_with(2, 31);
	char text[2000] = "";

	(void)state;
	assert_int_equal(commit(store, MORNING + 20 * DAY, entry(TV, READING_WAN4, 100, 0)), 0);
	for (int day = 21; day < 100; day++)
		assert_int_equal(commit(store, MORNING + day * DAY, entry(TV, READING_WAN4, 100, 0)), 0);
	assert_int_equal(store_walk(store, 0, INT64_MAX, write_row, text), 0);
	assert_string_equal(text, "-10+720 " TV " 0 100/0");
	store_close(store);
}

/* --- Against a slow model: random readings, restarts, boots, clocks that jump, rows of any age */

enum { DEVICES = 4 };

struct model {
	uint64_t value[DEVICES][READING_KINDS], counted[DEVICES][READING_KINDS], mark[DEVICES][READING_KINDS];
};

static const char *const keys[DEVICES] = { TV, PHONE, "router", "192.168.1.9" };

static void add_row(void *ctx, const struct store_row *row)
{
	struct model *sum = ctx;

	for (int i = 0; i < DEVICES; i++)
		if (!strcmp(keys[i], row->key))
			sum->counted[i][row->kind] += row->value[READING_IN_BYTES];
}

static void check_sums(struct store *store, const struct model *model)
{
	struct model sum = { 0 };

	assert_int_equal(store_walk(store, 0, INT64_MAX, add_row, &sum), 0);
	for (int i = 0; i < DEVICES; i++)
		for (int kind = 0; kind < READING_INTERFACE; kind++)
			assert_int_equal(sum.counted[i][kind], model->counted[i][kind]);
}

static void sums_are_those_of_the_counters(void **state)
{
	static const char *const zones[] = { "Europe/Brussels", "Australia/Lord_Howe", "Pacific/Apia",
		"America/Sao_Paulo" };
	struct model model = { 0 };
	struct store *store = open_with(2, 31);
	int64_t at = 1262304000;
	int run = 0, boot = 0;

	(void)state;
	srandom(15);
	calendar_use(zones[0]);
	for (int step = 0; step < 3000; step++) {
		struct reading_entry e[DEVICES];
		struct reading r = { .since = at, .entry = e };
		long what = random() % 100;

		if (what < 3 || !step) { /* the counters are lost, perhaps with a boot */
			run++;
			boot += what == 0;
			memset(model.value, 0, sizeof(model.value));
			memset(model.mark, 0, sizeof(model.mark));
		} else if (what < 6) {
			store_close(store);
			store = open_with(2, 31);
		} else if (what < 7) { /* the clock was ahead */
			at -= random() % (40 * DAY);
			assert_int_equal(store_redate(store, at), 0);
			check_sums(store, &model);
		}
		at += what < 90 ? HOUR : random() % (5 * DAY);
		snprintf(r.run, sizeof(r.run), "%d", run);
		snprintf(r.boot, sizeof(r.boot), "%d", boot);
		r.at = at;
		for (int i = 0; i < DEVICES; i++) {
			enum reading_kind kind = (enum reading_kind)(random() % READING_INTERFACE);

			if (random() % 4 == 0)
				continue;
			model.value[i][kind] += (uint64_t)(random() % 1000);
			model.counted[i][kind] += model.value[i][kind] - model.mark[i][kind];
			model.mark[i][kind] = model.value[i][kind];
			e[r.entries++] = entry(keys[i], kind, model.value[i][kind], 0);
		}
		assert_int_equal(store_commit(store, &r), 0);
		if (step % 50 == 0)
			check_sums(store, &model);
	}
	check_sums(store, &model);
	store_close(store);
}

/* --- Files that are none */

static void write_file(const char *bytes, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	close(fd);
}

static void run_sql(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static int open_error(bool read_only)
{
	struct store *store;
	int error = store_open(&store, path, read_only, &(struct store_options){ .keep_hours = 62 });

	store_close(store);
	return error;
}

static void foreign_and_damaged_files_are_not_touched(void **state)
{
	char zeros[4096] = "SQLite format 3", aside[128], command[256];
	struct store *store;

	(void)state;
	assert_int_equal(open_error(true), -ENOENT);
	write_file(zeros, sizeof(zeros));
	assert_int_equal(open_error(false), -EUCLEAN);
	assert_int_equal(store_put_aside(path, 1234567890, aside, sizeof(aside)), 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(access(aside, F_OK), 0);
	/* A page in the middle is torn. */
	store = open_store();
	for (int i = 0; i < 200; i++)
		assert_int_equal(commit(store, MORNING + i * HOUR, entry(TV, READING_WAN4, (uint64_t)i * 1000, 0)), 0);
	store_close(store);
	snprintf(command, sizeof(command), "dd if=/dev/urandom of=%s bs=1024 seek=6 count=3 conv=notrunc 2>/dev/null",
		path);
	assert_int_equal(system(command), 0);
	assert_int_equal(open_error(false), -EUCLEAN);
	/* Only so many are kept. */
	for (int i = 0; i < 5; i++) {
		write_file(zeros, sizeof(zeros));
		assert_int_equal(store_put_aside(path, 1234567891 + i, aside, sizeof(aside)), 0);
	}
	snprintf(command, sizeof(command), "test $(ls %s/ledger.db.bad-* | wc -l) = 3 && test -e %s", directory, aside);
	assert_int_equal(system(command), 0);
	/* Another program's, and one of a version that is to come. */
	run_sql("PRAGMA user_version = 1; CREATE TABLE t(x)");
	assert_int_equal(open_error(false), -EPROTO);
	unlink(path);
	store_close(open_store());
	run_sql("PRAGMA user_version = 99");
	assert_int_equal(open_error(false), -EPROTO);
}

static void two_processes_do_not_share_it(void **state)
{
	struct store *store = open_store();

	(void)state;
	assert_int_equal(commit(store, MORNING, entry(TV, READING_WAN4, 1, 1)), 0);
	assert_int_equal(open_error(false), -EBUSY);
	store_close(store);
	assert_int_equal(open_error(false), 0);
	assert_int_equal(open_error(true), 0);
}

static void remember(void *ctx, const struct store_device *device)
{
	char *text = ctx;
	size_t len = strlen(text);

	snprintf(text + len, 500 - len, "%s=%s@%" PRId64 " ", device->key, device->name, device->since);
}

static void names_have_a_history(void **state)
{
	struct store *store = open_store();
	struct reading_entry e = entry(TV, READING_WAN4, 1, 1);
	char text[500] = "", *got;

	(void)state;
	snprintf(e.name, sizeof(e.name), "tv");
	assert_int_equal(commit(store, MORNING, e), 0);
	assert_int_equal(commit(store, MORNING + 1, e), 0);
	snprintf(e.name, sizeof(e.name), "it's \"new\"");
	assert_int_equal(commit(store, MORNING + 2, e), 0);
	assert_int_equal(commit(store, MORNING + 3, entry(PHONE, READING_WAN4, 1, 1)), 0);
	assert_int_equal(store_walk_devices(store, remember, text), 0);
	assert_string_equal(text, TV "=it's \"new\"@1780300802 " PHONE "=@0 ");
	/* What others keep goes with the transaction. */
	assert_int_equal(store_begin(store), 0);
	assert_int_equal(store_put(store, "caps", "{}"), 0);
	assert_int_equal(commit(store, MORNING + 4, entry(PHONE, READING_WAN4, 9, 1)), 0);
	assert_int_equal(store_end(store, -ECANCELED), -ECANCELED);
	assert_int_equal(store_get(store, "caps", &got), 0);
	assert_null(got);
	assert_int_equal(store_last(store), MORNING + 3);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(differences_go_to_the_hour_that_ended, begin, end),
		cmocka_unit_test_setup_teardown(a_reading_counts_once, begin, end),
		cmocka_unit_test_setup_teardown(counters_begin_anew_with_a_run, begin, end),
		cmocka_unit_test_setup_teardown(interfaces_count_since_the_boot, begin, end),
		cmocka_unit_test_setup_teardown(old_rows_are_days_and_months, begin, end),
		cmocka_unit_test_setup_teardown(a_month_that_ends_quietly, begin, end),
		cmocka_unit_test_setup_teardown(sums_are_those_of_the_counters, begin, end),
		cmocka_unit_test_setup_teardown(foreign_and_damaged_files_are_not_touched, begin, end),
		cmocka_unit_test_setup_teardown(two_processes_do_not_share_it, begin, end),
		cmocka_unit_test_setup_teardown(names_have_a_history, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
