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
	struct blob_file *store;
	struct buf blob;
	bool saving;
	bool complained; /* about a file that cannot be written: once, until it can */
	uint64_t saved_at, failures;
};

struct checkpointer *checkpointer_new(const char *path)
{
	struct checkpointer *checkpointer = calloc(1, sizeof(*checkpointer));

	if (!checkpointer)
		return NULL;
	checkpointer->path = strdup(path);
	checkpointer->store = blob_file_new(path);
	if (!checkpointer->path || !checkpointer->store) {
		checkpointer_free(checkpointer);
		return NULL;
	}
	return checkpointer;
}

void checkpointer_free(struct checkpointer *checkpointer)
{
	if (!checkpointer)
		return;
	blob_file_free(checkpointer->store);
	buf_free(&checkpointer->blob);
	free(checkpointer->path);
	free(checkpointer);
}

static bool failed(struct checkpointer *checkpointer, int error)
{
	if (!error)
		return false;
	checkpointer->failures++;
	checkpointer->saving = false;
	if (!checkpointer->complained)
		log_warning("%s: %s: a restart would lose counts", checkpointer->path, strerror(-error));
	checkpointer->complained = true;
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

int checkpointer_load(struct checkpointer *checkpointer, struct meter *meter, uint64_t now)
{
	struct loading loading = { meter, now };
	int error = blob_file_read(checkpointer->path, load_blob, &loading);
	int aside;

	if (error == -ENOENT)
		return 0;
	if (!error && checkpoint_loaded(meter)) {
		/* Until there is a new one, what happens is journaled behind the old one: a second kill may come soon.
		 */
		failed(checkpointer, blob_file_adopt(checkpointer->store));
		return 0;
	}
	aside = blob_file_put_aside(checkpointer->path);
	log_warning("%s: %s: %s %s.bad; counts start anew", checkpointer->path,
		error == -EPROTO                    ? "a checkpoint of another version" :
			!error || error == -EBADMSG ? "no checkpoint, or a damaged one" :
						      strerror(-error),
		aside ? "it could not be renamed to" : "kept as", checkpointer->path);
	return -EBADMSG;
}

/* Stores what the blob holds, if anything, behind everything that is written. */
static void append(struct checkpointer *checkpointer)
{
	if (checkpointer->blob.len)
		failed(checkpointer,
			buf_error(&checkpointer->blob) ?
				-ENOMEM :
				blob_file_append(checkpointer->store, checkpointer->blob.data, checkpointer->blob.len));
	buf_reset(&checkpointer->blob);
}

void checkpointer_begin(struct checkpointer *checkpointer, struct meter *meter)
{
	/* Without the baselines that the first dump gives, the next meter would count old flows from zero. */
	if (!meter_ready(meter) && !checkpoint_loaded(meter))
		return;
	if (checkpointer->saving || failed(checkpointer, blob_file_begin(checkpointer->store)))
		return;
	checkpoint_begin(meter);
	checkpointer->saving = true;
}

static void journal(struct checkpointer *checkpointer, struct meter *meter)
{
	checkpoint_journal(meter, &checkpointer->blob);
	append(checkpointer);
}

/* False if a dump is in the air, and nothing can be saved. */
static bool step(struct checkpointer *checkpointer, struct meter *meter, uint64_t now)
{
	bool last = checkpoint_step(meter, &checkpointer->blob);
	int error = buf_error(&checkpointer->blob);

	if (!error && !checkpointer->blob.len)
		return false;
	if (!error)
		error = blob_file_add(checkpointer->store, checkpointer->blob.data, checkpointer->blob.len);
	buf_reset(&checkpointer->blob);
	if (!error && last)
		error = blob_file_commit(checkpointer->store);
	if (failed(checkpointer, error) || !last)
		return true;
	checkpointer->saving = false;
	checkpointer->complained = false;
	checkpointer->saved_at = now;
	checkpointer_before_show(checkpointer, meter);
	return true;
}

bool checkpointer_turn(struct checkpointer *checkpointer, struct meter *meter, uint64_t now)
{
	journal(checkpointer, meter);
	for (int i = 0; i < STEPS_PER_TURN && checkpointer->saving; i++) {
		if (!step(checkpointer, meter, now))
			return false;
	}
	return checkpointer->saving;
}

void checkpointer_before_show(struct checkpointer *checkpointer, struct meter *meter)
{
	journal(checkpointer, meter);
	checkpoint_totals(meter, &checkpointer->blob);
	append(checkpointer);
}

void checkpointer_finish(struct checkpointer *checkpointer, struct meter *meter, uint64_t now)
{
	journal(checkpointer, meter);
	checkpointer->saving = false;
	checkpointer_begin(checkpointer, meter);
	while (checkpointer->saving && step(checkpointer, meter, now))
		;
}

uint64_t checkpointer_saved_at(const struct checkpointer *checkpointer)
{
	return checkpointer->saved_at;
}

uint64_t checkpointer_failures(const struct checkpointer *checkpointer)
{
	return checkpointer->failures;
}
