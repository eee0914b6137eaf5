/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "encode.h"

#include "hostmeter/decode/ct_decode.h"
#include "hostmeter/decode/nflog_decode.h"
#include "hostmeter/decode/rtnl_decode.h"

#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct addr address(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, text), 0);
	return addr;
}

static void a_flow_decodes_to_what_was_encoded(void **state)
{
	const struct nlmsghdr like = { .nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW,
		.nlmsg_flags = NLM_F_CREATE,
		.nlmsg_seq = 7,
		.nlmsg_pid = 9 };
	struct ct_event event = { .family = 4,
		.proto = 6,
		.zone = 3,
		.status = 10,
		.id = 77,
		.has_counters = true,
		.packets = { 1, 2 },
		.bytes = { 60, 120 },
		.start_ns = 5 },
			got;
	union encode_message message;

	(void)state;
	event.tuple[CT_ORIGINAL] = (struct ct_tuple){ address("192.0.2.1"), address("198.51.100.1"), 40000, 443 };
	event.tuple[CT_REPLY] = (struct ct_tuple){ address("198.51.100.1"), address("203.0.113.1"), 443, 50000 };
	encode_ct(&message, &like, &event);
	assert_int_equal(message.head.nlmsg_type, like.nlmsg_type);
	assert_int_equal(message.head.nlmsg_flags, like.nlmsg_flags);
	assert_int_equal(message.head.nlmsg_seq, 7);
	assert_int_equal(message.head.nlmsg_pid, 9);
	assert_int_equal(ct_decode(&message.head, &got), 0);
	assert_int_equal(got.proto, 6);
	assert_int_equal(got.zone, 3);
	assert_int_equal(got.status, 10);
	assert_int_equal(got.id, 77);
	assert_int_equal(got.start_ns, 5);
	for (int dir = 0; dir < 2; dir++) {
		assert_true(addr_equal(&got.tuple[dir].src, &event.tuple[dir].src));
		assert_true(addr_equal(&got.tuple[dir].dst, &event.tuple[dir].dst));
		assert_int_equal(got.tuple[dir].sport, event.tuple[dir].sport);
		assert_int_equal(got.tuple[dir].dport, event.tuple[dir].dport);
		assert_int_equal(got.packets[dir], event.packets[dir]);
		assert_int_equal(got.bytes[dir], event.bytes[dir]);
	}
}

static void a_sighting_decodes_to_what_was_encoded(void **state)
{
	static const uint8_t with_ports[] = { 1, 6, 17, 33, 58, 132, 136 }, header[] = { 8, 20, 8, 16, 8, 12, 8 };
	const struct nlmsghdr like = { .nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET };

	(void)state;
	for (size_t i = 0; i < sizeof(with_ports); i++) {
		struct sighting sighting = { .family = with_ports[i] == 58 ? 6 : 4,
			.proto = with_ports[i],
			.sport = 1000,
			.dport = 1000,
			.has_ports = true,
			.has_mac = true,
			.mac = { { 2, 0, 0, 0, 0, 1 } },
			.indev = 4 },
				got;
		union encode_message message;

		sighting.src = address(sighting.family == 6 ? "2001:db8::1" : "192.0.2.1");
		sighting.dst = address(sighting.family == 6 ? "2001:db8::2" : "192.0.2.2");
		encode_sighting(&message, &like, &sighting);
		/* 56: all that is not the packet. */
		assert_int_equal(message.head.nlmsg_len, 56 + (sighting.family == 6 ? 40 : 20) + header[i]);
		assert_int_equal(nflog_decode(&message.head, &got), 0);
		assert_int_equal(got.proto, sighting.proto);
		assert_true(got.has_ports && got.has_mac);
		assert_int_equal(got.sport, 1000);
		assert_int_equal(got.dport, 1000);
		assert_int_equal(got.indev, 4);
		assert_true(mac_equal(&got.mac, &sighting.mac));
		assert_true(addr_equal(&got.src, &sighting.src) && addr_equal(&got.dst, &sighting.dst));
	}
}

static void a_route_keeps_its_gateway_of_the_other_family(void **state)
{
	const struct nlmsghdr like = { .nlmsg_type = RTM_NEWROUTE };
	struct rtnl_event event = { .type = RTNL_ROUTE, .ifindex = 5 }, got;
	union encode_message message;

	(void)state;
	event.route.dst = prefix_make(&(struct addr){ .family = 4, .b = { 10 } }, 8);
	event.route.gateway = address("fe80::1");
	event.route.table = 1000;
	event.route.metric = 20;
	event.route.kind = RTN_UNICAST;
	encode_rtnl(&message, &like, &event);
	assert_int_equal(rtnl_decode(&message.head, &got), 0);
	assert_int_equal(got.ifindex, 5);
	assert_int_equal(got.route.dst.len, 8);
	assert_true(addr_equal(&got.route.dst.addr, &event.route.dst.addr));
	assert_true(addr_equal(&got.route.gateway, &event.route.gateway));
	assert_int_equal(got.route.table, 1000);
	assert_int_equal(got.route.metric, 20);
}

static void a_plain_payload_is_filled_up_with_zeros(void **state)
{
	const struct nlmsghdr like = { .nlmsg_type = NLMSG_ERROR };
	union encode_message message;

	(void)state;
	encode_plain(&message, &like, "abcd", 2, 8);
	assert_int_equal(message.head.nlmsg_len, NLMSG_HDRLEN + 8);
	assert_memory_equal(NLMSG_DATA(&message.head), "ab\0\0\0\0\0\0", 8);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_decodes_to_what_was_encoded),
		cmocka_unit_test(a_sighting_decodes_to_what_was_encoded),
		cmocka_unit_test(a_route_keeps_its_gateway_of_the_other_family),
		cmocka_unit_test(a_plain_payload_is_filled_up_with_zeros),
	};

	return cmocka_run_group_tests_name("encode", tests, NULL, NULL);
}
