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

struct keeper {
	char *path;
	struct store *store;
	struct buf blob;
	bool saving;
	bool complained; /* about a file that cannot be written: once, until it can */
	uint64_t saved_at, failures;
};

struct keeper *keeper_new(const char *path)
{
	struct keeper *keeper = calloc(1, sizeof(*keeper));

	if (!keeper)
		return NULL;
	keeper->path = strdup(path);
	keeper->store = store_new(path);
	if (!keeper->path || !keeper->store) {
		keeper_free(keeper);
		return NULL;
	}
	return keeper;
}

void keeper_free(struct keeper *keeper)
{
	if (!keeper)
		return;
	store_free(keeper->store);
	buf_free(&keeper->blob);
	free(keeper->path);
	free(keeper);
}

static bool failed(struct keeper *keeper, int error)
{
	if (!error)
		return false;
	keeper->failures++;
	keeper->saving = false;
	if (!keeper->complained)
		log_warning("%s: %s: a restart would lose counts", keeper->path, strerror(-error));
	keeper->complained = true;
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

int keeper_load(struct keeper *keeper, struct meter *meter, uint64_t now)
{
	struct loading loading = { meter, now };
	int error = store_read(keeper->path, load_blob, &loading);
	int aside;

	if (error == -ENOENT)
		return 0;
	if (!error && checkpoint_loaded(meter)) {
		/* Until there is a new one, what happens is journaled behind the old one: a second kill may come soon.
		 */
		failed(keeper, store_adopt(keeper->store));
		return 0;
	}
	aside = store_put_aside(keeper->path);
	log_warning("%s: %s: %s %s.bad; counts start anew", keeper->path,
		error == -EPROTO                    ? "a checkpoint of another version" :
			!error || error == -EBADMSG ? "no checkpoint, or a damaged one" :
						      strerror(-error),
		aside ? "it could not be renamed to" : "kept as", keeper->path);
	return -EBADMSG;
}

/* Stores what the blob holds, if anything, behind everything that is written. */
static void append(struct keeper *keeper)
{
	if (keeper->blob.len)
		failed(keeper,
			buf_error(&keeper->blob) ? -ENOMEM :
						   store_append(keeper->store, keeper->blob.data, keeper->blob.len));
	buf_reset(&keeper->blob);
}

void keeper_begin(struct keeper *keeper, struct meter *meter)
{
	/* Without the baselines that the first dump gives, the next meter would count old flows from zero. */
	if (!meter_ready(meter) && !checkpoint_loaded(meter))
		return;
	if (keeper->saving || failed(keeper, store_begin(keeper->store)))
		return;
	checkpoint_begin(meter);
	keeper->saving = true;
}

static void journal(struct keeper *keeper, struct meter *meter)
{
	checkpoint_journal(meter, &keeper->blob);
	append(keeper);
}

/* False if a dump is in the air, and nothing can be saved. */
static bool step(struct keeper *keeper, struct meter *meter, uint64_t now)
{
	bool last = checkpoint_step(meter, &keeper->blob);
	int error = buf_error(&keeper->blob);

	if (!error && !keeper->blob.len)
		return false;
	if (!error)
		error = store_add(keeper->store, keeper->blob.data, keeper->blob.len);
	buf_reset(&keeper->blob);
	if (!error && last)
		error = store_commit(keeper->store);
	if (failed(keeper, error) || !last)
		return true;
	keeper->saving = false;
	keeper->complained = false;
	keeper->saved_at = now;
	keeper_before_show(keeper, meter);
	return true;
}

bool keeper_turn(struct keeper *keeper, struct meter *meter, uint64_t now)
{
	journal(keeper, meter);
	for (int i = 0; i < STEPS_PER_TURN && keeper->saving; i++) {
		if (!step(keeper, meter, now))
			return false;
	}
	return keeper->saving;
}

void keeper_before_show(struct keeper *keeper, struct meter *meter)
{
	journal(keeper, meter);
	checkpoint_totals(meter, &keeper->blob);
	append(keeper);
}

void keeper_finish(struct keeper *keeper, struct meter *meter, uint64_t now)
{
	journal(keeper, meter);
	keeper->saving = false;
	keeper_begin(keeper, meter);
	while (keeper->saving && step(keeper, meter, now))
		;
}

uint64_t keeper_saved_at(const struct keeper *keeper)
{
	return keeper->saved_at;
}

uint64_t keeper_failures(const struct keeper *keeper)
{
	return keeper->failures;
}
