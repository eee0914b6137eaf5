/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/addr.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct addr parsed(const char *text)
{
	struct addr a;

	memset(&a, 0xaa, sizeof(a));
	assert_int_equal(addr_parse(&a, text), 0);
	return a;
}

static void formats_what_it_parses(void **state)
{
	static const char *const texts[] = { "0.0.0.0", "192.0.2.1", "255.255.255.255", "::", "::1", "2001:db8::1:2",
		"fe80::200:5eff:fe00:5301", "::ffff:192.0.2.1" };
	char text[ADDR_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct addr a = parsed(texts[i]);

		assert_int_equal(a.family, strchr(texts[i], ':') ? 6 : 4);
		assert_ptr_equal(addr_format(&a, text), text);
		assert_string_equal(text, texts[i]);
	}
	assert_string_equal(addr_format(&(struct addr){ 0 }, text), "");
}

static void parse_refuses_and_keeps(void **state)
{
	static const char *const texts[] = { "", "192.0.2", "192.0.2.256", "192.0.2.1 ", "2001:db8::g", "host", ":" };
	struct addr a = parsed("192.0.2.1"), before = a;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(addr_parse(&a, texts[i]), -EINVAL);
	assert_memory_equal(&a, &before, sizeof(a));
}

static void unused_bytes_are_zero(void **state)
{
	static const uint8_t zero[12];
	struct addr a = parsed("192.0.2.1");

	(void)state;
	assert_memory_equal(a.b + 4, zero, sizeof(zero));
	a = addr_make(4, "\xc0\x00\x02\x01", 4);
	assert_true(addr_equal(&a, &(struct addr){ 4, { 192, 0, 2, 1 } }));
	assert_memory_equal(a.b + 4, zero, sizeof(zero));
}

static void make_checks_length(void **state)
{
	static const uint8_t bytes[16] = { 0x20, 0x01 };

	(void)state;
	assert_int_equal(addr_make(6, bytes, 16).family, 6);
	assert_int_equal(addr_make(6, bytes, 4).family, 0);
	assert_int_equal(addr_make(4, bytes, 16).family, 0);
	assert_int_equal(addr_make(0, bytes, 0).family, 0);
	assert_int_equal(addr_make(10, bytes, 16).family, 0);
	assert_int_equal(addr_len(4), 4);
	assert_int_equal(addr_len(6), 16);
	assert_int_equal(addr_len(10), 0);
}

static void orders_by_family_then_bytes(void **state)
{
	static const char *const sorted[] = { "9.0.0.0", "10.0.0.1", "192.0.2.1", "::", "2001:db8::1", "fe80::1" };
	enum { COUNT = sizeof(sorted) / sizeof(sorted[0]) };

	(void)state;
	for (int i = 0; i < COUNT; i++) {
		for (int j = 0; j < COUNT; j++) {
			struct addr a = parsed(sorted[i]), b = parsed(sorted[j]);
			int cmp = addr_cmp(&a, &b);

			assert_int_equal((cmp > 0) - (cmp < 0), (i > j) - (i < j));
			assert_int_equal(addr_equal(&a, &b), i == j);
		}
	}
}

static void knows_kinds_of_addresses(void **state)
{
	enum { NONE, LOOPBACK, MULTICAST, LINK_LOCAL, UNSPECIFIED };
	static const struct {
		const char *text;
		int kind;
	} cases[] = {
		{ "127.0.0.1", LOOPBACK },
		{ "127.255.255.254", LOOPBACK },
		{ "128.0.0.1", NONE },
		{ "::1", LOOPBACK },
		{ "::2", NONE },
		{ "7f00::", NONE },
		{ "224.0.0.1", MULTICAST },
		{ "239.255.255.255", MULTICAST },
		{ "240.0.0.1", NONE },
		{ "223.255.255.255", NONE },
		{ "255.255.255.255", MULTICAST },
		{ "ff02::1", MULTICAST },
		{ "e000::1", NONE },
		{ "169.254.1.1", LINK_LOCAL },
		{ "169.253.1.1", NONE },
		{ "fe80::1", LINK_LOCAL },
		{ "febf::1", LINK_LOCAL },
		{ "fec0::1", NONE },
		{ "0.0.0.0", UNSPECIFIED },
		{ "0.0.0.1", NONE },
		{ "::", UNSPECIFIED },
		{ "a9fe::", NONE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr a = parsed(cases[i].text);

		assert_int_equal(addr_is_loopback(&a), cases[i].kind == LOOPBACK);
		assert_int_equal(addr_is_multicast(&a), cases[i].kind == MULTICAST);
		assert_int_equal(addr_is_link_local(&a), cases[i].kind == LINK_LOCAL);
		assert_int_equal(addr_is_unspecified(&a), cases[i].kind == UNSPECIFIED);
	}
	assert_false(addr_is_unspecified(&(struct addr){ 0 }));
}

static void prefix_holds_its_addresses(void **state)
{
	static const struct {
		const char *prefix, *addr;
		bool inside;
	} cases[] = {
		{ "10.0.0.0/8", "10.255.255.255", true },
		{ "10.0.0.0/8", "11.0.0.0", false },
		{ "192.0.2.128/25", "192.0.2.255", true },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.255/25", "192.0.2.128", true },
		{ "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.0", false },
		{ "0.0.0.0/0", "203.0.113.9", true },
		{ "0.0.0.0/0", "2001:db8::", false },
		{ "::/0", "2001:db8::", true },
		{ "::/0", "0.0.0.0", false },
		{ "fd00::/8", "fdff::1", true },
		{ "fd00::/8", "fe00::", false },
		{ "2001:db8::/33", "2001:db8:7fff::", true },
		{ "2001:db8::/33", "2001:db8:8000::", false },
		{ "2001:db8::1", "2001:db8::1", true },
		{ "2001:db8::1", "2001:db8::", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr a = parsed(cases[i].addr);
		struct prefix p;

		assert_int_equal(prefix_parse(&p, cases[i].prefix), 0);
		assert_int_equal(prefix_contains(&p, &a), cases[i].inside);
	}
	assert_false(prefix_contains(&(struct prefix){ 0 }, &(struct addr){ 0 }));
}

static void prefix_clears_host_bits(void **state)
{
	struct addr a = parsed("192.0.2.255"), want = parsed("192.0.2.252");
	struct prefix p = prefix_make(&a, 30);

	(void)state;
	assert_int_equal(p.len, 30);
	assert_true(addr_equal(&p.addr, &want));
	assert_int_equal(prefix_make(&a, 33).len, 32);
	assert_int_equal(prefix_make(&a, 1000).len, 32);
	a = parsed("2001:db8::ffff");
	assert_int_equal(prefix_make(&a, 129).len, 128);
	assert_int_equal(prefix_make(&(struct addr){ 0 }, 8).len, 0);
}

static void prefix_refuses_and_keeps(void **state)
{
	static const char *const texts[] = { "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8 ",
		"10.0.0.0/ 8", "10.0.0.0/+8", "10.0.0.0/8/8", "::/129", "::/0128", "10/8",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb/8" };
	struct prefix p, before;

	(void)state;
	assert_int_equal(prefix_parse(&p, "fd00::/8"), 0);
	before = p;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(prefix_parse(&p, texts[i]), -EINVAL);
	assert_memory_equal(&p, &before, sizeof(p));
}

static void mac_text_keeps_zeros(void **state)
{
	char text[MAC_TEXT];
	struct mac m, other;

	(void)state;
	assert_int_equal(mac_parse(&m, "00:00:5e:01:02:03"), 0);
	assert_string_equal(mac_format(&m, text), "00:00:5e:01:02:03");
	assert_int_equal(mac_parse(&other, "00-00-5E-01-02-03"), 0);
	assert_true(mac_equal(&m, &other));
	assert_int_equal(mac_parse(&m, "aB:Cd:eF:00:90:fA"), 0);
	assert_string_equal(mac_format(&m, text), "ab:cd:ef:00:90:fa");
	assert_false(mac_equal(&m, &other));
}

static void mac_refuses_and_keeps(void **state)
{
	static const char *const texts[] = { "", "0", "00", "00:", "00:00:5e:01:02",
		"00:00:5e:01:02:", "00:00:5e:01:02:0", "00:00:5e:01:02:03:", "00:00:5e:01:02:03:04",
		"00:00:5e:01:02:0g", "0:0:5e:1:2:3", "00.00.5e.01.02.03", "00:00-5e:01:02:03", "00005e010203",
		" 00:00:5e:01:02:03", "@0:00:5e:01:02:03", "0`:00:5e:01:02:03" };
	struct mac m = { { 1, 2, 3, 4, 5, 6 } }, before = m;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(mac_parse(&m, texts[i]), -EINVAL);
	assert_true(mac_equal(&m, &before));
}

static void knows_kinds_of_macs(void **state)
{
	static const struct {
		struct mac mac;
		bool zero, host, random;
	} cases[] = {
		{ { { 0 } }, true, false, false },
		{ { { 0, 0, 0, 0, 0, 1 } }, false, true, false },
		{ { { 0x00, 0x00, 0x5e, 1, 2, 3 } }, false, true, false },
		{ { { 0x01, 0x00, 0x5e, 1, 2, 3 } }, false, false, false },
		{ { { 0x02, 0x00, 0x00, 1, 2, 3 } }, false, true, true },
		{ { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } }, false, false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(mac_is_zero(&cases[i].mac), cases[i].zero);
		assert_int_equal(mac_is_host(&cases[i].mac), cases[i].host);
		assert_int_equal(mac_is_random(&cases[i].mac), cases[i].random);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats_what_it_parses),
		cmocka_unit_test(parse_refuses_and_keeps),
		cmocka_unit_test(unused_bytes_are_zero),
		cmocka_unit_test(make_checks_length),
		cmocka_unit_test(orders_by_family_then_bytes),
		cmocka_unit_test(knows_kinds_of_addresses),
		cmocka_unit_test(prefix_holds_its_addresses),
		cmocka_unit_test(prefix_clears_host_bits),
		cmocka_unit_test(prefix_refuses_and_keeps),
		cmocka_unit_test(mac_text_keeps_zeros),
		cmocka_unit_test(mac_refuses_and_keeps),
		cmocka_unit_test(knows_kinds_of_macs),
	};

	return cmocka_run_group_tests_name("addr", tests, NULL, NULL);
}
