/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/metrics.h"

#include "hostmeter/clock.h"
#include "hostmeter/version.h"

#include <string.h>

/*
 * One row per family. A family of one number without labels is an offset into the snapshot; the others bring a
 * function that writes their samples.
 */
struct family {
	const char *name; /* as it stands in a sample */
	const char *type;
	const char *help;
	size_t offset;
	void (*samples)(struct buf *out, const struct family *family, const struct snapshot *snapshot);
};

static const char *const ipv_names[HOST_FAMILIES] = { "4", "6" };
static const char *const direction_names[2] = { [HOST_IN] = "in", [HOST_OUT] = "out" };

/* A label's value: backslash, quote and newline are escaped, as the format asks. */
static void put_label(struct buf *out, const char *name, const char *value)
{
	buf_puts(out, name);
	buf_puts(out, "=\"");
	for (size_t len; *value; value += len) {
		len = strcspn(value, "\\\"\n");
		buf_add(out, value, len);
		if (!value[len])
			break;
		buf_putc(out, '\\');
		buf_putc(out, value[len] == '\n' ? 'n' : value[len]);
		len++;
	}
	buf_putc(out, '"');
}

static void put_value(struct buf *out, uint64_t value)
{
	buf_puts(out, "} ");
	buf_put_u64(out, value);
	buf_putc(out, '\n');
}

static void put_number(struct buf *out, const char *name, uint64_t value)
{
	buf_puts(out, name);
	buf_putc(out, ' ');
	buf_put_u64(out, value);
	buf_putc(out, '\n');
}

static void put_seconds(struct buf *out, const char *name, uint64_t ns)
{
	buf_printf(out, "%s %.9g\n", name, (double)ns / CLOCK_NS_PER_S);
}

/* --- Hosts */

/* name{host="…",mac="…",ipv="…": the rest of the labels and the value are the caller's. */
static void put_host(struct buf *out, const struct family *family, const struct snapshot_host *host, int ipv)
{
	buf_puts(out, family->name);
	buf_putc(out, '{');
	put_label(out, "host", host->label);
	buf_putc(out, ',');
	put_label(out, "mac", host->mac);
	buf_puts(out, ",ipv=\"");
	buf_puts(out, ipv_names[ipv]);
	buf_putc(out, '"');
}

/* offset: of wan or local within struct snapshot_host. */
static void put_counts(struct buf *out, const struct family *family, const struct snapshot *snapshot, bool packets)
{
	for (size_t i = 0; i < snapshot->hosts; i++) {
		const struct snapshot_host *host = &snapshot->host[i];
		const struct host_count(*counts)[2] = (const void *)((const char *)host + family->offset);

		for (int ipv = 0; ipv < HOST_FAMILIES; ipv++) {
			for (int direction = 0; direction < 2; direction++) {
				const struct host_count *count = &counts[ipv][direction];

				put_host(out, family, host, ipv);
				buf_puts(out, ",direction=\"");
				buf_puts(out, direction_names[direction]);
				buf_putc(out, '"');
				put_value(out, packets ? count->packets : count->bytes);
			}
		}
	}
}

static void host_bytes(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	put_counts(out, family, snapshot, false);
}

static void host_packets(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	put_counts(out, family, snapshot, true);
}

static void host_connections(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->hosts; i++) {
		for (int ipv = 0; ipv < HOST_FAMILIES; ipv++) {
			put_host(out, family, &snapshot->host[i], ipv);
			put_value(out, snapshot->host[i].connections[ipv]);
		}
	}
}

/* --- Interfaces */

static void put_link(struct buf *out, const struct family *family, const struct topology_link *link,
	const char *direction, uint64_t value)
{
	buf_puts(out, family->name);
	buf_putc(out, '{');
	put_label(out, "interface", link->name);
	buf_puts(out, ",direction=\"");
	buf_puts(out, direction);
	buf_putc(out, '"');
	put_value(out, value);
}

static bool is_shown(const struct topology_link *link)
{
	return link->has_stats && link->side != SIDE_NONE && !link->is_port;
}

static void network_bytes(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->links; i++) {
		const struct topology_link *link = &snapshot->link[i];

		if (!is_shown(link))
			continue;
		put_link(out, family, link, "rx", link->rx_bytes);
		put_link(out, family, link, "tx", link->tx_bytes);
	}
}

static void network_packets(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->links; i++) {
		const struct topology_link *link = &snapshot->link[i];

		if (!is_shown(link))
			continue;
		put_link(out, family, link, "rx", link->rx_packets);
		put_link(out, family, link, "tx", link->tx_packets);
	}
}

static void interface_info(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->links; i++) {
		const struct topology_link *link = &snapshot->link[i];

		if (link->side != SIDE_LAN && link->side != SIDE_WAN)
			continue;
		buf_puts(out, family->name);
		buf_putc(out, '{');
		put_label(out, "interface", link->name);
		buf_puts(out, ",side=\"");
		buf_puts(out, link->side == SIDE_WAN ? "wan" : "lan");
		buf_putc(out, '"');
		put_value(out, 1);
	}
}

/* --- Flows held against the WAN interfaces' counters */

static const char *const wan_kind_names[WAN_KINDS] = {
	[WAN_ATTRIBUTED] = "attributed",
	[WAN_ROUTER] = "router",
	[WAN_UNKNOWN] = "unknown",
	[WAN_UNSEEN] = "unseen",
};

static const char *const wan_direction_names[2] = { [WAN_RX] = "rx", [WAN_TX] = "tx" };

/* interface="" stands for flows of which it is not known by which WAN they went. */
static void put_wan(struct buf *out, const struct family *family, const struct wan_link *link, int direction,
	const char *kind, uint64_t value)
{
	buf_puts(out, family->name);
	buf_putc(out, '{');
	put_label(out, "interface", link->name);
	buf_putc(out, ',');
	put_label(out, "direction", wan_direction_names[direction]);
	if (kind) {
		buf_putc(out, ',');
		put_label(out, "kind", kind);
	}
	put_value(out, value);
}

static void wan_bytes(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->wans; i++) {
		for (int direction = 0; direction < 2; direction++) {
			for (int kind = 0; kind < WAN_KINDS; kind++)
				put_wan(out, family, &snapshot->wan[i], direction, wan_kind_names[kind],
					snapshot->wan[i].count[kind][direction].bytes);
		}
	}
}

static void wan_packets(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->wans; i++) {
		for (int direction = 0; direction < 2; direction++) {
			for (int kind = 0; kind < WAN_KINDS; kind++)
				put_wan(out, family, &snapshot->wan[i], direction, wan_kind_names[kind],
					snapshot->wan[i].count[kind][direction].packets);
		}
	}
}

static void wan_headers(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->wans; i++) {
		for (int direction = 0; direction < 2; direction++)
			put_wan(out, family, &snapshot->wan[i], direction, NULL,
				snapshot->wan[i].header_bytes[direction]);
	}
}

/* --- The meter itself */

static void build_info(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	(void)snapshot;
	buf_puts(out, family->name);
	buf_putc(out, '{');
	put_label(out, "version", HOSTMETER_VERSION);
	put_value(out, 1);
}

static void put_source(struct buf *out, const struct family *family, enum source source, uint64_t value)
{
	buf_puts(out, family->name);
	buf_putc(out, '{');
	put_label(out, "source", source_name(source));
	put_value(out, value);
}

static void source_up(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	for (enum source s = 0; s < SOURCE_COUNT; s++)
		put_source(out, family, s, snapshot->source[s].up);
}

static void source_overruns(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	for (enum source s = 0; s < SOURCE_COUNT; s++)
		put_source(out, family, s, snapshot->source[s].overruns);
}

static void source_buffer(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	for (enum source s = 0; s < SOURCE_COUNT; s++)
		put_source(out, family, s, snapshot->source[s].receive_buffer);
}

static void attributed(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	for (enum flow_by by = 0; by < FLOW_BY_COUNT; by++) {
		buf_puts(out, family->name);
		buf_putc(out, '{');
		put_label(out, "by", flow_by_name(by));
		put_value(out, snapshot->stats.attributed[by]);
	}
}

static void seconds(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	uint64_t ns;

	memcpy(&ns, (const char *)snapshot + family->offset, sizeof(ns));
	put_seconds(out, family->name, ns);
}

/* No sample at all before the first dump: an age of 0 would be a lie. */
static void dump_age(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	if (snapshot->last_dump_end)
		put_seconds(out, family->name, snapshot->now - snapshot->last_dump_end);
}

static void ready(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	put_number(out, family->name, snapshot->ready);
}

static void reliable(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	if (snapshot->process.running)
		put_number(out, family->name, snapshot->process.reliable);
}

static void checkpoint_age(struct buf *out, const struct family *family, const struct snapshot *snapshot)
{
	if (snapshot->process.running && snapshot->process.checkpoint_age_ns != UINT64_MAX)
		put_seconds(out, family->name, snapshot->process.checkpoint_age_ns);
}

#define NUMBER(member) offsetof(struct snapshot, member), NULL
#define HOST(member, samples) offsetof(struct snapshot_host, member), samples
#define SAMPLES(samples) 0, samples

static const struct family families[] = {
	{ "host_bytes_total", "counter", "Bytes (IP) between this host and the WAN, seen from the host.",
		HOST(wan, host_bytes) },
	{ "host_packets_total", "counter", "Packets between this host and the WAN, seen from the host.",
		HOST(wan, host_packets) },
	{ "host_local_bytes_total", "counter", "Bytes (IP) between this host and the router or other LANs.",
		HOST(local, host_bytes) },
	{ "host_local_packets_total", "counter", "Packets between this host and the router or other LANs.",
		HOST(local, host_packets) },
	{ "host_connections", "gauge", "Tracked connections of this host that live now.", SAMPLES(host_connections) },
	{ "network_bytes_total", "counter", "Bytes that the interface itself counted.", SAMPLES(network_bytes) },
	{ "network_packets_total", "counter", "Packets that the interface itself counted.", SAMPLES(network_packets) },
	{ "hostmeter_wan_bytes_total", "counter",
		"Bytes across each WAN by whom they are counted for; unseen: by no connection.", SAMPLES(wan_bytes) },
	{ "hostmeter_wan_packets_total", "counter", "The same in packets.", SAMPLES(wan_packets) },
	{ "hostmeter_wan_link_header_bytes_total", "counter",
		"Link-layer headers among the interface's own bytes, estimated per packet.", SAMPLES(wan_headers) },
	{ "hostmeter_build_info", "gauge", "1, labelled with the version of the meter.", SAMPLES(build_info) },
	{ "hostmeter_interface_info", "gauge", "1 for each interface that is metered, and on which side it is.",
		SAMPLES(interface_info) },
	{ "hostmeter_ready", "gauge", "1 once the first dump of all connections is in.", SAMPLES(ready) },
	{ "hostmeter_source_up", "gauge", "Whether this source of the kernel's news is open.", SAMPLES(source_up) },
	{ "hostmeter_overruns_total", "counter", "Times the kernel dropped messages for a full socket.",
		SAMPLES(source_overruns) },
	{ "hostmeter_receive_buffer_bytes", "gauge", "Receive buffer that the kernel granted.",
		SAMPLES(source_buffer) },
	{ "hostmeter_flows", "gauge", "Live connections known to the meter.", NUMBER(flows) },
	{ "hostmeter_flows_undecided", "gauge",
		"Live connections whose host is not known yet; their bytes are held back.",
		NUMBER(flows_undecided) },
	{ "hostmeter_flows_without_counters", "gauge",
		"Live connections that the kernel does not count: begun before nf_conntrack_acct=1.",
		NUMBER(flows_uncounted) },
	{ "hostmeter_flows_offloaded", "gauge", "Live connections handed to a flowtable or to hardware.",
		NUMBER(flows_offloaded) },
	{ "hostmeter_flow_table_bytes", "gauge", "Memory of the table of live connections.", NUMBER(memory) },
	{ "hostmeter_neighbours", "gauge", "Entries of the neighbour table.", NUMBER(neighbours) },
	{ "hostmeter_pending_sightings", "gauge", "First packets remembered until their connection is counted.",
		NUMBER(pending_sightings) },
	{ "hostmeter_pending_ends", "gauge", "Connections that ended and wait for their first packet.",
		NUMBER(waiting_ends) },
	{ "hostmeter_attributed_flows_total", "counter", "Connections by how their host was found.",
		SAMPLES(attributed) },
	{ "hostmeter_flow_ends_total", "counter", "DESTROY events read.", NUMBER(stats.destroys) },
	{ "hostmeter_sightings_total", "counter", "First packets read.", NUMBER(stats.sightings) },
	{ "hostmeter_sightings_lost_total", "counter", "First packets forgotten for lack of room.",
		NUMBER(stats.sightings_lost) },
	{ "hostmeter_duplicates_total", "counter",
		"Events and dump entries that told what was known, and were not counted.",
		NUMBER(stats.duplicates) },
	{ "hostmeter_resets_total", "counter", "Counters that fell: somebody else zeroes them.",
		NUMBER(stats.counter_resets) },
	{ "hostmeter_flows_baselined_total", "counter",
		"Connections older than the meter, counted from where they stood.",
		NUMBER(stats.baselined) },
	{ "hostmeter_flows_ended_unseen_total", "counter",
		"Connections that vanished without an event; what they counted after the last dump is lost.",
		NUMBER(stats.ended_unseen) },
	{ "hostmeter_flows_ended_uncounted_total", "counter", "Connections that ended without counters.",
		NUMBER(stats.ended_uncounted) },
	{ "hostmeter_flows_ended_early_total", "counter",
		"Connections that ended before the first dump and may be older than the meter: not counted.",
		NUMBER(stats.ended_before_first_dump) },
	{ "hostmeter_flows_refused_total", "counter", "Dump entries that found no room; their end still counts.",
		NUMBER(stats.flows_refused) },
	{ "hostmeter_hosts_folded_total", "counter", "Times a host found no room and was counted as other.",
		NUMBER(stats.hosts_folded) },
	{ "hostmeter_damaged_messages_total", "counter", "Messages that did not decode.", NUMBER(stats.damaged) },
	{ "hostmeter_dumps_total", "counter", "Dumps of all connections.", NUMBER(stats.dumps) },
	{ "hostmeter_dumps_incomplete_total", "counter", "Dumps that were broken off.",
		NUMBER(stats.dumps_incomplete) },
	{ "hostmeter_last_dump_duration_seconds", "gauge", "How long the last dump took.",
		offsetof(struct snapshot, last_dump_ns), seconds },
	{ "hostmeter_dump_cpu_seconds", "gauge", "CPU time of the last dump.",
		offsetof(struct snapshot, process.dump_cost_ns), seconds },
	{ "hostmeter_dump_interval_seconds", "gauge", "Time between dumps that holds now.",
		offsetof(struct snapshot, process.dump_interval_ns), seconds },
	{ "hostmeter_reliable", "gauge", "Whether the ends of connections are delivered reliably.", SAMPLES(reliable) },
	{ "hostmeter_reliable_switched_off_total", "counter",
		"Times reliable delivery was given up because the connection table ran full.",
		NUMBER(process.reliable_losses) },
	{ "hostmeter_conntrack_entries", "gauge", "Entries of the kernel's connection table.",
		NUMBER(process.conntrack_entries) },
	{ "hostmeter_conntrack_entries_limit", "gauge", "nf_conntrack_max.", NUMBER(process.conntrack_limit) },
	{ "hostmeter_loop_stall_seconds_max", "gauge", "The longest turn of the event loop in the last minute or so.",
		offsetof(struct snapshot, process.stall_ns), seconds },
	{ "hostmeter_checkpoint_age_seconds", "gauge", "Time since the last whole checkpoint.",
		SAMPLES(checkpoint_age) },
	{ "hostmeter_checkpoint_failures_total", "counter", "Writes of the checkpoint that failed.",
		NUMBER(process.checkpoint_failures) },
	{ "hostmeter_last_dump_age_seconds", "gauge", "Time since the last dump ended.", SAMPLES(dump_age) },
};

void metrics_render(struct buf *out, const struct snapshot *snapshot)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		const struct family *family = &families[i];
		uint64_t value;

		buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", family->name, family->help, family->name, family->type);
		if (family->samples) {
			family->samples(out, family, snapshot);
		} else {
			memcpy(&value, (const char *)snapshot + family->offset, sizeof(value));
			put_number(out, family->name, value);
		}
	}
}
