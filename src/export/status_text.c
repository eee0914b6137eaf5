/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/export/status_text.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/version.h"
#include "warnings.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { TOP = 10, LIST_MOST = 200 };

static double seconds(uint64_t ns)
{
	return (double)ns / 1e9;
}

static const char *yes(bool value)
{
	return value ? "yes" : "no";
}

static void put_head(struct buf *out, const struct snapshot *s)
{
	const struct snapshot_process *process = &s->process;
	uint64_t up = process->uptime_ns / CLOCK_NS_PER_S;

	buf_printf(out, "hostmeter %s, up %" PRIu64 "d %02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ", ready: %s\n",
		HOSTMETER_VERSION, up / 86400, up / 3600 % 24, up / 60 % 60, up % 60, yes(s->ready));
	buf_printf(out, "process: %.1f s of CPU, %" PRIu64 " bytes of memory, longest turn of the loop lately %.3f s\n",
		seconds(process->usage.cpu_ns), process->usage.resident_bytes, seconds(process->stall_ns));
}

/* All on one line, which ends somewhere. */
static void put_interfaces(struct buf *out, const struct snapshot *s, enum side side, const char *what)
{
	size_t start = out->len;

	buf_puts(out, what);
	for (size_t i = 0; i < s->links; i++) {
		if (s->link[i].side != side)
			continue;
		if (out->len - start > LIST_MOST) {
			buf_puts(out, " …");
			break;
		}
		buf_printf(out, " %s%s", s->link[i].name, s->link[i].is_up ? "" : " (down)");
	}
	buf_putc(out, '\n');
}

static void put_sources(struct buf *out, const struct snapshot *s)
{
	for (enum source source = 0; source < SOURCE_COUNT; source++)
		buf_printf(out, "source %s: %s, buffer of %" PRIu64 " bytes, %" PRIu64 " overruns\n",
			source_name(source), s->source[source].up ? "up" : "DOWN", s->source[source].receive_buffer,
			s->source[source].overruns);
}

static void put_flows(struct buf *out, const struct snapshot *s)
{
	const struct snapshot_process *process = &s->process;

	buf_printf(out,
		"flows: %" PRIu64 ", undecided %" PRIu64 ", without counters %" PRIu64 ", offloaded %" PRIu64
		"; their table %" PRIu64 " bytes\n",
		s->flows, s->flows_undecided, s->flows_uncounted, s->flows_offloaded, s->memory);
	buf_puts(out, "attributed by");
	for (enum flow_by by = 0; by < FLOW_BY_COUNT; by++)
		buf_printf(out, "%s %s %" PRIu64, by ? "," : "", flow_by_name(by), s->stats.attributed[by]);
	buf_printf(out,
		"\nwaiting: %" PRIu64 " ends, %" PRIu64 " sightings; %" PRIu64 " tombstones, %" PRIu64 " neighbours\n",
		s->pending_ends, s->pending_sightings, s->tombstones, s->neighbours);
	buf_printf(out,
		"connection table: %" PRIu64 " of %" PRIu64 "; ends delivered reliably: %s, given up %" PRIu64
		" times\n",
		process->conntrack_entries, process->conntrack_limit, yes(process->reliable), process->reliable_losses);
}

static void put_dumps(struct buf *out, const struct snapshot *s)
{
	if (s->last_dump_end)
		buf_printf(out, "last dump: %.1f s ago, took %.3f s", seconds(s->now - s->last_dump_end),
			seconds(s->last_dump_ns));
	else
		buf_puts(out, "last dump: none yet");
	buf_printf(out, ", cost %.3f s of CPU; every %.1f s; %" PRIu64 " dumps, %" PRIu64 " broken off\n",
		seconds(s->process.dump_cost_ns), seconds(s->process.dump_interval_ns), s->stats.dumps,
		s->stats.dumps_incomplete);
}

static void put_losses(struct buf *out, const struct snapshot *s)
{
	const struct snapshot_stats *stats = &s->stats;

	if (s->process.checkpoint_age_ns == UINT64_MAX)
		buf_puts(out, "checkpoint: none yet");
	else
		buf_printf(out, "checkpoint: %.1f s ago", seconds(s->process.checkpoint_age_ns));
	buf_printf(out, ", %" PRIu64 " failures%s%s\n", s->process.checkpoint_failures,
		s->process.checkpoint_error ? ": " : "",
		s->process.checkpoint_error ? strerror(-s->process.checkpoint_error) : "");
	buf_printf(out,
		"ends: unseen %" PRIu64 ", without counters %" PRIu64 ", too early %" PRIu64
		"; repeated messages %" PRIu64 "; counters that fell %" PRIu64 "\n",
		stats->ended_unseen, stats->ended_uncounted, stats->ended_before_first_dump, stats->duplicates,
		stats->counter_resets);
	buf_printf(out, "lost or damaged: sightings %" PRIu64 ", flows %" PRIu64 ", messages %" PRIu64 "\n",
		stats->sightings_lost, stats->flows_refused, stats->damaged);
}

/* --- Hosts */

static uint64_t wan_bytes(const struct snapshot_host *host)
{
	return traffic_sum(&host->wan, TRAFFIC_IN).bytes + traffic_sum(&host->wan, TRAFFIC_OUT).bytes;
}

static int by_bytes(const void *a, const void *b)
{
	const struct snapshot_host *const *x = a, *const *y = b;
	uint64_t left = wan_bytes(*x), right = wan_bytes(*y);

	return left != right ? (left < right) - (left > right) : strcmp((*x)->label, (*y)->label);
}

static void put_host(struct buf *out, const struct snapshot_host *host)
{
	uint32_t connections = host->connections[TRAFFIC_IPV4] + host->connections[TRAFFIC_IPV6];

	buf_printf(out, "  %s %s in %" PRIu64 " out %" PRIu64 " bytes, %" PRIu32 " connection%s\n", host->label,
		host->mac[0] ? host->mac : "-", traffic_sum(&host->wan, TRAFFIC_IN).bytes,
		traffic_sum(&host->wan, TRAFFIC_OUT).bytes, connections, connections == 1 ? "" : "s");
}

static void put_hosts(struct buf *out, const struct snapshot *s)
{
	const struct snapshot_host **sorted = calloc(s->hosts + 1, sizeof(struct snapshot_host *));

	buf_printf(out, "hosts: %zu; those with the most bytes on the WAN:\n", s->hosts);
	if (!sorted)
		return;
	for (size_t i = 0; i < s->hosts; i++)
		sorted[i] = &s->host[i];
	qsort(sorted, s->hosts, sizeof(struct snapshot_host *), by_bytes);
	for (size_t i = 0; i < s->hosts && i < TOP; i++)
		put_host(out, sorted[i]);
	free(sorted);
}

static void put_warnings(struct buf *out, const struct snapshot *s)
{
	struct warning warning;

	for (size_t i = 0; warnings_next(s, &i, &warning);)
		buf_printf(out, "warning: %" PRIu64 " %s\n", warning.count, warning.text);
}

void status_text_render(struct buf *out, const struct snapshot *snapshot)
{
	put_head(out, snapshot);
	put_interfaces(out, snapshot, SIDE_WAN, "WAN:");
	put_interfaces(out, snapshot, SIDE_LAN, "LAN:");
	put_sources(out, snapshot);
	put_flows(out, snapshot);
	put_dumps(out, snapshot);
	put_losses(out, snapshot);
	put_hosts(out, snapshot);
	put_warnings(out, snapshot);
}
