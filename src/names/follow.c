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

/* What one turn of the loop reads and parses: a file of each costs as many bytes besides. */
enum { TURN_BYTES = 64 << 10, TURN_BYTES_OF_FILE = 1 << 10 };

struct names_file {
	unsigned int number; /* of its path among those of its source */
	struct file_watch watch;
	bool changed;  /* to be read */
	bool replaces; /* the names in use are of another file */
	struct log_limit limit;
};

/* A list that is being filled from a file, and its first error. */
struct reading {
	struct file_matches *matches; /* NULL: nothing is being read */
	struct names_parser *parser;
	struct names_list *list;
	int error;
};

struct names_follow {
	struct loop *loop;
	struct loop_timer *look, *more;
	uint64_t every_ns;
	struct names *names;
	struct names_file *file;
	struct snapshot_names *state; /* of each file; owns the path */
	size_t count;
	struct reading reading;
	size_t read; /* the file that is being read */
	bool is_new; /* names changed, which is told once all files are read */
	void (*changed)(void *ctx);
	void *ctx;
};

/* --- Reading one path */

static void fill(void *ctx, const struct mac *mac, const struct addr *addr, const char *name, bool newer)
{
	struct reading *reading = ctx;
	int error = mac ? names_list_mac(reading->list, mac, name, newer) :
			  names_list_address(reading->list, addr, name, newer);

	if (!reading->error)
		reading->error = error;
}

static void drop(struct reading *reading)
{
	file_matches_free(reading->matches);
	if (reading->parser)
		names_parser_end(reading->parser, true);
	names_list_free(reading->list);
	*reading = (struct reading){ 0 };
}

/* 0 or -ENOMEM. */
static int begin(struct reading *reading, const char *path)
{
	*reading = (struct reading){
		.matches = file_matches_new(path),
		.list = names_list_new(),
	};
	reading->parser = reading->matches && reading->list ? names_parser_new(fill, reading) : NULL;
	if (reading->parser)
		return 0;
	drop(reading);
	return -ENOMEM;
}

/* Reads at most max bytes. Returns how many; *more: whether there are further ones. */
static size_t read_piece(struct reading *reading, size_t max, bool *more)
{
	struct buf text = BUF_INIT;
	size_t len;

	*more = file_matches_read(reading->matches, &text, max) && !buf_error(&text);
	len = text.len;
	if (buf_error(&text))
		reading->error = -ENOMEM;
	else if (len)
		names_parser_feed(reading->parser, text.data, len);
	buf_free(&text);
	return len;
}

/* 0, -errno or NAMES_USELESS; *list is the caller's. */
static int end(struct reading *reading, struct names_list **list)
{
	int error = file_matches_free(reading->matches);
	bool known = names_parser_end(reading->parser, error == -EFBIG);

	error = error ? error : known || reading->error ? reading->error : NAMES_USELESS;
	*list = reading->list;
	*reading = (struct reading){ 0 };
	return error;
}

int names_follow_try(const char *path)
{
	struct names_list *list = NULL;
	struct reading reading;
	bool more = true;
	int error = begin(&reading, path);

	while (!error && more)
		read_piece(&reading, TURN_BYTES, &more);
	error = error ? error : end(&reading, &list);
	names_list_free(list);
	return error;
}

/* --- Reading what has changed, a piece in each turn */

/* True if names changed. list NULL: out of memory. */
static bool put_into_effect(struct names_follow *follow, struct names_list *list, int error)
{
	struct snapshot_names *state = &follow->state[follow->read];
	struct names_file *file = &follow->file[follow->read];
	bool replaces = file->replaces;

	state->error = error;
	file->replaces = false;
	if (error)
		log_repeated(&file->limit, WARN_EVERY_NS, loop_now_ns(follow->loop),
			error == NAMES_USELESS || error == -EINVAL || error == -EOPNOTSUPP ?
				"names: %s: %s" :
				"%s: not all names were read: %s",
			state->path, names_error_text(error));
	/* Of files or lists that are too long, the start counts; after other errors the names stay as they are. */
	if (!error || error == -EFBIG || error == -ENOSPC || error == NAMES_USELESS)
		return names_replace(follow->names, state->source, file->number, list);
	names_list_free(list);
	return replaces && names_replace(follow->names, state->source, file->number, NULL);
}

/* Begins with the next file that has changed. False: there is none. */
static bool begin_next(struct names_follow *follow)
{
	for (size_t i = 0; i < follow->count; i++) {
		if (!follow->file[i].changed)
			continue;
		follow->file[i].changed = false;
		follow->read = i;
		if (!begin(&follow->reading, follow->state[i].path))
			return true;
		put_into_effect(follow, NULL, -ENOMEM);
	}
	return false;
}

/* Reads at most so many bytes. True if names changed. */
static bool read_on(struct names_follow *follow, size_t bytes)
{
	bool changed = false, more;

	while (bytes && (follow->reading.matches || begin_next(follow))) {
		size_t cost = read_piece(&follow->reading, bytes, &more) + TURN_BYTES_OF_FILE;
		struct names_list *list;
		int error;

		bytes = bytes > cost ? bytes - cost : 0;
		if (more)
			continue;
		error = end(&follow->reading, &list);
		changed |= put_into_effect(follow, list, error);
	}
	return changed;
}

static void look(struct names_follow *follow)
{
	for (size_t i = 0; i < follow->count; i++)
		follow->file[i].changed |= file_watch_look(&follow->file[i].watch);
}

static bool has_more(const struct names_follow *follow)
{
	for (size_t i = 0; i < follow->count; i++)
		if (follow->file[i].changed)
			return true;
	return follow->reading.matches;
}

static void on_more(void *ctx)
{
	struct names_follow *follow = ctx;

	follow->is_new |= read_on(follow, TURN_BYTES);
	if (has_more(follow)) {
		loop_timer_set(follow->more, 0);
	} else if (follow->is_new) {
		follow->is_new = false;
		follow->changed(follow->ctx);
	}
}

void names_follow_look(struct names_follow *follow)
{
	/* What is being read is read on in the next turns, however often somebody asks. */
	const bool busy = has_more(follow);

	look(follow);
	if (!busy)
		on_more(follow);
}

static void on_look(void *ctx)
{
	struct names_follow *follow = ctx;

	loop_timer_set(follow->look, follow->every_ns);
	names_follow_look(follow);
}

/* --- Start and end */

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
	follow->look = loop_timer_add(loop, on_look, follow);
	follow->more = loop_timer_add(loop, on_more, follow);
	if (!follow->look || !follow->more || add_files(follow, config)) {
		names_follow_free(follow);
		return NULL;
	}
	look(follow);
	while (has_more(follow))
		read_on(follow, TURN_BYTES);
	if (follow->count)
		loop_timer_set(follow->look, every_ns);
	return follow;
}

void names_follow_free(struct names_follow *follow)
{
	if (!follow)
		return;
	loop_timer_del(follow->look);
	loop_timer_del(follow->more);
	drop(&follow->reading);
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

static bool has_file(const struct names_follow *follow, enum names_source source, unsigned int number)
{
	for (size_t i = 0; i < follow->count; i++)
		if (follow->state[i].source == source && follow->file[i].number == number)
			return true;
	return false;
}

/* The names of files that none of the fresh ones will replace. */
static void drop_others(const struct names_follow *follow, const struct names_follow *fresh)
{
	for (size_t i = 0; i < follow->count; i++)
		if (!has_file(fresh, follow->state[i].source, follow->file[i].number))
			names_replace(follow->names, follow->state[i].source, follow->file[i].number, NULL);
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
	drop_others(follow, &fresh);
	drop(&fresh.reading);
	free_files(follow);
	*follow = fresh;
	look(follow);
	for (size_t i = 0; i < follow->count; i++)
		follow->file[i].changed = follow->file[i].replaces = true;
	if (follow->count)
		loop_timer_set(follow->look, follow->every_ns);
	else
		loop_timer_stop(follow->look);
	follow->is_new = true;
	on_more(follow);
	return 0;
}

const struct snapshot_names *names_follow_files(const struct names_follow *follow, size_t *count)
{
	*count = follow->count;
	return follow->state;
}
