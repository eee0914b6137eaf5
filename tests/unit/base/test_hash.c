/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/*
 * SipHash-c-d straight from the paper, one byte at a time, with no regard for speed. Its 2-4 form is held against the
 * paper's own example, its 1-3 form is then the yardstick for the real one.
 */
static void round_of(uint64_t v[4])
{
	static const struct {
		int to, from, bits, swap;
	} steps[] = { { 0, 1, 13, 1 }, { 2, 3, 16, 0 }, { 0, 3, 21, 0 }, { 2, 1, 17, 1 } };

	for (int i = 0; i < 4; i++) {
		uint64_t *to = &v[steps[i].to], *from = &v[steps[i].from];

		*to += *from;
		*from = (*from << steps[i].bits | *from >> (64 - steps[i].bits)) ^ *to;
		if (steps[i].swap)
			*to = *to << 32 | *to >> 32;
	}
}

static uint64_t reference(const struct hash_key *key, const uint8_t *data, size_t len, int c, int d)
{
	static const char constant[] = "somepseudorandomlygeneratedbytes";
	size_t padded = len / 8 * 8 + 8;
	uint64_t v[4] = { 0 };

	for (int i = 0; i < 32; i++)
		v[i / 8] = v[i / 8] << 8 | (uint8_t)constant[i];
	for (int i = 0; i < 4; i++)
		v[i] ^= key->k[i % 2];
	for (size_t at = 0; at < padded; at += 8) {
		uint64_t word = 0;

		for (size_t i = 0; i < 8; i++) {
			uint8_t byte = at + i < len ? data[at + i] : at + i == padded - 1 ? (uint8_t)len : 0;

			word += (uint64_t)byte << 8 * i;
		}
		v[3] ^= word;
		for (int i = 0; i < c; i++)
			round_of(v);
		v[0] ^= word;
	}
	v[2] ^= 0xff;
	for (int i = 0; i < d; i++)
		round_of(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The key of the paper's appendix A: bytes 0 to 15. */
static const struct hash_key paper_key = { { UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908) } };

static void fill(uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)i;
}

static void reference_gives_the_papers_example(void **state)
{
	uint8_t data[15];

	(void)state;
	fill(data, sizeof(data));
	assert_true(reference(&paper_key, data, sizeof(data), 2, 4) == UINT64_C(0xa129ca6149be45e5));
}

static void equals_the_reference(void **state)
{
	uint8_t data[300];

	(void)state;
	fill(data, sizeof(data));
	for (size_t len = 0; len <= sizeof(data); len++)
		assert_true(hash_bytes(&paper_key, data, len) == reference(&paper_key, data, len, 1, 3));
	for (size_t at = 0; at < 16; at++)
		assert_true(hash_bytes(&paper_key, data + at, 56) == reference(&paper_key, data + at, 56, 1, 3));
}

/* Numbers, so that a machine of the other byte order has something to differ from. */
static void known_values(void **state)
{
	uint8_t data[64];

	(void)state;
	fill(data, sizeof(data));
	assert_true(hash_bytes(&paper_key, data, 0) == UINT64_C(0xabac0158050fc4dc));
	assert_true(hash_bytes(&paper_key, data, 15) == UINT64_C(0xd320d86d2a519956));
	assert_true(hash_bytes(&paper_key, data, 56) == UINT64_C(0xb4bcc0db243c6d75));
}

static void every_bit_counts(void **state)
{
	struct hash_key key = paper_key;
	uint8_t data[56];
	uint64_t whole;

	(void)state;
	fill(data, sizeof(data));
	whole = hash_bytes(&key, data, sizeof(data));
	for (size_t bit = 0; bit < 8 * sizeof(data); bit++) {
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_true(hash_bytes(&key, data, sizeof(data)) != whole);
		data[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (int bit = 0; bit < 128; bit++) {
		key.k[bit / 64] ^= UINT64_C(1) << bit % 64;
		assert_true(hash_bytes(&key, data, sizeof(data)) != whole);
		key.k[bit / 64] ^= UINT64_C(1) << bit % 64;
	}
}

static void keys_are_random(void **state)
{
	struct hash_key a = { { 0 } }, b = { { 0 } };

	(void)state;
	assert_int_equal(hash_key_random(&a), 0);
	assert_int_equal(hash_key_random(&b), 0);
	assert_memory_not_equal(&a, &b, sizeof(a));
	assert_true(a.k[0] && a.k[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reference_gives_the_papers_example),
		cmocka_unit_test(equals_the_reference),
		cmocka_unit_test(known_values),
		cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(keys_are_random),
	};

	return cmocka_run_group_tests_name("hash", tests, NULL, NULL);
}
