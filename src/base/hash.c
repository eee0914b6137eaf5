/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/hash.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/random.h>

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotate(uint64_t x, unsigned int bits)
{
	return x << bits | x >> (64 - bits);
}

/* SipRound of the paper's figure 2.1: two halves of two half-rounds. */
static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotate(s->v1, 13) ^ s->v0;
	s->v3 = rotate(s->v3, 16) ^ s->v2;
	s->v0 = rotate(s->v0, 32);

	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotate(s->v1, 17) ^ s->v2;
	s->v3 = rotate(s->v3, 21) ^ s->v0;
	s->v2 = rotate(s->v2, 32);
}

static inline void compress(struct sip *s, uint64_t word)
{
	s->v3 ^= word;
	sip_round(s);
	s->v0 ^= word;
}

static inline uint64_t read_le64(const uint8_t *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return le64toh(word);
}

/* The last word: the remaining 0 to 7 bytes, and the length modulo 256 in the top byte. */
static inline uint64_t last_word(const uint8_t *p, size_t left, size_t len)
{
	uint64_t word = (uint64_t)len << 56;

	for (size_t i = 0; i < left; i++)
		word |= (uint64_t)p[i] << (8 * i);
	return word;
}

uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len)
{
	/* The constants spell "somepseudorandomlygeneratedbytes". */
	struct sip s = {
		.v0 = key->k[0] ^ UINT64_C(0x736f6d6570736575),
		.v1 = key->k[1] ^ UINT64_C(0x646f72616e646f6d),
		.v2 = key->k[0] ^ UINT64_C(0x6c7967656e657261),
		.v3 = key->k[1] ^ UINT64_C(0x7465646279746573),
	};
	const uint8_t *p = data;
	size_t left = len;

	for (; left >= 8; left -= 8, p += 8)
		compress(&s, read_le64(p));
	compress(&s, last_word(p, left, len));

	s.v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

int hash_key_random(struct hash_key *key)
{
	/* Up to 256 bytes come whole, so a short read cannot happen; a signal can while the pool is not ready yet. */
	while (getrandom(key, sizeof(*key), 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

uint32_t hash_secretly(const void *data, size_t len)
{
	static struct hash_key key;
	static bool is_made;

	/* Without random numbers the tables work as well, only not against an attacker. */
	if (!is_made)
		hash_key_random(&key);
	is_made = true;
	return (uint32_t)hash_bytes(&key, data, len);
}
