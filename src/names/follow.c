/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/names/follow.h"

#include "hostmeter/base/buf.h"
#include "hostmeter/base/log.h"
#include "hostmeter/config/config.h"
#include "hostmeter/meter/names.h"
#include "hostmeter/meter/snapshot.h"
#include "hostmeter/os/file.h"
#include "hostmeter/os/file_watch.h"
#include "hostmeter/os/loop.h"
#include "parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define WARN_EVERY_NS (UINT64_C(3600) * 1000000000)

struct names_file {
	unsigned int number; /* of its path among those of its source */
	struct file_watch watch;
	struct log_limit limit;
};

struct names_follow {
	struct loop *loop;
	struct loop_timer *timer;
	uint64_t every_ns;
	struct names *names;
	struct names_file *file;
	struct snapshot_names *state; /* of each file; owns the path */
	size_t count;
	void (*changed)(void *ctx);
	void *ctx;
};

/* A list that is being filled, and its first error. */
struct filling {
	struct names_list *list;
	int error;
};

static void fill(void *ctx, const struct mac *mac, const struct addr *addr, const char *name, bool newer)
{
	struct filling *filling = ctx;
	int error = mac ? names_list_mac(filling->list, mac, name, newer) :
			  names_list_address(filling->list, addr, name, newer);

	if (!filling->error)
		filling->error = error;
}

/* 0, -errno or NAMES_USELESS. */
static int read_names(const char *path, struct names_list *list)
{
	struct filling filling = { .list = list };
	struct buf text = BUF_INIT;
	int error = file_read_matching(path, &text);
	bool known = true;

	if (!buf_error(&text) && text.len)
		known = names_parse(text.data, text.len, fill, &filling);
	buf_free(&text);
	return error ? error : known ? filling.error : NAMES_USELESS;
}

int names_follow_try(const char *path)
{
	struct names_list *list = names_list_new();
	int error = list ? read_names(path, list) : -ENOMEM;

	names_list_free(list);
	return error;
}

/* True if names changed. */
static bool read_file(struct names_follow *follow, size_t i)
{
	struct names_list *list = names_list_new();
	struct snapshot_names *state = &follow->state[i];
	struct names_file *file = &follow->file[i];
	bool changed = false;

	state->error = list ? read_names(state->path, list) : -ENOMEM;
	if (state->error)
		log_repeated(&file->limit, WARN_EVERY_NS, loop_now_ns(follow->loop),
			state->error == NAMES_USELESS ? "names: %s: %s" : "%s: not all names were read: %s",
			state->path, names_error_text(state->error));
	/* Of files or lists that are too long, the start counts; after other errors the names stay as they are. */
	if (!state->error || state->error == -EFBIG || state->error == -ENOSPC || state->error == NAMES_USELESS)
		changed = names_replace(follow->names, state->source, file->number, list);
	else
		names_list_free(list);
	return changed;
}

/* True if names changed. */
static bool read_changed_files(struct names_follow *follow)
{
	bool changed = false;

	for (size_t i = 0; i < follow->count; i++)
		if (file_watch_look(&follow->file[i].watch))
			changed |= read_file(follow, i);
	return changed;
}

void names_follow_look(struct names_follow *follow)
{
	if (read_changed_files(follow))
		follow->changed(follow->ctx);
}

static void on_timer(void *ctx)
{
	struct names_follow *follow = ctx;

	loop_timer_set(follow->timer, follow->every_ns);
	names_follow_look(follow);
}

static void free_files(struct names_follow *follow)
{
	for (size_t i = 0; i < follow->count; i++)
		free((char *)follow->state[i].path);
	free(follow->file);
	free(follow->state);
}

static int add_files(struct names_follow *follow, const struct config *config)
{
	const struct {
		enum names_source source;
		const struct config_strings *paths;
	} kinds[] = {
		{ NAMES_ETHERS, &config->names_ethers },
		{ NAMES_LEASES, &config->names_leases },
		{ NAMES_ODHCPD, &config->names_odhcpd },
		{ NAMES_HOSTS, &config->names_hosts },
	};
	size_t count = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		count += kinds[i].paths->count;
	follow->file = calloc(count + 1, sizeof(*follow->file));
	follow->state = calloc(count + 1, sizeof(*follow->state));
	if (!follow->file || !follow->state)
		return -ENOMEM;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (unsigned int j = 0; j < kinds[i].paths->count; j++) {
			const char *path = strdup(kinds[i].paths->item[j]);

			if (!path)
				return -ENOMEM;
			follow->state[follow->count] = (struct snapshot_names){ kinds[i].source, path, 0 };
			follow->file[follow->count++] = (struct names_file){ .number = j, .watch.path = path };
		}
	}
	return 0;
}

struct names_follow *names_follow_new(struct loop *loop, struct names *names, const struct config *config,
	uint64_t every_ns, void (*changed)(void *ctx), void *ctx)
{
	struct names_follow *follow = calloc(1, sizeof(*follow));

	if (!follow)
		return NULL;
	*follow = (struct names_follow){
		.loop = loop, .every_ns = every_ns, .names = names, .changed = changed, .ctx = ctx
	};
	follow->timer = loop_timer_add(loop, on_timer, follow);
	if (!follow->timer || add_files(follow, config)) {
		names_follow_free(follow);
		return NULL;
	}
	read_changed_files(follow);
	if (follow->count)
		loop_timer_set(follow->timer, every_ns);
	return follow;
}

void names_follow_free(struct names_follow *follow)
{
	if (!follow)
		return;
	loop_timer_del(follow->timer);
	free_files(follow);
	free(follow);
}

static bool has_same_files(const struct names_follow *a, const struct names_follow *b)
{
	bool same = a->count == b->count;

	for (size_t i = 0; same && i < a->count; i++)
		same = a->state[i].source == b->state[i].source && !strcmp(a->state[i].path, b->state[i].path);
	return same;
}

int names_follow_configure(struct names_follow *follow, const struct config *config)
{
	struct names_follow fresh = *follow;
	int error;

	fresh.file = NULL;
	fresh.state = NULL;
	fresh.count = 0;
	error = add_files(&fresh, config);
	if (error || has_same_files(follow, &fresh)) {
		free_files(&fresh);
		return error;
	}
	for (size_t i = 0; i < follow->count; i++)
		names_replace(follow->names, follow->state[i].source, follow->file[i].number, NULL);
	free_files(follow);
	*follow = fresh;
	read_changed_files(follow);
	if (follow->count)
		loop_timer_set(follow->timer, follow->every_ns);
	else
		loop_timer_stop(follow->timer);
	follow->changed(follow->ctx);
	return 0;
}

const struct snapshot_names *names_follow_files(const struct names_follow *follow, size_t *count)
{
	*count = follow->count;
	return follow->state;
}
