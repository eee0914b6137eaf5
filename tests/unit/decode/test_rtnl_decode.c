/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/decode/rtnl_decode.h"

#include "netlink_build.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct prefix build_prefix(const char *text)
{
	struct prefix p = { 0 };

	prefix_parse(&p, text);
	return p;
}

static struct rtnl_event sample_link(void)
{
	return (struct rtnl_event){ .type = RTNL_LINK,
		.ifindex = 7,
		.link = { .name = "lan0",
			.master = 3,
			.flags = IFF_UP | IFF_RUNNING,
			.arphrd = ARPHRD_ETHER,
			.has_stats = true,
			.rx_bytes = UINT64_C(0x0123456789abcdef),
			.tx_bytes = UINT64_C(0xfedcba9876543210),
			.rx_packets = 5,
			.tx_packets = UINT64_C(1) << 40 } };
}

static struct rtnl_event sample_route(const char *dst, const char *gateway)
{
	return (struct rtnl_event){ .type = RTNL_ROUTE,
		.ifindex = 2,
		.route = { .dst = build_prefix(dst),
			.table = 1000,
			.metric = 1024,
			.kind = RTN_UNICAST,
			.gateway = build_addr(gateway) } };
}

static struct rtnl_event sample_neigh(const char *addr)
{
	return (struct rtnl_event){ .type = RTNL_NEIGH,
		.ifindex = 3,
		.neigh = { .addr = build_addr(addr),
			.mac = { { 0x00, 0x00, 0x5e, 0x00, 0x53, 0x01 } },
			.has_mac = true,
			.state = NUD_STALE } };
}

/* Decodes over rubbish, so that a field left undefined shows. */
static int decode(const struct nlmsghdr *head, struct rtnl_event *e)
{
	memset(e, 0xaa, sizeof(*e));
	return rtnl_decode(head, e);
}

static void assert_head_equal(const struct rtnl_event *got, const struct rtnl_event *want)
{
	assert_int_equal(got->type, want->type);
	assert_int_equal(got->gone, want->gone);
	assert_int_equal(got->ifindex, want->ifindex);
}

static void assert_link_equal(const struct rtnl_event *got, const struct rtnl_event *want)
{
	assert_head_equal(got, want);
	assert_string_equal(got->link.name, want->link.name);
	assert_int_equal(got->link.master, want->link.master);
	assert_int_equal(got->link.flags, want->link.flags);
	assert_int_equal(got->link.arphrd, want->link.arphrd);
	assert_int_equal(got->link.has_stats, want->link.has_stats);
	assert_true(got->link.rx_bytes == want->link.rx_bytes);
	assert_true(got->link.tx_bytes == want->link.tx_bytes);
	assert_true(got->link.rx_packets == want->link.rx_packets);
	assert_true(got->link.tx_packets == want->link.tx_packets);
}

static void assert_route_equal(const struct rtnl_event *got, const struct rtnl_event *want)
{
	assert_head_equal(got, want);
	assert_true(addr_equal(&got->route.dst.addr, &want->route.dst.addr));
	assert_int_equal(got->route.dst.len, want->route.dst.len);
	assert_int_equal(got->route.table, want->route.table);
	assert_int_equal(got->route.metric, want->route.metric);
	assert_int_equal(got->route.kind, want->route.kind);
	assert_true(addr_equal(&got->route.gateway, &want->route.gateway));
}

static void links(void **state)
{
	struct rtnl_event want = sample_link(), got;
	union message m;

	(void)state;
	assert_int_equal(decode(build_link(&m, &want), &got), 0);
	assert_link_equal(&got, &want);
	want.gone = true;
	assert_int_equal(decode(build_link(&m, &want), &got), 0);
	assert_link_equal(&got, &want);
	want = (struct rtnl_event){ .ifindex = 1, .link = { .name = "exactly15bytes_", .arphrd = ARPHRD_LOOPBACK } };
	assert_int_equal(decode(build_link(&m, &want), &got), 0);
	assert_link_equal(&got, &want);
}

static void link_stats_of_other_kernels(void **state)
{
	struct rtnl_event want = sample_link(), got;
	uint64_t counters[64] = { 5, UINT64_C(1) << 40, UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210) };
	union message m;

	(void)state;
	want.link.has_stats = false;
	mnl_attr_put(build_link(&m, &want), IFLA_STATS64, sizeof(counters), counters);
	want.link.has_stats = true;
	assert_int_equal(decode(&m.head, &got), 0);
	assert_link_equal(&got, &want);

	want.link.has_stats = false;
	mnl_attr_put(build_link(&m, &want), IFLA_STATS64, 31, counters);
	assert_int_equal(decode(&m.head, &got), -EBADMSG);
}

static void link_names_are_made_printable(void **state)
{
	static const struct {
		const char *name, *want;
	} cases[] = { { "eth0\n#forged", "eth0?#forged#7" }, { "\x1b[2J", "?[2J#7" }, { "k\xc3\xbc", "k\xc3\xbc" },
		{ "a b", "a?b#7" }, { "k\xc3", "k?#7" }, { "k\xfc\xf6", "k??#7" },
		{ "\xf0\x9f\x8f\xa0", "\xf0\x9f\x8f\xa0" },
		{ "a\xe2\x80\x8b"
		  "b",
			"a?b#7" },
		{ "thirteenbytes\xc3\xbc", "thirteenbytes\xc3\xbc" },
		/* Cut for the index, between two characters. */
		{ "thirteenbytes\xff\xff", "thirteenbytes#7" }, { "\377elevenbytes\xc3\xbcx", "?elevenbytes#7" } };
	struct rtnl_event e = sample_link(), got;
	union message m;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		strcpy(e.link.name, cases[i].name);
		assert_int_equal(decode(build_link(&m, &e), &got), 0);
		assert_string_equal(got.link.name, cases[i].want);
	}
	/* None, and one that is too long for the kernel itself. */
	e.link.name[0] = '\0';
	assert_int_equal(decode(build_link(&m, &e), &got), -EBADMSG);
	strcpy(e.link.name, "lan0");
	mnl_attr_put_strz(build_link(&m, &e), IFLA_IFNAME, "sixteen_is_a_lot");
	assert_int_equal(decode(&m.head, &got), -EBADMSG);
}

static void partial_links_are_not_meant(void **state)
{
	static const uint8_t families[] = { AF_BRIDGE, AF_INET6, AF_INET };
	struct rtnl_event e = sample_link(), got;
	union message m;

	(void)state;
	for (size_t i = 0; i < sizeof(families); i++) {
		((struct ifinfomsg *)NLMSG_DATA(build_link(&m, &e)))->ifi_family = families[i];
		assert_int_equal(decode(&m.head, &got), -ENOMSG);
	}
	mnl_attr_put_u32(build_link(&m, &e), IFLA_WIRELESS, 0);
	assert_int_equal(decode(&m.head, &got), -ENOMSG);
}

static void addresses(void **state)
{
	static const char *const texts[] = { "192.0.2.1", "2001:db8::1" },
				 *const peers[] = { "192.0.2.2", "2001:db8::2" };
	struct rtnl_event want, got;
	union message m;

	(void)state;
	for (int i = 0; i < 8; i++) {
		struct addr peer = build_addr(peers[i % 2]);

		want = (struct rtnl_event){ .type = RTNL_ADDR,
			.gone = i & 4,
			.ifindex = 5,
			.addr = { .addr = build_addr(texts[i % 2]), .prefix_len = 24 } };
		assert_int_equal(decode(build_rtnl_addr(&m, &want, i & 2 ? &peer : NULL), &got), 0);
		assert_head_equal(&got, &want);
		assert_true(addr_equal(&got.addr.addr, &want.addr.addr));
		assert_int_equal(got.addr.prefix_len, 24);
	}
}

static void damaged_addresses(void **state)
{
	struct rtnl_event e = { .type = RTNL_ADDR, .addr = { .addr = build_addr("192.0.2.1"), .prefix_len = 33 } }, got;
	struct ifaddrmsg *fixed;
	union message m;

	(void)state;
	assert_int_equal(decode(build_rtnl_addr(&m, &e, NULL), &got), -EBADMSG);
	fixed = NLMSG_DATA(&m.head);
	fixed->ifa_prefixlen = 32;
	assert_int_equal(decode(&m.head, &got), 0);
	fixed->ifa_family = AF_INET6;
	assert_int_equal(decode(&m.head, &got), -EBADMSG);
	fixed->ifa_family = AF_PACKET;
	assert_int_equal(decode(&m.head, &got), -ENOMSG);
	fixed->ifa_family = AF_INET;
	m.head.nlmsg_len = NLMSG_HDRLEN + sizeof(*fixed);
	assert_int_equal(decode(&m.head, &got), -EBADMSG);
}

static void routes(void **state)
{
	static const struct {
		const char *dst, *gateway;
	} cases[] = { { "0.0.0.0/0", "192.0.2.254" }, { "0.0.0.0/0", "" }, { "198.51.100.0/24", "" },
		{ "198.51.100.7/32", "192.0.2.254" }, { "::/0", "fe80::1" }, { "2001:db8::/33", "" },
		{ "0.0.0.0/0", "fe80::1" }, { "2001:db8::/32", "192.0.2.254" } };
	struct rtnl_event want, got;
	union message m;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		want = sample_route(cases[i].dst, cases[i].gateway);
		for (int hops = 0; hops < 4; hops++) {
			want.gone = hops & 1;
			assert_int_equal(decode(build_route(&m, &want, hops), &got), 0);
			assert_route_equal(&got, &want);
		}
		want.route.table = RT_TABLE_MAIN;
		want.ifindex = 0;
		assert_int_equal(decode(build_route(&m, &want, 0), &got), 0);
		assert_route_equal(&got, &want);
	}
}

static void routes_without_the_wide_table(void **state)
{
	struct rtmsg fixed = { .rtm_family = AF_INET, .rtm_table = RT_TABLE_LOCAL, .rtm_type = RTN_LOCAL };
	struct rtnl_event got;
	union message m;

	(void)state;
	assert_int_equal(decode(build_start(&m, RTM_NEWROUTE, &fixed, sizeof(fixed)), &got), 0);
	assert_int_equal(got.route.table, RT_TABLE_LOCAL);
	assert_int_equal(got.route.kind, RTN_LOCAL);
	assert_int_equal(got.route.dst.addr.family, 4);
	assert_int_equal(got.route.dst.len, 0);
	assert_int_equal(got.route.gateway.family, 0);
}

static void routes_that_are_not_meant_or_damaged(void **state)
{
	struct rtnl_event e = sample_route("198.51.100.0/24", "192.0.2.254"), got;
	struct rtnexthop hop = { .rtnh_len = sizeof(hop) + 1 };
	struct rtmsg *fixed;
	union message m;

	(void)state;
	fixed = NLMSG_DATA(build_route(&m, &e, 0));
	fixed->rtm_flags = RTM_F_CLONED;
	assert_int_equal(decode(&m.head, &got), -ENOMSG);
	fixed->rtm_flags = 0;
	fixed->rtm_family = AF_MPLS;
	assert_int_equal(decode(&m.head, &got), -ENOMSG);
	fixed->rtm_family = AF_INET;
	assert_int_equal(decode(&m.head, &got), 0);
	fixed->rtm_dst_len = 33;
	assert_int_equal(decode(&m.head, &got), -EBADMSG);
	m.head.nlmsg_len = NLMSG_HDRLEN + sizeof(*fixed);
	fixed->rtm_dst_len = 24;
	assert_int_equal(decode(&m.head, &got), -EBADMSG);

	mnl_attr_put(build_route(&m, &e, 0), RTA_MULTIPATH, sizeof(hop), &hop);
	assert_int_equal(decode(&m.head, &got), -EBADMSG);
	hop.rtnh_len = sizeof(hop) - 1;
	mnl_attr_put(build_route(&m, &e, 0), RTA_MULTIPATH, sizeof(hop), &hop);
	assert_int_equal(decode(&m.head, &got), -EBADMSG);
	mnl_attr_put_u16(build_route(&m, &e, 0), RTA_VIA, AF_INET6);
	assert_int_equal(decode(&m.head, &got), -EBADMSG);
}

/* Cut so that memory ends with the attribute. */
static void routes_with_a_cut_gateway(void **state)
{
	struct rtnl_event e = sample_route("198.51.100.0/24", "192.0.2.254"), got;
	struct rtnexthop hop = { .rtnh_len = sizeof(hop) };
	struct nlmsghdr *exact;
	union message m;

	(void)state;
	mnl_attr_put(build_route(&m, &e, 0), RTA_MULTIPATH, 4, &hop);
	exact = build_cut(&m.head, m.head.nlmsg_len);
	assert_int_equal(decode(exact, &got), -EBADMSG);
	free(exact);
	mnl_attr_put(build_route(&m, &e, 0), RTA_VIA, 0, NULL);
	exact = build_cut(&m.head, m.head.nlmsg_len);
	assert_int_equal(decode(exact, &got), -EBADMSG);
	free(exact);
}

static void neighbours(void **state)
{
	static const char *const texts[] = { "192.0.2.10", "fe80::200:5eff:fe00:5301" };
	struct rtnl_event want, got;
	union message m;

	(void)state;
	for (int i = 0; i < 4; i++) {
		want = sample_neigh(texts[i % 2]);
		want.gone = i & 2;
		assert_int_equal(decode(build_neigh(&m, &want, MAC_LEN), &got), 0);
		assert_head_equal(&got, &want);
		assert_true(addr_equal(&got.neigh.addr, &want.neigh.addr));
		assert_int_equal(got.neigh.state, NUD_STALE);
		assert_true(got.neigh.has_mac);
		assert_true(mac_equal(&got.neigh.mac, &want.neigh.mac));
	}
}

static void neighbours_without_a_mac(void **state)
{
	static const size_t lens[] = { 0, 4, 5, 7, 20 };
	struct rtnl_event e = sample_neigh("192.0.2.10"), got;
	union message m;

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		assert_int_equal(decode(build_neigh(&m, &e, lens[i]), &got), 0);
		assert_false(got.neigh.has_mac);
	}
	e.neigh.mac.b[0] = 1;
	assert_int_equal(decode(build_neigh(&m, &e, MAC_LEN), &got), 0);
	assert_false(got.neigh.has_mac);
}

static void neighbours_that_are_not_meant_or_damaged(void **state)
{
	struct rtnl_event e = sample_neigh("192.0.2.10"), got;
	struct ndmsg *fixed;
	union message m;

	(void)state;
	fixed = NLMSG_DATA(build_neigh(&m, &e, MAC_LEN));
	fixed->ndm_family = AF_BRIDGE;
	assert_int_equal(decode(&m.head, &got), -ENOMSG);
	fixed->ndm_family = AF_INET6;
	assert_int_equal(decode(&m.head, &got), -EBADMSG);
	fixed->ndm_family = AF_INET;
	m.head.nlmsg_len = NLMSG_HDRLEN + sizeof(*fixed);
	assert_int_equal(decode(&m.head, &got), -EBADMSG);
}

static void other_messages_are_not_meant(void **state)
{
	static const uint16_t types[] = { NLMSG_NOOP, NLMSG_ERROR, NLMSG_DONE, NLMSG_OVERRUN, RTM_GETLINK, RTM_SETLINK,
		RTM_GETADDR, RTM_GETROUTE, RTM_GETNEIGH, RTM_NEWRULE, RTM_NEWNSID, 0x0100 };
	struct rtnl_event e = sample_link(), got;
	union message m;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		build_link(&m, &e)->nlmsg_type = types[i];
		assert_int_equal(decode(&m.head, &got), -ENOMSG);
	}
}

/* Under the address sanitizer: memory that ends with the message, cut at every length and with every byte broken. */
static void attack(const struct nlmsghdr *head)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x03, 0x04, 0x12, 0x7f, 0x80, 0xff };
	struct rtnl_event e;

	for (size_t len = NLMSG_HDRLEN; len <= head->nlmsg_len; len++) {
		struct nlmsghdr *cut = build_cut(head, len);
		int ret = rtnl_decode(cut, &e);

		assert_true(ret == 0 || ret == -EBADMSG);
		assert_true(len < head->nlmsg_len || ret == 0);
		free(cut);
	}
	for (size_t at = NLMSG_HDRLEN; at < head->nlmsg_len; at++) {
		for (size_t v = 0; v < sizeof(values); v++) {
			struct nlmsghdr *broken = build_cut(head, head->nlmsg_len);
			int ret;

			((uint8_t *)broken)[at] = values[v];
			ret = rtnl_decode(broken, &e);
			assert_true(ret == 0 || ret == -EBADMSG || ret == -ENOMSG);
			free(broken);
		}
	}
}

static void hostile_lengths_stay_inside(void **state)
{
	struct rtnl_event link = sample_link(), neigh = sample_neigh("2001:db8::10");
	struct rtnl_event route4 = sample_route("198.51.100.0/24", "fe80::1"), route6 = sample_route("::/0", "fe80::1");
	struct rtnl_event addr = { .type = RTNL_ADDR, .addr = { .addr = build_addr("2001:db8::1"), .prefix_len = 64 } };
	union message m;

	(void)state;
	attack(build_link(&m, &link));
	attack(build_rtnl_addr(&m, &addr, &neigh.neigh.addr));
	attack(build_route(&m, &route4, 0));
	attack(build_route(&m, &route4, 2));
	attack(build_route(&m, &route6, 2));
	attack(build_neigh(&m, &neigh, MAC_LEN));
}

/* What decides about an interface's side: what it runs over, unless that is in another namespace, and its kind. */
static void links_run_over_others(void **state)
{
	struct rtnl_event e = sample_link(), got;
	union message m;
	struct nlattr *info;

	(void)state;
	mnl_attr_put_u32(build_link(&m, &e), IFLA_LINK, 2);
	info = mnl_attr_nest_start(&m.head, IFLA_LINKINFO);
	mnl_attr_put_strz(&m.head, IFLA_INFO_KIND, "vrf");
	mnl_attr_nest_end(&m.head, info);
	assert_int_equal(decode(&m.head, &got), 0);
	assert_int_equal(got.link.lower, 2);
	assert_int_equal(got.link.kind, RTNL_KIND_VRF);
	mnl_attr_put_u32(&m.head, IFLA_LINK_NETNSID, 0);
	assert_int_equal(decode(&m.head, &got), 0);
	assert_int_equal(got.link.lower, 0);
	/* A tunnel without a device below it names itself. */
	mnl_attr_put_u32(build_link(&m, &e), IFLA_LINK, e.ifindex);
	assert_int_equal(decode(&m.head, &got), 0);
	assert_int_equal(got.link.lower, 0);
	assert_int_equal(got.link.kind, RTNL_KIND_PLAIN);
}

static void every_next_hop_is_read(void **state)
{
	struct rtnl_event e = sample_route("0.0.0.0/0", "192.0.2.1"), got;
	union message m;

	(void)state;
	assert_int_equal(decode(build_route(&m, &e, 3), &got), 0);
	assert_int_equal(got.ifindex, e.ifindex);
	assert_int_equal(got.route.others, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(got.route.other[i].ifindex, e.ifindex + (uint32_t)i + 1);
		assert_true(addr_equal(&got.route.other[i].gateway, &e.route.gateway));
	}
	/* More than there is room for: the first ones. */
	assert_int_equal(decode(build_route(&m, &e, 20), &got), 0);
	assert_int_equal(got.route.others, RTNL_OTHER_HOPS);
}

static struct nlmsghdr *build_rule(union message *m, const struct fib_rule_hdr *fixed, uint32_t priority)
{
	struct nlmsghdr *head = build_start(m, RTM_NEWRULE, fixed, sizeof(*fixed));

	mnl_attr_put_u32(head, FRA_PRIORITY, priority);
	mnl_attr_put_u32(head, FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
	return head;
}

static void rules(void **state)
{
	struct fib_rule_hdr fixed = { .family = AF_INET, .table = RT_TABLE_COMPAT, .action = FR_ACT_TO_TBL };
	struct rtnl_event got;
	union message m;

	(void)state;
	mnl_attr_put_u32(build_rule(&m, &fixed, 100), FRA_TABLE, 51820);
	assert_int_equal(decode(&m.head, &got), 0);
	assert_int_equal(got.type, RTNL_RULE);
	assert_int_equal(got.rule.family, 4);
	assert_int_equal(got.rule.priority, 100);
	assert_int_equal(got.rule.table, 51820);
	assert_int_equal(got.rule.suppress, -1);
	assert_true(got.rule.is_general && !got.rule.is_vrf);
	mnl_attr_put_u32(&m.head, FRA_SUPPRESS_PREFIXLEN, 0);
	assert_int_equal(decode(&m.head, &got), 0);
	assert_int_equal(got.rule.suppress, 0);
	/* For marked packets; and for all others, as wg-quick writes it. */
	mnl_attr_put_u32(&m.head, FRA_FWMARK, 7);
	assert_int_equal(decode(&m.head, &got), 0);
	assert_false(got.rule.is_general);
	fixed.flags = FIB_RULE_INVERT;
	mnl_attr_put_u32(build_rule(&m, &fixed, 100), FRA_FWMARK, 7);
	assert_int_equal(decode(&m.head, &got), 0);
	assert_true(got.rule.is_general);
	mnl_attr_put_strz(&m.head, FRA_IIFNAME, "lan0");
	assert_int_equal(decode(&m.head, &got), 0);
	assert_false(got.rule.is_general);
	/* For one destination; a prefix without an address, or too long for it, is refused. */
	{
		const struct addr to = build_addr("192.168.50.0");

		fixed = (struct fib_rule_hdr){ .family = AF_INET, .action = FR_ACT_TO_TBL, .table = 5, .dst_len = 24 };
		assert_int_equal(decode(build_rule(&m, &fixed, 100), &got), -EBADMSG);
		build_put_addr(&m.head, FRA_DST, &to);
		assert_int_equal(decode(&m.head, &got), 0);
		assert_true(got.rule.is_general && got.rule.to.len == 24 && addr_equal(&got.rule.to.addr, &to));
		fixed.dst_len = 33;
		build_put_addr(build_rule(&m, &fixed, 100), FRA_DST, &to);
		assert_int_equal(decode(&m.head, &got), -EBADMSG);
		fixed.dst_len = 24;
		fixed.flags = FIB_RULE_INVERT;
		build_put_addr(build_rule(&m, &fixed, 100), FRA_DST, &to);
		assert_int_equal(decode(&m.head, &got), 0);
		assert_false(got.rule.is_general);
	}
	/* One that looks at no table, the one for VRFs, and what is no rule of ours. */
	fixed = (struct fib_rule_hdr){ .family = AF_INET6, .table = 5, .action = FR_ACT_UNREACHABLE };
	assert_int_equal(decode(build_rule(&m, &fixed, 1), &got), 0);
	assert_int_equal(got.rule.family, 6);
	assert_int_equal(got.rule.table, 0);
	fixed = (struct fib_rule_hdr){ .family = AF_INET, .action = FR_ACT_TO_TBL };
	mnl_attr_put_u8(build_rule(&m, &fixed, 1000), FRA_L3MDEV, 1);
	assert_int_equal(decode(&m.head, &got), 0);
	assert_true(got.rule.is_vrf && !got.rule.is_general);
	fixed.family = AF_BRIDGE;
	assert_int_equal(decode(build_rule(&m, &fixed, 1), &got), -ENOMSG);
	fixed.family = AF_INET;
	mnl_attr_put(build_rule(&m, &fixed, 1), FRA_TABLE, 2, "xx");
	assert_int_equal(decode(&m.head, &got), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links),
		cmocka_unit_test(links_run_over_others),
		cmocka_unit_test(every_next_hop_is_read),
		cmocka_unit_test(rules),
		cmocka_unit_test(link_stats_of_other_kernels),
		cmocka_unit_test(link_names_are_made_printable),
		cmocka_unit_test(partial_links_are_not_meant),
		cmocka_unit_test(addresses),
		cmocka_unit_test(damaged_addresses),
		cmocka_unit_test(routes),
		cmocka_unit_test(routes_without_the_wide_table),
		cmocka_unit_test(routes_that_are_not_meant_or_damaged),
		cmocka_unit_test(routes_with_a_cut_gateway),
		cmocka_unit_test(neighbours),
		cmocka_unit_test(neighbours_without_a_mac),
		cmocka_unit_test(neighbours_that_are_not_meant_or_damaged),
		cmocka_unit_test(other_messages_are_not_meant),
		cmocka_unit_test(hostile_lengths_stay_inside),
	};

	return cmocka_run_group_tests_name("rtnl_decode", tests, NULL, NULL);
}
