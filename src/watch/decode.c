/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "decode.h"

#include "hostmeter/base/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { LINKS_MOST = 64, WARNINGS_MOST = 64, ADDRESSES_MOST = 256 };

static const char *const families[WATCH_FAMILIES] = { "4", "6" };
static const char *const directions[WATCH_DIRECTIONS] = { "in", "out" };

/* ---- Hosts */

static void read_counts(uint64_t bytes[static WATCH_FAMILIES][WATCH_DIRECTIONS], const json_t *counts)
{
	for (int f = 0; f < WATCH_FAMILIES; f++) {
		const json_t *family = json_object_get(counts, families[f]);

		for (int d = 0; d < WATCH_DIRECTIONS; d++)
			bytes[f][d] = json_get_u64(json_object_get(family, directions[d]), "bytes");
	}
}

static int read_host(struct watch_sample *sample, const json_t *one)
{
	const json_t *addresses = json_object_get(one, "addresses");
	const json_t *local = json_object_get(one, "local"), *connections = json_object_get(one, "connections");
	struct watch_sample_host *host = watch_sample_add_host(sample);
	int error = 0;

	if (!host)
		return -ENOMEM;
	json_copy_text(host->label, sizeof(host->label), json_object_get(one, "host"));
	json_copy_text(host->mac, sizeof(host->mac), json_object_get(one, "mac"));
	read_counts(host->bytes, json_object_get(one, "wan"));
	if (local)
		read_counts(host->local, local);
	sample->has_local |= local != NULL;
	for (int f = 0; f < WATCH_FAMILIES; f++)
		host->connections[f] = (uint32_t)json_get_u64(connections, families[f]);
	host->first_seen = json_get_ns(one, "first_seen");
	host->last_seen = json_get_ns(one, "last_seen");
	for (size_t i = 0; !error && i < json_array_size(addresses) && i < ADDRESSES_MOST; i++)
		error = watch_sample_add_address(sample, json_to_text(json_array_get(addresses, i)));
	return error;
}

/* ---- Status */

static int read_link(struct watch_sample *sample, const json_t *one)
{
	struct watch_sample_link *link;

	if (strcmp(json_get_text(one, "side"), "wan") != 0)
		return 0;
	link = watch_sample_add_link(sample);
	if (!link)
		return -ENOMEM;
	json_copy_text(link->name, sizeof(link->name), json_object_get(one, "interface"));
	link->bytes[WATCH_DOWN] = json_get_u64(json_object_get(one, "rx"), "bytes");
	link->bytes[WATCH_UP] = json_get_u64(json_object_get(one, "tx"), "bytes");
	return 0;
}

/* A count of 1 is not shown: it may only mean "yes". */
static int read_warning(struct watch_sample *sample, const json_t *one)
{
	uint64_t count = json_get_u64(one, "count");
	const char *words = json_get_text(one, "text");
	char line[WATCH_WARNING];

	if (count > 1)
		snprintf(line, sizeof(line), "%llu %s", (unsigned long long)count, words);
	else
		snprintf(line, sizeof(line), "%s", words);
	return watch_sample_add_warning(sample, line);
}

static int read_documents(struct watch_sample *sample, const json_t *hosts, const json_t *status)
{
	const struct {
		const json_t *list;
		size_t most;
		int (*read)(struct watch_sample *sample, const json_t *one);
	} lists[] = {
		{ json_object_get(hosts, "hosts"), WATCH_MAX_HOSTS, read_host },
		{ json_object_get(status, "interfaces"), LINKS_MOST, read_link },
		{ json_object_get(status, "warnings"), WARNINGS_MOST, read_warning },
	};
	int error = 0;

	if (!json_is_array(lists[0].list))
		return -EBADMSG;
	sample->date_unknown = json_is_false(json_object_get(status, "clock_set"));
	sample->time = json_get_ns(hosts, "time");
	sample->taken = json_get_ns(hosts, "dump_time");
	sample->taken = sample->taken ? sample->taken : sample->time;
	for (size_t l = 0; l < sizeof(lists) / sizeof(lists[0]); l++)
		for (size_t i = 0; !error && i < json_array_size(lists[l].list) && i < lists[l].most; i++)
			error = lists[l].read(sample, json_array_get(lists[l].list, i));
	if (!error && json_is_false(json_object_get(status, "ready")))
		error = watch_sample_add_warning(sample,
			"the meter is still reading the connections for the first time");
	return error;
}

int watch_decode_sample(struct watch_sample *sample, const struct buf *hosts, const struct buf *status)
{
	json_t *all, *state = NULL;
	int error;

	*sample = (struct watch_sample){ 0 };
	all = json_open(hosts->data, hosts->len, &error);
	if (all)
		state = json_open(status->data, status->len, &error);
	if (state)
		error = read_documents(sample, all, state);
	json_decref(all);
	json_decref(state);
	if (error)
		watch_sample_clear(sample);
	return error;
}

/* ---- Connections */

static uint16_t port(const json_t *object, const char *key)
{
	uint64_t n = json_get_u64(object, key);

	return n <= UINT16_MAX ? (uint16_t)n : 0;
}

/* A line of a connection within the LAN is written for one of its two hosts. True: it is not ours. */
static bool is_peer(const struct watch_connections *of, const json_t *line)
{
	return of->mac[0] ? strcmp(of->mac, json_get_text(line, "mac")) :
			    strcmp(of->label, json_get_text(line, "host"));
}

static int read_connection(struct watch_connections *fresh, const json_t *line)
{
	const json_t *original = json_object_get(line, "original");
	bool peer = is_peer(fresh, line);
	struct watch_connection one = { 0 }, *added;

	if (addr_parse(&one.src, json_get_text(original, "src")) ||
		addr_parse(&one.dst, json_get_text(original, "dst")))
		return 0;
	one.sport = port(original, "sport");
	one.dport = port(original, "dport");
	one.proto = (uint8_t)json_get_u64(line, "proto");
	one.id = (uint32_t)json_get_u64(line, "id");
	one.inbound = json_get_bool(line, "inbound") != peer;
	one.local = !strcmp(json_get_text(line, "scope"), "local");
	one.own_port = one.inbound ? port(json_object_get(line, "reply"), "sport") : one.sport;
	one.began = json_get_ns(line, "start");
	for (int d = 0; d < WATCH_DIRECTIONS; d++)
		one.bytes[peer ? !d : d] = json_get_u64(line, directions[d]);
	added = watch_connections_add(fresh);
	if (!added)
		return fresh->cut ? 0 : -ENOMEM;
	*added = one;
	if (!fresh->time)
		fresh->time = json_get_ns(line, "time");
	return 0;
}

static int read_line(struct watch_connections *fresh, const char *data, size_t len)
{
	int error;
	json_t *line = json_open(data, len, &error);

	if (line && json_get_bool(line, "cut"))
		fresh->cut = true;
	else if (line)
		error = read_connection(fresh, line);
	json_decref(line);
	return error;
}

int watch_decode_connections(struct watch_connections *fresh, const struct buf *lines)
{
	const char *at = lines->data, *end = at ? at + lines->len : at;
	int error = 0;

	while (!error && at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((newline ? newline : end) - at);

		error = read_line(fresh, at, len);
		at += len + 1;
	}
	if (error)
		watch_connections_clear(fresh);
	return error;
}
