/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is in the file. */
#include "calendar.h"
#include "store_state.h"

#include <stdlib.h>

#define SELECT(table)                                                                                                  \
	"SELECT t.id, key, " STORE_VALUES " FROM " table " AS t JOIN device ON device.id = (t.id >> 2) & 16777215 "    \
	"WHERE t.id >= ? AND t.id < ? ORDER BY t.id"

struct walk {
	struct store *store;
	void (*each)(void *ctx, const struct store_row *row);
	void *ctx;
};

/* The next month, yyyymm. */
static int month_after(int month)
{
	return month % 100 == 12 ? month + 89 : month + 1;
}

static int64_t month_start(int month)
{
	return store_date_start(month * 100 + 1);
}

static int date_after(int date)
{
	struct calendar_date d = { date / 10000, date / 100 % 100, date % 100 };

	d = calendar_add_days(d, 1);
	return d.year * 10000 + d.month * 100 + d.day;
}

static void set_times(struct store_row *row, enum store_table table, int64_t time)
{
	switch (table) {
	case STORE_HOUR:
		row->start = time;
		row->end = calendar_next_hour(time);
		break;
	case STORE_DAY:
		row->start = store_date_start((int)time);
		row->end = store_date_start(date_after((int)time));
		break;
	case STORE_MONTH:
		row->start = month_start((int)time);
		row->end = month_start(month_after((int)time));
		break;
	}
}

/* Gives the families of a row that have something in them. */
static void give(const struct walk *w, sqlite3_stmt *q, int scope, struct store_row *row)
{
	int families = scope == STORE_INTERFACES ? 1 : STORE_FAMILIES;

	for (int family = 0; family < families; family++) {
		bool any = false;

		row->kind = (enum reading_kind)(STORE_FAMILIES * scope + family);
		for (int i = 0; i < READING_VALUES; i++) {
			int64_t value = sqlite3_column_int64(q, 2 + family * READING_VALUES + i);

			row->value[i] = value < 0 ? 0 : (uint64_t)value;
			any |= value > 0;
		}
		if (any)
			w->each(w->ctx, row);
	}
}

/* Rows of a table from one id to another. */
static int walk_table(const struct walk *w, enum store_table table, int64_t from, int64_t to)
{
	static const char *const sql[] = { SELECT("hour"), SELECT("day"), SELECT("month") };
	sqlite3_stmt *q = store_prepare(w->store, sql[table], (const int64_t[]){ from, to }, 2);
	int64_t latest = INT64_MIN;
	struct store_row row = { .start = 0 };
	int got = SQLITE_DONE, error;

	while (q && (got = sqlite3_step(q)) == SQLITE_ROW) {
		int64_t id = sqlite3_column_int64(q, 0), time = id >> STORE_TIME_SHIFT;
		int scope = (int)(id & ((1 << STORE_SCOPE_BITS) - 1));

		row.key = (const char *)sqlite3_column_text(q, 1);
		if (!row.key || scope > STORE_INTERFACES)
			continue; /* not written by us */
		if (time != latest)
			set_times(&row, table, table == STORE_HOUR ? time * 60 : time);
		latest = time;
		give(w, q, scope, &row);
	}
	error = !q || got != SQLITE_DONE ? store_error(w->store) : 0;
	sqlite3_finalize(q);
	return error;
}

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The id of the first hour that starts then or later. */
static int64_t hour_id_after(int64_t t)
{
	return t >= INT64_MAX >> STORE_TIME_SHIFT ? INT64_MAX : store_hour_id(t + 59);
}

int store_walk(struct store *store, int64_t from, int64_t to, void (*each)(void *ctx, const struct store_row *row),
	void *ctx)
{
	const struct walk walk = { store, each, ctx };
	int error = store_refresh(store);
	int64_t days_end = to < store->hours_from ? to : store->hours_from;
	int64_t months_end = store->days_from ? store_date_start(store->days_from) : 0;

	if (error)
		return error;
	if (months_end > days_end)
		months_end = days_end;
	if (from < months_end) {
		int first = store_date(from) / 100, last = store_date(months_end - 1) / 100;

		error = walk_table(&walk, STORE_MONTH, store_id(month_start(first) < from ? month_after(first) : first),
			store_id(last + 1));
	}
	if (!error && from < days_end) {
		int first = store_date(from);

		first = store_date_start(first) < from ? date_after(first) : first;
		error = walk_table(&walk, STORE_DAY, store_id(later(first, store->days_from)),
			store_id(store_date(days_end - 1) + 1));
	}
	if (!error && to > store->hours_from)
		error = walk_table(&walk, STORE_HOUR, hour_id_after(later(from, store->hours_from)), hour_id_after(to));
	return error;
}

int store_walk_gaps(struct store *store, int64_t from, int64_t to, void (*each)(void *ctx, const struct store_gap *gap),
	void *ctx)
{
	sqlite3_stmt *q = store_prepare(store,
		"SELECT start, end, cause FROM gap WHERE end >= ? AND start < ? ORDER BY start",
		(const int64_t[]){ from, to }, 2);
	int got = SQLITE_DONE, error;

	while (q && (got = sqlite3_step(q)) == SQLITE_ROW) {
		const char *cause = (const char *)sqlite3_column_text(q, 2);

		each(ctx,
			&(struct store_gap){
				sqlite3_column_int64(q, 0), sqlite3_column_int64(q, 1), cause ? cause : "" });
	}
	error = !q || got != SQLITE_DONE ? store_error(store) : 0;
	sqlite3_finalize(q);
	return error;
}

int store_walk_devices(struct store *store, void (*each)(void *ctx, const struct store_device *device), void *ctx)
{
	/* A bare column beside max() is of the row that has the maximum (sqlite.org/lang_select.html). */
	sqlite3_stmt *q = store_prepare(store,
		"SELECT key, name, max(since) FROM device LEFT JOIN name ON id = device GROUP BY id ORDER BY id", NULL,
		0);
	int got = SQLITE_DONE, error;

	while (q && (got = sqlite3_step(q)) == SQLITE_ROW) {
		const char *key = (const char *)sqlite3_column_text(q, 0),
			   *name = (const char *)sqlite3_column_text(q, 1);

		if (key)
			each(ctx, &(struct store_device){ key, name ? name : "", sqlite3_column_int64(q, 2) });
	}
	error = !q || got != SQLITE_DONE ? store_error(store) : 0;
	sqlite3_finalize(q);
	return error;
}

int64_t store_last(const struct store *store)
{
	return store->last;
}

static int64_t lowest(struct store *store, const char *sql)
{
	sqlite3_stmt *q = store_prepare(store, sql, NULL, 0);
	int64_t number = q && sqlite3_step(q) == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;

	sqlite3_finalize(q);
	return number;
}

int64_t store_first(struct store *store)
{
	int64_t minute = lowest(store, "SELECT min(id) >> 26 FROM hour"), date, month, first = minute * 60, start;

	date = lowest(store, "SELECT min(id) >> 26 FROM day");
	month = lowest(store, "SELECT min(id) >> 26 FROM month");
	if (store->hours_from && date && (start = store_date_start((int)date)) && (!first || start < first))
		first = start;
	if (store->days_from && month && (start = month_start((int)month)) && (!first || start < first))
		first = start;
	return first;
}
