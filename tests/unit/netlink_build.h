/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netlink_build: messages as the kernel writes them, for the tests of the decoders and the seeds of their fuzzers.
 */
#pragma once

#include "hostmeter/decode/ct_event.h"
#include "hostmeter/decode/rtnl_decode.h"
#include "hostmeter/decode/rtnl_event.h"

#include <arpa/inet.h>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* Room for one message; head is what is built and decoded. */
union message {
	struct nlmsghdr head;
	char bytes[4096];
};

static inline struct addr build_addr(const char *text)
{
	struct addr a = { 0 };

	addr_parse(&a, text);
	return a;
}

/* Starts a message with its fixed header copied behind the netlink one. */
static inline struct nlmsghdr *build_start(union message *m, uint16_t type, const void *fixed, size_t len)
{
	memset(m, 0, sizeof(*m));
	mnl_nlmsg_put_header(m);
	m->head.nlmsg_type = type;
	memcpy(mnl_nlmsg_put_extra_header(&m->head, len), fixed, len);
	return &m->head;
}

/* The first len bytes in memory of exactly that size, so that the address sanitizer sees any byte read behind them. */
static inline struct nlmsghdr *build_cut(const struct nlmsghdr *message, size_t len)
{
	struct nlmsghdr *copy = malloc(len);

	if (!copy)
		abort();
	memcpy(copy, message, len);
	copy->nlmsg_len = (uint32_t)len;
	return copy;
}

static inline void build_put_addr(struct nlmsghdr *head, uint16_t type, const struct addr *a)
{
	mnl_attr_put(head, type, addr_len(a->family), a->b);
}

/* --- ctnetlink */

/* Where the zone stands; and what is left out of a damaged message. */
enum build_ct_flags {
	BUILD_ZONE_IN_TUPLE = 1,
	BUILD_NO_REPLY = 2,
	BUILD_NO_PROTO_NUMBER = 4,
	BUILD_NO_SRC = 8,
	BUILD_NO_DST = 16,
};

static inline void build_ct_tuple(struct nlmsghdr *head, const struct ct_event *e, enum ct_dir dir, int flags)
{
	const struct ct_tuple *t = &e->tuple[dir];
	bool six = e->family == 6, icmp6 = e->proto == IPPROTO_ICMPV6;
	struct nlattr *tuple, *nest;

	tuple = mnl_attr_nest_start(head, dir == CT_ORIGINAL ? CTA_TUPLE_ORIG : CTA_TUPLE_REPLY);
	nest = mnl_attr_nest_start(head, CTA_TUPLE_IP);
	if (!(flags & BUILD_NO_SRC))
		build_put_addr(head, six ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, &t->src);
	if (!(flags & BUILD_NO_DST))
		build_put_addr(head, six ? CTA_IP_V6_DST : CTA_IP_V4_DST, &t->dst);
	mnl_attr_nest_end(head, nest);
	nest = mnl_attr_nest_start(head, CTA_TUPLE_PROTO);
	if (!(flags & BUILD_NO_PROTO_NUMBER))
		mnl_attr_put_u8(head, CTA_PROTO_NUM, e->proto);
	if (e->proto == IPPROTO_ICMP || icmp6) {
		mnl_attr_put_u16(head, icmp6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID, htons(t->sport));
		/* The reply's type is another one: 129 or 0 for an echo. */
		mnl_attr_put_u8(head, icmp6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE,
			dir == CT_ORIGINAL ? e->icmp_type :
				icmp6      ? 129 :
					     0);
		mnl_attr_put_u8(head, icmp6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE,
			dir == CT_ORIGINAL ? e->icmp_code : 0);
	} else if (t->sport || t->dport) {
		mnl_attr_put_u16(head, CTA_PROTO_SRC_PORT, htons(t->sport));
		mnl_attr_put_u16(head, CTA_PROTO_DST_PORT, htons(t->dport));
	}
	mnl_attr_nest_end(head, nest);
	if (dir == CT_ORIGINAL && flags & BUILD_ZONE_IN_TUPLE)
		mnl_attr_put_u16(head, CTA_TUPLE_ZONE, htons(e->zone));
	mnl_attr_nest_end(head, tuple);
}

/* mnl_attr_put_u64() leaves the value on a 4-byte boundary, as the kernel does where it is 32-bit. */
static inline void build_ct_counters(struct nlmsghdr *head, const struct ct_event *e, enum ct_dir dir)
{
	struct nlattr *nest = mnl_attr_nest_start(head, dir == CT_ORIGINAL ? CTA_COUNTERS_ORIG : CTA_COUNTERS_REPLY);

	mnl_attr_put_u64(head, CTA_COUNTERS_PACKETS, htobe64(e->packets[dir]));
	mnl_attr_put_u64(head, CTA_COUNTERS_BYTES, htobe64(e->bytes[dir]));
	mnl_attr_nest_end(head, nest);
}

/* The message that says what e says; ct_decode() is its inverse. */
static inline struct nlmsghdr *build_ct(union message *m, const struct ct_event *e, int flags)
{
	struct nfgenmsg fixed = { .nfgen_family = e->family == 6 ? AF_INET6 : AF_INET };
	uint16_t type = e->type == CT_DESTROY ? IPCTNL_MSG_CT_DELETE : IPCTNL_MSG_CT_NEW;
	struct nlmsghdr *head = build_start(m, NFNL_SUBSYS_CTNETLINK << 8 | type, &fixed, sizeof(fixed));
	struct nlattr *nest;

	if (e->type == CT_NEW)
		head->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	if (e->type == CT_ENTRY) {
		head->nlmsg_flags = NLM_F_MULTI;
		head->nlmsg_seq = 7;
	}
	build_ct_tuple(head, e, CT_ORIGINAL, flags);
	if (!(flags & BUILD_NO_REPLY))
		build_ct_tuple(head, e, CT_REPLY, flags);
	if (e->zone && !(flags & BUILD_ZONE_IN_TUPLE))
		mnl_attr_put_u16(head, CTA_ZONE, htons(e->zone));
	mnl_attr_put_u32(head, CTA_STATUS, htonl(e->status));
	mnl_attr_put_u32(head, CTA_TIMEOUT, htonl(30));
	if (e->has_counters) {
		build_ct_counters(head, e, CT_ORIGINAL);
		build_ct_counters(head, e, CT_REPLY);
	}
	if (e->start_ns) {
		nest = mnl_attr_nest_start(head, CTA_TIMESTAMP);
		mnl_attr_put_u64(head, CTA_TIMESTAMP_START, htobe64(e->start_ns));
		mnl_attr_nest_end(head, nest);
	}
	mnl_attr_put_u32(head, CTA_MARK, htonl(9));
	mnl_attr_put_u32(head, CTA_ID, htonl(e->id));
	mnl_attr_put_u32(head, CTA_USE, htonl(1));
	return head;
}

/* --- NFLOG */

static inline struct nlmsghdr *build_nflog(union message *m, uint32_t indev, uint32_t outdev, const void *hwaddr,
	size_t hwaddr_len, const void *packet, size_t len)
{
	struct nfgenmsg fixed = { .nfgen_family = AF_INET };
	struct nlmsghdr *head = build_start(m, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET, &fixed, sizeof(fixed));
	struct nfulnl_msg_packet_hdr packet_header = { .hw_protocol = htons(0x0800), .hook = 2 };
	struct nfulnl_msg_packet_hw hw = { .hw_addrlen = htons((uint16_t)hwaddr_len) };

	mnl_attr_put(head, NFULA_PACKET_HDR, sizeof(packet_header), &packet_header);
	mnl_attr_put_strz(head, NFULA_PREFIX, "");
	if (indev)
		mnl_attr_put_u32(head, NFULA_IFINDEX_INDEV, htonl(indev));
	if (outdev)
		mnl_attr_put_u32(head, NFULA_IFINDEX_OUTDEV, htonl(outdev));
	if (hwaddr_len) {
		memcpy(hw.hw_addr, hwaddr, hwaddr_len < sizeof(hw.hw_addr) ? hwaddr_len : sizeof(hw.hw_addr));
		mnl_attr_put(head, NFULA_HWADDR, sizeof(hw), &hw);
		mnl_attr_put_u16(head, NFULA_HWTYPE, htons(1));
		mnl_attr_put_u16(head, NFULA_HWLEN, htons(14));
	}
	if (packet)
		mnl_attr_put(head, NFULA_PAYLOAD, len, packet);
	return head;
}

/* An IPv4 header without options and what follows it; returns the packet's length. out has room for 20 + len. */
static inline size_t build_ip4(uint8_t *out, uint8_t proto, const char *src, const char *dst, const void *l4,
	size_t len)
{
	struct addr a = build_addr(src), b = build_addr(dst);

	memset(out, 0, 20);
	out[0] = 0x45;
	out[2] = (uint8_t)((20 + len) >> 8);
	out[3] = (uint8_t)(20 + len);
	out[8] = 63;
	out[9] = proto;
	memcpy(out + 12, a.b, 4);
	memcpy(out + 16, b.b, 4);
	memcpy(out + 20, l4, len);
	return 20 + len;
}

/* An IPv6 header and what follows it, extension headers included; out has room for 40 + len. */
static inline size_t build_ip6(uint8_t *out, uint8_t next, const char *src, const char *dst, const void *rest,
	size_t len)
{
	struct addr a = build_addr(src), b = build_addr(dst);

	memset(out, 0, 40);
	out[0] = 0x60;
	out[4] = (uint8_t)(len >> 8);
	out[5] = (uint8_t)len;
	out[6] = next;
	out[7] = 63;
	memcpy(out + 8, a.b, 16);
	memcpy(out + 24, b.b, 16);
	memcpy(out + 40, rest, len);
	return 40 + len;
}

/* --- rtnetlink: each the message that says what e says; rtnl_decode() is its inverse. */

static inline struct nlmsghdr *build_link(union message *m, const struct rtnl_event *e)
{
	struct ifinfomsg fixed = {
		.ifi_index = (int)e->ifindex, .ifi_type = e->link.arphrd, .ifi_flags = e->link.flags
	};
	struct nlmsghdr *head = build_start(m, e->gone ? RTM_DELLINK : RTM_NEWLINK, &fixed, sizeof(fixed));
	struct nlattr *info;
	struct rtnl_link_stats64 stats = { .rx_bytes = e->link.rx_bytes,
		.tx_bytes = e->link.tx_bytes,
		.rx_packets = e->link.rx_packets,
		.tx_packets = e->link.tx_packets,
		.rx_errors = 1,
		.collisions = 2 };

	mnl_attr_put_strz(head, IFLA_IFNAME, e->link.name);
	mnl_attr_put_u32(head, IFLA_MTU, 1500);
	if (e->link.master)
		mnl_attr_put_u32(head, IFLA_MASTER, e->link.master);
	if (e->link.lower)
		mnl_attr_put_u32(head, IFLA_LINK, e->link.lower);
	if (e->link.kind) {
		info = mnl_attr_nest_start(head, IFLA_LINKINFO);
		mnl_attr_put_strz(head, IFLA_INFO_KIND, rtnl_kind_name(e->link.kind));
		mnl_attr_nest_end(head, info);
	}
	if (e->link.has_stats)
		mnl_attr_put(head, IFLA_STATS64, sizeof(stats), &stats);
	return head;
}

static inline struct nlmsghdr *build_rtnl_addr(union message *m, const struct rtnl_event *e, const struct addr *peer)
{
	struct ifaddrmsg fixed = { .ifa_family = e->addr.addr.family == 6 ? AF_INET6 : AF_INET,
		.ifa_prefixlen = e->addr.prefix_len,
		.ifa_index = e->ifindex };
	struct nlmsghdr *head = build_start(m, e->gone ? RTM_DELADDR : RTM_NEWADDR, &fixed, sizeof(fixed));

	if (peer)
		build_put_addr(head, IFA_LOCAL, &e->addr.addr);
	build_put_addr(head, IFA_ADDRESS, peer ? peer : &e->addr.addr);
	return head;
}

static inline void build_put_gateway(struct nlmsghdr *head, uint8_t family, const struct addr *gateway)
{
	uint8_t via[18];
	__kernel_sa_family_t af = gateway->family == 6 ? AF_INET6 : AF_INET;

	if (gateway->family == family) {
		build_put_addr(head, RTA_GATEWAY, gateway);
	} else if (gateway->family) {
		memcpy(via, &af, sizeof(af));
		memcpy(via + sizeof(af), gateway->b, addr_len(gateway->family));
		mnl_attr_put(head, RTA_VIA, sizeof(af) + addr_len(gateway->family), via);
	}
}

/* hops 0: an ordinary route; else a multipath route whose first path is the event's. */
static inline struct nlmsghdr *build_route(union message *m, const struct rtnl_event *e, int hops)
{
	const struct rtnl_route *r = &e->route;
	struct rtmsg fixed = { .rtm_family = r->dst.addr.family == 6 ? AF_INET6 : AF_INET,
		.rtm_dst_len = r->dst.len,
		.rtm_table = (uint8_t)(r->table < 256 ? r->table : RT_TABLE_COMPAT),
		.rtm_type = r->kind };
	struct nlmsghdr *head = build_start(m, e->gone ? RTM_DELROUTE : RTM_NEWROUTE, &fixed, sizeof(fixed));
	struct nlattr *multipath;

	mnl_attr_put_u32(head, RTA_TABLE, r->table);
	if (r->dst.len)
		build_put_addr(head, RTA_DST, &r->dst.addr);
	if (r->metric)
		mnl_attr_put_u32(head, RTA_PRIORITY, r->metric);
	if (!hops) {
		build_put_gateway(head, r->dst.addr.family, &r->gateway);
		if (e->ifindex)
			mnl_attr_put_u32(head, RTA_OIF, e->ifindex);
		return head;
	}
	multipath = mnl_attr_nest_start(head, RTA_MULTIPATH);
	for (int i = 0; i < hops; i++) {
		struct rtnexthop *hop = mnl_nlmsg_get_payload_tail(head);
		uint32_t before = head->nlmsg_len;

		head->nlmsg_len += sizeof(*hop);
		hop->rtnh_ifindex = (int)e->ifindex + i;
		build_put_gateway(head, r->dst.addr.family, &r->gateway);
		hop->rtnh_len = (unsigned short)(head->nlmsg_len - before);
	}
	mnl_attr_nest_end(head, multipath);
	return head;
}

static inline struct nlmsghdr *build_neigh(union message *m, const struct rtnl_event *e, size_t lladdr_len)
{
	struct ndmsg fixed = { .ndm_family = e->neigh.addr.family == 6 ? AF_INET6 : AF_INET,
		.ndm_ifindex = (int)e->ifindex,
		.ndm_state = e->neigh.state };
	struct nlmsghdr *head = build_start(m, e->gone ? RTM_DELNEIGH : RTM_NEWNEIGH, &fixed, sizeof(fixed));
	uint8_t lladdr[32] = { 0 };

	build_put_addr(head, NDA_DST, &e->neigh.addr);
	memcpy(lladdr, e->neigh.mac.b, MAC_LEN);
	if (lladdr_len)
		mnl_attr_put(head, NDA_LLADDR, lladdr_len, lladdr);
	mnl_attr_put_u32(head, NDA_PROBES, 1);
	return head;
}
