/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/decode/ct_decode.h"

#include "netlink_build.h"

#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { DCCP = 33, STATUS = IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED | IPS_SRC_NAT };

/* A flow of one protocol in every respect different in its two directions. */
static struct ct_event sample(uint8_t family, uint8_t proto)
{
	bool four = family == 4, icmp = proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
	bool ports = proto != IPPROTO_GRE && proto != IPPROTO_ESP;
	struct ct_event e = { .type = CT_ENTRY,
		.family = family,
		.proto = proto,
		.has_counters = true,
		.zone = 513,
		.id = 0xdeadbeef,
		.status = STATUS,
		.start_ns = UINT64_C(1792843200123456789) };

	e.tuple[CT_ORIGINAL].src = build_addr(four ? "192.0.2.10" : "2001:db8:1::10");
	e.tuple[CT_ORIGINAL].dst = build_addr(four ? "198.51.100.80" : "2001:db8:2::80");
	e.tuple[CT_REPLY].src = build_addr(four ? "198.51.100.81" : "2001:db8:2::81");
	e.tuple[CT_REPLY].dst = build_addr(four ? "203.0.113.1" : "2001:db8:3::1");
	e.bytes[CT_ORIGINAL] = UINT64_C(0x0123456789abcdef);
	e.bytes[CT_REPLY] = UINT64_C(0xfedcba9876543210);
	e.packets[CT_ORIGINAL] = 5;
	e.packets[CT_REPLY] = UINT64_C(1) << 33;
	if (icmp) {
		e.icmp_type = proto == IPPROTO_ICMP ? 8 : 128;
		e.icmp_code = 3;
		e.tuple[CT_ORIGINAL].sport = e.tuple[CT_ORIGINAL].dport = 0x1234;
		e.tuple[CT_REPLY].sport = e.tuple[CT_REPLY].dport = 0x4321;
	} else if (ports) {
		e.tuple[CT_ORIGINAL].sport = 40000;
		e.tuple[CT_ORIGINAL].dport = 443;
		e.tuple[CT_REPLY].sport = 8443;
		e.tuple[CT_REPLY].dport = 1024;
	}
	return e;
}

static const struct {
	uint8_t family, proto;
} kinds[] = {
	{ 4, IPPROTO_TCP },
	{ 4, IPPROTO_UDP },
	{ 4, IPPROTO_UDPLITE },
	{ 4, IPPROTO_SCTP },
	{ 4, DCCP },
	{ 4, IPPROTO_ICMP },
	{ 4, IPPROTO_GRE },
	{ 4, IPPROTO_ESP },
	{ 6, IPPROTO_TCP },
	{ 6, IPPROTO_UDP },
	{ 6, IPPROTO_SCTP },
	{ 6, IPPROTO_ICMPV6 },
	{ 6, IPPROTO_GRE },
	{ 6, IPPROTO_ESP },
};

enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static void assert_tuple_equal(const struct ct_tuple *got, const struct ct_tuple *want)
{
	assert_true(addr_equal(&got->src, &want->src));
	assert_true(addr_equal(&got->dst, &want->dst));
	assert_int_equal(got->sport, want->sport);
	assert_int_equal(got->dport, want->dport);
}

static void assert_event_equal(const struct ct_event *got, const struct ct_event *want)
{
	assert_int_equal(got->type, want->type);
	assert_int_equal(got->family, want->family);
	assert_int_equal(got->proto, want->proto);
	assert_int_equal(got->zone, want->zone);
	assert_int_equal(got->icmp_type, want->icmp_type);
	assert_int_equal(got->icmp_code, want->icmp_code);
	assert_int_equal(got->id, want->id);
	assert_int_equal(got->status, want->status);
	assert_true(got->start_ns == want->start_ns);
	assert_int_equal(got->has_counters, want->has_counters);
	for (int dir = CT_ORIGINAL; dir <= CT_REPLY; dir++) {
		assert_tuple_equal(&got->tuple[dir], &want->tuple[dir]);
		assert_true(got->bytes[dir] == want->bytes[dir]);
		assert_true(got->packets[dir] == want->packets[dir]);
	}
}

/* Decodes over rubbish, so that a field left undefined shows. */
static int decode(const struct nlmsghdr *head, struct ct_event *e)
{
	memset(e, 0xaa, sizeof(*e));
	return ct_decode(head, e);
}

static void decodes_what_the_kernel_writes(void **state)
{
	struct ct_event want, got;
	union message m;

	(void)state;
	for (int i = 0; i < KINDS; i++) {
		want = sample(kinds[i].family, kinds[i].proto);
		assert_int_equal(decode(build_ct(&m, &want, 0), &got), 0);
		assert_event_equal(&got, &want);
	}
}

static void tells_the_kinds_of_message(void **state)
{
	struct ct_event want = sample(4, IPPROTO_TCP), got;
	union message m;

	(void)state;
	for (int type = CT_NEW; type <= CT_ENTRY; type++) {
		want.type = (uint8_t)type;
		assert_int_equal(decode(build_ct(&m, &want, 0), &got), 0);
		assert_int_equal(got.type, type);
	}
	/* A reply to a request for one entry has no NLM_F_MULTI, only the sequence number. */
	want.type = CT_ENTRY;
	build_ct(&m, &want, 0)->nlmsg_flags = 0;
	assert_int_equal(decode(&m.head, &got), 0);
	assert_int_equal(got.type, CT_ENTRY);
	/* Events that another process's request caused carry its port id. */
	want.type = CT_DESTROY;
	build_ct(&m, &want, 0)->nlmsg_pid = 4711;
	assert_int_equal(decode(&m.head, &got), 0);
	assert_int_equal(got.type, CT_DESTROY);
}

static void other_messages_are_not_meant(void **state)
{
	static const uint16_t types[] = { NLMSG_NOOP, NLMSG_ERROR, NLMSG_DONE, NLMSG_OVERRUN, RTM_NEWLINK,
		NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_STATS,
		NFNL_SUBSYS_CTNETLINK_EXP << 8 | IPCTNL_MSG_EXP_NEW, NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET };
	struct ct_event want = sample(4, IPPROTO_TCP), got;
	union message m;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		build_ct(&m, &want, 0)->nlmsg_type = types[i];
		assert_int_equal(ct_decode(&m.head, &got), -ENOMSG);
	}
}

static void missing_counters_are_no_zeros(void **state)
{
	struct ct_event want = sample(6, IPPROTO_UDP), got;
	union message m;

	(void)state;
	want.has_counters = false;
	want.start_ns = 0;
	memset(want.bytes, 0, sizeof(want.bytes));
	memset(want.packets, 0, sizeof(want.packets));
	assert_int_equal(decode(build_ct(&m, &want, 0), &got), 0);
	assert_event_equal(&got, &want);
	/* Half of them are none either. */
	build_ct_counters(&m.head, &want, CT_REPLY);
	assert_int_equal(decode(&m.head, &got), 0);
	assert_false(got.has_counters);
}

static void zone_of_the_original_direction(void **state)
{
	struct ct_event want = sample(4, IPPROTO_UDP), got;
	struct nlattr *tuple;
	union message m;

	(void)state;
	assert_int_equal(decode(build_ct(&m, &want, BUILD_ZONE_IN_TUPLE), &got), 0);
	assert_event_equal(&got, &want);

	/* A zone of the reply direction alone does not tell flows apart in the original one. */
	want.zone = 0;
	build_ct(&m, &want, BUILD_NO_REPLY);
	tuple = mnl_nlmsg_get_payload_tail(&m.head);
	build_ct_tuple(&m.head, &want, CT_REPLY, 0);
	mnl_attr_put_u16(&m.head, CTA_TUPLE_ZONE, htons(9));
	tuple->nla_len = (uint16_t)(tuple->nla_len + 8);
	assert_int_equal(decode(&m.head, &got), 0);
	assert_event_equal(&got, &want);
}

static void gre_has_no_ports(void **state)
{
	struct ct_event want = sample(4, IPPROTO_GRE), with_keys = want, got;
	union message m;

	(void)state;
	with_keys.tuple[CT_ORIGINAL].sport = with_keys.tuple[CT_REPLY].dport = 17;
	with_keys.tuple[CT_ORIGINAL].dport = with_keys.tuple[CT_REPLY].sport = 18;
	assert_int_equal(decode(build_ct(&m, &with_keys, 0), &got), 0);
	assert_event_equal(&got, &want);
}

static void damaged_messages(void **state)
{
	struct ct_event e = sample(4, IPPROTO_TCP), got;
	struct nfgenmsg *fixed;
	union message m;

	(void)state;
	for (int missing = BUILD_NO_REPLY; missing <= BUILD_NO_DST; missing *= 2)
		assert_int_equal(ct_decode(build_ct(&m, &e, missing), &got), -EBADMSG);
	build_ct(&m, &e, 0);
	fixed = NLMSG_DATA(&m.head);
	fixed->nfgen_family = AF_UNSPEC;
	assert_int_equal(ct_decode(&m.head, &got), -EBADMSG);
	fixed->nfgen_family = AF_INET6;
	assert_int_equal(ct_decode(&m.head, &got), -EBADMSG);
	fixed->nfgen_family = AF_INET;
	assert_int_equal(ct_decode(&m.head, &got), 0);
	m.head.nlmsg_len = NLMSG_HDRLEN;
	assert_int_equal(ct_decode(&m.head, &got), -EBADMSG);
}

static void every_value_has_one_size(void **state)
{
	static const uint16_t types[] = { CTA_STATUS, CTA_ID, CTA_ZONE };
	struct ct_event e = sample(4, IPPROTO_TCP), got;
	struct nlattr *nest;
	union message m;

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		mnl_attr_put_u8(build_ct(&m, &e, 0), types[i], 1);
		assert_int_equal(ct_decode(&m.head, &got), -EBADMSG);
		mnl_attr_put_u64(build_ct(&m, &e, 0), types[i], 1);
		assert_int_equal(ct_decode(&m.head, &got), -EBADMSG);
	}
	nest = mnl_attr_nest_start(build_ct(&m, &e, 0), CTA_TIMESTAMP);
	mnl_attr_put_u32(&m.head, CTA_TIMESTAMP_START, 1);
	mnl_attr_nest_end(&m.head, nest);
	assert_int_equal(ct_decode(&m.head, &got), -EBADMSG);
	nest = mnl_attr_nest_start(build_ct(&m, &e, 0), CTA_COUNTERS_ORIG);
	mnl_attr_put_u64(&m.head, CTA_COUNTERS_BYTES, 1);
	mnl_attr_nest_end(&m.head, nest);
	assert_int_equal(ct_decode(&m.head, &got), -EBADMSG);
}

static void the_last_attribute_may_lack_its_padding(void **state)
{
	struct ct_event want = sample(6, IPPROTO_UDP), got;
	struct nlmsghdr *exact;
	union message m;

	(void)state;
	want.zone = 0;
	mnl_attr_put_u16(build_ct(&m, &want, 0), CTA_ZONE, htons(9));
	want.zone = 9;
	exact = build_cut(&m.head, m.head.nlmsg_len - 2);
	assert_int_equal(decode(exact, &got), 0);
	assert_event_equal(&got, &want);
	free(exact);
}

/* Under the address sanitizer: memory that ends with the message, cut at every length and with every byte broken. */
static void hostile_lengths_stay_inside(void **state)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x03, 0x04, 0x7f, 0x80, 0xff };
	struct ct_event want, got;
	union message m;

	(void)state;
	for (int i = 0; i < KINDS; i++) {
		want = sample(kinds[i].family, kinds[i].proto);
		build_ct(&m, &want, BUILD_ZONE_IN_TUPLE);
		for (size_t len = NLMSG_HDRLEN; len <= m.head.nlmsg_len; len++) {
			struct nlmsghdr *cut = build_cut(&m.head, len);
			int ret = ct_decode(cut, &got);

			assert_true(ret == 0 || ret == -EBADMSG);
			assert_true(len < m.head.nlmsg_len || ret == 0);
			free(cut);
		}
		for (size_t at = NLMSG_HDRLEN; at < m.head.nlmsg_len; at++) {
			for (size_t v = 0; v < sizeof(values); v++) {
				struct nlmsghdr *broken = build_cut(&m.head, m.head.nlmsg_len);
				int ret;

				((uint8_t *)broken)[at] = values[v];
				ret = ct_decode(broken, &got);
				assert_true(ret == 0 || ret == -EBADMSG);
				free(broken);
			}
		}
	}
}

/* --- Held against libnetfilter_conntrack */

static void assert_tuple_is_theirs(struct nf_conntrack *ct, const struct ct_event *e, enum ct_dir dir)
{
	static const int attrs[2][2][2] = {
		{ { ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV4_DST }, { ATTR_ORIG_IPV6_SRC, ATTR_ORIG_IPV6_DST } },
		{ { ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV4_DST }, { ATTR_REPL_IPV6_SRC, ATTR_REPL_IPV6_DST } },
	};
	const struct ct_tuple *t = &e->tuple[dir];
	size_t len = addr_len(e->family);
	bool icmp = e->proto == IPPROTO_ICMP || e->proto == IPPROTO_ICMPV6;

	assert_memory_equal(t->src.b, nfct_get_attr(ct, attrs[dir][e->family == 6][0]), len);
	assert_memory_equal(t->dst.b, nfct_get_attr(ct, attrs[dir][e->family == 6][1]), len);
	if (icmp || !t->sport)
		return;
	assert_int_equal(t->sport, ntohs(nfct_get_attr_u16(ct, dir ? ATTR_REPL_PORT_SRC : ATTR_ORIG_PORT_SRC)));
	assert_int_equal(t->dport, ntohs(nfct_get_attr_u16(ct, dir ? ATTR_REPL_PORT_DST : ATTR_ORIG_PORT_DST)));
}

static void assert_is_theirs(struct nf_conntrack *ct, const struct ct_event *e)
{
	assert_int_equal(nfct_get_attr_u8(ct, ATTR_ORIG_L3PROTO), e->family == 4 ? AF_INET : AF_INET6);
	assert_int_equal(nfct_get_attr_u8(ct, ATTR_ORIG_L4PROTO), e->proto);
	assert_int_equal(nfct_get_attr_u32(ct, ATTR_STATUS), e->status);
	assert_tuple_is_theirs(ct, e, CT_ORIGINAL);
	assert_tuple_is_theirs(ct, e, CT_REPLY);
	if (e->proto == IPPROTO_ICMP || e->proto == IPPROTO_ICMPV6) {
		assert_int_equal(nfct_get_attr_u8(ct, ATTR_ICMP_TYPE), e->icmp_type);
		assert_int_equal(nfct_get_attr_u8(ct, ATTR_ICMP_CODE), e->icmp_code);
		assert_int_equal(ntohs(nfct_get_attr_u16(ct, ATTR_ICMP_ID)), e->tuple[CT_ORIGINAL].sport);
	}
}

static void parses_as_the_library_does(void **state)
{
	struct ct_event e;
	union message m;

	(void)state;
	for (int i = 0; i < 2 * KINDS; i++) {
		struct ct_event want = sample(kinds[i / 2].family, kinds[i / 2].proto);
		struct nf_conntrack *ct = nfct_new();

		assert_non_null(ct);
		build_ct(&m, &want, i % 2 ? BUILD_ZONE_IN_TUPLE : 0);
		assert_int_equal(nfct_nlmsg_parse(&m.head, ct), 0);
		assert_int_equal(decode(&m.head, &e), 0);
		assert_is_theirs(ct, &e);
		assert_int_equal(nfct_get_attr_u16(ct, i % 2 ? ATTR_ORIG_ZONE : ATTR_ZONE), e.zone);
		assert_int_equal(nfct_get_attr_u32(ct, ATTR_ID), e.id);
		assert_true(nfct_get_attr_u64(ct, ATTR_ORIG_COUNTER_BYTES) == e.bytes[CT_ORIGINAL]);
		assert_true(nfct_get_attr_u64(ct, ATTR_REPL_COUNTER_BYTES) == e.bytes[CT_REPLY]);
		assert_true(nfct_get_attr_u64(ct, ATTR_ORIG_COUNTER_PACKETS) == e.packets[CT_ORIGINAL]);
		assert_true(nfct_get_attr_u64(ct, ATTR_REPL_COUNTER_PACKETS) == e.packets[CT_REPLY]);
		assert_true(nfct_get_attr_u64(ct, ATTR_TIMESTAMP_START) == e.start_ns);
		nfct_destroy(ct);
	}
}

/* The other way round: a message that the library built, decoded by us and by the library. */
static void decodes_what_the_library_builds(void **state)
{
	struct nfgenmsg fixed;
	struct ct_event e;
	union message m;

	(void)state;
	for (int i = 0; i < KINDS; i++) {
		struct ct_event want = sample(kinds[i].family, kinds[i].proto);
		struct nf_conntrack *ct = nfct_new(), *theirs = nfct_new();

		assert_true(ct && theirs);
		want.has_counters = false;
		assert_int_equal(nfct_nlmsg_parse(build_ct(&m, &want, 0), ct), 0);
		fixed = (struct nfgenmsg){ .nfgen_family = want.family == 4 ? AF_INET : AF_INET6 };
		build_start(&m, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW, &fixed, sizeof(fixed));
		assert_int_equal(nfct_nlmsg_build(&m.head, ct), 0);
		assert_int_equal(nfct_nlmsg_parse(&m.head, theirs), 0);
		assert_int_equal(decode(&m.head, &e), 0);
		assert_int_equal(e.type, CT_UPDATE);
		assert_false(e.has_counters);
		assert_is_theirs(theirs, &e);
		assert_tuple_equal(&e.tuple[CT_ORIGINAL], &want.tuple[CT_ORIGINAL]);
		nfct_destroy(ct);
		nfct_destroy(theirs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_what_the_kernel_writes),
		cmocka_unit_test(tells_the_kinds_of_message),
		cmocka_unit_test(other_messages_are_not_meant),
		cmocka_unit_test(missing_counters_are_no_zeros),
		cmocka_unit_test(zone_of_the_original_direction),
		cmocka_unit_test(gre_has_no_ports),
		cmocka_unit_test(damaged_messages),
		cmocka_unit_test(every_value_has_one_size),
		cmocka_unit_test(the_last_attribute_may_lack_its_padding),
		cmocka_unit_test(hostile_lengths_stay_inside),
		cmocka_unit_test(parses_as_the_library_does),
		cmocka_unit_test(decodes_what_the_library_builds),
	};

	return cmocka_run_group_tests_name("ct_decode", tests, NULL, NULL);
}
