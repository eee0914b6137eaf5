/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "checkpointer.h"

#include "hostmeter/base/log.h"
#include "hostmeter/meter/checkpoint.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/os/blob_file.h"
#include "salvage.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_PER_TURN = 4 };

struct checkpointer {
	char *path;
	struct blob_file *file;
	struct buf blob;
	bool saving;
	int error; /* why the file could not be written, until it can: that is logged once */
	uint64_t saved_at, failures, damages;
};

struct checkpointer *checkpointer_new(const char *path)
{
	struct checkpointer *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->path = strdup(path);
	c->file = blob_file_new(path);
	if (c->path && c->file)
		return c;
	checkpointer_free(c);
	return NULL;
}

void checkpointer_free(struct checkpointer *c)
{
	if (!c)
		return;
	blob_file_free(c->file);
	buf_free(&c->blob);
	free(c->path);
	free(c);
}

static bool failed(struct checkpointer *c, int error)
{
	if (!error)
		return false;
	c->failures++;
	c->saving = false;
	if (!c->error)
		log_warning("%s: %s: a restart would lose counts", c->path, strerror(-error));
	c->error = error;
	return true;
}

/* Appends the blob, if there is any, to what is written. */
static void append(struct checkpointer *c)
{
	if (c->blob.len)
		failed(c, buf_error(&c->blob) ? -ENOMEM : blob_file_append(c->file, c->blob.data, c->blob.len));
	buf_reset(&c->blob);
}

void checkpointer_begin(struct checkpointer *c, struct meter *meter)
{
	/* Without the baselines of the first dump the next meter would count old flows from zero. */
	if (!meter_ready(meter) && !checkpoint_loaded(meter))
		return;
	if (c->saving || failed(c, blob_file_begin(c->file)))
		return;
	checkpoint_begin(meter);
	c->saving = true;
}

static void journal(struct checkpointer *c, struct meter *meter)
{
	checkpoint_journal(meter, &c->blob);
	append(c);
}

/* False if nothing can be saved, because a dump runs. */
static bool step(struct checkpointer *c, struct meter *meter, uint64_t now)
{
	bool last = checkpoint_step(meter, &c->blob);
	int error = buf_error(&c->blob);

	if (!error && !c->blob.len)
		return false;
	if (!error)
		error = blob_file_add(c->file, c->blob.data, c->blob.len);
	buf_reset(&c->blob);
	if (failed(c, error) || !last)
		return true;
	if (checkpoint_has_floor(meter))
		checkpointer_before_show(c, meter);
	if (!c->saving || failed(c, blob_file_commit(c->file)))
		return true;
	c->saving = false;
	c->error = 0;
	c->saved_at = now;
	return true;
}

bool checkpointer_turn(struct checkpointer *c, struct meter *meter, uint64_t now)
{
	journal(c, meter);
	for (int i = 0; i < STEPS_PER_TURN && c->saving; i++)
		if (!step(c, meter, now))
			return false;
	return c->saving;
}

void checkpointer_before_show(struct checkpointer *c, struct meter *meter)
{
	journal(c, meter);
	checkpoint_totals(meter, &c->blob);
	append(c);
}

void checkpointer_finish(struct checkpointer *c, struct meter *meter, uint64_t now)
{
	journal(c, meter);
	c->saving = false;
	checkpointer_begin(c, meter);
	while (c->saving && step(c, meter, now))
		;
}

uint64_t checkpointer_saved_at(const struct checkpointer *c)
{
	return c->saved_at;
}

uint64_t checkpointer_failures(const struct checkpointer *c)
{
	return c->failures;
}

int checkpointer_error(const struct checkpointer *c)
{
	return c->error;
}

uint64_t checkpointer_damages(const struct checkpointer *c)
{
	return c->damages;
}

/* --- Loading */

static void log_damage(const struct checkpointer *c, const struct salvage *found)
{
	if (found->missing)
		log_warning("%s: %s: %s", c->path, found->what, found->consequence);
	else
		log_warning("%s: %s: %s; kept as %s.bad", c->path, found->what, found->consequence, c->path);
}

static int start_anew(struct checkpointer *c, const struct salvage *found)
{
	int aside = blob_file_put_aside(c->path);

	log_warning("%s: %s: %s %s.bad; counts start anew", c->path, found->what,
		aside ? "it could not be renamed to" : "kept as", c->path);
	c->damages += !c->damages;
	return -EBADMSG;
}

int checkpointer_load(struct checkpointer *c, struct meter *meter, uint64_t now)
{
	struct salvage found;
	int error = salvage_load(c->path, meter, now, &found);

	if (error == -ENOENT)
		return 0;
	c->damages = found.damages;
	if (error)
		return start_anew(c, &found);
	if (!found.what) {
		/* The journal continues in the old file until there is a new one: a second kill may come soon. */
		failed(c, blob_file_adopt(c->file, &found.current));
		return 0;
	}
	/* The journal cannot go on in a file like this: the next meter would find the same damage in it, or more. */
	blob_file_follow(c->file, &found.before);
	blob_file_follow(c->file, &found.current);
	if (found.is_damage) {
		blob_file_is_damaged(c->file);
		log_damage(c, &found);
	} else {
		log_info("%s: %s: %s", c->path, found.what, found.consequence);
	}
	checkpointer_finish(c, meter, now);
	return 0;
}
