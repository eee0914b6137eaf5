/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snapshots: one snapshot with everything in it and no two numbers alike, so that two that changed places show.
 */
#pragma once

#include "hostmeter/export/api.h"
#include "hostmeter/meter/snapshot.h"

#include "events.h"

#define S UINT64_C(1000000000)

/* The whole document. */
static inline void api_hosts(struct buf *out, const struct snapshot *snapshot)
{
	struct cursor cursor = { 0 };

	api_hosts_some(out, snapshot, true, &cursor, SIZE_MAX);
}

static inline void snapshots_fill(struct traffic *traffic, uint64_t first)
{
	for (int ipv = 0; ipv < TRAFFIC_FAMILIES; ipv++)
		for (int direction = 0; direction < 2; direction++, first += 2)
			traffic->of[ipv][direction] = (struct traffic_count){ .bytes = first * 1000,
				.packets = first + 1 };
}

/* Static memory: not for snapshot_clear(). */
static inline struct snapshot snapshots_full(void)
{
	static struct snapshot_host hosts[3];
	static struct snapshot_address addresses[3];
	static struct topology_link links[6];
	static struct wan_link wan[2];
	static const char *const listen[] = { ":10060", "[::1]:10061" };
	static const struct snapshot_listen waiting[] = { { "192.0.2.9:10060", -EADDRNOTAVAIL } };
	static const struct snapshot_names names[] = { { NAMES_ETHERS, "/etc/ethers", 0 },
		{ NAMES_HOSTS, "/etc/hosts", -13 } };
	const struct snapshot_host make_hosts[] = {
		{ .label = "router", .connections = { 1, 2 } },
		{ .label = "desktop",
			.mac = DESKTOP,
			.connections = { 3, 4 },
			.first_seen = 100 * S,
			.last_seen = 990 * S },
		{ .label = "10.9.0.7", .connections = { 5, 6 } },
	};
	const struct topology_link make_links[] = {
		{ 1, "lo", SIDE_NONE, false, true, true, 1, 2, 3, 4, 0, "" },
		{ 2, "wan0", SIDE_WAN, false, true, true, 201, 202, 203, 204, 0, "" },
		{ 3, "br-lan", SIDE_LAN, false, true, true, 301, 302, 303, UINT64_MAX, 0, "" },
		{ 4, "eth1", SIDE_OTHER, true, true, true, 401, 402, 403, 404, 0, "" },
		{ 5, "dmz", SIDE_CARRIER, false, true, true, 501, 502, 503, 504, TOPOLOGY_CARRIES, "wan0" },
		{ 6, "wg0", SIDE_LAN, false, false, false, 601, 602, 603, 604, 0, "" },
	};
	const struct wan_link make_wan[] = {
		{ .count = { [WAN_UNKNOWN] = { { 801, 802 }, { 803, 804 } } } }, /* which WAN is not known */
		{ .ifindex = 2,
			.name = "wan0",
			.count = { [WAN_ATTRIBUTED] = { { 811, 812 }, { 813, 814 } },
				[WAN_ROUTER] = { { 821, 822 }, { 823, 824 } },
				[WAN_UNKNOWN] = { { 831, 832 }, { 833, 834 } },
				[WAN_UNSEEN] = { { 841, 842 }, { 843, 844 } } },
			.header_bytes = { 851, 852 } },
	};
	struct snapshot s = {
		.host = hosts,
		.hosts = 3,
		.address = addresses,
		.addresses = 3,
		.link = links,
		.links = 6,
		.wan = wan,
		.wans = 2,
		.source = {
			[SOURCE_EVENTS] = { .up = true, .overruns = 11, .messages = 12, .receive_buffer = 13 },
			[SOURCE_DUMP] = { .up = true, .overruns = 14, .messages = 15, .receive_buffer = 16 },
			[SOURCE_NFLOG] = { .up = false, .overruns = 17, .messages = 18, .receive_buffer = 19 },
			[SOURCE_RTNL] = { .up = true, .overruns = 20, .messages = 21, .receive_buffer = 22 },
		},
		.stats = { .dumps = 31, .dumps_incomplete = 32, .destroys = 33, .entries = 34, .sightings = 35,
			.attributed = { 36, 37, 38, 39, 40 }, .duplicates = 41, .counter_resets = 42, .baselined = 43,
			.ended_unseen = 44, .ended_uncounted = 45, .ended_before_first_dump = 46, .sightings_lost = 47,
			.flows_refused = 48, .hosts_folded = 49, .routes_dropped = 88, .damaged = 50 },
		.process = { .running = true, .reliable = true, .reliable_losses = 71, .conntrack_entries = 72,
			.conntrack_limit = 73, .dump_interval_ns = 10 * S, .dump_cost_ns = 74 * S / 1000,
			.stall_ns = 75 * S / 1000, .checkpoint_age_ns = 3 * S / 2, .checkpoint_failures = 76, .checkpoint_damages = 95, .checkpoint_error = -28,
			.real_ns = 1700000000 * S, .uptime_ns = 82 * S, .clock_set = true, .receive_buffer_asked = { 83, 84, 85, 86 }, .nflog_group = 87,
			.page_bytes = 89, .page_limit = 90, .page_refusals = 91, .http_connections = 92, .http_refused = 93,
			.http_dropped = { 94, 95, 96 },
			.listen = listen, .listens = 2, .waiting = waiting, .waitings = 1, .names = names, .names_count = 2,
			.usage = { .cpu_ns = 77 * S / 4, .resident_bytes = 78, .virtual_bytes = 79, .open_fds = 80, .max_fds = 81,
				.start_real_ns = 1700000000 * S - 82 * S } },
		.places = { .taken = 93, .limit = 94, .unanswered = 46, .folded = 49, .folded_unanswered = 24,
			.left = { 97, 98, 99 } },
		.unanswered_on = "br-lan",
		.flows = 51, .flows_undecided = 52, .flows_uncounted = 53, .flows_offloaded = 54,
		.pending_sightings = 55, .pending_ends = 56, .tombstones = 57, .neighbours = 58, .memory = 59, .interfaces_missing = 77,
		.ready = true, .now = 1000 * S, .last_dump_end = 997 * S + S / 2, .last_dump_ns = 123456789,
	};

	memcpy(hosts, make_hosts, sizeof(hosts));
	memcpy(links, make_links, sizeof(links));
	for (size_t i = 0; i < s.hosts; i++) {
		snapshots_fill(&hosts[i].wan, 100 * i + 10);
		snapshots_fill(&hosts[i].local, 100 * i + 50);
	}
	addresses[0] = (struct snapshot_address){ 1, event_ip("192.168.7.2") };
	addresses[1] = (struct snapshot_address){ 1, event_ip("2001:db8::7") };
	addresses[2] = (struct snapshot_address){ 2, event_ip("10.9.0.7") };
	memcpy(wan, make_wan, sizeof(wan));
	return s;
}
