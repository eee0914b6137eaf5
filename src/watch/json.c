/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/watch/json.h"

#include <errno.h>
#include <jansson.h>

static const char *const families[WATCH_FAMILIES] = { "4", "6" };
static const char *const host_directions[WATCH_DIRECTIONS] = { "in", "out" };
static const char *const link_directions[WATCH_DIRECTIONS] = { "rx", "tx" };

static json_t *string(const char *text)
{
	json_t *value = json_string(text);

	/* A name that was cut within a character. */
	return value ? value : json_string("?");
}

static json_t *seconds_of(uint64_t ns)
{
	return ns ? json_real((double)(ns / 1000000) / 1e3) : json_null();
}

/* {bytes, session, rate} of one direction. */
static json_t *counts(const struct watch_history *history, const struct watch_track *track, uint64_t bytes, int family,
	int direction)
{
	double rate = watch_history_rate(history, track, 1u << family, direction, 0);

	return json_pack("{sI sI so}", "bytes", (json_int_t)bytes, "session",
		(json_int_t)track->session[family][direction], "rate",
		watch_history_has_rates(history) ? json_integer((json_int_t)(rate + 0.5)) : json_null());
}

static json_t *both(const struct watch_history *history, const struct watch_track *track, const uint64_t *bytes,
	int family, const char *const names[WATCH_DIRECTIONS])
{
	return json_pack("{so so}", names[WATCH_DOWN], counts(history, track, bytes[WATCH_DOWN], family, WATCH_DOWN),
		names[WATCH_UP], counts(history, track, bytes[WATCH_UP], family, WATCH_UP));
}

static json_t *host_object(const struct watch_history *history, size_t i)
{
	const struct watch_sample_host *host = &history->sample.host[i];
	const struct watch_track *track = history->track[i];
	json_t *addresses = json_array();

	for (size_t a = 0; a < host->addresses; a++)
		json_array_append_new(addresses, string(history->sample.address[host->address + a]));
	return json_pack("{so so so so so s{sI sI} so so}", "host", string(host->label), "mac",
		host->mac[0] ? string(host->mac) : json_null(), "addresses", addresses, families[WATCH_IPV4],
		both(history, track, host->bytes[WATCH_IPV4], WATCH_IPV4, host_directions), families[WATCH_IPV6],
		both(history, track, host->bytes[WATCH_IPV6], WATCH_IPV6, host_directions), "connections",
		families[WATCH_IPV4], (json_int_t)host->connections[WATCH_IPV4], families[WATCH_IPV6],
		(json_int_t)host->connections[WATCH_IPV6], "first_seen", seconds_of(host->first_seen), "last_seen",
		seconds_of(host->last_seen));
}

static json_t *link_object(const struct watch_history *history, size_t i)
{
	json_t *link = both(history, &history->link[i], history->sample.link[i].bytes, WATCH_IPV4, link_directions);

	json_object_set_new(link, "interface", string(history->link[i].label));
	return link;
}

static int append(const char *data, size_t len, void *ctx)
{
	buf_add(ctx, data, len);
	return buf_error(ctx);
}

void watch_json(struct buf *out, const struct watch_history *history)
{
	json_t *hosts = json_array(), *links = json_array(), *warnings = json_array(), *line;

	for (size_t i = 0; i < history->tracks; i++)
		json_array_append_new(hosts, host_object(history, i));
	for (size_t i = 0; i < history->links; i++)
		json_array_append_new(links, link_object(history, i));
	for (size_t i = 0; i < history->sample.warnings; i++)
		json_array_append_new(warnings, string(history->sample.warning[i]));
	line = json_pack("{si so so so so so}", "schema", WATCH_SCHEMA, "time", seconds_of(history->sample.time),
		"dump_time", seconds_of(history->time), "wan", links, "warnings", warnings, "hosts", hosts);
	if (!line || json_dump_callback(line, append, out, JSON_COMPACT | JSON_REAL_PRECISION(15)) != 0)
		out->error = -ENOMEM;
	json_decref(line);
	buf_putc(out, '\n');
}
