/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes the seeds of the decoders' corpora anew; needed only when the builders of messages have learned a new kind.
 *   cc -D_GNU_SOURCE -Iinclude -Isrc -Itests/unit -o write_seeds tests/fuzz/write_seeds.c build/libhostmeter.a -lmnl
 *   ./write_seeds tests/fuzz/corpus
 */
#include "netlink_build.h"

#include <stdio.h>
#include <sys/stat.h>

static const char *directory;

static void write_bytes(const char *target, const char *name, const void *bytes, size_t len)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", directory, target);
	mkdir(path, 0755);
	snprintf(path, sizeof(path), "%s/%s/%s", directory, target, name);
	file = fopen(path, "w");
	if (!file || fwrite(bytes, len, 1, file) != 1 || fclose(file)) {
		perror(path);
		exit(1);
	}
}

static void write_seed(const char *target, const char *name, const struct nlmsghdr *head)
{
	write_bytes(target, name, head, head->nlmsg_len);
}

static void write_ct(void)
{
	static const struct {
		const char *name;
		uint8_t family, proto, type;
	} seeds[] = { { "tcp4-destroy", 4, IPPROTO_TCP, CT_DESTROY }, { "udp6-entry", 6, IPPROTO_UDP, CT_ENTRY },
		{ "icmp4-new", 4, IPPROTO_ICMP, CT_NEW }, { "icmp6-update", 6, IPPROTO_ICMPV6, CT_UPDATE },
		{ "gre4-entry", 4, IPPROTO_GRE, CT_ENTRY } };
	union message m;

	for (size_t i = 0; i < sizeof(seeds) / sizeof(seeds[0]); i++) {
		struct addr a = build_addr(seeds[i].family == 4 ? "192.0.2.10" : "2001:db8::10");
		struct addr b = build_addr(seeds[i].family == 4 ? "198.51.100.80" : "2001:db8:2::80");
		struct ct_event e = { .type = seeds[i].type,
			.family = seeds[i].family,
			.proto = seeds[i].proto,
			.zone = 5,
			.has_counters = seeds[i].type == CT_DESTROY || seeds[i].type == CT_ENTRY,
			.icmp_type = 8,
			.id = 1,
			.status = 14,
			.start_ns = 1,
			.tuple = { { a, b, 40000, 443 }, { b, a, 443, 40000 } },
			.bytes = { 1000, 2000 },
			.packets = { 10, 20 } };

		write_seed("ct_decode", seeds[i].name, build_ct(&m, &e, i % 2 ? BUILD_ZONE_IN_TUPLE : 0));
	}
}

static void write_nflog(void)
{
	/* Destination options, a fragment header, then UDP. */
	static const uint8_t chain[24] = { IPPROTO_FRAGMENT, 0, 1, 4, 0, 0, 0, 0, IPPROTO_UDP, 0, 0, 1, 0, 0, 0, 1,
		0x9c, 0x40, 0, 53, 0, 8, 0, 0 };
	static const uint8_t tcp[20] = { 0x9c, 0x40, 0x01, 0xbb }, echo[8] = { 8, 0, 0, 0, 0x12, 0x34, 0, 1 };
	static const struct mac mac = { { 0, 0, 0x5e, 0, 0x53, 1 } };
	uint8_t p[128];
	union message m;

	write_seed("nflog_decode", "tcp4",
		build_nflog(&m, 3, 2, mac.b, 6, p, build_ip4(p, IPPROTO_TCP, "192.0.2.1", "192.0.2.2", tcp, 20)));
	write_seed("nflog_decode", "icmp4",
		build_nflog(&m, 3, 0, NULL, 0, p, build_ip4(p, IPPROTO_ICMP, "192.0.2.1", "192.0.2.2", echo, 8)));
	write_seed("nflog_decode", "chain6",
		build_nflog(&m, 3, 2, mac.b, 6, p,
			build_ip6(p, IPPROTO_DSTOPTS, "2001:db8::1", "2001:db8::2", chain, 24)));
	write_bytes("nflog_decode", "packet4", p, build_ip4(p, IPPROTO_UDP, "192.0.2.1", "192.0.2.2", tcp, 8));
	write_bytes("nflog_decode", "packet6", p,
		build_ip6(p, IPPROTO_DSTOPTS, "2001:db8::1", "2001:db8::2", chain, 24));
}

static void write_rtnl(void)
{
	struct addr four = build_addr("192.0.2.1"), six = build_addr("2001:db8::1");
	struct rtnl_event e = { .type = RTNL_LINK,
		.ifindex = 2,
		.link = { .name = "wan0", .master = 3, .flags = 1, .arphrd = 1, .has_stats = true, .rx_bytes = 1 } };
	union message m;

	write_seed("rtnl_decode", "link", build_link(&m, &e));
	e = (struct rtnl_event){ .ifindex = 2, .addr = { .addr = four, .prefix_len = 24 } };
	write_seed("rtnl_decode", "addr4", build_rtnl_addr(&m, &e, &four));
	e = (struct rtnl_event){ .type = RTNL_ROUTE,
		.ifindex = 2,
		.route = { .dst = prefix_make(&four, 24), .table = 254, .kind = RTN_UNICAST, .gateway = six } };
	write_seed("rtnl_decode", "route4-via6", build_route(&m, &e, 0));
	e.route = (struct rtnl_route){ .dst = prefix_make(&six, 0), .table = 1000, .metric = 1024, .gateway = six };
	write_seed("rtnl_decode", "route6-multipath", build_route(&m, &e, 2));
	e = (struct rtnl_event){ .type = RTNL_NEIGH,
		.ifindex = 3,
		.neigh = { .addr = six, .mac = { { 0, 0, 0x5e, 0, 0x53, 1 } }, .state = NUD_REACHABLE } };
	write_seed("rtnl_decode", "neigh6", build_neigh(&m, &e, MAC_LEN));
}

/* --- Whole datagrams: fuzz_dispatch.c says how they stand in a row. */

enum { ROUTE = 1, SENT = 2, LATER = 4 };

struct row {
	uint8_t bytes[4096];
	size_t len;
};

static void add_datagram(struct row *row, uint8_t flags, const struct nlmsghdr *message)
{
	uint8_t *at = row->bytes + row->len;

	at[0] = flags;
	at[1] = (uint8_t)message->nlmsg_len;
	at[2] = (uint8_t)(message->nlmsg_len >> 8);
	memcpy(at + 3, message, message->nlmsg_len);
	row->len += 3 + message->nlmsg_len;
}

/* A dump's request, or its end. */
static void add_control(struct row *row, uint8_t flags, uint16_t type, uint32_t seq)
{
	struct rtgenmsg fixed = { .rtgen_family = AF_UNSPEC };
	union message m;

	build_start(&m, type, &fixed, sizeof(fixed));
	m.head.nlmsg_flags = flags & SENT ? NLM_F_REQUEST | NLM_F_DUMP : NLM_F_MULTI;
	m.head.nlmsg_seq = seq;
	add_datagram(row, flags, &m.head);
}

static void add_network(struct row *row)
{
	static const struct mac mac = { { 0, 0, 0x5e, 0, 0x53, 1 } };
	struct addr any = { .family = 4 }, router = build_addr("192.0.2.1"), host = build_addr("192.0.2.10");
	struct rtnl_event e = { .type = RTNL_LINK, .ifindex = 2, .link = { .name = "wan0", .flags = 1, .arphrd = 1 } };
	union message m;

	add_control(row, ROUTE | SENT, RTM_GETLINK, 1);
	add_datagram(row, ROUTE, build_link(&m, &e));
	e = (struct rtnl_event){ .ifindex = 3, .link = { .name = "lan0", .flags = 1, .arphrd = 1 } };
	add_datagram(row, ROUTE, build_link(&m, &e));
	add_control(row, ROUTE, NLMSG_DONE, 1);
	e = (struct rtnl_event){ .ifindex = 3, .addr = { .addr = router, .prefix_len = 24 } };
	add_datagram(row, ROUTE, build_rtnl_addr(&m, &e, NULL));
	e = (struct rtnl_event){ .ifindex = 3, .route = { .dst = prefix_make(&router, 24), .kind = RTN_UNICAST } };
	add_datagram(row, ROUTE, build_route(&m, &e, 0));
	e = (struct rtnl_event){ .ifindex = 2, .route = { .dst = prefix_make(&any, 0), .kind = RTN_UNICAST } };
	add_datagram(row, ROUTE, build_route(&m, &e, 0));
	add_control(row, ROUTE | SENT, RTM_GETNEIGH, 2);
	e = (struct rtnl_event){ .ifindex = 3, .neigh = { .addr = host, .mac = mac, .state = NUD_REACHABLE } };
	add_datagram(row, ROUTE, build_neigh(&m, &e, MAC_LEN));
	add_control(row, ROUTE, NLMSG_DONE, 2);
}

static struct ct_event make_flow(uint8_t type, uint32_t id, uint64_t bytes)
{
	struct addr a = build_addr("192.0.2.10"), b = build_addr("198.51.100.80");

	return (struct ct_event){ .type = type,
		.family = 4,
		.proto = IPPROTO_TCP,
		.has_counters = true,
		.id = id,
		.tuple = { { a, b, 40000, 443 }, { b, a, 443, 40000 } },
		.bytes = { bytes, bytes },
		.packets = { 10, 20 } };
}

static void add_flow(struct row *row, uint8_t flags, struct ct_event event)
{
	union message m;

	add_datagram(row, flags, build_ct(&m, &event, 0));
}

static void write_dispatch(void)
{
	static const uint8_t tcp[20] = { 0x9c, 0x40, 0x01, 0xbb };
	static const struct mac mac = { { 0, 0, 0x5e, 0, 0x53, 1 } };
	const uint16_t get = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET;
	struct row row = { .len = 0 };
	uint8_t p[64];
	union message m;

	add_network(&row);
	write_bytes("dispatch", "network", row.bytes, row.len);
	add_control(&row, SENT, get, 7);
	add_control(&row, 0, NLMSG_DONE, 7);
	add_datagram(&row, LATER,
		build_nflog(&m, 3, 2, mac.b, 6, p, build_ip4(p, IPPROTO_TCP, "192.0.2.10", "198.51.100.80", tcp, 20)));
	add_control(&row, SENT | 50 * LATER, get, 7);
	add_flow(&row, 0, make_flow(CT_ENTRY, 1, 1000));
	add_flow(&row, 0, make_flow(CT_ENTRY, 2, 1000));
	add_control(&row, 0, NLMSG_DONE, 7);
	add_flow(&row, LATER, make_flow(CT_DESTROY, 1, 2000));
	add_flow(&row, LATER, make_flow(CT_DESTROY, 1, 2000));
	write_bytes("dispatch", "flows", row.bytes, row.len);

	row.len = 0;
	add_flow(&row, 0, make_flow(CT_DESTROY, 1, 2000));
	add_control(&row, SENT, get, 7);
	add_control(&row, 0, NLMSG_OVERRUN, 1); /* of the dump */
	add_control(&row, SENT, get, 8);
	add_flow(&row, 63 * LATER, make_flow(CT_ENTRY, 1, 2000));
	add_control(&row, 0, NLMSG_ERROR, 8);
	write_bytes("dispatch", "broken-dumps", row.bytes, row.len);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return 2;
	}
	directory = argv[1];
	write_ct();
	write_nflog();
	write_rtnl();
	write_dispatch();
	return 0;
}
