/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/export/prometheus.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/version.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum type { COUNTER, GAUGE, INFO, TYPES };

/* What the formats call the types, and what is behind the family's name in a sample. */
static const char *const type_names[PROMETHEUS_FORMATS][TYPES] = {
	[PROMETHEUS_TEXT] = { "counter", "gauge", "gauge" },
	[PROMETHEUS_OPENMETRICS] = { "counter", "gauge", "info" },
};

static const char *const type_suffixes[TYPES] = { "_total", "", "_info" };

struct family;

struct page {
	struct buf *out;
	const struct snapshot *snapshot;
	const struct family *family;
	char sample[64]; /* the name in the samples of this family */
	size_t sample_len;
	struct buf host;   /* the labels host and mac of the host at hand, escaped once for its samples */
	size_t row, begun; /* the next host of a family with samples of each; the first one in this piece */
	size_t enough;     /* once out is so long, the rest of them is for later */
};

enum flag {
	PACKETS = 1,  /* a family of counts: of packets, not of bytes */
	DURATION = 2, /* the number is nanoseconds, shown as seconds */
	NOT_ZERO = 4, /* 0 means unknown: no sample */
};

/* A family of one number without labels is an offset into the snapshot; others have a function for their samples. */
struct family {
	const char *name; /* without the suffix of its type */
	enum type type;
	const char *help; /* without what would have to be escaped */
	size_t offset;
	void (*samples)(struct page *page);
	unsigned int flags;
};

/* A label, with the comma before it. Backslash, quote and newline are escaped, as the formats ask. */
static void put_label(struct buf *out, const char *name, const char *value)
{
	if (out->len && out->data[out->len - 1] != '{')
		buf_putc(out, ',');
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

/* A sample is its name, {labels between put_open() and put_value()}, and the value; or put_number() without labels. */
static void put_open(struct page *page)
{
	buf_add(page->out, page->sample, page->sample_len);
	buf_putc(page->out, '{');
}

static void put_value(struct page *page, uint64_t value)
{
	buf_puts(page->out, "} ");
	buf_put_u64(page->out, value);
	buf_putc(page->out, '\n');
}

static void put_number(struct page *page, uint64_t value)
{
	buf_printf(page->out, "%s %" PRIu64 "\n", page->sample, value);
}

static void put_seconds(struct page *page, uint64_t ns)
{
	buf_printf(page->out, "%s %.12g\n", page->sample, (double)ns / CLOCK_NS_PER_S);
}

/* What of the two the family counts. */
static uint64_t count_of(const struct page *page, const struct traffic_count *count)
{
	return page->family->flags & PACKETS ? count->packets : count->bytes;
}

/* --- Hosts */

static const char *const host_labels[TRAFFIC_FAMILIES][2] = {
	{ [TRAFFIC_IN] = ",ipv=\"4\",direction=\"in\"", [TRAFFIC_OUT] = ",ipv=\"4\",direction=\"out\"" },
	{ [TRAFFIC_IN] = ",ipv=\"6\",direction=\"in\"", [TRAFFIC_OUT] = ",ipv=\"6\",direction=\"out\"" },
};

static const char *const ipv_labels[TRAFFIC_FAMILIES] = { ",ipv=\"4\"", ",ipv=\"6\"" };

/* The next host that a family is to have samples of; NULL: that was the last, or enough for now. */
static const struct snapshot_host *next_host(struct page *page)
{
	const struct snapshot_host *host;

	if (page->row == page->snapshot->hosts || (page->row > page->begun && page->out->len >= page->enough))
		return NULL;
	host = &page->snapshot->host[page->row++];
	buf_reset(&page->host);
	put_label(&page->host, "host", host->label);
	put_label(&page->host, "mac", host->mac);
	/* A page without all hosts must not look complete. */
	if (buf_error(&page->host))
		page->out->error = buf_error(&page->host);
	return host;
}

static void put_host(struct page *page, const char *labels, uint64_t value)
{
	put_open(page);
	buf_add(page->out, page->host.data, page->host.len);
	buf_puts(page->out, labels);
	put_value(page, value);
}

/* The family's offset is that of wan or local within struct snapshot_host. */
static void host_counts(struct page *page)
{
	const struct snapshot_host *host;

	while ((host = next_host(page))) {
		const struct traffic *traffic = (const void *)((const char *)host + page->family->offset);

		for (int ipv = 0; ipv < TRAFFIC_FAMILIES; ipv++)
			for (int direction = 0; direction < 2; direction++)
				put_host(page, host_labels[ipv][direction],
					count_of(page, &traffic->of[ipv][direction]));
	}
}

static void host_connections(struct page *page)
{
	const struct snapshot_host *host;

	while ((host = next_host(page)))
		for (int ipv = 0; ipv < TRAFFIC_FAMILIES; ipv++)
			put_host(page, ipv_labels[ipv], host->connections[ipv]);
}

/* --- Interfaces */

static const char *const wan_direction_names[2] = { [WAN_RX] = "rx", [WAN_TX] = "tx" };

static void put_link(struct page *page, const char *interface, int direction, const char *kind, uint64_t value)
{
	put_open(page);
	put_label(page->out, "interface", interface);
	put_label(page->out, "direction", wan_direction_names[direction]);
	if (kind)
		put_label(page->out, "kind", kind);
	put_value(page, value);
}

static void network_counts(struct page *page)
{
	for (size_t i = 0; i < page->snapshot->links; i++) {
		const struct topology_link *link = &page->snapshot->link[i];

		if (!link->has_stats || link->side == SIDE_NONE || link->is_port)
			continue;
		put_link(page, link->name, WAN_RX, NULL,
			count_of(page, &(struct traffic_count){ link->rx_bytes, link->rx_packets }));
		put_link(page, link->name, WAN_TX, NULL,
			count_of(page, &(struct traffic_count){ link->tx_bytes, link->tx_packets }));
	}
}

static void host_info(struct page *page)
{
	const struct snapshot_host *host;

	while ((host = next_host(page))) {
		if (host->special)
			continue;
		put_open(page);
		buf_add(page->out, page->host.data, page->host.len);
		put_label(page->out, "vendor", host->vendor);
		put_label(page->out, "random", host->random_mac ? "1" : "0");
		put_label(page->out, "source", host->name_source ? host->name_source : "none");
		put_value(page, 1);
	}
}

static void interface_info(struct page *page)
{
	for (size_t i = 0; i < page->snapshot->links; i++) {
		const struct topology_link *link = &page->snapshot->link[i];

		if (link->side != SIDE_LAN && link->side != SIDE_WAN)
			continue;
		put_open(page);
		put_label(page->out, "interface", link->name);
		put_label(page->out, "side", link->side == SIDE_WAN ? "wan" : "lan");
		put_value(page, 1);
	}
}

/* --- Flows against the WAN interfaces' counters. interface="": flows of which the WAN is not known. */

static void wan_counts(struct page *page)
{
	for (size_t i = 0; i < page->snapshot->wans; i++) {
		const struct wan_link *link = &page->snapshot->wan[i];

		for (int direction = 0; direction < 2; direction++)
			for (enum wan_kind kind = 0; kind < WAN_KINDS; kind++)
				put_link(page, link->name, direction, wan_kind_name(kind),
					count_of(page, &link->count[kind][direction]));
	}
}

static void wan_headers(struct page *page)
{
	for (size_t i = 0; i < page->snapshot->wans; i++)
		for (int direction = 0; direction < 2; direction++)
			put_link(page, page->snapshot->wan[i].name, direction, NULL,
				page->snapshot->wan[i].header_bytes[direction]);
}

/* --- The meter itself */

/* What stands at the family's offset in a struct. */
static uint64_t number_at(const struct page *page, const void *from)
{
	uint64_t value;

	memcpy(&value, (const char *)from + page->family->offset, sizeof(value));
	return value;
}

static void put_labelled(struct page *page, const char *name, const char *label, uint64_t value)
{
	put_open(page);
	put_label(page->out, name, label);
	put_value(page, value);
}

static void build_info(struct page *page)
{
	put_labelled(page, "version", HOSTMETER_VERSION, 1);
}

static void source_up(struct page *page)
{
	for (enum source s = 0; s < SOURCE_COUNT; s++)
		put_labelled(page, "source", source_name(s), page->snapshot->source[s].up);
}

/* The family's offset is that of a number within struct snapshot_source. */
static void source_numbers(struct page *page)
{
	for (enum source s = 0; s < SOURCE_COUNT; s++)
		put_labelled(page, "source", source_name(s), number_at(page, &page->snapshot->source[s]));
}

static void attributed(struct page *page)
{
	for (enum flow_by by = 0; by < FLOW_BY_COUNT; by++)
		put_labelled(page, "by", flow_by_name(by), page->snapshot->stats.attributed[by]);
}

/* A value that is not known has no sample: no dump yet, no checkpoint, no /proc. */
static void dump_age(struct page *page)
{
	if (page->snapshot->last_dump_end)
		put_seconds(page, page->snapshot->now - page->snapshot->last_dump_end);
}

static void hosts_left(struct page *page)
{
	static const char *const reasons[HOSTS_REASONS] = {
		[HOSTS_LEFT_UNANSWERED] = "unanswered",
		[HOSTS_LEFT_SILENT] = "silent",
		[HOSTS_LEFT_CROWDED] = "crowded",
	};

	for (enum hosts_reason reason = 0; reason < HOSTS_REASONS; reason++)
		put_labelled(page, "reason", reasons[reason], page->snapshot->places.left[reason]);
}

static void ready(struct page *page)
{
	put_number(page, page->snapshot->ready);
}

static void reliable(struct page *page)
{
	if (page->snapshot->process.running)
		put_number(page, page->snapshot->process.reliable);
}

static void checkpoint_age(struct page *page)
{
	const struct snapshot_process *process = &page->snapshot->process;

	if (process->running && process->checkpoint_age_ns != UINT64_MAX)
		put_seconds(page, process->checkpoint_age_ns);
}

static void http_dropped(struct page *page)
{
	static const char *const reasons[SNAPSHOT_DROPS] = {
		[SNAPSHOT_DROP_IDLE] = "idle", [SNAPSHOT_DROP_HEADERS] = "headers", [SNAPSHOT_DROP_SLOW] = "slow"
	};

	for (int i = 0; i < SNAPSHOT_DROPS; i++)
		put_labelled(page, "reason", reasons[i], page->snapshot->process.http_dropped[i]);
}

static void put_plain(struct page *page)
{
	uint64_t value = number_at(page, page->snapshot);

	if (!value && page->family->flags & NOT_ZERO)
		return;
	if (page->family->flags & DURATION)
		put_seconds(page, value);
	else
		put_number(page, value);
}

#define NUMBER(member) offsetof(struct snapshot, member), NULL, 0
#define SECONDS(member) offsetof(struct snapshot, member), NULL, DURATION
#define USAGE(member, flags) offsetof(struct snapshot, process.usage.member), NULL, NOT_ZERO | (flags)
#define SOURCE(member) offsetof(struct snapshot_source, member), source_numbers, 0
#define HOST(member, flags) offsetof(struct snapshot_host, member), host_counts, flags
#define SAMPLES(samples) 0, samples, 0
#define COUNTS(samples, flags) 0, samples, flags

static const struct family families[] = {
	{ "host_bytes", COUNTER, "Bytes (IP) between this host and the WAN, seen from the host.", HOST(wan, 0) },
	{ "host_packets", COUNTER, "Packets between this host and the WAN, seen from the host.", HOST(wan, PACKETS) },
	{ "host_local_bytes", COUNTER, "Bytes (IP) between this host and the router or other LANs.", HOST(local, 0) },
	{ "host_local_packets", COUNTER, "Packets between this host and the router or other LANs.",
		HOST(local, PACKETS) },
	{ "host_connections", GAUGE, "Tracked connections of this host that live now.", SAMPLES(host_connections) },
	{ "network_bytes", COUNTER, "Bytes that the interface itself counted.", COUNTS(network_counts, 0) },
	{ "network_packets", COUNTER, "Packets that the interface itself counted.", COUNTS(network_counts, PACKETS) },
	{ "hostmeter_wan_bytes", COUNTER,
		"Bytes across each WAN by whom they are counted for; unseen: by no connection.",
		COUNTS(wan_counts, 0) },
	{ "hostmeter_wan_packets", COUNTER, "The same in packets.", COUNTS(wan_counts, PACKETS) },
	{ "hostmeter_wan_link_header_bytes", COUNTER,
		"Link-layer headers among the interface's own bytes, estimated per packet.", SAMPLES(wan_headers) },
	{ "hostmeter_build", INFO, "1, labelled with the version of the meter.", SAMPLES(build_info) },
	{ "hostmeter_host", INFO,
		"1 for each host: who made its network card, whether its MAC is a random one, whence its name.",
		SAMPLES(host_info) },
	{ "hostmeter_interface", INFO, "1 for each interface that is metered, and on which side it is.",
		SAMPLES(interface_info) },
	{ "hostmeter_interfaces_missing", GAUGE, "Interfaces that lan and wan name, and that are not there.",
		NUMBER(interfaces_missing) },
	{ "hostmeter_listen_waiting", GAUGE, "Addresses of listen that cannot be listened on yet.",
		NUMBER(process.waitings) },
	{ "hostmeter_ready", GAUGE, "1 once the first dump of all connections is in.", SAMPLES(ready) },
	{ "hostmeter_source_up", GAUGE, "Whether this source of the kernel's news is open.", SAMPLES(source_up) },
	{ "hostmeter_overruns", COUNTER, "Times the kernel dropped messages for a full socket.", SOURCE(overruns) },
	{ "hostmeter_receive_buffer_bytes", GAUGE, "Receive buffer that the kernel granted.", SOURCE(receive_buffer) },
	{ "hostmeter_flows", GAUGE, "Live connections known to the meter.", NUMBER(flows) },
	{ "hostmeter_flows_undecided", GAUGE,
		"Live connections whose host is not known yet; their bytes are held back.", NUMBER(flows_undecided) },
	{ "hostmeter_flows_without_counters", GAUGE,
		"Live connections that the kernel does not count: begun before nf_conntrack_acct=1.",
		NUMBER(flows_uncounted) },
	{ "hostmeter_flows_offloaded", GAUGE, "Live connections handed to a flowtable or to hardware.",
		NUMBER(flows_offloaded) },
	{ "hostmeter_flow_table_bytes", GAUGE, "Memory of the table of live connections.", NUMBER(memory) },
	{ "hostmeter_neighbours", GAUGE, "Entries of the neighbour table.", NUMBER(neighbours) },
	{ "hostmeter_pending_sightings", GAUGE, "First packets remembered until their connection is counted.",
		NUMBER(pending_sightings) },
	{ "hostmeter_pending_ends", GAUGE, "Connections that ended and wait for their first packet.",
		NUMBER(pending_ends) },
	{ "hostmeter_attributed_flows", COUNTER, "Connections by how their host was found.", SAMPLES(attributed) },
	{ "hostmeter_flow_ends", COUNTER, "DESTROY events read.", NUMBER(stats.destroys) },
	{ "hostmeter_sightings", COUNTER, "First packets read.", NUMBER(stats.sightings) },
	{ "hostmeter_sightings_lost", COUNTER, "First packets forgotten for lack of room.",
		NUMBER(stats.sightings_lost) },
	{ "hostmeter_duplicates", COUNTER, "Events and dump entries that told what was known, and were not counted.",
		NUMBER(stats.duplicates) },
	{ "hostmeter_resets", COUNTER, "Counters that fell: somebody else zeroes them.", NUMBER(stats.counter_resets) },
	{ "hostmeter_flows_baselined", COUNTER, "Connections older than the meter, counted from where they stood.",
		NUMBER(stats.baselined) },
	{ "hostmeter_flows_ended_unseen", COUNTER,
		"Connections that vanished without an event; what they counted after the last dump is lost.",
		NUMBER(stats.ended_unseen) },
	{ "hostmeter_flows_ended_uncounted", COUNTER, "Connections that ended without counters.",
		NUMBER(stats.ended_uncounted) },
	{ "hostmeter_flows_ended_early", COUNTER,
		"Connections that ended before the first dump and may be older than the meter: not counted.",
		NUMBER(stats.ended_before_first_dump) },
	{ "hostmeter_flows_refused", COUNTER, "Dump entries that found no room; their end still counts.",
		NUMBER(stats.flows_refused) },
	{ "hostmeter_routes_dropped", COUNTER, "Routes that found no room and do not lead out of a WAN.",
		NUMBER(stats.routes_dropped) },
	{ "hostmeter_hosts", GAUGE, "Places for hosts that are taken, those of configured hosts aside.",
		NUMBER(places.taken) },
	{ "hostmeter_hosts_limit", GAUGE, "Places for hosts: max-hosts.", NUMBER(places.limit) },
	{ "hostmeter_hosts_unanswered", GAUGE, "Hosts in these places that never got a reply.",
		NUMBER(places.unanswered) },
	{ "hostmeter_hosts_left", COUNTER, "Hosts that left and became part of other, by the reason.",
		SAMPLES(hosts_left) },
	{ "hostmeter_hosts_folded", COUNTER, "Times a host found no room and was counted as other.",
		NUMBER(stats.hosts_folded) },
	{ "hostmeter_hosts_folded_unanswered", COUNTER, "Of these, times that the host had got no reply.",
		NUMBER(places.folded_unanswered) },
	{ "hostmeter_damaged_messages", COUNTER, "Messages that did not decode.", NUMBER(stats.damaged) },
	{ "hostmeter_dumps", COUNTER, "Dumps of all connections.", NUMBER(stats.dumps) },
	{ "hostmeter_dumps_incomplete", COUNTER, "Dumps that were broken off.", NUMBER(stats.dumps_incomplete) },
	{ "hostmeter_last_dump_duration_seconds", GAUGE, "How long the last dump took.", SECONDS(last_dump_ns) },
	{ "hostmeter_dump_cpu_seconds", GAUGE, "CPU time of the last dump.", SECONDS(process.dump_cost_ns) },
	{ "hostmeter_dump_interval_seconds", GAUGE, "Time between dumps that holds now.",
		SECONDS(process.dump_interval_ns) },
	{ "hostmeter_reliable", GAUGE, "Whether the ends of connections are delivered reliably.", SAMPLES(reliable) },
	{ "hostmeter_reliable_switched_off", COUNTER,
		"Times reliable delivery was given up because the connection table ran full.",
		NUMBER(process.reliable_losses) },
	{ "hostmeter_conntrack_entries", GAUGE, "Entries of the kernel's connection table.",
		NUMBER(process.conntrack_entries) },
	{ "hostmeter_conntrack_entries_limit", GAUGE, "nf_conntrack_max.", NUMBER(process.conntrack_limit) },
	{ "hostmeter_loop_stall_seconds_max", GAUGE, "The longest turn of the event loop in the last minute or so.",
		SECONDS(process.stall_ns) },
	{ "hostmeter_page_memory_bytes", GAUGE, "Memory of the pages that are being sent, and of their snapshots.",
		NUMBER(process.page_bytes) },
	{ "hostmeter_page_memory_limit_bytes", GAUGE, "The most that these may take: page-memory.",
		NUMBER(process.page_limit) },
	{ "hostmeter_pages_refused", COUNTER, "Requests for a page that were refused for lack of memory.",
		NUMBER(process.page_refusals) },
	{ "hostmeter_http_connections", GAUGE, "Connections to the meter's ports and socket.",
		NUMBER(process.http_connections) },
	{ "hostmeter_http_connections_refused", COUNTER, "Connections of clients that had a quarter of all already.",
		NUMBER(process.http_refused) },
	{ "hostmeter_http_connections_dropped", COUNTER,
		"Connections closed because others waited, or after a very long time.", SAMPLES(http_dropped) },
	{ "hostmeter_checkpoint_age_seconds", GAUGE, "Time since the last whole checkpoint.", SAMPLES(checkpoint_age) },
	{ "hostmeter_checkpoint_failures", COUNTER, "Writes of the checkpoint that failed.",
		NUMBER(process.checkpoint_failures) },
	{ "hostmeter_checkpoint_damages", COUNTER,
		"Records of the checkpoint and its journal that the start found damaged, missing or repeated.",
		NUMBER(process.checkpoint_damages) },
	{ "hostmeter_last_dump_age_seconds", GAUGE, "Time since the last dump ended.", SAMPLES(dump_age) },
	{ "process_cpu_seconds", COUNTER, "User and system CPU time of the meter.", USAGE(cpu_ns, DURATION) },
	{ "process_resident_memory_bytes", GAUGE, "Memory of the meter that is resident.", USAGE(resident_bytes, 0) },
	{ "process_virtual_memory_bytes", GAUGE, "Address space of the meter.", USAGE(virtual_bytes, 0) },
	{ "process_open_fds", GAUGE, "File descriptors that the meter has open.", USAGE(open_fds, 0) },
	{ "process_max_fds", GAUGE, "File descriptors that the meter may have open.", USAGE(max_fds, 0) },
	{ "process_start_time_seconds", GAUGE, "When the meter was started, in seconds since 1970.",
		USAGE(start_real_ns, DURATION) },
};

const char *prometheus_content_type(enum prometheus_format format)
{
	return format == PROMETHEUS_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8" :
						  "text/plain; version=0.0.4; charset=utf-8";
}

/* The unit that a name ends in, NULL if it has none. */
static const char *unit_of(const char *name)
{
	const char *last = strrchr(name, '_');

	return last && (!strcmp(last, "_bytes") || !strcmp(last, "_seconds")) ? last + 1 : NULL;
}

static void put_head(struct page *page, enum prometheus_format format)
{
	const struct family *family = page->family;
	/* The one format speaks of the family, the other of its samples. */
	const char *name = format == PROMETHEUS_OPENMETRICS ? family->name : page->sample;
	const char *unit = format == PROMETHEUS_OPENMETRICS && family->type != INFO ? unit_of(family->name) : NULL;

	buf_printf(page->out, "# HELP %s %s\n# TYPE %s %s\n", name, family->help, name,
		type_names[format][family->type]);
	if (unit)
		buf_printf(page->out, "# UNIT %s %s\n", name, unit);
}

/* False if it has more samples: its part of the page goes on later. */
static bool put_family(struct page *page, enum prometheus_format format)
{
	const struct family *family = page->family;

	page->begun = page->row;
	page->sample_len = (size_t)snprintf(page->sample, sizeof(page->sample), "%s%s", family->name,
		type_suffixes[family->type]);
	if (!page->begun)
		put_head(page, format);
	if (family->samples)
		family->samples(page);
	else
		put_plain(page);
	/* A family that is not of hosts leaves row alone. */
	if (page->row && page->row < page->snapshot->hosts)
		return false;
	page->row = 0;
	return true;
}

bool prometheus_render_some(struct buf *out, const struct snapshot *snapshot, enum prometheus_format format,
	struct cursor *cursor, size_t enough)
{
	const size_t count = sizeof(families) / sizeof(families[0]);
	struct page page = { .out = out, .snapshot = snapshot, .row = cursor->row, .enough = enough };

	while (cursor->part < count && out->len < enough && !buf_error(out)) {
		page.family = &families[cursor->part];
		cursor->part += put_family(&page, format);
	}
	cursor->row = page.row;
	buf_free(&page.host);
	if (cursor->part < count)
		return !buf_error(out);
	if (format == PROMETHEUS_OPENMETRICS)
		buf_puts(out, "# EOF\n");
	return false;
}

void prometheus_render(struct buf *out, const struct snapshot *snapshot, enum prometheus_format format)
{
	struct cursor cursor = { 0 };

	prometheus_render_some(out, snapshot, format, &cursor, SIZE_MAX);
}
