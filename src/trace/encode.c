/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "encode.h"

#include "hostmeter/decode/rtnl_decode.h"

#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/rtnetlink.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>

enum { IP4_HEADER = 20, IP6_HEADER = 40, L4_MOST = 20, PROTO_DCCP = 33, HOOK_FORWARD = 2, HOP_LIMIT = 63 };

static uint8_t af_of(uint8_t family)
{
	return family == 6 ? AF_INET6 : AF_INET;
}

/* Begins a message; the fixed header is copied behind the netlink one. */
static struct nlmsghdr *begin(union encode_message *m, const struct nlmsghdr *like, const void *fixed, size_t len)
{
	memset(m, 0, sizeof(*m));
	mnl_nlmsg_put_header(m);
	m->head.nlmsg_type = like->nlmsg_type;
	m->head.nlmsg_flags = like->nlmsg_flags;
	m->head.nlmsg_seq = like->nlmsg_seq;
	m->head.nlmsg_pid = like->nlmsg_pid;
	memcpy(mnl_nlmsg_put_extra_header(&m->head, len), fixed, len);
	return &m->head;
}

void encode_plain(union encode_message *message, const struct nlmsghdr *like, const void *payload, size_t used,
	size_t payload_len)
{
	uint8_t bytes[64] = { 0 };

	if (payload_len > sizeof(bytes))
		payload_len = sizeof(bytes);
	if (used)
		memcpy(bytes, payload, used < payload_len ? used : payload_len);
	begin(message, like, bytes, payload_len);
}

static void put_addr(struct nlmsghdr *head, uint16_t type, const struct addr *addr)
{
	mnl_attr_put(head, type, addr_len(addr->family), addr->b);
}

/* --- ctnetlink */

static void put_proto(struct nlmsghdr *head, const struct ct_event *e, enum ct_dir dir)
{
	const struct ct_tuple *t = &e->tuple[dir];
	bool icmp6 = e->proto == IPPROTO_ICMPV6;
	/* The reply to an echo request; the reply type of other messages is not kept. */
	uint8_t answer = icmp6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY;

	mnl_attr_put_u8(head, CTA_PROTO_NUM, e->proto);
	if (e->proto == IPPROTO_ICMP || icmp6) {
		mnl_attr_put_u16(head, icmp6 ? CTA_PROTO_ICMPV6_ID : CTA_PROTO_ICMP_ID, htobe16(t->sport));
		mnl_attr_put_u8(head, icmp6 ? CTA_PROTO_ICMPV6_TYPE : CTA_PROTO_ICMP_TYPE,
			dir == CT_ORIGINAL ? e->icmp_type : answer);
		mnl_attr_put_u8(head, icmp6 ? CTA_PROTO_ICMPV6_CODE : CTA_PROTO_ICMP_CODE,
			dir == CT_ORIGINAL ? e->icmp_code : 0);
	} else {
		mnl_attr_put_u16(head, CTA_PROTO_SRC_PORT, htobe16(t->sport));
		mnl_attr_put_u16(head, CTA_PROTO_DST_PORT, htobe16(t->dport));
	}
}

static void put_tuple(struct nlmsghdr *head, const struct ct_event *e, enum ct_dir dir)
{
	bool six = e->family == 6;
	struct nlattr *tuple = mnl_attr_nest_start(head, dir == CT_ORIGINAL ? CTA_TUPLE_ORIG : CTA_TUPLE_REPLY);
	struct nlattr *part = mnl_attr_nest_start(head, CTA_TUPLE_IP);

	put_addr(head, six ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, &e->tuple[dir].src);
	put_addr(head, six ? CTA_IP_V6_DST : CTA_IP_V4_DST, &e->tuple[dir].dst);
	mnl_attr_nest_end(head, part);
	part = mnl_attr_nest_start(head, CTA_TUPLE_PROTO);
	put_proto(head, e, dir);
	mnl_attr_nest_end(head, part);
	mnl_attr_nest_end(head, tuple);
}

static void put_counters(struct nlmsghdr *head, const struct ct_event *e, enum ct_dir dir)
{
	struct nlattr *nest = mnl_attr_nest_start(head, dir == CT_ORIGINAL ? CTA_COUNTERS_ORIG : CTA_COUNTERS_REPLY);

	mnl_attr_put_u64(head, CTA_COUNTERS_PACKETS, htobe64(e->packets[dir]));
	mnl_attr_put_u64(head, CTA_COUNTERS_BYTES, htobe64(e->bytes[dir]));
	mnl_attr_nest_end(head, nest);
}

void encode_ct(union encode_message *message, const struct nlmsghdr *like, const struct ct_event *event)
{
	const struct nfgenmsg fixed = { .nfgen_family = af_of(event->family) };
	struct nlmsghdr *head = begin(message, like, &fixed, sizeof(fixed));

	put_tuple(head, event, CT_ORIGINAL);
	put_tuple(head, event, CT_REPLY);
	if (event->zone)
		mnl_attr_put_u16(head, CTA_ZONE, htobe16(event->zone));
	mnl_attr_put_u32(head, CTA_STATUS, htobe32(event->status));
	if (event->has_counters) {
		put_counters(head, event, CT_ORIGINAL);
		put_counters(head, event, CT_REPLY);
	}
	if (event->start_ns) {
		struct nlattr *nest = mnl_attr_nest_start(head, CTA_TIMESTAMP);

		mnl_attr_put_u64(head, CTA_TIMESTAMP_START, htobe64(event->start_ns));
		mnl_attr_nest_end(head, nest);
	}
	mnl_attr_put_u32(head, CTA_ID, htobe32(event->id));
}

/* --- NFLOG */

static void put_be16(uint8_t *to, size_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

/* Writes the header behind the IP header. Returns its length, 0: the protocol has no ports, and no header is written.
 */
static size_t make_l4(const struct sighting *s, uint8_t l4[static L4_MOST])
{
	static const uint8_t lengths[UINT8_MAX + 1] = { [IPPROTO_ICMP] = 8,
		[IPPROTO_ICMPV6] = 8,
		[IPPROTO_UDP] = 8,
		[IPPROTO_UDPLITE] = 8,
		[IPPROTO_SCTP] = 12,
		[PROTO_DCCP] = 16,
		[IPPROTO_TCP] = 20 };
	size_t len = s->has_ports ? lengths[s->proto] : 0;

	if (len && (s->proto == IPPROTO_ICMP || s->proto == IPPROTO_ICMPV6)) {
		l4[0] = s->proto == IPPROTO_ICMP ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
		put_be16(l4 + 4, s->sport);
	} else if (len) {
		put_be16(l4, s->sport);
		put_be16(l4 + 2, s->dport);
	}
	if (len && s->proto == IPPROTO_TCP)
		l4[12] = 5 << 4; /* the header's length, in words of 4 bytes */
	if (len && (s->proto == IPPROTO_UDP || s->proto == IPPROTO_UDPLITE))
		put_be16(l4 + 4, len);
	return len;
}

static void put_packet(struct nlmsghdr *head, const struct sighting *s)
{
	uint8_t packet[IP6_HEADER + L4_MOST] = { 0 };
	size_t ip = s->family == 6 ? IP6_HEADER : IP4_HEADER;
	size_t len = make_l4(s, packet + ip);

	if (s->family == 6) {
		packet[0] = 6 << 4;
		put_be16(packet + 4, len);
		packet[6] = s->proto;
		packet[7] = HOP_LIMIT;
		memcpy(packet + 8, s->src.b, 16);
		memcpy(packet + 24, s->dst.b, 16);
	} else {
		packet[0] = 4 << 4 | IP4_HEADER / 4;
		put_be16(packet + 2, IP4_HEADER + len);
		packet[8] = HOP_LIMIT;
		packet[9] = s->proto;
		memcpy(packet + 12, s->src.b, 4);
		memcpy(packet + 16, s->dst.b, 4);
	}
	mnl_attr_put(head, NFULA_PAYLOAD, ip + len, packet);
}

void encode_sighting(union encode_message *message, const struct nlmsghdr *like, const struct sighting *sighting)
{
	const struct nfgenmsg fixed = { .nfgen_family = af_of(sighting->family) };
	struct nlmsghdr *head = begin(message, like, &fixed, sizeof(fixed));
	struct nfulnl_msg_packet_hdr about = { .hw_protocol = htobe16(sighting->family == 6 ? 0x86dd : 0x0800),
		.hook = HOOK_FORWARD };
	struct nfulnl_msg_packet_hw hw = { .hw_addrlen = htobe16(MAC_LEN) };

	mnl_attr_put(head, NFULA_PACKET_HDR, sizeof(about), &about);
	if (sighting->indev)
		mnl_attr_put_u32(head, NFULA_IFINDEX_INDEV, htobe32(sighting->indev));
	if (sighting->outdev)
		mnl_attr_put_u32(head, NFULA_IFINDEX_OUTDEV, htobe32(sighting->outdev));
	if (sighting->has_mac) {
		memcpy(hw.hw_addr, sighting->mac.b, MAC_LEN);
		mnl_attr_put(head, NFULA_HWADDR, sizeof(hw), &hw);
	}
	put_packet(head, sighting);
}

/* --- rtnetlink */

static void put_kind(struct nlmsghdr *head, uint8_t kind)
{
	struct nlattr *nest;

	if (kind == RTNL_KIND_PLAIN)
		return;
	nest = mnl_attr_nest_start(head, IFLA_LINKINFO);
	mnl_attr_put_str(head, IFLA_INFO_KIND, rtnl_kind_name(kind));
	mnl_attr_nest_end(head, nest);
}

static void encode_link(union encode_message *m, const struct nlmsghdr *like, const struct rtnl_event *e)
{
	const struct rtnl_link *link = &e->link;
	const struct ifinfomsg fixed = {
		.ifi_index = (int)e->ifindex, .ifi_type = link->arphrd, .ifi_flags = link->flags
	};
	struct rtnl_link_stats64 stats = { .rx_bytes = link->rx_bytes,
		.tx_bytes = link->tx_bytes,
		.rx_packets = link->rx_packets,
		.tx_packets = link->tx_packets };
	struct nlmsghdr *head = begin(m, like, &fixed, sizeof(fixed));

	mnl_attr_put_strz(head, IFLA_IFNAME, link->name);
	if (link->master)
		mnl_attr_put_u32(head, IFLA_MASTER, link->master);
	if (link->lower)
		mnl_attr_put_u32(head, IFLA_LINK, link->lower);
	put_kind(head, link->kind);
	if (link->has_stats)
		mnl_attr_put(head, IFLA_STATS64, sizeof(stats), &stats);
}

static void encode_address(union encode_message *m, const struct nlmsghdr *like, const struct rtnl_event *e)
{
	const struct ifaddrmsg fixed = {
		.ifa_family = af_of(e->addr.addr.family), .ifa_prefixlen = e->addr.prefix_len, .ifa_index = e->ifindex
	};
	const struct ifa_cacheinfo for_a_day = { .ifa_prefered = 86400, .ifa_valid = 86400 };
	struct nlmsghdr *head = begin(m, like, &fixed, sizeof(fixed));

	put_addr(head, IFA_ADDRESS, &e->addr.addr);
	if (e->addr.is_leased)
		mnl_attr_put(head, IFA_CACHEINFO, sizeof(for_a_day), &for_a_day);
}

static void put_gateway(struct nlmsghdr *head, uint8_t family, const struct addr *gateway)
{
	const __kernel_sa_family_t af = af_of(gateway->family);
	uint8_t via[sizeof(af) + sizeof(gateway->b)];

	if (!gateway->family)
		return;
	if (gateway->family == family) {
		put_addr(head, RTA_GATEWAY, gateway);
		return;
	}
	memcpy(via, &af, sizeof(af));
	memcpy(via + sizeof(af), gateway->b, addr_len(gateway->family));
	mnl_attr_put(head, RTA_VIA, sizeof(af) + addr_len(gateway->family), via);
}

static void put_nexthop(struct nlmsghdr *head, uint8_t family, uint32_t ifindex, const struct addr *gateway)
{
	struct rtnexthop *hop = mnl_nlmsg_get_payload_tail(head);
	uint32_t before = head->nlmsg_len;

	*hop = (struct rtnexthop){ .rtnh_ifindex = (int)ifindex };
	head->nlmsg_len += sizeof(*hop);
	put_gateway(head, family, gateway);
	hop->rtnh_len = (unsigned short)(head->nlmsg_len - before);
}

static void put_nexthops(struct nlmsghdr *head, const struct rtnl_event *e)
{
	const struct rtnl_route *route = &e->route;
	struct nlattr *nest = mnl_attr_nest_start(head, RTA_MULTIPATH);

	put_nexthop(head, route->dst.addr.family, e->ifindex, &route->gateway);
	for (int i = 0; i < route->others; i++)
		put_nexthop(head, route->dst.addr.family, route->other[i].ifindex, &route->other[i].gateway);
	mnl_attr_nest_end(head, nest);
}

static void encode_route(union encode_message *m, const struct nlmsghdr *like, const struct rtnl_event *e)
{
	const struct rtnl_route *route = &e->route;
	const struct rtmsg fixed = { .rtm_family = af_of(route->dst.addr.family),
		.rtm_dst_len = route->dst.len,
		.rtm_table = (uint8_t)(route->table < 256 ? route->table : RT_TABLE_COMPAT),
		.rtm_type = route->kind };
	struct nlmsghdr *head = begin(m, like, &fixed, sizeof(fixed));

	mnl_attr_put_u32(head, RTA_TABLE, route->table);
	if (route->dst.len)
		put_addr(head, RTA_DST, &route->dst.addr);
	if (route->metric)
		mnl_attr_put_u32(head, RTA_PRIORITY, route->metric);
	if (route->others) {
		put_nexthops(head, e);
		return;
	}
	put_gateway(head, route->dst.addr.family, &route->gateway);
	if (e->ifindex)
		mnl_attr_put_u32(head, RTA_OIF, e->ifindex);
}

static void encode_rule(union encode_message *m, const struct nlmsghdr *like, const struct rtnl_event *e)
{
	const struct rtnl_rule *rule = &e->rule;
	const struct fib_rule_hdr fixed = { .family = af_of(rule->family),
		.table = (uint8_t)(rule->table < 256 ? rule->table : RT_TABLE_COMPAT),
		.dst_len = rule->to.len,
		.action = rule->table || rule->is_vrf ? FR_ACT_TO_TBL : FR_ACT_UNREACHABLE };
	struct nlmsghdr *head = begin(m, like, &fixed, sizeof(fixed));

	mnl_attr_put_u32(head, FRA_PRIORITY, rule->priority);
	if (rule->to.len)
		put_addr(head, FRA_DST, &rule->to.addr);
	mnl_attr_put_u32(head, FRA_TABLE, rule->table);
	mnl_attr_put_u32(head, FRA_SUPPRESS_PREFIXLEN, (uint32_t)rule->suppress);
	if (rule->is_vrf)
		mnl_attr_put_u8(head, FRA_L3MDEV, 1);
	else if (!rule->is_general)
		mnl_attr_put_u32(head, FRA_FWMARK, 1); /* stands for any condition */
}

static void encode_neigh(union encode_message *m, const struct nlmsghdr *like, const struct rtnl_event *e)
{
	const struct ndmsg fixed = {
		.ndm_family = af_of(e->neigh.addr.family), .ndm_ifindex = (int)e->ifindex, .ndm_state = e->neigh.state
	};
	struct nlmsghdr *head = begin(m, like, &fixed, sizeof(fixed));

	put_addr(head, NDA_DST, &e->neigh.addr);
	if (e->neigh.has_mac)
		mnl_attr_put(head, NDA_LLADDR, MAC_LEN, e->neigh.mac.b);
}

void encode_rtnl(union encode_message *message, const struct nlmsghdr *like, const struct rtnl_event *event)
{
	static void (*const kinds[])(union encode_message * m, const struct nlmsghdr *like,
		const struct rtnl_event *e) = {
		[RTNL_LINK] = encode_link,
		[RTNL_ADDR] = encode_address,
		[RTNL_ROUTE] = encode_route,
		[RTNL_NEIGH] = encode_neigh,
		[RTNL_RULE] = encode_rule,
	};

	kinds[event->type](message, like, event);
}
