/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a reading becomes rows. */
#include "calendar.h"
#include "store_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Between the end of one meter and the start of the next one a moment is no gap. */
enum { NO_GAP_S = 2 };

/* What the reading before said of itself, and how this one follows it. */
struct follows {
	bool first; /* there was none */
	bool same_run, same_boot,
		was_ended; /* the meter's counters go on; the machine's; the one before was the last one */
};

static bool is_text(const char *text, const char *other)
{
	return text && !strcmp(text, other);
}

static int look_back(struct store *store, const struct reading *reading, struct follows *follows)
{
	char *run = NULL, *boot = NULL, *cause = NULL;
	int error = store_get(store, "run", &run);

	if (!error)
		error = store_get(store, "boot", &boot);
	if (!error)
		error = store_get(store, "cause", &cause);
	*follows = (struct follows){
		.first = !run,
		.same_run = is_text(run, reading->run),
		.same_boot = is_text(boot, reading->boot),
		.was_ended = is_text(cause, "end"),
	};
	free(run);
	free(boot);
	free(cause);
	return error;
}

static int note_this(struct store *store, const struct reading *reading)
{
	int error = store_put(store, "run", reading->run);

	if (!error)
		error = store_put(store, "boot", reading->boot);
	if (!error)
		error = store_put(store, "cause", reading->cause);
	if (!error)
		error = store_put_number(store, "last", reading->at);
	store->last = reading->at;
	return error;
}

/* --- Gaps */

int store_add_gap(struct store *store, const struct store_gap *gap)
{
	sqlite3_stmt *q = store_query(store, STORE_Q_GAP);
	int error;

	if (!q)
		return store_error(store);
	sqlite3_bind_int64(q, 1, gap->start);
	sqlite3_bind_int64(q, 2, gap->end);
	sqlite3_bind_text(q, 3, gap->cause, -1, SQLITE_STATIC);
	error = sqlite3_step(q) == SQLITE_DONE ? 0 : store_error(store);
	sqlite3_reset(q);
	return error;
}

/*
 * Where the counters go on, nothing is missing but what began and ended while no meter ran. Where they do not, what was
 * counted after the last commit is lost.
 */
static int add_gap_before(struct store *store, const struct reading *reading, const struct follows *follows)
{
	struct store_gap gap = { store->last, reading->since, "not running" };

	if (follows->first)
		return 0;
	if (!follows->same_boot)
		gap.cause = follows->was_ended ? "reboot" : "power cut";
	else if (!follows->same_run)
		gap.cause = "counters lost";
	if (gap.end < gap.start)
		gap.end = gap.start;
	if (gap.end - gap.start <= NO_GAP_S && (follows->same_run || follows->was_ended))
		return 0;
	return store_add_gap(store, &gap);
}

/* --- Entries */

static int find_device(struct store *store, const char *key, int64_t *id)
{
	sqlite3_stmt *q = store_query(store, STORE_Q_DEVICE);
	int got, error = 0;

	if (!q)
		return store_error(store);
	sqlite3_bind_text(q, 1, key, -1, SQLITE_STATIC);
	got = sqlite3_step(q);
	if (got == SQLITE_ROW)
		*id = sqlite3_column_int64(q, 0);
	else if (got != SQLITE_DONE)
		error = store_error(store);
	sqlite3_reset(q);
	if (got == SQLITE_ROW || error)
		return error;
	q = store_query(store, STORE_Q_NEW_DEVICE);
	if (!q)
		return store_error(store);
	sqlite3_bind_text(q, 1, key, -1, SQLITE_STATIC);
	error = sqlite3_step(q) == SQLITE_DONE ? 0 : store_error(store);
	sqlite3_reset(q);
	*id = sqlite3_last_insert_rowid(store->db);
	return !error && *id >> STORE_DEVICE_BITS ? -EOVERFLOW : error;
}

static int note_name(struct store *store, int64_t device, const char *name, int64_t at)
{
	sqlite3_stmt *q = store_query(store, STORE_Q_NAME);
	bool same;
	int got;

	if (!*name)
		return 0;
	if (!q)
		return store_error(store);
	sqlite3_bind_int64(q, 1, device);
	got = sqlite3_step(q);
	same = got == SQLITE_ROW && is_text((const char *)sqlite3_column_text(q, 0), name);
	sqlite3_reset(q);
	if (same)
		return 0;
	if ((got != SQLITE_ROW && got != SQLITE_DONE) || !(q = store_query(store, STORE_Q_NEW_NAME)))
		return store_error(store);
	sqlite3_bind_int64(q, 1, device);
	sqlite3_bind_int64(q, 2, at);
	sqlite3_bind_text(q, 3, name, -1, SQLITE_STATIC);
	got = sqlite3_step(q);
	sqlite3_reset(q);
	return got == SQLITE_DONE ? 0 : store_error(store);
}

/* Adds to a device's row of an hour. */
static int add_values(struct store *store, int64_t hour, int64_t device, enum reading_kind kind,
	const int64_t values[static READING_VALUES])
{
	int scope = kind == READING_INTERFACE ? STORE_INTERFACES : kind / STORE_FAMILIES;
	int first = kind == READING_INTERFACE ? 0 : kind % STORE_FAMILIES * READING_VALUES;
	sqlite3_stmt *q = store_query(store, STORE_Q_ADD);
	int error;

	if (!q)
		return store_error(store);
	sqlite3_bind_int64(q, 1, store_hour_id(hour) | device << STORE_SCOPE_BITS | scope);
	for (int i = 0; i < STORE_COLUMNS; i++) {
		bool is_its = i >= first && i < first + READING_VALUES;

		sqlite3_bind_int64(q, i + 2, is_its ? values[i - first] : 0);
	}
	error = sqlite3_step(q) == SQLITE_DONE ? 0 : store_error(store);
	sqlite3_reset(q);
	return error;
}

/* The file's numbers are signed. No counter of bytes comes near. */
static int64_t clamp(uint64_t value)
{
	return value > INT64_MAX / 4 ? INT64_MAX / 4 : (int64_t)value;
}

/*
 * What the entry has more than its mark, and the mark that it leaves. Interfaces count since the boot, or since they
 * were made; the meter's own counters since its run began, and a checkpoint that is older than the mark catches up.
 */
static void difference(const struct reading_entry *entry, const struct follows *follows, bool marked,
	int64_t mark[static READING_VALUES], int64_t delta[static READING_VALUES])
{
	bool is_interface = entry->kind == READING_INTERFACE;
	bool goes_on = marked && (is_interface ? follows->same_boot : follows->same_run);
	bool fell = false;

	for (int i = 0; i < READING_VALUES; i++)
		fell |= clamp(entry->value[i]) < mark[i];
	if (is_interface && fell)
		goes_on = false;
	for (int i = 0; i < READING_VALUES; i++) {
		int64_t value = clamp(entry->value[i]), base = goes_on ? mark[i] : 0;

		if (is_interface && !marked && (follows->first || follows->same_boot))
			base = value; /* what it had counted before anybody kept it */
		delta[i] = value > base ? value - base : 0;
		mark[i] = goes_on && value < mark[i] ? mark[i] : value;
	}
}

static int commit_entry(struct store *store, const struct reading *reading, const struct reading_entry *entry,
	const struct follows *follows, int64_t hour)
{
	int64_t device = 0, delta[READING_VALUES];
	struct store_mark *mark;
	bool known, moved = false;
	int error = find_device(store, entry->key, &device);

	if (!error)
		error = note_name(store, device, entry->name, reading->at);
	if (error)
		return error;
	mark = store_mark(store, device, entry->kind, &known);
	if (!mark)
		return -ENOMEM;
	difference(entry, follows, known, mark->value, delta);
	for (int i = 0; i < READING_VALUES; i++)
		moved |= delta[i] != 0;
	return moved ? add_values(store, hour, device, entry->kind, delta) : 0;
}

int store_commit(struct store *store, const struct reading *reading)
{
	int64_t hour = calendar_hour(reading->at - 1);
	struct follows follows;
	int error = store_begin(store);

	if (error)
		return error;
	error = look_back(store, reading, &follows);
	if (!error)
		error = add_gap_before(store, reading, &follows);
	/* Marks of a run or boot that is over would hold for series that come later. */
	if (!follows.first && !follows.same_run)
		store_forget_marks(store, false);
	if (!error)
		error = store_roll(store, reading->at - 1);
	for (size_t i = 0; !error && i < reading->entries; i++)
		error = commit_entry(store, reading, &reading->entry[i], &follows, hour);
	if (!error)
		error = store_roll_late(store, reading->at - 1);
	if (!error)
		error = store_save_marks(store);
	if (!error)
		error = note_this(store, reading);
	return store_end(store, error);
}
