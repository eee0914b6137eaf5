/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/json.h"
#include "hostmeter/watch/render.h"

static const char *const families[WATCH_FAMILIES] = { "4", "6" };
static const char *const host_directions[WATCH_DIRECTIONS] = { "in", "out" };
static const char *const link_directions[WATCH_DIRECTIONS] = { "rx", "tx" };

/* {bytes, session, rate} of each direction. */
static void put_directions(struct buf *out, const struct watch_history *history, const struct watch_track *track,
	const uint64_t *bytes, int family, const char *const names[WATCH_DIRECTIONS])
{
	for (int direction = 0; direction < WATCH_DIRECTIONS; direction++) {
		double rate = watch_history_rate(history, track, 1u << family, direction, 0);

		json_begin(out, names[direction], '{');
		json_put_u64(out, "bytes", bytes[direction]);
		json_put_u64(out, "session", track->session[family][direction]);
		if (watch_history_has_rates(history))
			json_put_u64(out, "rate", (uint64_t)(rate + 0.5));
		else
			json_put_null(out, "rate");
		json_end(out, '}');
	}
}

static void put_host(struct buf *out, const struct watch_history *history, size_t i)
{
	const struct watch_sample_host *host = &history->sample.host[i];

	json_begin(out, NULL, '{');
	json_put_text(out, "host", host->label);
	json_put_text(out, "mac", host->mac[0] ? host->mac : NULL);
	json_begin(out, "addresses", '[');
	for (size_t a = 0; a < host->addresses; a++)
		json_put_text(out, NULL, history->sample.address[host->address + a]);
	json_end(out, ']');
	for (int family = 0; family < WATCH_FAMILIES; family++) {
		json_begin(out, families[family], '{');
		put_directions(out, history, history->track[i], host->bytes[family], family, host_directions);
		json_end(out, '}');
	}
	json_begin(out, "connections", '{');
	for (int family = 0; family < WATCH_FAMILIES; family++)
		json_put_u64(out, families[family], host->connections[family]);
	json_end(out, '}');
	json_put_time(out, "first_seen", host->first_seen);
	json_put_time(out, "last_seen", host->last_seen);
	json_end(out, '}');
}

void watch_json(struct buf *out, const struct watch_history *history)
{
	json_begin(out, NULL, '{');
	json_put_u64(out, "schema", WATCH_SCHEMA);
	json_put_time(out, "time", history->sample.time);
	json_put_time(out, "dump_time", history->time);
	json_begin(out, "wan", '[');
	for (size_t i = 0; i < history->links; i++) {
		json_begin(out, NULL, '{');
		put_directions(out, history, &history->link[i], history->sample.link[i].bytes, WATCH_IPV4,
			link_directions);
		json_put_text(out, "interface", history->link[i].label);
		json_end(out, '}');
	}
	json_end(out, ']');
	json_begin(out, "warnings", '[');
	for (size_t i = 0; i < history->sample.warnings; i++)
		json_put_text(out, NULL, history->sample.warning[i]);
	json_end(out, ']');
	json_begin(out, "hosts", '[');
	for (size_t i = 0; i < history->tracks; i++)
		put_host(out, history, i);
	json_end(out, ']');
	json_end(out, '}');
	buf_putc(out, '\n');
}
