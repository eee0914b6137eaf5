/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel writes is read alike by our decoder and by the library, which is the auditor's. */
#include "hostmeter/decode/nfct.h"

#include "hostmeter/decode/ct_decode.h"
#include "netlink_build.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static struct ct_event sample(uint8_t family, uint8_t proto)
{
	bool four = family == 4, icmp = proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
	struct ct_event e = { .type = CT_ENTRY,
		.family = family,
		.proto = proto,
		.has_counters = true,
		.zone = 513,
		.id = 0xdeadbeef,
		.status = 0x18a };

	e.tuple[CT_ORIGINAL].src = build_addr(four ? "192.0.2.10" : "2001:db8:1::10");
	e.tuple[CT_ORIGINAL].dst = build_addr(four ? "198.51.100.80" : "2001:db8:2::80");
	e.tuple[CT_REPLY].src = build_addr(four ? "198.51.100.81" : "2001:db8:2::81");
	e.tuple[CT_REPLY].dst = build_addr(four ? "203.0.113.1" : "2001:db8:3::1");
	e.bytes[CT_ORIGINAL] = UINT64_C(0x0123456789abcdef);
	e.bytes[CT_REPLY] = UINT64_C(0xfedcba9876543210);
	e.packets[CT_ORIGINAL] = 5;
	e.packets[CT_REPLY] = UINT64_C(1) << 33;
	for (int dir = 0; dir < 2 && proto != IPPROTO_GRE; dir++) {
		e.tuple[dir].sport = icmp ? 0x1234 : (uint16_t)(40000 + dir);
		e.tuple[dir].dport = icmp ? 0x1234 : (uint16_t)(443 + dir);
	}
	return e;
}

static void check(const struct ct_event *e)
{
	union message m;
	const struct nlmsghdr *message = build_ct(&m, e, 0);
	struct ct_event ours, theirs;

	assert_int_equal(ct_decode(message, &ours), 0);
	assert_int_equal(nfct_read(message, &theirs), 0);
	ours.icmp_type = ours.icmp_code = 0;
	assert_memory_equal(&ours.tuple, &theirs.tuple, sizeof(ours.tuple));
	assert_memory_equal(&ours.bytes, &theirs.bytes, sizeof(ours.bytes));
	assert_memory_equal(&ours.packets, &theirs.packets, sizeof(ours.packets));
	assert_int_equal(ours.type, theirs.type);
	assert_int_equal(ours.family, theirs.family);
	assert_int_equal(ours.proto, theirs.proto);
	assert_int_equal(ours.has_counters, theirs.has_counters);
	assert_int_equal(ours.zone, theirs.zone);
	assert_int_equal(ours.id, theirs.id);
	assert_int_equal(ours.status, theirs.status);
}

static void it_agrees_with_the_decoder(void **state)
{
	static const uint8_t kinds[][2] = { { 4, IPPROTO_TCP }, { 4, IPPROTO_UDP }, { 4, IPPROTO_ICMP },
		{ 4, IPPROTO_GRE }, { 6, IPPROTO_TCP }, { 6, IPPROTO_UDP }, { 6, IPPROTO_ICMPV6 } };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct ct_event e = sample(kinds[i][0], kinds[i][1]);

		check(&e);
		e.type = CT_DESTROY;
		check(&e);
		e.has_counters = false;
		e.bytes[0] = e.bytes[1] = e.packets[0] = e.packets[1] = 0;
		check(&e);
	}
}

static void what_is_no_entry_is_refused(void **state)
{
	struct ct_event e = sample(4, IPPROTO_TCP), read;
	union message m;
	struct nlmsghdr *message = build_ct(&m, &e, 0);

	(void)state;
	message->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET_CTRZERO;
	assert_int_equal(nfct_read(message, &read), -ENOMSG);
	message->nlmsg_type = NFNL_SUBSYS_ULOG << 8;
	assert_int_equal(nfct_read(message, &read), -ENOMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_agrees_with_the_decoder),
		cmocka_unit_test(what_is_no_entry_is_refused),
	};

	return cmocka_run_group_tests_name("nfct_read", tests, NULL, NULL);
}
