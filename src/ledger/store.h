/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store: the ledger's file, an SQLite database: what each device used, in local hours, days and months.
 *
 * Exactly once. A reading is committed in one transaction together with the marks, which are the values that it had.
 * The next reading adds what it has more than the marks. So a reading that is committed twice adds nothing, one that
 * was lost is in the next, and after a power cut the file has all of a reading or nothing of it. Where the meter's
 * counters began anew (another run), the whole value is added: it is what was counted since.
 *
 * Hours, days, months. Rows are added to the hour that holds the instant before the reading. When the first reading of
 * a later day comes, the days before it are summed up, and so are months. Hours and days are kept for a time; then
 * days, or months, are all that is left of it. A walk takes the finest that is kept, and nothing twice.
 *
 * Everything here may block for seconds: it is for a process of its own. Times are seconds since 1970; days and hours
 * are those of the zone that calendar_use() chose. Errors: -ENOSPC, -EROFS, -EIO, -EBUSY (another process has the
 * file), -EUCLEAN (the file is damaged), -EPROTO (the file is another program's, or of a newer version), -ENOMEM, or
 * another -errno of the system.
 */
#pragma once

#include "reading.h"

#include <stdbool.h>

struct store;

struct store_options {
	int keep_hours; /* how many days hours are kept; 0: for ever */
	int keep_days;  /* and days */
};

/*
 * Opens the file, and makes it if it is not there; unless read_only: then -ENOENT. A damaged file is not touched.
 * *store is NULL after an error.
 */
int store_open(struct store **store, const char *path, bool read_only, const struct store_options *options);
void store_close(struct store *store);

/*
 * Renames a damaged file so that a new one can be made: PATH.bad-TIME, of which the latest three are kept. aside, of
 * size bytes, gets the new name.
 */
int store_put_aside(const char *path, int64_t now, char *aside, size_t size);

/* Commits a reading. After an error nothing of it is in the file, and it may be tried again. */
int store_commit(struct store *store, const struct reading *reading);

/* A device's use of one hour, day or month. */
struct store_row {
	int64_t start, end;
	const char *key; /* borrowed, for the call */
	enum reading_kind kind;
	uint64_t value[READING_VALUES];
};

/*
 * Calls each for what is known of [from, to), in the order of time. Hours that are partly within count if they start
 * there. Of a time of which days or months are kept only, those that start within.
 */
int store_walk(struct store *store, int64_t from, int64_t to, void (*each)(void *ctx, const struct store_row *row),
	void *ctx);

/* A time of which the ledger does not know all. */
struct store_gap {
	int64_t start, end;
	const char *cause; /* borrowed, for the call */
};

int store_walk_gaps(struct store *store, int64_t from, int64_t to, void (*each)(void *ctx, const struct store_gap *gap),
	void *ctx);
int store_add_gap(struct store *store, const struct store_gap *gap);

/* Each device with the name that it has now ("" if none), and since when. */
struct store_device {
	const char *key, *name; /* borrowed, for the call */
	int64_t since;
};

int store_walk_devices(struct store *store, void (*each)(void *ctx, const struct store_device *device), void *ctx);

/* When the latest reading was taken, and when the first row starts; 0: there is none. */
int64_t store_last(const struct store *store);
int64_t store_first(struct store *store);

/*
 * The clock was ahead: rows that are dated later than now are moved to the hour of now, and a gap tells it. Then a
 * reading of now can be committed.
 */
int store_redate(struct store *store, int64_t now);

/* What others keep in the file, as text by a name: *text is the caller's to free(), NULL if there is none. */
int store_get(struct store *store, const char *name, char **text);
int store_put(struct store *store, const char *name, const char *text);

/* Around what shall be committed together; nested calls count as one. After an error store_end() takes all back. */
int store_begin(struct store *store);
int store_end(struct store *store, int error);
