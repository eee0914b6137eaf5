/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * addr: MAC addresses, IP addresses and prefixes as plain values.
 *
 * An address is compared, hashed and copied as bytes: what its family does not use is zero, always.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MAC_LEN = 6, MAC_TEXT = 18, ADDR_TEXT = 46 };

struct mac {
	uint8_t b[MAC_LEN];
};

/* family is 4, 6, or 0 for "no address"; IPv4 lives in b[0..3]. */
struct addr {
	uint8_t family;
	uint8_t b[16];
};

struct prefix {
	struct addr addr; /* host bits zero, see prefix_make() */
	uint8_t len;
};

/* Length in bytes of an address of this family: 4, 16, or 0 where family is neither 4 nor 6. */
size_t addr_len(uint8_t family);

/* An address of family 4 or 6 from its network-order bytes; len must be what the family says, else family is 0. */
struct addr addr_make(uint8_t family, const void *bytes, size_t len);

/* Reads the textual forms of inet_pton(3). 0, or -EINVAL and *a untouched. */
int addr_parse(struct addr *a, const char *text);

/* Writes the inet_ntop(3) form, "" for family 0. Returns text. */
const char *addr_format(const struct addr *a, char text[static ADDR_TEXT]);

/* <0, 0, >0 by family, then bytes: any total order will do, this one is stable across machines. */
int addr_cmp(const struct addr *a, const struct addr *b);
bool addr_equal(const struct addr *a, const struct addr *b);

bool addr_is_loopback(const struct addr *a);   /* 127.0.0.0/8, ::1 */
bool addr_is_multicast(const struct addr *a);  /* 224.0.0.0/4, 255.255.255.255, ff00::/8 */
bool addr_is_link_local(const struct addr *a); /* 169.254.0.0/16, fe80::/10 */
bool addr_is_unspecified(const struct addr *a);

/* addr/len with the host bits cleared; len is cut to the family's size. */
struct prefix prefix_make(const struct addr *addr, unsigned int len);

/* Reads "10.0.0.0/8", "fd00::/8", or a bare address as a full-length prefix. 0, or -EINVAL and *p untouched. */
int prefix_parse(struct prefix *p, const char *text);
bool prefix_contains(const struct prefix *p, const struct addr *a);

/* Reads six pairs of hex digits with ':' or '-' between. 0, or -EINVAL and *m untouched. */
int mac_parse(struct mac *m, const char *text);

/* Writes "00:00:5e:01:02:03", lower case, every zero kept. Returns text. */
const char *mac_format(const struct mac *m, char text[static MAC_TEXT]);
bool mac_equal(const struct mac *a, const struct mac *b);
bool mac_is_zero(const struct mac *m);

/* A MAC that can stand for one host: not zero, not a group address. */
bool mac_is_host(const struct mac *m);

/* Locally administered (bit 1 of the first byte): randomised MACs of phones have it. */
bool mac_is_random(const struct mac *m);
