/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "checkpointer.h"

#include "hostmeter/base/log.h"
#include "hostmeter/meter/checkpoint.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/os/blob_file.h"

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
	uint64_t saved_at, failures;
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

struct loading {
	struct meter *meter;
	uint64_t now;
};

static int load_blob(void *ctx, const void *blob, size_t len)
{
	const struct loading *loading = ctx;

	return checkpoint_load(loading->meter, blob, len, loading->now);
}

int checkpointer_load(struct checkpointer *c, struct meter *meter, uint64_t now)
{
	struct loading loading = { meter, now };
	int error = blob_file_read(c->path, load_blob, &loading);
	int aside;

	if (error == -ENOENT)
		return 0;
	if (!error && checkpoint_loaded(meter)) {
		/* The journal continues in the old file until there is a new one: a second kill may come soon. */
		failed(c, blob_file_adopt(c->file));
		return 0;
	}
	aside = blob_file_put_aside(c->path);
	log_warning("%s: %s: %s %s.bad; counts start anew", c->path,
		error == -EPROTO                    ? "a checkpoint of another version" :
			!error || error == -EBADMSG ? "no checkpoint, or a damaged one" :
						      strerror(-error),
		aside ? "it could not be renamed to" : "kept as", c->path);
	return -EBADMSG;
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
	if (!error && last)
		error = blob_file_commit(c->file);
	if (failed(c, error) || !last)
		return true;
	c->saving = false;
	c->error = 0;
	c->saved_at = now;
	checkpointer_before_show(c, meter);
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
