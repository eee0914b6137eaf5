/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/api_read.h"

#include "hostmeter/api.h"

#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINKS_MOST = 64, WARNINGS_MOST = 64, ADDRESSES_MOST = 256 };

/* ---- Memory. A thousand hosts are forty thousand small values, made each second and dropped together. */

enum { CHUNK_BYTES = 1 << 18, ALIGNMENT = _Alignof(max_align_t) };

struct chunk {
	struct chunk *next;
	size_t size, used;
	_Alignas(ALIGNMENT) char bytes[];
};

/* Kept from one answer to the next. */
static struct {
	struct chunk *first, *now;
} arena;

static void *take(size_t size)
{
	void *taken;

	size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
	while (!arena.now || arena.now->size - arena.now->used < size) {
		struct chunk **next = arena.now ? &arena.now->next : &arena.first;

		if (!*next) {
			size_t bytes = size > CHUNK_BYTES ? size : CHUNK_BYTES;

			*next = malloc(sizeof(struct chunk) + bytes);
			if (!*next)
				return NULL;
			**next = (struct chunk){ .size = bytes };
		}
		arena.now = *next;
		arena.now->used = 0;
	}
	taken = arena.now->bytes + arena.now->used;
	arena.now->used += size;
	return taken;
}

static void leave(void *memory)
{
	(void)memory;
}

static void take_all_back(void)
{
	arena.now = arena.first;
	if (arena.now)
		arena.now->used = 0;
}

/* ---- Values */

static uint64_t number(const json_t *value)
{
	json_int_t integer = json_integer_value(value);

	return integer > 0 ? (uint64_t)integer : 0;
}

/* Seconds since 1970, null: 0. */
static uint64_t time_of(const json_t *value)
{
	double seconds = json_number_value(value);

	return seconds > 0 && seconds < 1e10 ? (uint64_t)(seconds * 1e3 + 0.5) * 1000000 : 0;
}

static const char *text(const json_t *value)
{
	const char *string = json_string_value(value);

	return string ? string : "";
}

static json_t *document(const struct buf *from)
{
	return json_loadb(from->data ? from->data : "", from->len, 0, NULL);
}

/* ---- Hosts */

static void read_counts(struct watch_sample_host *host, const json_t *one)
{
	static const char *const families[WATCH_FAMILIES] = { "4", "6" };
	static const char *const directions[WATCH_DIRECTIONS] = { "in", "out" };
	const json_t *wan = json_object_get(one, "wan"), *connections = json_object_get(one, "connections");

	for (int f = 0; f < WATCH_FAMILIES; f++) {
		const json_t *counts = json_object_get(wan, families[f]);

		host->connections[f] = (uint32_t)number(json_object_get(connections, families[f]));
		for (int d = 0; d < WATCH_DIRECTIONS; d++)
			host->bytes[f][d] = number(json_object_get(json_object_get(counts, directions[d]), "bytes"));
	}
}

static int read_host(struct watch_sample *sample, const json_t *one)
{
	const json_t *addresses = json_object_get(one, "addresses");
	struct watch_sample_host *host = watch_sample_add_host(sample);
	int error = 0;

	if (!host)
		return -ENOMEM;
	snprintf(host->label, sizeof(host->label), "%s", text(json_object_get(one, "host")));
	snprintf(host->mac, sizeof(host->mac), "%s", text(json_object_get(one, "mac")));
	read_counts(host, one);
	host->first_seen = time_of(json_object_get(one, "first_seen"));
	host->last_seen = time_of(json_object_get(one, "last_seen"));
	for (size_t i = 0; !error && i < json_array_size(addresses) && i < ADDRESSES_MOST; i++)
		error = watch_sample_add_address(sample, text(json_array_get(addresses, i)));
	return error;
}

/* ---- Status */

static int read_link(struct watch_sample *sample, const json_t *one)
{
	struct watch_sample_link *link;

	if (strcmp(text(json_object_get(one, "side")), "wan") != 0)
		return 0;
	link = watch_sample_add_link(sample);
	if (!link)
		return -ENOMEM;
	snprintf(link->name, sizeof(link->name), "%s", text(json_object_get(one, "interface")));
	link->bytes[WATCH_DOWN] = number(json_object_get(json_object_get(one, "rx"), "bytes"));
	link->bytes[WATCH_UP] = number(json_object_get(json_object_get(one, "tx"), "bytes"));
	return 0;
}

/* A count of 1 may stand for "so it is" rather than for a number. */
static int read_warning(struct watch_sample *sample, const json_t *one)
{
	uint64_t count = number(json_object_get(one, "count"));
	const char *words = text(json_object_get(one, "text"));
	char line[WATCH_WARNING];

	if (count > 1)
		snprintf(line, sizeof(line), "%llu %s", (unsigned long long)count, words);
	else
		snprintf(line, sizeof(line), "%s", words);
	return watch_sample_add_warning(sample, line);
}

static int each(struct watch_sample *sample, const json_t *list, size_t most,
	int (*read)(struct watch_sample *sample, const json_t *one))
{
	int error = 0;

	for (size_t i = 0; !error && i < json_array_size(list) && i < most; i++)
		error = read(sample, json_array_get(list, i));
	return error;
}

static int check(const json_t *hosts, const json_t *status)
{
	if (!json_is_object(hosts) || !json_is_object(status) || !json_is_array(json_object_get(hosts, "hosts")))
		return -EBADMSG;
	if (number(json_object_get(hosts, "schema")) != API_SCHEMA || number(json_object_get(status, "schema")) != API_SCHEMA)
		return -EPROTO;
	return 0;
}

static int read_documents(struct watch_sample *sample, const json_t *hosts, const json_t *status)
{
	int error = check(hosts, status);

	if (error)
		return error;
	sample->time = time_of(json_object_get(hosts, "time"));
	sample->taken = time_of(json_object_get(hosts, "dump_time"));
	if (!sample->taken)
		sample->taken = sample->time;
	error = each(sample, json_object_get(hosts, "hosts"), WATCH_MAX_HOSTS, read_host);
	if (!error)
		error = each(sample, json_object_get(status, "interfaces"), LINKS_MOST, read_link);
	if (!error)
		error = each(sample, json_object_get(status, "warnings"), WARNINGS_MOST, read_warning);
	if (!error && json_is_false(json_object_get(status, "ready")))
		error = watch_sample_add_warning(sample, "the meter is still reading the connections for the first time");
	return error;
}

int api_read(struct watch_sample *sample, const struct buf *hosts, const struct buf *status)
{
	json_malloc_t old_malloc;
	json_free_t old_free;
	int error;

	*sample = (struct watch_sample){ 0 };
	json_get_alloc_funcs(&old_malloc, &old_free);
	json_set_alloc_funcs(take, leave);
	error = read_documents(sample, document(hosts), document(status));
	json_set_alloc_funcs(old_malloc, old_free);
	take_all_back();
	if (error)
		watch_sample_clear(sample);
	return error;
}
