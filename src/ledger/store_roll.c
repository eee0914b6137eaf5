/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hours become days, days become months, and what is old leaves. */
#include "calendar.h"
#include "store_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FREE_PAGES = 512 };

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

/* Sums up the rows from one id to another, as rows of a coarser table with this time. */
#define SUM(table, rows)                                                                                               \
	"INSERT OR REPLACE INTO " table " SELECT ?1 | (id & 67108863), " STORE_SUMS " FROM " rows                      \
	" WHERE id >= ?2 AND id < ?3 GROUP BY id & 67108863"

static int sum_day(struct store *store, int date)
{
	const int64_t ids[] = { store_id(date), store_hour_id(store_date_start(date)),
		store_hour_id(store_date_start(after(date))) };

	return store_run_with(store, SUM("day", "hour"), ids, 3);
}

static int sum_month(struct store *store, int month)
{
	const int64_t ids[] = { store_id(month), store_id(month * 100), store_id(month * 100 + 100) };

	return store_run_with(store, SUM("month", "day"), ids, 3);
}

/* The date of the first hour that is not summed up yet; 0: there is none. */
static int first_date(struct store *store, int *date)
{
	const int64_t from[] = { store->rolled ? store_hour_id(store_date_start(after(store->rolled))) : 0 };
	sqlite3_stmt *q = store_prepare(store, "SELECT min(id) FROM hour WHERE id >= ?", from, 1);
	int error = !q || sqlite3_step(q) != SQLITE_ROW ? store_error(store) : 0;

	*date = error || sqlite3_column_type(q, 0) == SQLITE_NULL ?
		0 :
		store_date((sqlite3_column_int64(q, 0) >> STORE_TIME_SHIFT) * 60);
	sqlite3_finalize(q);
	return error;
}

/* Pages of removed rows are for the next ones. Only what is much more than that is given back. */
static int shrink(struct store *store)
{
	sqlite3_stmt *q = store_prepare(store, "PRAGMA freelist_count", NULL, 0);
	int64_t pages = q && sqlite3_step(q) == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;

	sqlite3_finalize(q);
	return pages > FREE_PAGES ? store_run(store, "PRAGMA incremental_vacuum(64)") : 0;
}

/* Removes whole weeks of hours, which writes less than a day each day, and whole months of days. */
static int remove_old(struct store *store, int today)
{
	struct calendar_date date = date_of(today);
	int error = 0;

	if (store->options.keep_hours) {
		struct calendar_date oldest = calendar_add_days(date, -store->options.keep_hours);
		int64_t from = calendar_instant(calendar_add_days(oldest, -calendar_weekday(oldest)), 0);

		/* Never back: what was removed stays removed when more shall be kept. */
		if (from > store->hours_from)
			store->hours_from = from;
		error = store_run_with(store, "DELETE FROM hour WHERE id < ?",
			(const int64_t[]){ store_hour_id(store->hours_from) }, 1);
		if (!error)
			error = store_put_number(store, "hours-from", store->hours_from);
	}
	if (!error && store->options.keep_days) {
		struct calendar_date oldest = calendar_add_days(date, -store->options.keep_days);
		int from = oldest.year * 10000 + oldest.month * 100 + 1;

		if (from > store->days_from)
			store->days_from = from;
		error = store_run_with(store, "DELETE FROM day WHERE id < ?",
			(const int64_t[]){ store_id(store->days_from) }, 1);
		if (!error)
			error = store_put_number(store, "days-from", store->days_from);
	}
	return error ? error : shrink(store);
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
		if (!error && date / 100 != today / 100)
			error = sum_month(store, date / 100);
		if (error)
			return error;
		store->rolled = date;
	}
	/* The last days of a month may have no hours, so that the loop did not come by. */
	if (!error && store->last && store_date(store->last - 1) / 100 != today / 100)
		error = sum_month(store, store_date(store->last - 1) / 100);
	if (!error)
		error = store_put_number(store, "rolled", store->rolled);
	if (!error)
		error = remove_old(store, today);
	return error;
}

/* --- A clock that was ahead */

/* Moves the rows of a table from one id to another into an hour. */
static int move_rows(struct store *store, const char *table, int64_t from, int64_t to, int64_t hour)
{
	const int64_t ids[] = { from, to, store_hour_id(hour) };
	char sql[1024];
	int error;

	snprintf(sql, sizeof(sql),
		"INSERT INTO hour SELECT ?3 | (id & 67108863), " STORE_SUMS
		" FROM %s WHERE id >= ?1 AND id < ?2 GROUP BY id & 67108863 " STORE_ADD,
		table);
	error = store_run_with(store, sql, ids, 3);
	if (error)
		return error;
	snprintf(sql, sizeof(sql), "DELETE FROM %s WHERE id >= ? AND id < ?", table);
	return store_run_with(store, sql, ids, 2);
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
		error = move_rows(store, "month", store_id(this_month), store_id(store->days_from / 100), hour);
		store->days_from = this_month * 100 + 1;
	}
	if (!error && store->hours_from > store_date_start(today)) {
		error = store_run_with(store, "DELETE FROM hour WHERE id >= ? AND id < ?",
			(const int64_t[]){ store_hour_id(store->hours_from), store_hour_id(summed) }, 2);
		if (!error)
			error = move_rows(store, "day", store_id(today), INT64_MAX, hour);
		store->hours_from = store_date_start(today);
	}
	if (!error)
		error = move_rows(store, "hour", store_hour_id(calendar_next_hour(now)), INT64_MAX, hour);
	/* What is left has been summed up of hours and days that are there. */
	if (!error)
		error = store_run_with(store, "DELETE FROM day WHERE id >= ?", (const int64_t[]){ store_id(today) }, 1);
	if (!error)
		error = store_run_with(store, "DELETE FROM month WHERE id >= ?",
			(const int64_t[]){ store_id(this_month) }, 1);
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
