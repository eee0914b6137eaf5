/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decode.h"

#include "hostmeter/base/version.h"

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
	if (number(json_object_get(hosts, "schema")) != API_SCHEMA ||
		number(json_object_get(status, "schema")) != API_SCHEMA)
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
		error = watch_sample_add_warning(sample,
			"the meter is still reading the connections for the first time");
	return error;
}

int watch_decode_sample(struct watch_sample *sample, const struct buf *hosts, const struct buf *status)
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

/* ---- Connections */

static uint16_t port(const json_t *value)
{
	uint64_t n = number(value);

	return n <= UINT16_MAX ? (uint16_t)n : 0;
}

/* The ends of one direction. False: they are no addresses. */
static bool read_tuple(const json_t *tuple, struct addr *src, struct addr *dst, uint16_t *sport, uint16_t *dport)
{
	*sport = port(json_object_get(tuple, "sport"));
	*dport = port(json_object_get(tuple, "dport"));
	return !addr_parse(src, text(json_object_get(tuple, "src"))) &&
		!addr_parse(dst, text(json_object_get(tuple, "dst")));
}

/* Of a connection inside of the LAN the line tells from one host's side: is it the other's? */
static bool is_peer(const struct watch_connections *of, const json_t *line)
{
	return of->mac[0] ? strcmp(of->mac, text(json_object_get(line, "mac"))) :
			    strcmp(of->label, text(json_object_get(line, "host")));
}

static int read_connection(struct watch_connections *fresh, const json_t *line)
{
	static const char *const directions[WATCH_DIRECTIONS] = { "in", "out" };
	bool peer = is_peer(fresh, line);
	const char *scope = text(json_object_get(line, "scope"));
	struct watch_connection one = { 0 }, *added;
	struct addr ignored;
	uint16_t reply_sport, reply_dport;

	if (!read_tuple(json_object_get(line, "original"), &one.src, &one.dst, &one.sport, &one.dport) ||
		!read_tuple(json_object_get(line, "reply"), &ignored, &ignored, &reply_sport, &reply_dport))
		return 0;
	one.proto = (uint8_t)number(json_object_get(line, "proto"));
	one.id = (uint32_t)number(json_object_get(line, "id"));
	one.inbound = json_is_true(json_object_get(line, "inbound")) != peer;
	one.local = !strcmp(scope, "local");
	one.own_port = one.inbound ? reply_sport : one.sport;
	one.began = time_of(json_object_get(line, "start"));
	for (int d = 0; d < WATCH_DIRECTIONS; d++)
		one.bytes[peer ? !d : d] = number(json_object_get(line, directions[d]));
	added = watch_connections_add(fresh);
	if (!added)
		return fresh->cut ? 0 : -ENOMEM;
	*added = one;
	if (!fresh->time)
		fresh->time = time_of(json_object_get(line, "time"));
	return 0;
}

static int read_line(struct watch_connections *fresh, const json_t *line)
{
	if (!json_is_object(line))
		return -EBADMSG;
	if (number(json_object_get(line, "schema")) != API_SCHEMA)
		return -EPROTO;
	if (!json_is_true(json_object_get(line, "cut")))
		return read_connection(fresh, line);
	fresh->cut = true;
	return 0;
}

int watch_decode_connections(struct watch_connections *fresh, const struct buf *lines)
{
	const char *at = lines->data, *end = at ? at + lines->len : at;
	json_malloc_t old_malloc;
	json_free_t old_free;
	int error = 0;

	json_get_alloc_funcs(&old_malloc, &old_free);
	json_set_alloc_funcs(take, leave);
	while (!error && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((newline ? newline : end) - at);

		error = read_line(fresh, json_loadb(at, len, 0, NULL));
		at += len + 1;
		/* Nothing of one line is needed for the next. */
		take_all_back();
	}
	json_set_alloc_funcs(old_malloc, old_free);
	if (error)
		watch_connections_clear(fresh);
	return error;
}
