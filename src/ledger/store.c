/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store.h"

#include "calendar.h"
#include "store_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { APPLICATION_ID = 0x686d6c67, VERSION = 1, BUSY_MS = 2000 };

/* --- Errors and statements */

static int error_of(int code, int system_errno)
{
	switch (code & 0xff) {
	case SQLITE_OK:
	case SQLITE_ROW:
	case SQLITE_DONE:
		return 0;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_NOMEM:
		return -ENOMEM;
	default:
		return system_errno ? -system_errno : -EIO;
	}
}

int store_error(const struct store *store)
{
	int error = error_of(sqlite3_extended_errcode(store->db), sqlite3_system_errno(store->db));

	return error ? error : -EIO;
}

int store_run(struct store *store, const char *sql)
{
	return sqlite3_exec(store->db, sql, NULL, NULL, NULL) ? store_error(store) : 0;
}

sqlite3_stmt *store_prepare(struct store *store, const char *sql, const int64_t *numbers, int count)
{
	sqlite3_stmt *statement;

	if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL))
		return NULL;
	for (int i = 0; i < count; i++)
		sqlite3_bind_int64(statement, i + 1, numbers[i]);
	return statement;
}

int store_run_with(struct store *store, const char *sql, const int64_t *numbers, int count)
{
	sqlite3_stmt *statement = store_prepare(store, sql, numbers, count);
	int error = !statement || sqlite3_step(statement) != SQLITE_DONE ? store_error(store) : 0;

	sqlite3_finalize(statement);
	return error;
}

static const char *const queries[STORE_QUERIES] = {
	[STORE_Q_DEVICE] = "SELECT id FROM device WHERE key = ?",
	[STORE_Q_NEW_DEVICE] = "INSERT INTO device(key) VALUES(?)",
	[STORE_Q_NAME] = "SELECT name FROM name WHERE device = ? ORDER BY since DESC LIMIT 1",
	[STORE_Q_NEW_NAME] = "INSERT OR REPLACE INTO name VALUES(?, ?, ?)",
	[STORE_Q_ADD] = "INSERT INTO hour VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?) " STORE_ADD,
	[STORE_Q_GET] = "SELECT value FROM meta WHERE key = ?",
	[STORE_Q_PUT] = "UPDATE meta SET value = ?2 WHERE key = ?1",
	[STORE_Q_NEW] = "INSERT INTO meta(key, value) VALUES(?, ?)",
	[STORE_Q_GAP] = "INSERT INTO gap(start, end, cause) VALUES(?, ?, ?)",
};

sqlite3_stmt *store_query(struct store *store, enum store_query query)
{
	sqlite3_stmt **statement = &store->query[query];

	if (!*statement &&
		sqlite3_prepare_v3(store->db, queries[query], -1, SQLITE_PREPARE_PERSISTENT, statement, NULL))
		return NULL;
	sqlite3_reset(*statement);
	sqlite3_clear_bindings(*statement);
	return *statement;
}

/* --- Opening */

#define COLUMNS                                                                                                        \
	"(id INTEGER PRIMARY KEY, in4_bytes INTEGER NOT NULL, out4_bytes INTEGER NOT NULL, "                           \
	"in4_packets INTEGER NOT NULL, out4_packets INTEGER NOT NULL, in6_bytes INTEGER NOT NULL, "                    \
	"out6_bytes INTEGER NOT NULL, in6_packets INTEGER NOT NULL, out6_packets INTEGER NOT NULL);"

/* For people with sqlite3(1), who shall not have to take ids apart. */
#define VIEW(table, time)                                                                                              \
	"CREATE VIEW " table "s AS SELECT " time ", key, "                                                             \
	"CASE t.id & 3 WHEN 0 THEN 'wan' WHEN 1 THEN 'local' ELSE 'interface' END AS scope, " STORE_VALUES             \
	" FROM " table " AS t JOIN device ON device.id = (t.id >> 2) & 16777215;"

/* Each step makes the next version of the one before: migrations are appended. */
static const char *const steps[VERSION] = {
	"CREATE TABLE device(id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE);"
	"CREATE TABLE name(device INTEGER NOT NULL, since INTEGER NOT NULL, name TEXT NOT NULL, "
	"PRIMARY KEY(device, since)) WITHOUT ROWID;"
	"CREATE TABLE hour" COLUMNS "CREATE TABLE day" COLUMNS "CREATE TABLE month" COLUMNS VIEW("hour",
		"datetime((t.id >> 26) * 60, 'unixepoch') AS start") VIEW("day", "t.id >> 26 AS date") VIEW("month",
		"t.id >> 26 AS month") "CREATE TABLE gap(id INTEGER PRIMARY KEY, start INTEGER NOT NULL, end INTEGER "
				       "NOT NULL, cause TEXT NOT NULL);"
				       "CREATE TABLE meta(id INTEGER PRIMARY KEY, key TEXT NOT NULL, value);",
};

static int number_of(struct store *store, const char *sql, int64_t *number)
{
	sqlite3_stmt *statement = store_prepare(store, sql, NULL, 0);
	int error = !statement || sqlite3_step(statement) != SQLITE_ROW ? store_error(store) : 0;

	if (!error)
		*number = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return error;
}

/* Makes the tables, or brings them to this version; checks that the file is ours. */
static int migrate(struct store *store, bool read_only)
{
	int64_t version, application;
	char sql[64];
	int error = number_of(store, "PRAGMA user_version", &version);

	if (!error)
		error = number_of(store, "PRAGMA application_id", &application);
	if (error)
		return error;
	if (version > VERSION || (version && application != APPLICATION_ID) || (application && !version) ||
		(read_only && version < VERSION))
		return -EPROTO;
	if (version == VERSION)
		return 0;
	error = store_begin(store);
	while (!error && version < VERSION)
		error = store_run(store, steps[version++]);
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d; PRAGMA application_id = %d", VERSION, APPLICATION_ID);
	if (!error)
		error = store_run(store, sql);
	return store_end(store, error);
}

/* SQLite finds damage only where it reads: all of it is read once. */
static int check(struct store *store)
{
	sqlite3_stmt *statement = store_prepare(store, "PRAGMA quick_check(1)", NULL, 0);
	int error = !statement || sqlite3_step(statement) != SQLITE_ROW ? store_error(store) : 0;

	if (!error && strcmp((const char *)sqlite3_column_text(statement, 0), "ok"))
		error = -EUCLEAN;
	sqlite3_finalize(statement);
	return error;
}

static int load_state(struct store *store)
{
	int64_t days_from = 0, rolled = 0;
	int error = store_get_number(store, "last", &store->last);

	if (!error)
		error = store_get_number(store, "hours-from", &store->hours_from);
	if (!error)
		error = store_get_number(store, "days-from", &days_from);
	if (!error)
		error = store_get_number(store, "rolled", &rolled);
	if (!error)
		error = store_load_marks(store);
	store->days_from = (int)days_from;
	store->rolled = (int)rolled;
	store->is_stale = error;
	return error;
}

int store_refresh(struct store *store)
{
	return store->is_stale ? load_state(store) : 0;
}

static int prepare(struct store *store, bool read_only)
{
	/* The page size of the file systems that routers have, so that a page is never written twice. */
	int error = read_only ? 0 :
				store_run(store,
					"PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; "
					"PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = TRUNCATE; "
					"PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY");

	if (!error)
		error = migrate(store, read_only);
	if (!error)
		error = check(store);
	return error ? error : load_state(store);
}

int store_open(struct store **store, const char *path, bool read_only, const struct store_options *options)
{
	int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
	struct store *s = calloc(1, sizeof(*s));
	int error;

	*store = NULL;
	if (!s)
		return -ENOMEM;
	s->options = *options;
	error = sqlite3_open_v2(path, &s->db, flags | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE, NULL) ?
		store_error(s) :
		0;
	if (!error) {
		sqlite3_busy_timeout(s->db, BUSY_MS);
		/* A hostile file has no triggers, views or functions that run here. */
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
		sqlite3_db_config(s->db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
		error = prepare(s, read_only);
	}
	if (error)
		store_close(s);
	else
		*store = s;
	return error;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	for (int i = 0; i < STORE_QUERIES; i++)
		sqlite3_finalize(store->query[i]);
	store_forget_marks(store, true);
	sqlite3_close(store->db);
	free(store);
}

/* --- Transactions */

int store_begin(struct store *store)
{
	int error = store_refresh(store);

	if (!error && !store->depth)
		error = store_run(store, "BEGIN IMMEDIATE");
	store->depth += !error;
	return error;
}

int store_end(struct store *store, int error)
{
	if (!store->depth)
		return error;
	if (--store->depth)
		return error;
	if (!error)
		error = store_run(store, "COMMIT");
	if (error && !sqlite3_get_autocommit(store->db))
		store_run(store, "ROLLBACK");
	if (error) /* what a part of the transaction changed here */
		load_state(store);
	return error;
}

/* --- What others keep */

int store_get_bytes(struct store *store, const char *name, struct buf *out)
{
	sqlite3_stmt *q = store_query(store, STORE_Q_GET);
	int got, error;

	if (!q)
		return store_error(store);
	sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC);
	got = sqlite3_step(q);
	if (got == SQLITE_ROW) {
		const void *data = sqlite3_column_blob(q, 0); /* before its size: sqlite.org/c3ref/column_blob.html */

		buf_add(out, data, (size_t)sqlite3_column_bytes(q, 0));
	}
	error = got == SQLITE_ROW || got == SQLITE_DONE ? out->error : store_error(store);
	sqlite3_reset(q);
	return error;
}

static int put_with(struct store *store, enum store_query query, const char *name, const void *data, size_t len)
{
	sqlite3_stmt *q = store_query(store, query);
	int error;

	if (!q)
		return store_error(store);
	sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC);
	sqlite3_bind_blob64(q, 2, data, len, SQLITE_STATIC);
	error = sqlite3_step(q) == SQLITE_DONE ? 0 : store_error(store);
	sqlite3_reset(q);
	return error;
}

int store_put_bytes(struct store *store, const char *name, const void *data, size_t len)
{
	int error = put_with(store, STORE_Q_PUT, name, data, len);

	return error || sqlite3_changes(store->db) ? error : put_with(store, STORE_Q_NEW, name, data, len);
}

int store_get(struct store *store, const char *name, char **text)
{
	struct buf bytes = BUF_INIT;
	int error = store_get_bytes(store, name, &bytes);

	*text = !error && bytes.len ? strndup(bytes.data, bytes.len) : NULL;
	if (!error && bytes.len && !*text)
		error = -ENOMEM;
	buf_free(&bytes);
	return error;
}

int store_put(struct store *store, const char *name, const char *text)
{
	return store_put_bytes(store, name, text, strlen(text));
}

int store_get_number(struct store *store, const char *name, int64_t *number)
{
	char *text;
	int error = store_get(store, name, &text);

	*number = text ? strtoll(text, NULL, 10) : 0;
	free(text);
	return error;
}

int store_put_number(struct store *store, const char *name, int64_t number)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)number);
	return store_put(store, name, text);
}

/* --- Dates */

int store_date(int64_t t)
{
	struct calendar_date date = calendar_date_of(t);

	return date.year * 10000 + date.month * 100 + date.day;
}

int64_t store_date_start(int date)
{
	return calendar_instant((struct calendar_date){ date / 10000, date / 100 % 100, date % 100 }, 0);
}
