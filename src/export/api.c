/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/export/api.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/json.h"
#include "hostmeter/base/version.h"
#include "warnings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * A value that could not be made is NULL, and jansson refuses to set it; what was refused is remembered here, so that
 * no object with a hole goes out.
 */
struct json {
	json_t *value;
	bool failed;
};

static void set(struct json *object, const char *key, json_t *value)
{
	if (json_object_set_new(object->value, key, value) != 0)
		object->failed = true;
}

static void add(struct json *array, json_t *value)
{
	if (json_array_append_new(array->value, value) != 0)
		array->failed = true;
}

/* NULL if anything inside is missing, which makes the whole fail. */
static json_t *done(struct json *value)
{
	if (!value->failed)
		return value->value;
	json_decref(value->value);
	return NULL;
}

static struct json object(void)
{
	return (struct json){ .value = json_object() };
}

static struct json array(void)
{
	return (struct json){ .value = json_array() };
}

/* Monotonic to seconds since 1970; null for what never was. */
static json_t *when(const struct snapshot *snapshot, uint64_t mono)
{
	if (!mono || !snapshot->process.real_ns || snapshot->now < mono)
		return json_null();
	return json_of_seconds(snapshot->process.real_ns - (snapshot->now - mono));
}

static void set_head(struct json *head, const struct snapshot *snapshot)
{
	set(head, "schema", json_integer(API_SCHEMA));
	set(head, "time", when(snapshot, snapshot->now));
	set(head, "ready", json_boolean(snapshot->ready));
}

static json_t *count(uint64_t bytes, uint64_t packets)
{
	return json_of_pair("bytes", json_of_u64(bytes), "packets", json_of_u64(packets));
}

/* --- Hosts */

/*
 * Ten thousand hosts as trees of jansson would hold the loop up for a sixth of a second. Where a host is but numbers,
 * they are written as they are; names still go through jansson.
 */
static void put_number(struct buf *out, const char *before, uint64_t value)
{
	buf_puts(out, before);
	buf_put_u64(out, value > INT64_MAX ? INT64_MAX : value);
}

static void put_traffic(struct buf *out, const char *before, const struct traffic *traffic)
{
	static const char *const starts[TRAFFIC_FAMILIES] = { "{\"4\":{\"in\":{\"bytes\":",
		",\"6\":{\"in\":{\"bytes\":" };

	buf_puts(out, before);
	for (int ipv = 0; ipv < TRAFFIC_FAMILIES; ipv++) {
		const struct traffic_count *in = &traffic->of[ipv][TRAFFIC_IN], *away = &traffic->of[ipv][TRAFFIC_OUT];

		put_number(out, starts[ipv], in->bytes);
		put_number(out, ",\"packets\":", in->packets);
		put_number(out, "},\"out\":{\"bytes\":", away->bytes);
		put_number(out, ",\"packets\":", away->packets);
		buf_puts(out, "}}");
	}
	buf_putc(out, '}');
}

/* What has no character to be escaped. */
static void put_plain(struct buf *out, const char *before, const char *value)
{
	buf_puts(out, before);
	buf_putc(out, '"');
	buf_puts(out, value);
	buf_putc(out, '"');
}

/* Those of one host; cursor->part is the first of them, and moves to the next host's. */
static void put_addresses(struct buf *out, const struct snapshot *snapshot, struct cursor *cursor)
{
	const char *before = "";
	char address[ADDR_TEXT];

	buf_puts(out, ",\"addresses\":[");
	for (; cursor->part < snapshot->addresses && snapshot->address[cursor->part].host == cursor->row;
		cursor->part++, before = ",")
		put_plain(out, before, addr_format(&snapshot->address[cursor->part].addr, address));
	buf_putc(out, ']');
}

static void put_host(struct buf *out, const struct snapshot *snapshot, struct cursor *cursor)
{
	const struct snapshot_host *h = &snapshot->host[cursor->row];

	buf_puts(out, cursor->row ? ",{\"host\":" : "{\"host\":");
	json_write(out, json_of_text(h->label));
	if (h->mac[0])
		put_plain(out, ",\"mac\":", h->mac);
	else
		buf_puts(out, ",\"mac\":null");
	put_addresses(out, snapshot, cursor);
	put_traffic(out, ",\"wan\":", &h->wan);
	put_traffic(out, ",\"local\":", &h->local);
	put_number(out, ",\"connections\":{\"4\":", h->connections[TRAFFIC_IPV4]);
	put_number(out, ",\"6\":", h->connections[TRAFFIC_IPV6]);
	buf_puts(out, "},\"first_seen\":");
	json_write(out, when(snapshot, h->first_seen));
	buf_puts(out, ",\"last_seen\":");
	json_write(out, when(snapshot, h->last_seen));
	buf_putc(out, '}');
}

static void put_hosts_head(struct buf *out, const struct snapshot *snapshot)
{
	struct json head = object();

	set_head(&head, snapshot);
	set(&head, "dump_time", when(snapshot, snapshot->last_dump_end));
	json_write(out, done(&head));
	if (!buf_error(out))
		out->len--; /* the closing brace: the object goes on */
	buf_puts(out, ",\"hosts\":[");
}

bool api_hosts_some(struct buf *out, const struct snapshot *snapshot, struct cursor *cursor, size_t enough)
{
	if (!cursor->row)
		put_hosts_head(out, snapshot);
	while (cursor->row < snapshot->hosts && !buf_error(out)) {
		put_host(out, snapshot, cursor);
		if (++cursor->row < snapshot->hosts && out->len >= enough)
			return !buf_error(out);
	}
	buf_puts(out, "]}\n");
	return false;
}

void api_hosts(struct buf *out, const struct snapshot *snapshot)
{
	struct cursor cursor = { 0 };

	api_hosts_some(out, snapshot, &cursor, SIZE_MAX);
}

/* --- Status */

static json_t *flows(const struct snapshot *snapshot)
{
	struct json all = object();

	set(&all, "live", json_of_u64(snapshot->flows));
	set(&all, "undecided", json_of_u64(snapshot->flows_undecided));
	set(&all, "without_counters", json_of_u64(snapshot->flows_uncounted));
	set(&all, "offloaded", json_of_u64(snapshot->flows_offloaded));
	return done(&all);
}

static json_t *attributed(const struct snapshot *snapshot)
{
	struct json all = object();

	for (enum flow_by by = 0; by < FLOW_BY_COUNT; by++)
		set(&all, flow_by_name(by), json_of_u64(snapshot->stats.attributed[by]));
	return done(&all);
}

static json_t *last_dump(const struct snapshot *snapshot)
{
	struct json last = object();
	bool known = snapshot->last_dump_end;

	set(&last, "age_seconds", known ? json_of_seconds(snapshot->now - snapshot->last_dump_end) : json_null());
	set(&last, "duration_seconds", known ? json_of_seconds(snapshot->last_dump_ns) : json_null());
	set(&last, "interval_seconds", json_of_seconds(snapshot->process.dump_interval_ns));
	return done(&last);
}

static json_t *checkpoint(const struct snapshot_process *process)
{
	bool known = process->running && process->checkpoint_age_ns != UINT64_MAX;

	return json_of_pair("age_seconds", known ? json_of_seconds(process->checkpoint_age_ns) : json_null(),
		"failures", json_of_u64(process->checkpoint_failures));
}

static json_t *sources(const struct snapshot *snapshot)
{
	struct json list = array();

	for (enum source source = 0; source < SOURCE_COUNT; source++) {
		const struct snapshot_source *s = &snapshot->source[source];
		struct json one = object();

		set(&one, "source", json_of_text(source_name(source)));
		set(&one, "up", json_boolean(s->up));
		set(&one, "overruns", json_of_u64(s->overruns));
		set(&one, "receive_buffer_bytes", json_of_u64(s->receive_buffer));
		set(&one, "receive_buffer_asked_bytes", json_of_u64(snapshot->process.receive_buffer_asked[source]));
		add(&list, done(&one));
	}
	return done(&list);
}

/* What a reader of these numbers should know of: all of it since the meter began. */
static json_t *incomplete(const struct snapshot *snapshot)
{
	const struct snapshot_stats *stats = &snapshot->stats;
	struct json all = object();

	set(&all, "counter_resets", json_of_u64(stats->counter_resets));
	set(&all, "flows_ended", json_of_u64(stats->destroys));
	set(&all, "flows_ended_unseen", json_of_u64(stats->ended_unseen));
	set(&all, "flows_ended_uncounted", json_of_u64(stats->ended_uncounted));
	set(&all, "flows_refused", json_of_u64(stats->flows_refused));
	set(&all, "first_packets_lost", json_of_u64(stats->sightings_lost));
	set(&all, "damaged_messages", json_of_u64(stats->damaged));
	set(&all, "dumps_incomplete", json_of_u64(stats->dumps_incomplete));
	set(&all, "reliable_switched_off", json_of_u64(snapshot->process.reliable_losses));
	return done(&all);
}

static json_t *names_files(const struct snapshot_process *process)
{
	struct json list = array();

	for (size_t i = 0; i < process->names_count; i++) {
		const struct snapshot_names *file = &process->names[i];
		struct json one = object();

		set(&one, "source", json_of_text(names_source_name(file->source)));
		set(&one, "path", json_of_text(file->path));
		set(&one, "error", file->error ? json_of_text(strerror(-file->error)) : json_null());
		add(&list, done(&one));
	}
	return done(&list);
}

static json_t *listening(const struct snapshot_process *process)
{
	struct json list = array();

	for (size_t i = 0; i < process->listens; i++)
		add(&list, json_of_text(process->listen[i]));
	return done(&list);
}

static json_t *interfaces(const struct snapshot *snapshot)
{
	struct json list = array();

	for (size_t i = 0; i < snapshot->links; i++) {
		const struct topology_link *link = &snapshot->link[i];
		struct json one = object();

		if (link->side == SIDE_LAN || link->side == SIDE_WAN) {
			set(&one, "interface", json_of_text(link->name));
			set(&one, "index", json_of_u64(link->ifindex));
			set(&one, "side", json_of_text(link->side == SIDE_WAN ? "wan" : "lan"));
			set(&one, "up", json_boolean(link->is_up));
			set(&one, "rx", count(link->rx_bytes, link->rx_packets));
			set(&one, "tx", count(link->tx_bytes, link->tx_packets));
			add(&list, done(&one));
		} else {
			json_decref(one.value);
		}
	}
	return done(&list);
}

static json_t *wan(const struct snapshot *snapshot)
{
	struct json list = array();

	for (size_t i = 0; i < snapshot->wans; i++) {
		const struct wan_link *link = &snapshot->wan[i];
		struct json one = object();

		set(&one, "interface", json_of_text(link->name));
		for (enum wan_kind kind = 0; kind < WAN_KINDS; kind++) {
			const struct traffic_count *rx = &link->count[kind][WAN_RX], *tx = &link->count[kind][WAN_TX];

			set(&one, wan_kind_name(kind),
				json_of_pair("rx", count(rx->bytes, rx->packets), "tx", count(tx->bytes, tx->packets)));
		}
		set(&one, "link_header_bytes",
			json_of_pair("rx", json_of_u64(link->header_bytes[WAN_RX]), "tx",
				json_of_u64(link->header_bytes[WAN_TX])));
		add(&list, done(&one));
	}
	return done(&list);
}

static json_t *all_warnings(const struct snapshot *snapshot)
{
	struct json list = array();
	struct warning warning;

	for (size_t i = 0; warnings_next(snapshot, &i, &warning);) {
		struct json one = object();

		set(&one, "id", json_of_text(warning.id));
		set(&one, "count", json_of_u64(warning.count));
		set(&one, "text", json_of_text(warning.text));
		add(&list, done(&one));
	}
	return done(&list);
}

static json_t *uptime(const struct snapshot_process *process)
{
	uint64_t start = process->usage.start_real_ns;

	return start && process->real_ns >= start ? json_of_seconds(process->real_ns - start) : json_null();
}

void api_status(struct buf *out, const struct snapshot *snapshot)
{
	const struct snapshot_process *process = &snapshot->process;
	struct json all = object();

	set_head(&all, snapshot);
	set(&all, "version", json_of_text(HOSTMETER_VERSION));
	set(&all, "uptime_seconds", uptime(process));
	set(&all, "hosts", json_of_u64(snapshot->hosts));
	set(&all, "neighbours", json_of_u64(snapshot->neighbours));
	set(&all, "flows", flows(snapshot));
	set(&all, "attributed", attributed(snapshot));
	set(&all, "dump", last_dump(snapshot));
	set(&all, "checkpoint", checkpoint(process));
	set(&all, "conntrack",
		json_of_pair("entries", json_of_u64(process->conntrack_entries), "limit",
			json_of_u64(process->conntrack_limit)));
	set(&all, "reliable", json_boolean(process->reliable));
	set(&all, "loop_stall_seconds_max", json_of_seconds(process->stall_ns));
	set(&all, "incomplete", incomplete(snapshot));
	set(&all, "sources", sources(snapshot));
	set(&all, "nflog_group", json_of_u64(process->nflog_group));
	set(&all, "listen", listening(process));
	set(&all, "names", names_files(process));
	set(&all, "interfaces", interfaces(snapshot));
	set(&all, "wan", wan(snapshot));
	set(&all, "warnings", all_warnings(snapshot));
	json_write(out, done(&all));
	buf_putc(out, '\n');
}
