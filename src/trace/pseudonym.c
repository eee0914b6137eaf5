/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pseudonym is the address with some of its bits flipped. Whether bit n flips depends on the key and on the n bits
 * before it, on nothing else. So no two addresses get the same pseudonym, and common prefixes stay common prefixes.
 *
 * Classes of addresses that have a meaning, such as multicast, keep their first bits. As long as the bits before do not
 * exclude that an address is in such a class, no bit flips. So no other address gets into the class either.
 *
 * A hash for each bit would be slow. Within a byte there are 255 decisions: one for the first bit, two for the second,
 * up to 128 for the eighth. A hash of 64 bits holds 64 of them, so a byte takes three hashes at most.
 */
#include "pseudonym.h"

#include <stdlib.h>
#include <string.h>

enum { CACHE = 4096, SUBNETS = 64, MAC_FAMILY = 1 };

/* An address that begins with the first len bits of prefix keeps its first keep bits. */
struct class
{
	uint8_t family;
	uint8_t prefix[16];
	uint8_t len, keep;
};

static const struct class classes[] = {
	{ 4, { 0 }, 8, 32 },                                           /* "this network", the unspecified address */
	{ 4, { 10 }, 8, 8 },                                           /* private */
	{ 4, { 100, 64 }, 10, 10 },                                    /* between provider and customer */
	{ 4, { 127 }, 8, 32 },                                         /* loopback */
	{ 4, { 169, 254 }, 16, 16 },                                   /* link-local */
	{ 4, { 172, 16 }, 12, 12 },                                    /* private */
	{ 4, { 192, 168 }, 16, 16 },                                   /* private */
	{ 4, { 224 }, 4, 4 },                                          /* multicast */
	{ 4, { 255, 255, 255, 255 }, 32, 32 }, { 6, { 0 }, 128, 128 }, /* unspecified */
	{ 6, { [15] = 1 }, 128, 128 },                                 /* loopback */
	{ 6, { 0x20 }, 3, 3 },                                         /* global */
	{ 6, { 0xfc }, 7, 8 },                                         /* private */
	{ 6, { 0xfe, 0x80 }, 10, 10 },                                 /* link-local */
	{ 6, { 0xfe, 0x80 }, 64, 64 },                                 /* those in use */
	{ 6, { 0xff }, 8, 16 },                                        /* multicast, with its flags and scope */
	{ MAC_FAMILY, { 0 }, 48, 48 },                                 /* all zeros: no MAC */
};

struct entry {
	struct addr from, to;
};

struct pseudonyms {
	struct hash_key key;
	struct prefix subnet[SUBNETS];
	size_t subnets;
	struct entry cache[CACHE]; /* whole addresses: most of them come often */
};

struct pseudonyms *pseudonyms_new(const struct hash_key *key)
{
	struct pseudonyms *pseudonyms = calloc(1, sizeof(*pseudonyms));

	if (pseudonyms)
		pseudonyms->key = *key;
	return pseudonyms;
}

void pseudonyms_free(struct pseudonyms *pseudonyms)
{
	free(pseudonyms);
}

static unsigned int bit_of(const uint8_t *bytes, unsigned int n)
{
	return bytes[n / 8] >> (7 - n % 8) & 1;
}

/* How many of the first bits do not flip. */
static unsigned int quiet_bits(uint8_t family, const uint8_t *bytes)
{
	unsigned int quiet = 0;

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
		const struct class *class = &classes[i];
		unsigned int same = 0, keep;

		if (class->family != family)
			continue;
		while (same < class->len && bit_of(bytes, same) == bit_of(class->prefix, same))
			same++;
		keep = same == class->len ? class->keep : same + 1;
		if (keep > quiet)
			quiet = keep;
	}
	return quiet;
}

/* The decisions number 64 * part and up for the byte at this index; they depend on the bytes before it. */
static uint64_t flips_of(const struct pseudonyms *p, uint8_t family, const uint8_t *bytes, unsigned int at,
	unsigned int part)
{
	uint8_t text[16 + 3] = { family, (uint8_t)at, (uint8_t)part };

	memcpy(text + 3, bytes, at);
	return hash_bytes(&p->key, text, 3 + at);
}

static uint8_t flip_byte(const struct pseudonyms *p, uint8_t family, const uint8_t *bytes, unsigned int at,
	unsigned int quiet)
{
	unsigned int part = UINT32_MAX;
	uint8_t flipped = bytes[at];
	uint64_t flips = 0;

	for (unsigned int bit = 0; bit < 8; bit++) {
		/* The number of this decision within the byte. */
		unsigned int node = (1u << bit) - 1 + (bytes[at] >> (8 - bit));

		if (at * 8 + bit < quiet)
			continue;
		if (node / 64 != part) {
			part = node / 64;
			flips = flips_of(p, family, bytes, at, part);
		}
		flipped ^= (uint8_t)((flips >> node % 64 & 1) << (7 - bit));
	}
	return flipped;
}

static void flip(const struct pseudonyms *p, uint8_t family, const uint8_t *from, uint8_t *to, size_t len)
{
	unsigned int quiet = quiet_bits(family, from);

	for (unsigned int at = 0; at < len; at++)
		to[at] = quiet >= 8 * (at + 1) ? from[at] : flip_byte(p, family, from, at, quiet);
}

static struct addr flip_addr(const struct pseudonyms *p, const struct addr *addr)
{
	struct addr to = { .family = addr->family };

	flip(p, addr->family, addr->b, to.b, addr_len(addr->family));
	return to;
}

/* The last address of an IPv4 subnet. */
static struct addr broadcast_of(const struct prefix *subnet)
{
	struct addr last = subnet->addr;

	for (unsigned int n = subnet->len; n < 32; n++)
		last.b[n / 8] |= (uint8_t)(0x80 >> n % 8);
	return last;
}

/* A broadcast address must get a broadcast address: it swaps pseudonyms with the address that has that one. */
static struct addr swap_broadcast(const struct pseudonyms *p, const struct addr *addr, const struct addr *to)
{
	for (size_t i = 0; i < p->subnets; i++) {
		const struct prefix *subnet = &p->subnet[i];
		struct addr last, flipped, wanted;
		struct prefix image;

		if (!prefix_contains(subnet, addr))
			continue;
		last = broadcast_of(subnet);
		flipped = flip_addr(p, &last);
		image = prefix_make(&flipped, subnet->len);
		wanted = broadcast_of(&image);
		if (addr_equal(addr, &last))
			return wanted;
		if (addr_equal(to, &wanted))
			return flipped;
	}
	return *to;
}

void pseudonyms_add_subnet(struct pseudonyms *pseudonyms, const struct addr *addr, unsigned int len)
{
	struct prefix subnet = prefix_make(addr, len);

	/* Prefixes of other lengths are no subnets with a broadcast address. */
	if (addr->family != 4 || len > 30 || len < 8 || pseudonyms->subnets == SUBNETS)
		return;
	/* Of nested subnets only the first counts: a second swap would undo its swap. */
	for (size_t i = 0; i < pseudonyms->subnets; i++) {
		const struct prefix *other = &pseudonyms->subnet[i];

		if (prefix_contains(other, &subnet.addr) || prefix_contains(&subnet, &other->addr))
			return;
	}
	pseudonyms->subnet[pseudonyms->subnets++] = subnet;
	memset(pseudonyms->cache, 0, sizeof(pseudonyms->cache));
}

struct addr pseudonyms_addr(struct pseudonyms *pseudonyms, const struct addr *addr)
{
	struct entry *entry;
	struct addr to;

	if (!addr_len(addr->family))
		return *addr;
	entry = &pseudonyms->cache[hash_bytes(&pseudonyms->key, addr, sizeof(*addr)) % CACHE];
	if (addr_equal(&entry->from, addr))
		return entry->to;
	to = flip_addr(pseudonyms, addr);
	to = swap_broadcast(pseudonyms, addr, &to);
	*entry = (struct entry){ *addr, to };
	return to;
}

struct mac pseudonyms_mac(struct pseudonyms *pseudonyms, const struct mac *mac)
{
	uint8_t from[16] = { 0 }, to[16] = { 0 };
	struct mac result;

	/* The group and local bits, the last two of the first byte, stay. They are moved to the front for the flipping.
	 */
	memcpy(from, mac->b, MAC_LEN);
	from[0] = (uint8_t)(from[0] << 6 | from[0] >> 2);
	flip(pseudonyms, MAC_FAMILY, from, to, MAC_LEN);
	to[0] = (uint8_t)((to[0] & 0x3f) << 2 | from[0] >> 6);
	memcpy(result.b, to, MAC_LEN);
	return result;
}
