/* SPDX-License-Identifier: GPL-2.0-or-later */
/* store_state: struct store, for the files that make up the store only. */
#pragma once

#include "store.h"

#include <sqlite3.h>

/* The tables with rows of values, from the finest. */
enum store_table { STORE_HOUR, STORE_DAY, STORE_MONTH };

enum store_query {
	STORE_Q_DEVICE,
	STORE_Q_NEW_DEVICE,
	STORE_Q_NAME,
	STORE_Q_NEW_NAME,
	STORE_Q_MARK,
	STORE_Q_SET_MARK,
	STORE_Q_ADD,
	STORE_Q_GET,
	STORE_Q_PUT,
	STORE_Q_GAP,
	STORE_QUERIES,
};

struct store {
	sqlite3 *db;
	struct store_options options;
	sqlite3_stmt *query[STORE_QUERIES];
	int depth; /* of store_begin() */
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

/* store_roll.c: sums up the days before the one that t is in, and removes what is not kept. */
int store_roll(struct store *store, int64_t t);

/* A row was added to an hour of a day that is summed up already. */
int store_roll_late(struct store *store, int64_t t);

/* A date as a number, yyyymmdd, and back to the instant at which it begins. */
int store_date(int64_t t);
int64_t store_date_start(int date);
