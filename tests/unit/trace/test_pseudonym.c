/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pseudonym.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct hash_key key = { { 17, 4 } };

static int setup(void **state)
{
	*state = pseudonyms_new(&key);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	pseudonyms_free(*state);
	return 0;
}

static struct addr parse(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, text), 0);
	return addr;
}

static struct addr of(struct pseudonyms *p, const char *text)
{
	struct addr addr = parse(text);

	return pseudonyms_addr(p, &addr);
}

static unsigned int common(const struct addr *a, const struct addr *b)
{
	unsigned int n = 0;

	while (n < 8 * addr_len(a->family) && !((a->b[n / 8] ^ b->b[n / 8]) & 0x80 >> n % 8))
		n++;
	return n;
}

static void same_address_has_one_pseudonym(void **state)
{
	struct pseudonyms *other = pseudonyms_new(&key), *stranger = pseudonyms_new(&(struct hash_key){ { 17, 5 } });
	struct addr first = of(*state, "192.0.2.10"), again = of(*state, "192.0.2.10"),
		    elsewhere = of(other, "192.0.2.10");
	struct addr without_key = of(stranger, "192.0.2.10"), original = parse("192.0.2.10");

	assert_true(addr_equal(&first, &again));
	assert_true(addr_equal(&first, &elsewhere));
	assert_false(addr_equal(&first, &without_key));
	assert_false(addr_equal(&first, &original));
	pseudonyms_free(other);
	pseudonyms_free(stranger);
}

static int by_addr(const void *a, const void *b)
{
	return addr_cmp(a, b);
}

static void no_two_addresses_share_one(void **state)
{
	static struct addr all[1 << 16];
	struct addr router = parse("192.168.77.1");

	/* With a broadcast that changes places. */
	pseudonyms_add_subnet(*state, &router, 24);
	for (unsigned int i = 0; i < 1 << 16; i++) {
		struct addr addr = { 4, { 192, 168, (uint8_t)(i >> 8), (uint8_t)i } };

		all[i] = pseudonyms_addr(*state, &addr);
		assert_int_equal(all[i].b[0], 192);
		assert_int_equal(all[i].b[1], 168);
	}
	qsort(all, 1 << 16, sizeof(all[0]), by_addr);
	for (unsigned int i = 1; i < 1 << 16; i++)
		assert_false(addr_equal(&all[i - 1], &all[i]));
}

static void common_prefixes_stay(void **state)
{
	static const char *const texts[] = { "192.0.2.10", "192.0.2.11", "192.0.2.200", "192.0.3.1", "8.8.8.8",
		"8.8.4.4", "10.1.2.3", "10.1.2.4", "2001:db8:77::11", "2001:db8:77::12",
		"2001:db8:77:0:1234:5678:9abc:def0", "2a00:1450:4001::8a", "fd00::1", "fd00::2", "fe80::1", "fe80::2" };
	const size_t count = sizeof(texts) / sizeof(texts[0]);

	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < count; j++) {
			struct addr a = parse(texts[i]), b = parse(texts[j]), x = of(*state, texts[i]),
				    y = of(*state, texts[j]);

			assert_int_equal(x.family, a.family);
			if (a.family == b.family)
				assert_int_equal(common(&x, &y), common(&a, &b));
		}
	}
}

static void meanings_stay(void **state)
{
	static const char *const kept[] = { "127.0.0.1", "0.0.0.0", "255.255.255.255", "::", "::1" };
	struct addr a;

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		struct addr original = parse(kept[i]);

		a = of(*state, kept[i]);
		assert_true(addr_equal(&a, &original));
	}
	for (unsigned int i = 0; i < 100000; i++) {
		struct addr v4 = { 4,
			{ (uint8_t)(i * 2654435761u >> 24), (uint8_t)(i * 2654435761u >> 16), (uint8_t)i, 9 } };
		struct addr v6 = { 6, { (uint8_t)i, (uint8_t)(i >> 8), (uint8_t)(i >> 16), [15] = 2 } };
		struct addr x = pseudonyms_addr(*state, &v4), y = pseudonyms_addr(*state, &v6);

		assert_int_equal(addr_is_loopback(&v4), addr_is_loopback(&x));
		assert_int_equal(addr_is_multicast(&v4), addr_is_multicast(&x));
		assert_int_equal(addr_is_link_local(&v4), addr_is_link_local(&x));
		assert_int_equal(v4.b[0] == 10, x.b[0] == 10);
		assert_int_equal(v4.b[0] == 192 && v4.b[1] == 168, x.b[0] == 192 && x.b[1] == 168);
		assert_int_equal(addr_is_multicast(&v6), addr_is_multicast(&y));
		assert_int_equal(addr_is_link_local(&v6), addr_is_link_local(&y));
		assert_false(addr_is_loopback(&y) || addr_is_unspecified(&y));
	}
	a = of(*state, "ff02::1:ff00:1234");
	assert_memory_equal(a.b, "\xff\x02", 2);
	assert_memory_not_equal(a.b + 13, "\0\x12\x34", 3);
	a = of(*state, "fe80::1234");
	assert_memory_equal(a.b, "\xfe\x80\0\0\0\0\0\0", 8);
	a = pseudonyms_addr(*state, &(struct addr){ .family = 0 });
	assert_int_equal(a.family, 0);
}

static void broadcast_of_a_subnet_stays_one(void **state)
{
	static const struct {
		const char *router;
		unsigned int len;
		const char *last;
	} subnets[] = {
		{ "192.168.77.1", 24, "192.168.77.255" },
		{ "10.8.0.1", 26, "10.8.0.63" },
		{ "172.20.0.1", 16, "172.20.255.255" },
	};

	for (size_t i = 0; i < 3; i++) {
		struct addr router = parse(subnets[i].router), first, last;

		pseudonyms_add_subnet(*state, &router, subnets[i].len);
		first = pseudonyms_addr(*state, &router);
		last = of(*state, subnets[i].last);
		assert_true(common(&first, &last) >= subnets[i].len);
		for (unsigned int n = subnets[i].len; n < 32; n++)
			assert_true(last.b[n / 8] & 0x80 >> n % 8);
	}
}

static int by_mac(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct mac));
}

static void macs_are_permuted(void **state)
{
	static struct mac all[1 << 16];

	for (unsigned int i = 0; i < 1 << 16; i++) {
		struct mac mac = { { (uint8_t)i, 0, 0x5e, 0, (uint8_t)(i >> 8), 0x0b } };

		all[i] = pseudonyms_mac(*state, &mac);
		assert_int_equal(all[i].b[0] & 3, mac.b[0] & 3);
	}
	qsort(all, 1 << 16, sizeof(all[0]), by_mac);
	for (unsigned int i = 1; i < 1 << 16; i++)
		assert_false(mac_equal(&all[i - 1], &all[i]));
	all[0] = pseudonyms_mac(*state, &(struct mac){ { 0 } });
	assert_true(mac_is_zero(&all[0]));
	all[0] = pseudonyms_mac(*state, &(struct mac){ { 0, 0, 0x5e, 0, 0x53, 0x0b } });
	assert_memory_not_equal(all[0].b, "\0\0\x5e\0\x53\x0b", MAC_LEN);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(same_address_has_one_pseudonym),
		TEST(no_two_addresses_share_one),
		TEST(common_prefixes_stay),
		TEST(meanings_stay),
		TEST(broadcast_of_a_subnet_stays_one),
		TEST(macs_are_permuted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
