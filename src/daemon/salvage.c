/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "salvage.h"

#include "hostmeter/meter/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct file {
	const char *path;
	struct blob_file_state *state;
	int error;
	bool has_end;
};

struct loading {
	struct meter *meter;
	uint64_t now, from_record; /* records before this one are known */
	uint64_t lost_records;
	bool only_news; /* of a checkpoint that is later than the one that was loaded */
	uint64_t next_section;
};

static int load_blob(void *ctx, const struct blob_file_blob *blob)
{
	struct loading *loading = ctx;

	if (!loading->only_news && !blob->is_record) {
		if (blob->number != loading->next_section)
			checkpoint_lacks_flows(loading->meter);
		loading->next_section = blob->number + 1;
	}
	if (!loading->only_news)
		return checkpoint_load(loading->meter, blob->bytes, blob->len, loading->now);
	if (!blob->is_record)
		return checkpoint_is_end(blob->bytes, blob->len) ?
			checkpoint_load_floor(loading->meter, blob->bytes, blob->len, loading->now) :
			0;
	if (blob->number < loading->from_record)
		return 0;
	loading->lost_records += blob->number - loading->from_record;
	loading->from_record = blob->number + 1;
	return checkpoint_load(loading->meter, blob->bytes, blob->len, loading->now);
}

static int note_end(void *ctx, const struct blob_file_blob *blob)
{
	struct file *file = ctx;

	if (!blob->is_record || file->state->version == 1)
		file->has_end |= checkpoint_is_end(blob->bytes, blob->len);
	return 0;
}

static void survey(struct file *file, const struct blob_file_state *before)
{
	file->has_end = false;
	file->error = blob_file_read(file->path, before, file->state, note_end, file);
	if (file->error)
		*file->state = (struct blob_file_state){ .damages = file->error != -ENOENT };
}

static bool is_whole(const struct file *file)
{
	return file->has_end && !file->state->section_missing;
}

/* One that is not younger than the one before it was put in the place of another. */
static bool is_stale(const struct file *current, const struct blob_file_state *before)
{
	return before->version == 2 && current->state->version == 2 && before->id == current->state->id &&
		before->generation >= current->state->generation;
}

static bool is_foreign(const struct file *current, const struct blob_file_state *before)
{
	return before->version == 2 && current->state->version == 2 && before->id != current->state->id;
}

/* Whether the records of one file go on in the other. */
static bool go_on(const struct file *old, const struct file *current)
{
	return old->state->version == 2 && current->state->version == 2 && !is_foreign(current, old->state) &&
		!is_stale(current, old->state);
}

/* Loads the older one, and the news that the later one has. */
static int load_old(struct loading *loading, const struct file *old, const struct file *current)
{
	struct blob_file_state again;
	int error = blob_file_read(old->path, NULL, &again, load_blob, loading);

	loading->lost_records = again.lost_records;
	if (error || !go_on(old, current))
		return error;
	loading->only_news = true;
	loading->from_record = again.next_record;
	error = blob_file_read(current->path, old->state, &again, load_blob, loading);
	if (again.next_record > loading->from_record)
		loading->lost_records += again.next_record - loading->from_record;
	return error;
}

static void put_lost(struct salvage *found, const char *from, uint64_t records, bool unsure)
{
	size_t len = (size_t)snprintf(found->consequence, sizeof(found->consequence), "%s", from);
	char *rest = found->consequence + len;
	size_t room = sizeof(found->consequence) - len;

	if (records)
		snprintf(rest, room,
			"%" PRIu64 " record%s of the journal %s lost, so counts of connections that ended are missing",
			records, records == 1 ? "" : "s", records == 1 ? "is" : "are");
	else if (unsure)
		snprintf(rest, room, "the end of its journal may be missing");
	else
		snprintf(rest, room, "no count is lost");
}

static void put_gaps(struct salvage *found, const char *from)
{
	snprintf(found->consequence, sizeof(found->consequence),
		"%sits totals go on, and what its connections counted since may be missing", from);
}

static int load_best(struct salvage *found, struct loading *loading, const struct file *current, const struct file *old)
{
	bool use_old = !is_whole(current) && (is_whole(old) || !current->has_end);
	struct blob_file_state again;
	int error;

	if (is_stale(current, old->state))
		use_old = old->has_end;
	if (!use_old && !current->has_end)
		return -EBADMSG;
	if (use_old) {
		error = old->has_end ? load_old(loading, old, current) : -EBADMSG;
	} else {
		error = blob_file_read(current->path, old->state, &again, load_blob, loading);
		loading->lost_records = again.lost_records;
	}
	if (error)
		return error;
	if (!is_whole(use_old ? old : current)) {
		put_gaps(found, use_old ? "of the one before it, " : "");
	} else {
		put_lost(found, use_old ? "the one before it is used, with both journals: " : "", loading->lost_records,
			found->current.head_damaged || is_foreign(current, old->state) ||
				(use_old && !go_on(old, current)));
	}
	return checkpoint_loaded(loading->meter) ? 0 : -EBADMSG;
}

static void judge(struct salvage *found, const struct file *current, const struct file *old)
{
	found->is_damage = true;
	found->missing = current->error == -ENOENT;
	if (found->missing)
		found->what = "there is none";
	else if (current->error && current->error != -EBADMSG)
		found->what = strerror(-current->error);
	else if (is_stale(current, old->state))
		found->what = "an older checkpoint is in its place";
	else if (is_foreign(current, old->state))
		found->what = "of another meter than the one before it";
	else if (!current->state->version || !current->has_end)
		found->what = "no checkpoint, or a damaged one";
	else
		found->what = "damaged";
	found->damages = current->state->damages + (current->has_end ? 0 : !current->state->damages);
	found->damages += old->state->damages;
	found->damages += !found->damages;
}

int salvage_load(const char *path, struct meter *meter, uint64_t now, struct salvage *found)
{
	struct loading loading = { .meter = meter, .now = now };
	struct file current = { path, &found->current, 0, false }, old = { NULL, &found->before, 0, false };
	struct blob_file_state before;
	char *old_path;
	int error;

	*found = (struct salvage){ 0 };
	if (asprintf(&old_path, "%s.old", path) < 0)
		return -ENOMEM;
	old.path = old_path;
	survey(&current, NULL);
	if (is_whole(&current) && !found->current.damages &&
		!(blob_file_peek(old_path, &before) &&
			(is_stale(&current, &before) || is_foreign(&current, &before)))) {
		error = blob_file_read(path, NULL, &before, load_blob, &loading);
		if (!error && !checkpoint_loaded(meter))
			error = -EBADMSG;
		if (found->current.version == 1) {
			found->what = "of an older version";
			put_lost(found, "", 0, false);
		}
	} else {
		survey(&old, NULL);
		if (found->current.head_damaged)
			survey(&current, old.state);
		error = current.error == -ENOENT && old.error == -ENOENT ? -ENOENT :
									   load_best(found, &loading, &current, &old);
		judge(found, &current, &old);
	}
	if (error && !found->what)
		found->what = error == -EPROTO ? "a checkpoint of another version" : "no checkpoint, or a damaged one";
	free(old_path);
	return error;
}
