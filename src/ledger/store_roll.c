/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hours become days, days become months, and what is old leaves. */
#include "calendar.h"
#include "store_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define SUMS "sum(in_bytes), sum(out_bytes), sum(in_packets), sum(out_packets)"

static struct calendar_date date_of(int date)
{
	return (struct calendar_date){ date / 10000, date / 100 % 100, date % 100 };
}

static int number_of(struct calendar_date date)
{
	return date.year * 10000 + date.month * 100 + date.day;
}

static int after(int date)
{
	return number_of(calendar_add_days(date_of(date), 1));
}

static int sum_day(struct store *store, int date)
{
	return store_run_with(store,
		"INSERT OR REPLACE INTO day SELECT ?1, device, kind, " SUMS
		" FROM hour WHERE start >= ?2 AND start < ?3 GROUP BY device, kind",
		(const int64_t[]){ date, store_date_start(date), store_date_start(after(date)) }, 3);
}

static int sum_month(struct store *store, int month)
{
	return store_run_with(store,
		"INSERT OR REPLACE INTO month SELECT ?1, device, kind, " SUMS
		" FROM day WHERE date > ?1 * 100 AND date < ?1 * 100 + 100 GROUP BY device, kind",
		(const int64_t[]){ month }, 1);
}

/* The date of the first hour that is not summed up yet; 0: there is none. */
static int first_date(struct store *store, int *date)
{
	const int64_t from[] = { store->rolled ? store_date_start(after(store->rolled)) : 0 };
	sqlite3_stmt *q = store_prepare(store, "SELECT min(start) FROM hour WHERE start >= ?", from, 1);
	int error = !q || sqlite3_step(q) != SQLITE_ROW ? store_error(store) : 0;

	*date = error || sqlite3_column_type(q, 0) == SQLITE_NULL ? 0 : store_date(sqlite3_column_int64(q, 0));
	sqlite3_finalize(q);
	return error;
}

/* Removes whole days of hours, and whole months of days. */
static int remove_old(struct store *store, int today)
{
	struct calendar_date date = date_of(today);
	int error = 0;

	if (store->options.keep_hours) {
		int64_t from = calendar_instant(calendar_add_days(date, -store->options.keep_hours), 0);

		/* Never back: what was removed stays removed when more shall be kept. */
		if (from > store->hours_from)
			store->hours_from = from;
		error = store_run_with(store, "DELETE FROM hour WHERE start < ?", &store->hours_from, 1);
		if (!error)
			error = store_put_number(store, "hours-from", store->hours_from);
	}
	if (!error && store->options.keep_days) {
		struct calendar_date oldest = calendar_add_days(date, -store->options.keep_days);
		int from = oldest.year * 10000 + oldest.month * 100 + 1;

		if (from > store->days_from)
			store->days_from = from;
		error = store_run_with(store, "DELETE FROM day WHERE date < ?", (const int64_t[]){ store->days_from },
			1);
		if (!error)
			error = store_put_number(store, "days-from", store->days_from);
	}
	return error ? error : store_run(store, "PRAGMA incremental_vacuum(64)");
}

int store_roll_late(struct store *store, int64_t t)
{
	int date = store_date(t), error;

	if (date > store->rolled || t < store->hours_from)
		return 0;
	error = sum_day(store, date);
	return error ? error : sum_month(store, date / 100);
}

int store_roll(struct store *store, int64_t t)
{
	int today = store_date(t), date, error = 0;

	if (store->last && store_date(store->last - 1) >= today)
		return 0;
	for (;;) {
		error = first_date(store, &date);
		if (error || !date || date >= today)
			break;
		error = sum_day(store, date);
		if (!error)
			error = sum_month(store, date / 100);
		if (error)
			return error;
		store->rolled = date;
	}
	if (!error)
		error = store_put_number(store, "rolled", store->rolled);
	if (!error)
		error = remove_old(store, today);
	return error;
}

/* --- A clock that was ahead */

/* Moves the rows of a table from one time to another (as the table has times) into an hour. */
static int move_rows(struct store *store, enum store_table table, int64_t from, int64_t to, int64_t hour)
{
	static const char *const names[] = { "hour", "day", "month" }, *const times[] = { "start", "date", "month" };
	const int64_t numbers[] = { from, to, hour };
	char sql[512];
	int error;

	snprintf(sql, sizeof(sql),
		"INSERT INTO hour SELECT ?3, device, kind, " SUMS
		" FROM %s WHERE %s >= ?1 AND %s < ?2 GROUP BY device, kind ON CONFLICT DO UPDATE SET "
		"in_bytes = in_bytes + excluded.in_bytes, out_bytes = out_bytes + excluded.out_bytes, "
		"in_packets = in_packets + excluded.in_packets, out_packets = out_packets + excluded.out_packets",
		names[table], times[table], times[table]);
	error = store_run_with(store, sql, numbers, 3);
	if (error)
		return error;
	snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE %s >= ? AND %s < ?", names[table], times[table], times[table]);
	return store_run_with(store, sql, numbers, 2);
}

/*
 * All that is dated later than the end of this hour. What hours lost already is in days, and what days lost in months;
 * there it is not told apart from what is earlier that day, or that month.
 */
static int move_later(struct store *store, int64_t now)
{
	int64_t hour = calendar_hour(now), summed = store->rolled ? store_date_start(after(store->rolled)) : 0;
	int today = store_date(now), this_month = today / 100, error = 0;

	if (store->days_from > today) {
		error = move_rows(store, STORE_MONTH, this_month, store->days_from / 100, hour);
		store->days_from = this_month * 100 + 1;
	}
	if (!error && store->hours_from > store_date_start(today)) {
		error = store_run_with(store, "DELETE FROM hour WHERE start >= ? AND start < ?",
			(const int64_t[]){ store->hours_from, summed }, 2);
		if (!error)
			error = move_rows(store, STORE_DAY, today, INT64_MAX, hour);
		store->hours_from = store_date_start(today);
	}
	if (!error)
		error = move_rows(store, STORE_HOUR, calendar_next_hour(now), INT64_MAX, hour);
	/* What is left has been summed up of hours and days that are there. */
	if (!error)
		error = store_run_with(store, "DELETE FROM day WHERE date >= ?", (const int64_t[]){ today }, 1);
	if (!error)
		error = store_run_with(store, "DELETE FROM month WHERE month >= ?", (const int64_t[]){ this_month }, 1);
	if (store->rolled >= today)
		store->rolled = number_of(calendar_add_days(date_of(today), -1));
	return error;
}

int store_redate(struct store *store, int64_t now)
{
	struct store_gap gap = { now, store->last, "clock was ahead" };
	int error = store_begin(store);

	if (error)
		return error;
	if (store->last > now)
		error = store_add_gap(store, &gap);
	if (!error)
		error = move_later(store, now);
	if (!error)
		error = store_put_number(store, "hours-from", store->hours_from);
	if (!error)
		error = store_put_number(store, "days-from", store->days_from);
	if (!error)
		error = store_put_number(store, "rolled", store->rolled);
	store->last = now;
	if (!error)
		error = store_put_number(store, "last", now);
	return store_end(store, error);
}
