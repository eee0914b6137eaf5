/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/export/api.h"

#include "hostmeter/base/json.h"
#include "hostmeter/base/version.h"
#include "warnings.h"

#include <string.h>

/* Monotonic to time since 1970; 0 for what never was. */
static uint64_t when(const struct snapshot *snapshot, uint64_t mono)
{
	if (!mono || !snapshot->process.real_ns || snapshot->now < mono)
		return 0;
	return snapshot->process.real_ns - (snapshot->now - mono);
}

static void put_head(struct buf *out, const struct snapshot *snapshot)
{
	json_begin(out, NULL, '{');
	json_put_u64(out, "schema", API_SCHEMA);
	json_put_time(out, "time", when(snapshot, snapshot->now));
	json_put_bool(out, "ready", snapshot->ready);
}

static void put_count(struct buf *out, const char *key, const struct traffic_count *count)
{
	json_begin(out, key, '{');
	json_put_u64(out, "bytes", count->bytes);
	json_put_u64(out, "packets", count->packets);
	json_end(out, '}');
}

/* --- Hosts */

static const char *const ipv_names[TRAFFIC_FAMILIES] = { [TRAFFIC_IPV4] = "4", [TRAFFIC_IPV6] = "6" };

static void put_traffic(struct buf *out, const char *key, const struct traffic *traffic)
{
	json_begin(out, key, '{');
	for (int ipv = 0; ipv < TRAFFIC_FAMILIES; ipv++) {
		json_begin(out, ipv_names[ipv], '{');
		put_count(out, "in", &traffic->of[ipv][TRAFFIC_IN]);
		put_count(out, "out", &traffic->of[ipv][TRAFFIC_OUT]);
		json_end(out, '}');
	}
	json_end(out, '}');
}

/* Those of one host; cursor->part is the first of them, and moves to the next host's. */
static void put_addresses(struct buf *out, const struct snapshot *snapshot, struct cursor *cursor)
{
	char address[ADDR_TEXT];

	json_begin(out, "addresses", '[');
	for (; cursor->part < snapshot->addresses && snapshot->address[cursor->part].host == cursor->row;
		cursor->part++)
		json_put_text(out, NULL, addr_format(&snapshot->address[cursor->part].addr, address));
	json_end(out, ']');
}

static void put_host(struct buf *out, const struct snapshot *snapshot, bool local, struct cursor *cursor)
{
	const struct snapshot_host *h = &snapshot->host[cursor->row];

	/* A piece of its own does not show json_begin() the host before. */
	if (cursor->row && !out->len)
		buf_puts(out, ",{");
	else
		json_begin(out, NULL, '{');
	json_put_text(out, "host", h->label);
	json_put_text(out, "mac", h->mac[0] ? h->mac : NULL);
	put_addresses(out, snapshot, cursor);
	put_traffic(out, "wan", &h->wan);
	if (local)
		put_traffic(out, "local", &h->local);
	json_begin(out, "connections", '{');
	for (int ipv = 0; ipv < TRAFFIC_FAMILIES; ipv++)
		json_put_u64(out, ipv_names[ipv], h->connections[ipv]);
	json_end(out, '}');
	json_put_time(out, "first_seen", when(snapshot, h->first_seen));
	json_put_time(out, "last_seen", when(snapshot, h->last_seen));
	json_end(out, '}');
}

bool api_hosts_some(struct buf *out, const struct snapshot *snapshot, bool local, struct cursor *cursor, size_t enough)
{
	if (!cursor->row) {
		put_head(out, snapshot);
		json_put_time(out, "dump_time", when(snapshot, snapshot->last_dump_end));
		json_begin(out, "hosts", '[');
	}
	while (cursor->row < snapshot->hosts && !buf_error(out)) {
		put_host(out, snapshot, local, cursor);
		if (++cursor->row < snapshot->hosts && out->len >= enough)
			return !buf_error(out);
	}
	buf_puts(out, "]}\n");
	return false;
}

/* --- Status */

static void put_seconds_if(struct buf *out, const char *key, bool known, uint64_t ns)
{
	if (known)
		json_put_seconds(out, key, ns);
	else
		json_put_null(out, key);
}

static void put_flows(struct buf *out, const struct snapshot *snapshot)
{
	json_begin(out, "flows", '{');
	json_put_u64(out, "live", snapshot->flows);
	json_put_u64(out, "undecided", snapshot->flows_undecided);
	json_put_u64(out, "without_counters", snapshot->flows_uncounted);
	json_put_u64(out, "offloaded", snapshot->flows_offloaded);
	json_end(out, '}');
}

static void put_attributed(struct buf *out, const struct snapshot *snapshot)
{
	json_begin(out, "attributed", '{');
	for (enum flow_by by = 0; by < FLOW_BY_COUNT; by++)
		json_put_u64(out, flow_by_name(by), snapshot->stats.attributed[by]);
	json_end(out, '}');
}

static void put_last_dump(struct buf *out, const struct snapshot *snapshot)
{
	bool known = snapshot->last_dump_end;

	json_begin(out, "dump", '{');
	put_seconds_if(out, "age_seconds", known, snapshot->now - snapshot->last_dump_end);
	put_seconds_if(out, "duration_seconds", known, snapshot->last_dump_ns);
	json_put_seconds(out, "interval_seconds", snapshot->process.dump_interval_ns);
	json_end(out, '}');
}

static void put_checkpoint(struct buf *out, const struct snapshot_process *process)
{
	bool known = process->running && process->checkpoint_age_ns != UINT64_MAX;

	json_begin(out, "checkpoint", '{');
	put_seconds_if(out, "age_seconds", known, process->checkpoint_age_ns);
	json_put_u64(out, "failures", process->checkpoint_failures);
	json_put_u64(out, "damages", process->checkpoint_damages);
	json_put_text(out, "error", process->checkpoint_error ? strerror(-process->checkpoint_error) : NULL);
	json_end(out, '}');
}

static void put_sources(struct buf *out, const struct snapshot *snapshot)
{
	json_begin(out, "sources", '[');
	for (enum source source = 0; source < SOURCE_COUNT; source++) {
		const struct snapshot_source *s = &snapshot->source[source];

		json_begin(out, NULL, '{');
		json_put_text(out, "source", source_name(source));
		json_put_bool(out, "up", s->up);
		json_put_u64(out, "overruns", s->overruns);
		json_put_u64(out, "receive_buffer_bytes", s->receive_buffer);
		json_put_u64(out, "receive_buffer_asked_bytes", snapshot->process.receive_buffer_asked[source]);
		json_end(out, '}');
	}
	json_end(out, ']');
}

/* What a reader of these numbers should know of: all of it since the meter began. */
static void put_incomplete(struct buf *out, const struct snapshot *snapshot)
{
	const struct snapshot_stats *stats = &snapshot->stats;

	json_begin(out, "incomplete", '{');
	json_put_u64(out, "counter_resets", stats->counter_resets);
	json_put_u64(out, "flows_ended", stats->destroys);
	json_put_u64(out, "flows_ended_unseen", stats->ended_unseen);
	json_put_u64(out, "flows_ended_uncounted", stats->ended_uncounted);
	json_put_u64(out, "flows_refused", stats->flows_refused);
	json_put_u64(out, "first_packets_lost", stats->sightings_lost);
	json_put_u64(out, "routes_dropped", stats->routes_dropped);
	json_put_u64(out, "damaged_messages", stats->damaged);
	json_put_u64(out, "dumps_incomplete", stats->dumps_incomplete);
	json_put_u64(out, "reliable_switched_off", snapshot->process.reliable_losses);
	json_end(out, '}');
}

/* Places for hosts, those of configured hosts aside. */
static void put_places(struct buf *out, const struct snapshot *snapshot)
{
	const struct hosts_stats *places = &snapshot->places;

	json_begin(out, "places", '{');
	json_put_u64(out, "taken", places->taken);
	json_put_u64(out, "limit", places->limit);
	json_put_u64(out, "unanswered", places->unanswered);
	json_put_text(out, "unanswered_on", *snapshot->unanswered_on ? snapshot->unanswered_on : NULL);
	json_put_u64(out, "left_unanswered", places->left[HOSTS_LEFT_UNANSWERED]);
	json_put_u64(out, "left_silent", places->left[HOSTS_LEFT_SILENT]);
	json_put_u64(out, "left_crowded", places->left[HOSTS_LEFT_CROWDED]);
	json_put_u64(out, "folded", places->folded);
	json_put_u64(out, "folded_unanswered", places->folded_unanswered);
	json_end(out, '}');
}

static void put_waiting(struct buf *out, const struct snapshot_process *process)
{
	json_begin(out, "listen_waiting", '[');
	for (size_t i = 0; i < process->waitings; i++) {
		json_begin(out, NULL, '{');
		json_put_text(out, "address", process->waiting[i].address);
		json_put_text(out, "error", strerror(-process->waiting[i].error));
		json_end(out, '}');
	}
	json_end(out, ']');
}

static void put_names_files(struct buf *out, const struct snapshot_process *process)
{
	json_begin(out, "names", '[');
	for (size_t i = 0; i < process->names_count; i++) {
		const struct snapshot_names *file = &process->names[i];

		json_begin(out, NULL, '{');
		json_put_text(out, "source", names_source_name(file->source));
		json_put_text(out, "path", file->path);
		json_put_text(out, "error", file->error ? names_error_text(file->error) : NULL);
		json_end(out, '}');
	}
	json_end(out, ']');
}

static void put_interfaces(struct buf *out, const struct snapshot *snapshot)
{
	json_begin(out, "interfaces", '[');
	for (size_t i = 0; i < snapshot->links; i++) {
		const struct topology_link *link = &snapshot->link[i];

		if (link->side != SIDE_LAN && link->side != SIDE_WAN)
			continue;
		json_begin(out, NULL, '{');
		json_put_text(out, "interface", link->name);
		json_put_u64(out, "index", link->ifindex);
		json_put_text(out, "side", topology_side_name(link->side));
		json_put_bool(out, "up", link->is_up);
		put_count(out, "rx", &(struct traffic_count){ link->rx_bytes, link->rx_packets });
		put_count(out, "tx", &(struct traffic_count){ link->tx_bytes, link->tx_packets });
		json_end(out, '}');
	}
	json_end(out, ']');
}

/* All interfaces but loopback, metered or not. */
static void put_sides(struct buf *out, const struct snapshot *snapshot)
{
	json_begin(out, "sides", '[');
	for (size_t i = 0; i < snapshot->links; i++) {
		const struct topology_link *link = &snapshot->link[i];

		if (link->side == SIDE_NONE)
			continue;
		json_begin(out, NULL, '{');
		json_put_text(out, "interface", link->name);
		json_put_text(out, "side", topology_side_name(link->side));
		json_put_text(out, "reason", topology_reason_text(link->reason));
		json_put_text(out, "carries", *link->because_of ? link->because_of : NULL);
		json_end(out, '}');
	}
	json_end(out, ']');
}

static void put_wan(struct buf *out, const struct snapshot *snapshot)
{
	json_begin(out, "wan", '[');
	for (size_t i = 0; i < snapshot->wans; i++) {
		const struct wan_link *link = &snapshot->wan[i];

		json_begin(out, NULL, '{');
		json_put_text(out, "interface", link->name);
		for (enum wan_kind kind = 0; kind < WAN_KINDS; kind++) {
			json_begin(out, wan_kind_name(kind), '{');
			put_count(out, "rx", &link->count[kind][WAN_RX]);
			put_count(out, "tx", &link->count[kind][WAN_TX]);
			json_end(out, '}');
		}
		json_begin(out, "link_header_bytes", '{');
		json_put_u64(out, "rx", link->header_bytes[WAN_RX]);
		json_put_u64(out, "tx", link->header_bytes[WAN_TX]);
		json_end(out, '}');
		json_end(out, '}');
	}
	json_end(out, ']');
}

static void put_all_warnings(struct buf *out, const struct snapshot *snapshot)
{
	struct warning warning;

	json_begin(out, "warnings", '[');
	for (size_t i = 0; warnings_next(snapshot, &i, &warning);) {
		json_begin(out, NULL, '{');
		json_put_text(out, "id", warning.id);
		json_put_u64(out, "count", warning.count);
		json_put_text(out, "text", warning.text);
		json_end(out, '}');
	}
	json_end(out, ']');
}

void api_status(struct buf *out, const struct snapshot *snapshot)
{
	const struct snapshot_process *process = &snapshot->process;

	put_head(out, snapshot);
	json_put_text(out, "version", HOSTMETER_VERSION);
	put_seconds_if(out, "uptime_seconds", process->uptime_ns, process->uptime_ns);
	json_put_bool(out, "clock_set", process->clock_set);
	json_put_u64(out, "hosts", snapshot->hosts);
	json_put_u64(out, "neighbours", snapshot->neighbours);
	put_flows(out, snapshot);
	put_attributed(out, snapshot);
	put_last_dump(out, snapshot);
	put_checkpoint(out, process);
	json_begin(out, "conntrack", '{');
	json_put_u64(out, "entries", process->conntrack_entries);
	json_put_u64(out, "limit", process->conntrack_limit);
	json_end(out, '}');
	json_put_bool(out, "reliable", process->reliable);
	json_put_seconds(out, "loop_stall_seconds_max", process->stall_ns);
	put_incomplete(out, snapshot);
	put_places(out, snapshot);
	json_put_u64(out, "interfaces_missing", snapshot->interfaces_missing);
	put_sources(out, snapshot);
	json_put_u64(out, "nflog_group", process->nflog_group);
	json_begin(out, "listen", '[');
	for (size_t i = 0; i < process->listens; i++)
		json_put_text(out, NULL, process->listen[i]);
	json_end(out, ']');
	put_waiting(out, process);
	put_names_files(out, process);
	put_interfaces(out, snapshot);
	put_sides(out, snapshot);
	put_wan(out, snapshot);
	put_all_warnings(out, snapshot);
	json_end(out, '}');
	buf_putc(out, '\n');
}
