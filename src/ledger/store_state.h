/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_state: struct store, for the files that make up the store only. */
#pragma once

#include "store.h"

#include "hostmeter/base/buf.h"

#include <sqlite3.h>
#include <uthash.h>

/* The tables with rows of values, from the finest. */
enum store_table { STORE_HOUR, STORE_DAY, STORE_MONTH };

enum store_query {
	STORE_Q_DEVICE,
	STORE_Q_NEW_DEVICE,
	STORE_Q_NAME,
	STORE_Q_NEW_NAME,
	STORE_Q_ADD,
	STORE_Q_GET,
	STORE_Q_PUT,
	STORE_Q_NEW,
	STORE_Q_GAP,
	STORE_QUERIES,
};

/*
 * A row has both families of a device in one scope: WAN, local or interface (which has no family). Its id is its time,
 * device and scope, so that rows are appended to pages that are full: a row of ten years ago costs 60 bytes.
 */
enum {
	STORE_SCOPE_BITS = 2,
	STORE_DEVICE_BITS = 24,
	STORE_TIME_SHIFT = STORE_SCOPE_BITS + STORE_DEVICE_BITS,
	STORE_FAMILIES = 2,
	STORE_INTERFACES = 2, /* the scope after WAN and local */
	STORE_COLUMNS = STORE_FAMILIES * READING_VALUES,
};

/* The columns that hold values, and what adds them up: text for SQL. */
#define STORE_VALUES                                                                                                   \
	"in4_bytes, out4_bytes, in4_packets, out4_packets, in6_bytes, out6_bytes, in6_packets, out6_packets"
#define STORE_SUMS                                                                                                     \
	"sum(in4_bytes), sum(out4_bytes), sum(in4_packets), sum(out4_packets), "                                       \
	"sum(in6_bytes), sum(out6_bytes), sum(in6_packets), sum(out6_packets)"
#define STORE_ADD                                                                                                      \
	"ON CONFLICT DO UPDATE SET "                                                                                   \
	"in4_bytes = in4_bytes + excluded.in4_bytes, out4_bytes = out4_bytes + excluded.out4_bytes, "                  \
	"in4_packets = in4_packets + excluded.in4_packets, out4_packets = out4_packets + excluded.out4_packets, "      \
	"in6_bytes = in6_bytes + excluded.in6_bytes, out6_bytes = out6_bytes + excluded.out6_bytes, "                  \
	"in6_packets = in6_packets + excluded.in6_packets, out6_packets = out6_packets + excluded.out6_packets"

/* The id of rows of this time; hours are known by the minute at which they start, days by yyyymmdd, months by yyyymm.
 */
static inline int64_t store_id(int64_t time)
{
	return time << STORE_TIME_SHIFT;
}

static inline int64_t store_hour_id(int64_t start)
{
	return store_id(start / 60);
}

/* The last committed values of a series. They are kept in memory, and in the file as one value. */
struct store_mark {
	uint32_t series; /* device, shifted, and kind */
	int64_t value[READING_VALUES];
	UT_hash_handle hh;
};

struct store {
	sqlite3 *db;
	struct store_options options;
	sqlite3_stmt *query[STORE_QUERIES];
	int depth; /* of store_begin() */
	struct store_mark *marks;
	int64_t last;
	int64_t hours_from; /* what starts before is in days only; 0: nothing is */
	int days_from;      /* a date, yyyymmdd: what is before is in months only; 0: nothing is */
	bool is_stale;      /* these could not be read again after a transaction that was taken back */
	int rolled;         /* the latest date that was summed up, yyyymmdd; 0: none */
};

/* Reads what is known of the file again if it may have changed. */
int store_refresh(struct store *store);

/* Of the database's latest error. */
int store_error(const struct store *store);

/* Runs SQL without parameters: 0 or an error. */
int store_run(struct store *store, const char *sql);

/* The prepared statement, reset. NULL: store_error(). */
sqlite3_stmt *store_query(struct store *store, enum store_query query);

/* Prepares a statement for one use, with numbers as its parameters. NULL: store_error(). sqlite3_finalize() it. */
sqlite3_stmt *store_prepare(struct store *store, const char *sql, const int64_t *numbers, int count);

/* Runs such a statement to its end. */
int store_run_with(struct store *store, const char *sql, const int64_t *numbers, int count);

int store_get_number(struct store *store, const char *name, int64_t *number);
int store_put_number(struct store *store, const char *name, int64_t number);

/* store_marks.c. The mark of a series, made of zeros if there is none (*known: there was one); NULL: out of memory. */
struct store_mark *store_mark(struct store *store, int64_t device, enum reading_kind kind, bool *known);
void store_forget_marks(struct store *store, bool interfaces_too);
int store_load_marks(struct store *store);
int store_save_marks(struct store *store);

/* Bytes by a name; *out is appended to. */
int store_get_bytes(struct store *store, const char *name, struct buf *out);
int store_put_bytes(struct store *store, const char *name, const void *data, size_t len);

/* store_roll.c: sums up the days before the one that t is in, and removes what is not kept. */
int store_roll(struct store *store, int64_t t);

/* A row was added to an hour of a day that is summed up already. */
int store_roll_late(struct store *store, int64_t t);

/* A date as a number, yyyymmdd, and back to the instant at which it begins. */
int store_date(int64_t t);
int64_t store_date_start(int date);
