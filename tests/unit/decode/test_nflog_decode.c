/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/decode/nflog_decode.h"

#include "netlink_build.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { DCCP = 33, MOBILITY = 135, NODE_QUERY = 139 };

static const struct mac laptop = { { 0x00, 0x00, 0x5e, 0x00, 0x53, 0x01 } };
static const uint8_t tcp[20] = { 0x9c, 0x40, 0x01, 0xbb, 0, 0, 0, 1, 0, 0, 0, 0, 0x50, 0x02 }; /* 40000 to 443, SYN */
static const char *const from4 = "192.0.2.10", *const to4 = "198.51.100.80";
static const char *const from6 = "2001:db8:1::10", *const to6 = "2001:db8:2::80";

/* Decodes an exact-size copy over rubbish. */
static int decode(const void *packet, size_t len, struct sighting *s)
{
	void *copy = malloc(len);
	int ret;

	memcpy(copy, packet, len);
	memset(s, 0xaa, sizeof(*s));
	ret = nflog_decode_packet(copy, len, s);
	free(copy);
	return ret;
}

static void assert_ends(const struct sighting *s, const char *src, const char *dst)
{
	struct addr a = build_addr(src), b = build_addr(dst);

	assert_int_equal(s->family, a.family);
	assert_true(addr_equal(&s->src, &a));
	assert_true(addr_equal(&s->dst, &b));
}

static void assert_ports(const struct sighting *s, uint16_t sport, uint16_t dport)
{
	assert_true(s->has_ports);
	assert_int_equal(s->sport, sport);
	assert_int_equal(s->dport, dport);
}

static void assert_no_ports(const struct sighting *s)
{
	assert_false(s->has_ports);
	assert_int_equal(s->sport, 0);
	assert_int_equal(s->dport, 0);
}

static void decodes_a_whole_message(void **state)
{
	uint8_t packet[64];
	struct sighting s;
	union message m;

	(void)state;
	memset(&s, 0xaa, sizeof(s));
	build_nflog(&m, 3, 2, laptop.b, MAC_LEN, packet, build_ip4(packet, IPPROTO_TCP, from4, to4, tcp, sizeof(tcp)));
	assert_int_equal(nflog_decode(&m.head, &s), 0);
	assert_int_equal(s.indev, 3);
	assert_int_equal(s.outdev, 2);
	assert_true(s.has_mac);
	assert_true(mac_equal(&s.mac, &laptop));
	assert_int_equal(s.proto, IPPROTO_TCP);
	assert_ends(&s, from4, to4);
	assert_ports(&s, 40000, 443);
}

static void not_every_link_has_macs(void **state)
{
	static const uint8_t zeros[8], group[6] = { 0x01, 0x00, 0x5e, 0, 0, 1 };
	static const struct {
		const uint8_t *hwaddr;
		size_t len;
	} cases[] = { { NULL, 0 }, { laptop.b, 4 }, { laptop.b, 0xffff }, { zeros, 6 }, { zeros, 8 }, { group, 6 } };
	uint8_t packet[64];
	size_t len = build_ip6(packet, IPPROTO_TCP, from6, to6, tcp, sizeof(tcp));
	struct sighting s;
	union message m;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t hwaddr[8] = { 0 };

		if (cases[i].hwaddr)
			memcpy(hwaddr, cases[i].hwaddr, MAC_LEN);
		build_nflog(&m, 0, 0, hwaddr, cases[i].len, packet, len);
		memset(&s, 0xaa, sizeof(s));
		assert_int_equal(nflog_decode(&m.head, &s), 0);
		assert_false(s.has_mac);
		assert_int_equal(s.indev, 0);
		assert_int_equal(s.outdev, 0);
		assert_ports(&s, 40000, 443);
	}
}

static void refuses_other_messages_and_damage(void **state)
{
	uint8_t packet[64];
	size_t len = build_ip4(packet, IPPROTO_TCP, from4, to4, tcp, sizeof(tcp));
	struct sighting s;
	union message m;

	(void)state;
	build_nflog(&m, 3, 2, laptop.b, MAC_LEN, packet, len)->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	assert_int_equal(nflog_decode(&m.head, &s), -ENOMSG);
	m.head.nlmsg_type = NLMSG_DONE;
	assert_int_equal(nflog_decode(&m.head, &s), -ENOMSG);

	assert_int_equal(nflog_decode(build_nflog(&m, 3, 2, laptop.b, MAC_LEN, NULL, 0), &s), -EBADMSG);
	assert_int_equal(nflog_decode(build_nflog(&m, 3, 2, laptop.b, MAC_LEN, packet, 0), &s), -EBADMSG);
	assert_int_equal(nflog_decode(build_nflog(&m, 3, 2, laptop.b, MAC_LEN, packet, 19), &s), -EBADMSG);
	mnl_attr_put_u16(build_nflog(&m, 0, 2, laptop.b, MAC_LEN, packet, len), NFULA_IFINDEX_INDEV, 3);
	assert_int_equal(nflog_decode(&m.head, &s), -EBADMSG);
	mnl_attr_put(build_nflog(&m, 3, 2, NULL, 0, packet, len), NFULA_HWADDR, MAC_LEN, laptop.b);
	assert_int_equal(nflog_decode(&m.head, &s), -EBADMSG);
}

static void ports_of_every_protocol_that_has_them(void **state)
{
	static const uint8_t with[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_SCTP, DCCP };
	static const uint8_t without[] = { IPPROTO_GRE, IPPROTO_ESP, IPPROTO_IPIP, IPPROTO_IGMP, MOBILITY, 253 };
	uint8_t packet[64];
	struct sighting s;

	(void)state;
	for (size_t i = 0; i < sizeof(with); i++) {
		assert_int_equal(decode(packet, build_ip4(packet, with[i], from4, to4, tcp, 4), &s), 0);
		assert_int_equal(s.proto, with[i]);
		assert_ports(&s, 40000, 443);
		assert_int_equal(decode(packet, build_ip6(packet, with[i], from6, to6, tcp, 4), &s), 0);
		assert_ports(&s, 40000, 443);
	}
	for (size_t i = 0; i < sizeof(without); i++) {
		assert_int_equal(decode(packet, build_ip4(packet, without[i], from4, to4, tcp, 20), &s), 0);
		assert_int_equal(s.proto, without[i]);
		assert_no_ports(&s);
		assert_int_equal(decode(packet, build_ip6(packet, without[i], from6, to6, tcp, 20), &s), 0);
		assert_int_equal(s.proto, without[i]);
		assert_no_ports(&s);
	}
}

static void icmp_queries_have_an_id(void **state)
{
	static const uint8_t ids4[] = { 0, 8, 13, 14, 15, 16, 17, 18 }, errors4[] = { 3, 4, 5, 9, 10, 11, 12, 19 };
	static const uint8_t ids6[] = { 128, 129, NODE_QUERY, 140 }, errors6[] = { 1, 2, 3, 4, 127, 130, 134, 141, 8 };
	uint8_t icmp[8] = { 0, 0, 0xff, 0xff, 0x12, 0x34, 0, 1 }, packet[64];
	struct sighting s;

	(void)state;
	for (size_t i = 0; i < sizeof(ids4); i++) {
		icmp[0] = ids4[i];
		assert_int_equal(decode(packet, build_ip4(packet, IPPROTO_ICMP, from4, to4, icmp, 8), &s), 0);
		assert_ports(&s, 0x1234, 0x1234);
	}
	for (size_t len = 0; len < 6; len++) {
		assert_int_equal(decode(packet, build_ip4(packet, IPPROTO_ICMP, from4, to4, icmp, len), &s), 0);
		assert_no_ports(&s);
	}
	for (size_t i = 0; i < sizeof(errors4); i++) {
		icmp[0] = errors4[i];
		assert_int_equal(decode(packet, build_ip4(packet, IPPROTO_ICMP, from4, to4, icmp, 8), &s), 0);
		assert_no_ports(&s);
	}
	for (size_t i = 0; i < sizeof(ids6); i++) {
		icmp[0] = ids6[i];
		assert_int_equal(decode(packet, build_ip6(packet, IPPROTO_ICMPV6, from6, to6, icmp, 8), &s), 0);
		assert_int_equal(s.proto, IPPROTO_ICMPV6);
		assert_ports(&s, 0x1234, 0x1234);
	}
	for (size_t len = 0; len < 6; len++) {
		assert_int_equal(decode(packet, build_ip6(packet, IPPROTO_ICMPV6, from6, to6, icmp, len), &s), 0);
		assert_no_ports(&s);
	}
	for (size_t i = 0; i < sizeof(errors6); i++) {
		icmp[0] = errors6[i];
		assert_int_equal(decode(packet, build_ip6(packet, IPPROTO_ICMPV6, from6, to6, icmp, 8), &s), 0);
		assert_no_ports(&s);
	}
}

static void ip4_headers(void **state)
{
	uint8_t packet[96], with_options[8 + sizeof(tcp)] = { 0x94, 0x04, 0, 0, 1, 1, 1, 0 };
	struct sighting s;
	size_t len;

	(void)state;
	memcpy(with_options + 8, tcp, sizeof(tcp));
	len = build_ip4(packet, IPPROTO_TCP, from4, to4, with_options, sizeof(with_options));
	packet[0] = 0x47;
	assert_int_equal(decode(packet, len, &s), 0);
	assert_ports(&s, 40000, 443);
	assert_int_equal(decode(packet, 28, &s), 0);
	assert_no_ports(&s);
	packet[0] = 0x4f; /* longer than the packet */
	assert_int_equal(decode(packet, len, &s), 0);
	assert_no_ports(&s);
	packet[0] = 0x44; /* shorter than a header */
	assert_int_equal(decode(packet, len, &s), -EBADMSG);
	packet[0] = 0x55;
	assert_int_equal(decode(packet, len, &s), -EBADMSG);
	packet[0] = 0x05;
	assert_int_equal(decode(packet, len, &s), -EBADMSG);
}

/* A frame's padding behind a packet is not its ports; a length of 0 stands for one beyond 16 bits. */
static void lengths_inside_the_packet(void **state)
{
	uint8_t packet[64];
	struct sighting s;
	size_t len;

	(void)state;
	len = build_ip4(packet, IPPROTO_UDP, from4, to4, tcp, sizeof(tcp));
	packet[3] = 23;
	assert_int_equal(decode(packet, len, &s), 0);
	assert_no_ports(&s);
	packet[3] = 24;
	assert_int_equal(decode(packet, len, &s), 0);
	assert_ports(&s, 40000, 443);
	packet[3] = 1;
	assert_int_equal(decode(packet, len, &s), 0);
	assert_no_ports(&s);
	packet[3] = 0;
	assert_int_equal(decode(packet, len, &s), 0);
	assert_ports(&s, 40000, 443);
	packet[2] = 0xff; /* cut by the log's copy range */
	assert_int_equal(decode(packet, len, &s), 0);
	assert_ports(&s, 40000, 443);

	len = build_ip6(packet, IPPROTO_UDP, from6, to6, tcp, sizeof(tcp));
	packet[5] = 3;
	assert_int_equal(decode(packet, len, &s), 0);
	assert_no_ports(&s);
	packet[5] = 4;
	assert_int_equal(decode(packet, len, &s), 0);
	assert_ports(&s, 40000, 443);
	packet[5] = 0;
	assert_int_equal(decode(packet, len, &s), 0);
	assert_ports(&s, 40000, 443);
}

static void later_fragments_have_no_ports(void **state)
{
	uint8_t packet[96], rest[8 + sizeof(tcp)] = { IPPROTO_UDP };
	struct sighting s;
	size_t len;

	(void)state;
	len = build_ip4(packet, IPPROTO_UDP, from4, to4, tcp, sizeof(tcp));
	packet[6] = 0x60; /* DF, and MF: the first fragment */
	assert_int_equal(decode(packet, len, &s), 0);
	assert_ports(&s, 40000, 443);
	packet[7] = 1;
	assert_int_equal(decode(packet, len, &s), 0);
	assert_ends(&s, from4, to4);
	assert_int_equal(s.proto, IPPROTO_UDP);
	assert_no_ports(&s);

	memcpy(rest + 8, tcp, sizeof(tcp));
	rest[3] = 1; /* M */
	len = build_ip6(packet, IPPROTO_FRAGMENT, from6, to6, rest, sizeof(rest));
	assert_int_equal(decode(packet, len, &s), 0);
	assert_int_equal(s.proto, IPPROTO_UDP);
	assert_ports(&s, 40000, 443);
	packet[40 + 3] = 8;
	assert_int_equal(decode(packet, len, &s), 0);
	assert_ends(&s, from6, to6);
	assert_int_equal(s.proto, IPPROTO_UDP);
	assert_no_ports(&s);
	packet[40 + 2] = 0x80;
	packet[40 + 3] = 0;
	assert_int_equal(decode(packet, len, &s), 0);
	assert_no_ports(&s);
}

/* Hop-by-hop (16 bytes), destination options, routing, fragment, authentication (12 bytes), then UDP. */
static size_t build_chain(uint8_t *packet)
{
	uint8_t rest[128] = { 0 };
	size_t at = 0;

	rest[at] = IPPROTO_DSTOPTS;
	rest[at + 1] = 1;
	at += 16;
	rest[at] = IPPROTO_ROUTING;
	at += 8;
	rest[at] = IPPROTO_FRAGMENT;
	at += 8;
	rest[at] = IPPROTO_AH;
	at += 8;
	rest[at] = IPPROTO_UDP;
	rest[at + 1] = 1;
	at += 12;
	memcpy(rest + at, tcp, sizeof(tcp));
	return build_ip6(packet, IPPROTO_HOPOPTS, from6, to6, rest, at + sizeof(tcp));
}

static void ip6_extension_headers_are_skipped(void **state)
{
	uint8_t packet[256];
	size_t len = build_chain(packet), ports_at = len - sizeof(tcp) + 4;
	struct sighting s;

	(void)state;
	assert_int_equal(decode(packet, len, &s), 0);
	assert_int_equal(s.proto, IPPROTO_UDP);
	assert_ports(&s, 40000, 443);
	for (size_t cut = 1; cut <= len; cut++) {
		int ret = decode(packet, cut, &s);

		assert_int_equal(ret, cut < 40 ? -EBADMSG : 0);
		if (ret == 0)
			assert_ends(&s, from6, to6);
		if (ret == 0 && cut < ports_at)
			assert_no_ports(&s);
		if (cut >= ports_at)
			assert_ports(&s, 40000, 443);
	}
	/* A header that claims more than there is. */
	packet[40 + 1] = 255;
	assert_int_equal(decode(packet, len, &s), 0);
	assert_no_ports(&s);
	assert_int_equal(decode(packet, build_ip6(packet, IPPROTO_NONE, from6, to6, tcp, sizeof(tcp)), &s), 0);
	assert_int_equal(s.proto, IPPROTO_NONE);
	assert_no_ports(&s);
}

static void a_cut_ip4_packet_keeps_its_addresses(void **state)
{
	uint8_t packet[64];
	size_t len = build_ip4(packet, IPPROTO_TCP, from4, to4, tcp, sizeof(tcp));
	struct sighting s;

	(void)state;
	for (size_t cut = 1; cut <= len; cut++) {
		assert_int_equal(decode(packet, cut, &s), cut < 20 ? -EBADMSG : 0);
		if (cut >= 24)
			assert_ports(&s, 40000, 443);
		else if (cut >= 20)
			assert_no_ports(&s);
	}
	assert_int_equal(nflog_decode_packet(NULL, 0, &s), -EBADMSG);
}

/* Under the address sanitizer: memory that ends with the message, cut at every length and with every byte broken. */
static void hostile_lengths_stay_inside(void **state)
{
	static const uint8_t values[] = { 0x00, 0x01, 0x04, 0x2c, 0x3c, 0x45, 0x4f, 0x60, 0x7f, 0x80, 0xff };
	uint8_t packet[256];
	struct sighting s;
	union message m;

	(void)state;
	for (int six = 0; six < 2; six++) {
		size_t len = six ? build_chain(packet) :
				   build_ip4(packet, IPPROTO_ICMP, from4, to4, "\x08\0\0\0\x12\x34", 6);

		build_nflog(&m, 3, 2, laptop.b, MAC_LEN, packet, len);
		m.head.nlmsg_len -= (uint32_t)(MNL_ALIGN(len) - len);
		for (size_t cut = NLMSG_HDRLEN; cut <= m.head.nlmsg_len; cut++) {
			struct nlmsghdr *copy = build_cut(&m.head, cut);

			assert_int_equal(nflog_decode(copy, &s), cut == m.head.nlmsg_len ? 0 : -EBADMSG);
			free(copy);
		}
		for (size_t at = NLMSG_HDRLEN; at < m.head.nlmsg_len; at++) {
			for (size_t v = 0; v < sizeof(values); v++) {
				struct nlmsghdr *copy = build_cut(&m.head, m.head.nlmsg_len);
				int ret;

				((uint8_t *)copy)[at] = values[v];
				ret = nflog_decode(copy, &s);
				assert_true(ret == 0 || ret == -EBADMSG);
				free(copy);
			}
		}
	}
}

/* --- With the conntrack entry in the message (NFULNL_CFG_F_CONNTRACK), as kernels with the glue send it */

static struct ct_event masqueraded(uint8_t proto)
{
	struct ct_event e = { .family = 4, .proto = proto, .id = 7 };

	e.tuple[CT_ORIGINAL] = (struct ct_tuple){ build_addr(from4), build_addr(to4), 40000, 443 };
	e.tuple[CT_REPLY] = (struct ct_tuple){ build_addr(to4), build_addr("203.0.113.2"), 443, 61000 };
	return e;
}

static void add_entry(struct nlmsghdr *head, const struct ct_event *e, uint32_t info)
{
	struct nlattr *nest = mnl_attr_nest_start(head, NFULA_CT);

	build_ct_tuple(head, e, CT_ORIGINAL, 0);
	build_ct_tuple(head, e, CT_REPLY, 0);
	if (e->zone)
		mnl_attr_put_u16(head, CTA_ZONE, htons(e->zone));
	mnl_attr_nest_end(head, nest);
	mnl_attr_put_u32(head, NFULA_CT_INFO, htonl(info));
}

/* A later fragment shows no ports; its entry does. */
static void the_entry_knows_a_fragments_ports(void **state)
{
	const struct ct_event e = masqueraded(IPPROTO_UDP);
	uint8_t packet[64];
	size_t len = build_ip4(packet, IPPROTO_UDP, from4, to4, tcp, sizeof(tcp));
	struct sighting s;
	union message m;

	(void)state;
	packet[7] = 0x10; /* fragment offset */
	build_nflog(&m, 3, 2, laptop.b, MAC_LEN, packet, len);
	assert_int_equal(nflog_decode(&m.head, &s), 0);
	assert_no_ports(&s);
	add_entry(&m.head, &e, 2); /* IP_CT_NEW */
	assert_int_equal(nflog_decode(&m.head, &s), 0);
	assert_ends(&s, from4, to4);
	assert_ports(&s, 40000, 443);
}

/* The copy ends within the extension headers: the entry says what comes behind them, unless it is of another flow. */
static void the_entry_knows_a_cut_packets_protocol(void **state)
{
	struct ct_event e = { .family = 6, .proto = IPPROTO_UDP, .id = 7 };
	uint8_t packet[256];
	struct sighting s;
	union message m;

	(void)state;
	e.tuple[CT_ORIGINAL] = (struct ct_tuple){ build_addr(from6), build_addr(to6), 40000, 443 };
	e.tuple[CT_REPLY] = (struct ct_tuple){ build_addr(to6), build_addr(from6), 443, 40000 };
	build_chain(packet);
	for (uint32_t info = 1; info <= 2; info++) {
		build_nflog(&m, 3, 2, laptop.b, MAC_LEN, packet, 56);
		add_entry(&m.head, &e, info); /* IP_CT_RELATED, IP_CT_NEW */
		assert_int_equal(nflog_decode(&m.head, &s), 0);
		assert_int_equal(s.proto == IPPROTO_UDP, info == 2);
		assert_ends(&s, from6, to6);
	}
}

/* The packet of the answer comes from the reply's source, and goes to the original one whatever NAT has made of it. */
static void an_answer_is_turned_round(void **state)
{
	struct ct_event e = masqueraded(IPPROTO_TCP);
	uint8_t packet[64];
	struct sighting s;
	union message m;

	(void)state;
	build_nflog(&m, 2, 3, laptop.b, MAC_LEN, packet,
		build_ip4(packet, IPPROTO_TCP, to4, "203.0.113.2", tcp, sizeof(tcp)));
	assert_int_equal(nflog_decode(&m.head, &s), 0);
	assert_int_equal(s.zone, 0);
	e.zone = 7;
	add_entry(&m.head, &e, 3); /* IP_CT_ESTABLISHED_REPLY */
	assert_int_equal(nflog_decode(&m.head, &s), 0);
	assert_ends(&s, to4, from4);
	assert_ports(&s, 443, 40000);
	assert_int_equal(s.zone, 7);
}

/* It was sent by a router on the way, and its entry is that of the flow it complains of. */
static void an_icmp_error_is_not_its_flow(void **state)
{
	static const uint8_t unreachable[8] = { 3, 1 };
	const struct ct_event e = masqueraded(IPPROTO_TCP);
	uint8_t packet[64];
	struct sighting s;
	union message m;

	(void)state;
	build_nflog(&m, 2, 3, laptop.b, MAC_LEN, packet,
		build_ip4(packet, IPPROTO_ICMP, "198.51.100.1", from4, unreachable, sizeof(unreachable)));
	add_entry(&m.head, &e, 4); /* IP_CT_RELATED_REPLY */
	assert_int_equal(nflog_decode(&m.head, &s), 0);
	assert_ends(&s, "198.51.100.1", from4);
	assert_no_ports(&s);
}

static void a_damaged_entry_is_damage(void **state)
{
	uint8_t packet[64];
	struct sighting s;
	union message m;
	struct nlattr *nest;

	(void)state;
	build_nflog(&m, 3, 2, laptop.b, MAC_LEN, packet, build_ip4(packet, IPPROTO_TCP, from4, to4, tcp, sizeof(tcp)));
	nest = mnl_attr_nest_start(&m.head, NFULA_CT); /* without tuples */
	mnl_attr_nest_end(&m.head, nest);
	assert_int_equal(nflog_decode(&m.head, &s), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(decodes_a_whole_message),
		cmocka_unit_test(not_every_link_has_macs),
		cmocka_unit_test(refuses_other_messages_and_damage),
		cmocka_unit_test(ports_of_every_protocol_that_has_them),
		cmocka_unit_test(icmp_queries_have_an_id),
		cmocka_unit_test(ip4_headers),
		cmocka_unit_test(lengths_inside_the_packet),
		cmocka_unit_test(later_fragments_have_no_ports),
		cmocka_unit_test(ip6_extension_headers_are_skipped),
		cmocka_unit_test(a_cut_ip4_packet_keeps_its_addresses),
		cmocka_unit_test(hostile_lengths_stay_inside),
		cmocka_unit_test(the_entry_knows_a_fragments_ports),
		cmocka_unit_test(the_entry_knows_a_cut_packets_protocol),
		cmocka_unit_test(an_answer_is_turned_round),
		cmocka_unit_test(an_icmp_error_is_not_its_flow),
		cmocka_unit_test(a_damaged_entry_is_damage),
	};

	return cmocka_run_group_tests_name("nflog_decode", tests, NULL, NULL);
}
