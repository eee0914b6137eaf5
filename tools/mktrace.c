/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mktrace: a trace for --replay that is always the same, of as many flows as are asked for: what the kernel would
 * have said on a router with a LAN of 50 hosts and a WAN. For budgets that need no clock, and tables that are larger
 * than this machine's.
 *
 * Every other flow is IPv6, all are UDP that the LAN began. A flow's counters are a function of its number, so what a
 * meter makes of the trace can be told beforehand: --expect prints it.
 */
#include "hostmeter/base/addr.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/trace/trace.h"

#include <arpa/inet.h>
#include <getopt.h>
#include <inttypes.h>
#include <libmnl/libmnl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/neighbour.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	LAN = 2,
	WAN = 3,
	HOSTS = 50,
	FIRST_HOST = 10,
	PORTS = 50000,
	FIRST_PORT = 10000,
	DATAGRAM = 32768,
	ROOM = 512, /* a message takes less */
	NFLOG_BATCH = 100,
	FLOWS_PER_S = 20000,
};

static struct trace_writer *writer;
static int trouble;
static uint64_t now_ns = UINT64_C(1700000000) * CLOCK_NS_PER_S;

/* Messages gather here until they fill a datagram, as in a dump. */
static struct {
	_Alignas(8) unsigned char data[DATAGRAM];
	size_t len;
} batch;

static void emit(uint16_t protocol, bool outgoing, const void *data, size_t len)
{
	const struct trace_datagram datagram = {
		.real_ns = now_ns,
		.protocol = protocol,
		.outgoing = outgoing,
		.data = data,
		.len = len,
	};
	int error = trace_write(writer, &datagram);

	if (error)
		trouble = error;
}

static void flush(uint16_t protocol)
{
	if (batch.len)
		emit(protocol, false, batch.data, batch.len);
	batch.len = 0;
}

static struct nlmsghdr *begin(uint16_t type, uint16_t flags, uint32_t seq)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(batch.data + batch.len);

	message->nlmsg_type = type;
	message->nlmsg_flags = flags;
	message->nlmsg_seq = seq;
	return message;
}

/* The message is whole; it goes when there is no room for another. */
static void end(uint16_t protocol, const struct nlmsghdr *message)
{
	batch.len += NLMSG_ALIGN(message->nlmsg_len);
	if (batch.len + ROOM > sizeof(batch.data))
		flush(protocol);
}

static void request(uint16_t protocol, uint16_t type, uint8_t family, size_t header, uint32_t seq)
{
	_Alignas(8) char buffer[64];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);

	*(uint8_t *)mnl_nlmsg_put_extra_header(message, header) = family;
	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	message->nlmsg_seq = seq;
	emit(protocol, true, message, message->nlmsg_len);
}

static void done(uint16_t protocol, uint32_t seq)
{
	struct nlmsghdr *message = begin(NLMSG_DONE, NLM_F_MULTI, seq);

	mnl_nlmsg_put_extra_header(message, sizeof(int));
	end(protocol, message);
	flush(protocol);
}

/* --- The network's shape */

static void put_link(uint32_t seq, int ifindex, const char *name)
{
	struct nlmsghdr *message = begin(RTM_NEWLINK, NLM_F_MULTI, seq);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));

	info->ifi_type = ARPHRD_ETHER;
	info->ifi_index = ifindex;
	info->ifi_flags = IFF_UP | IFF_RUNNING;
	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	end(NETLINK_ROUTE, message);
}

static void put_address(uint32_t seq, unsigned int ifindex, const char *text, uint8_t prefix_len)
{
	struct nlmsghdr *message = begin(RTM_NEWADDR, NLM_F_MULTI, seq);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	struct addr addr = { 0 };

	addr_parse(&addr, text);
	info->ifa_family = addr.family == 6 ? AF_INET6 : AF_INET;
	info->ifa_prefixlen = prefix_len;
	info->ifa_index = ifindex;
	mnl_attr_put(message, IFA_ADDRESS, addr_len(addr.family), addr.b);
	mnl_attr_put(message, IFA_LOCAL, addr_len(addr.family), addr.b);
	end(NETLINK_ROUTE, message);
}

/* A connected prefix, or with a gateway the default route. */
static void put_route(uint32_t seq, const char *text, uint32_t ifindex, bool is_default)
{
	struct nlmsghdr *message = begin(RTM_NEWROUTE, NLM_F_MULTI, seq);
	struct rtmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	struct addr addr = { 0 };
	struct prefix prefix = { 0 };

	if (is_default)
		addr_parse(&addr, text);
	else
		prefix_parse(&prefix, text);
	info->rtm_family = (is_default ? addr.family : prefix.addr.family) == 6 ? AF_INET6 : AF_INET;
	info->rtm_dst_len = prefix.len;
	info->rtm_table = RT_TABLE_MAIN;
	info->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(message, RTA_TABLE, RT_TABLE_MAIN);
	if (is_default)
		mnl_attr_put(message, RTA_GATEWAY, addr_len(addr.family), addr.b);
	else
		mnl_attr_put(message, RTA_DST, addr_len(prefix.addr.family), prefix.addr.b);
	mnl_attr_put_u32(message, RTA_OIF, ifindex);
	end(NETLINK_ROUTE, message);
}

static struct mac host_mac(uint64_t host)
{
	return (struct mac){ { 2, 0, 0, 0, (uint8_t)(host >> 8), (uint8_t)host } };
}

static struct addr host_addr(uint64_t host, uint8_t family)
{
	struct addr addr = { 0 };

	addr_parse(&addr, family == 6 ? "2001:db8:77::" : "192.168.77.0");
	addr.b[addr_len(family) - 1] = (uint8_t)(host + FIRST_HOST);
	return addr;
}

static void put_neighbour(uint32_t seq, uint64_t host, uint8_t family)
{
	struct nlmsghdr *message = begin(RTM_NEWNEIGH, NLM_F_MULTI, seq);
	struct ndmsg *info = mnl_nlmsg_put_extra_header(message, sizeof(*info));
	struct addr addr = host_addr(host, family);
	struct mac mac = host_mac(host);

	info->ndm_family = family == 6 ? AF_INET6 : AF_INET;
	info->ndm_ifindex = LAN;
	info->ndm_state = NUD_STALE;
	mnl_attr_put(message, NDA_DST, addr_len(family), addr.b);
	mnl_attr_put(message, NDA_LLADDR, MAC_LEN, mac.b);
	end(NETLINK_ROUTE, message);
}

static void shape(uint32_t *seq)
{
	request(NETLINK_ROUTE, RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg), ++*seq);
	put_link(*seq, LAN, "lan");
	put_link(*seq, WAN, "wan");
	done(NETLINK_ROUTE, *seq);
	request(NETLINK_ROUTE, RTM_GETADDR, AF_INET, sizeof(struct ifaddrmsg), ++*seq);
	put_address(*seq, LAN, "192.168.77.1", 24);
	put_address(*seq, WAN, "198.51.100.2", 24);
	done(NETLINK_ROUTE, *seq);
	request(NETLINK_ROUTE, RTM_GETADDR, AF_INET6, sizeof(struct ifaddrmsg), ++*seq);
	put_address(*seq, LAN, "2001:db8:77::1", 64);
	put_address(*seq, WAN, "2001:db8:ff::2", 64);
	done(NETLINK_ROUTE, *seq);
	request(NETLINK_ROUTE, RTM_GETROUTE, AF_INET, sizeof(struct rtmsg), ++*seq);
	put_route(*seq, "192.168.77.0/24", LAN, false);
	put_route(*seq, "198.51.100.0/24", WAN, false);
	put_route(*seq, "198.51.100.1", WAN, true);
	done(NETLINK_ROUTE, *seq);
	request(NETLINK_ROUTE, RTM_GETROUTE, AF_INET6, sizeof(struct rtmsg), ++*seq);
	put_route(*seq, "2001:db8:77::/64", LAN, false);
	put_route(*seq, "2001:db8:ff::/64", WAN, false);
	put_route(*seq, "2001:db8:ff::1", WAN, true);
	done(NETLINK_ROUTE, *seq);
	request(NETLINK_ROUTE, RTM_GETNEIGH, AF_UNSPEC, sizeof(struct ndmsg), ++*seq);
	for (uint64_t host = 0; host < HOSTS; host++) {
		put_neighbour(*seq, host, 4);
		put_neighbour(*seq, host, 6);
	}
	done(NETLINK_ROUTE, *seq);
}

/* --- Flows */

struct one_flow {
	uint64_t number, host;
	uint8_t family;
	struct addr inner, outer, remote; /* the host, what it is after NAT, the other end */
	uint16_t inner_port, remote_port;
	uint64_t packets[2], bytes[2];
};

static struct one_flow flow_of(uint64_t number)
{
	struct one_flow f = { .number = number, .host = number / 2 % HOSTS, .family = number % 2 ? 6 : 4 };

	f.inner = f.outer = host_addr(f.host, f.family);
	addr_parse(&f.remote, f.family == 6 ? "2001:db8:ff::1" : "198.51.100.1");
	if (f.family == 4)
		addr_parse(&f.outer, "198.51.100.2");
	f.inner_port = (uint16_t)(FIRST_PORT + number % PORTS);
	f.remote_port = (uint16_t)(FIRST_PORT + number / PORTS);
	for (int dir = 0; dir < 2; dir++) {
		f.packets[dir] = 1 + number % (3 + (uint64_t)dir);
		f.bytes[dir] = f.packets[dir] * (100 + number % 1000);
	}
	return f;
}

static void put_tuple(struct nlmsghdr *message, uint16_t type, const struct addr *src, uint16_t sport,
	const struct addr *dst, uint16_t dport)
{
	bool six = src->family == 6;
	struct nlattr *tuple = mnl_attr_nest_start(message, type);
	struct nlattr *nest = mnl_attr_nest_start(message, CTA_TUPLE_IP);

	mnl_attr_put(message, six ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, addr_len(src->family), src->b);
	mnl_attr_put(message, six ? CTA_IP_V6_DST : CTA_IP_V4_DST, addr_len(dst->family), dst->b);
	mnl_attr_nest_end(message, nest);
	nest = mnl_attr_nest_start(message, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(message, CTA_PROTO_NUM, IPPROTO_UDP);
	mnl_attr_put_u16(message, CTA_PROTO_SRC_PORT, htons(sport));
	mnl_attr_put_u16(message, CTA_PROTO_DST_PORT, htons(dport));
	mnl_attr_nest_end(message, nest);
	mnl_attr_nest_end(message, tuple);
}

static void put_counters(struct nlmsghdr *message, uint16_t type, uint64_t packets, uint64_t bytes)
{
	struct nlattr *nest = mnl_attr_nest_start(message, type);

	mnl_attr_put_u64(message, CTA_COUNTERS_PACKETS, htobe64(packets));
	mnl_attr_put_u64(message, CTA_COUNTERS_BYTES, htobe64(bytes));
	mnl_attr_nest_end(message, nest);
}

/* In the kernel's order: ctnetlink_fill_info(). times: how often the flow's traffic has been there. */
static void put_ct(const struct one_flow *f, bool ended, uint32_t seq, uint64_t times)
{
	uint16_t type = NFNL_SUBSYS_CTNETLINK << 8 | (ended ? IPCTNL_MSG_CT_DELETE : IPCTNL_MSG_CT_NEW);
	struct nlmsghdr *message = begin(type, ended ? 0 : NLM_F_MULTI, seq);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));

	header->nfgen_family = f->family == 6 ? AF_INET6 : AF_INET;
	put_tuple(message, CTA_TUPLE_ORIG, &f->inner, f->inner_port, &f->remote, f->remote_port);
	put_tuple(message, CTA_TUPLE_REPLY, &f->remote, f->remote_port, &f->outer, f->inner_port);
	mnl_attr_put_u32(message, CTA_STATUS,
		htonl(IPS_SEEN_REPLY | IPS_CONFIRMED | IPS_DST_NAT_DONE | IPS_SRC_NAT_DONE));
	if (!ended)
		mnl_attr_put_u32(message, CTA_TIMEOUT, htonl(120));
	put_counters(message, CTA_COUNTERS_ORIG, f->packets[0] * times, f->bytes[0] * times);
	put_counters(message, CTA_COUNTERS_REPLY, f->packets[1] * times, f->bytes[1] * times);
	mnl_attr_put_u32(message, CTA_MARK, 0);
	mnl_attr_put_u32(message, CTA_ID, htonl((uint32_t)f->number * 2654435761U));
	mnl_attr_put_u32(message, CTA_USE, htonl(1));
	end(NETLINK_NETFILTER, message);
	if (ended)
		flush(NETLINK_NETFILTER);
}

static size_t packet_of(const struct one_flow *f, bool reply, uint8_t packet[static 48])
{
	bool six = f->family == 6;
	size_t ip = six ? 40 : 20, len = addr_len(f->family);
	uint8_t *addresses = packet + (six ? 8 : 12);
	const struct addr *src = reply ? &f->remote : &f->inner, *dst = reply ? &f->inner : &f->remote;
	uint16_t ports[2] = { htons(reply ? f->remote_port : f->inner_port),
		htons(reply ? f->inner_port : f->remote_port) };

	memset(packet, 0, 48);
	packet[0] = six ? 0x60 : 0x45;
	packet[six ? 5 : 3] = six ? 8 : 28;
	packet[six ? 6 : 9] = IPPROTO_UDP;
	memcpy(addresses, src->b, len);
	memcpy(addresses + len, dst->b, len);
	memcpy(packet + ip, ports, sizeof(ports));
	return ip + 8;
}

static void put_sighting(const struct one_flow *f, bool reply)
{
	struct nlmsghdr *message = begin(NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET, NLM_F_MULTI, 0);
	struct nfgenmsg *header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	const struct nfulnl_msg_packet_hdr packet_header = {
		.hw_protocol = htons(f->family == 6 ? 0x86dd : 0x0800),
		.hook = 2,
	};
	struct mac mac = reply ? (struct mac){ { 2, 0, 0, 1, 0, 0 } } : host_mac(f->host);
	struct nfulnl_msg_packet_hw hw = { .hw_addrlen = htons(MAC_LEN) };
	uint8_t packet[48];

	header->nfgen_family = f->family == 6 ? AF_INET6 : AF_INET;
	memcpy(hw.hw_addr, mac.b, MAC_LEN);
	mnl_attr_put(message, NFULA_PACKET_HDR, sizeof(packet_header), &packet_header);
	mnl_attr_put_strz(message, NFULA_PREFIX, "");
	mnl_attr_put_u32(message, NFULA_IFINDEX_INDEV, htonl(reply ? WAN : LAN));
	mnl_attr_put_u32(message, NFULA_IFINDEX_OUTDEV, htonl(reply ? LAN : WAN));
	mnl_attr_put(message, NFULA_HWADDR, sizeof(hw), &hw);
	mnl_attr_put_u16(message, NFULA_HWTYPE, htons(ARPHRD_ETHER));
	mnl_attr_put_u16(message, NFULA_HWLEN, htons(14));
	mnl_attr_put(message, NFULA_PAYLOAD, packet_of(f, reply, packet), packet);
	end(NETLINK_NETFILTER, message);
}

/* Short flows: two first packets, in batches as the kernel sends them, then the end. */
static void ends(uint64_t flows)
{
	for (uint64_t first = 0; first < flows; first += NFLOG_BATCH / 2) {
		uint64_t last = first + NFLOG_BATCH / 2 < flows ? first + NFLOG_BATCH / 2 : flows;

		for (uint64_t i = first; i < last; i++) {
			struct one_flow f = flow_of(i);

			put_sighting(&f, false);
			put_sighting(&f, true);
		}
		flush(NETLINK_NETFILTER);
		for (uint64_t i = first; i < last; i++) {
			struct one_flow f = flow_of(i);

			put_ct(&f, true, 0, 1);
			now_ns += CLOCK_NS_PER_S / FLOWS_PER_S;
		}
	}
}

static void dump(uint64_t flows, uint32_t seq, uint64_t times)
{
	request(NETLINK_NETFILTER, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, AF_UNSPEC, sizeof(struct nfgenmsg),
		seq);
	for (uint64_t i = 0; i < flows; i++) {
		struct one_flow f = flow_of(i);

		put_ct(&f, false, seq, times);
	}
	done(NETLINK_NETFILTER, seq);
	now_ns += 10 * CLOCK_NS_PER_S;
}

/* What all hosts together have; what the first of several dumps lists was there before. */
static void expect(uint64_t flows, uint64_t times)
{
	uint64_t bytes[2][2] = { { 0 } };

	for (uint64_t i = 0; i < flows; i++) {
		struct one_flow f = flow_of(i);

		for (int dir = 0; dir < 2; dir++)
			bytes[f.family == 6][dir] += f.bytes[dir] * times;
	}
	printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", bytes[0][0], bytes[0][1], bytes[1][0], bytes[1][1]);
}

static int usage(int status)
{
	fputs("usage: mktrace [--dumps=N] [--expect] FLOWS FILE\n\n"
	      "Writes a trace of FLOWS short flows: their first packets and their ends.\n"
	      "  --dumps=N   of live flows instead, which N dumps list, each with more traffic\n"
	      "  --expect    print the bytes of all hosts: IPv4 out, in, IPv6 out, in\n",
		status ? stderr : stdout);
	return status;
}

int main(int argc, char *argv[])
{
	static const struct option options[] = {
		{ "dumps", required_argument, NULL, 'd' },
		{ "expect", no_argument, NULL, 'e' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	uint64_t flows, times = 0;
	bool tell = false;
	uint32_t seq = 0;
	int c, error;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'd')
			times = strtoull(optarg, NULL, 10);
		else if (c == 'e')
			tell = true;
		else
			return usage(c == 'h' ? 0 : 2);
	}
	if (argc - optind != 2)
		return usage(2);
	flows = strtoull(argv[optind], NULL, 10);
	error = trace_create(&writer, argv[optind + 1]);
	if (!error) {
		shape(&seq);
		if (!times)
			dump(0, ++seq, 1);
		for (uint64_t i = 1; i <= times; i++)
			dump(flows, ++seq, i);
		if (!times)
			ends(flows);
		c = trace_close(writer);
		error = trouble ? trouble : c;
	}
	if (error) {
		fprintf(stderr, "mktrace: %s: %s\n", argv[optind + 1], strerror(-error));
		return 1;
	}
	if (tell)
		expect(flows, times ? times - 1 : 1);
	return 0;
}
