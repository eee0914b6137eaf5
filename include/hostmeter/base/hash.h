/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hash: SipHash-1-3, a keyed 64-bit fingerprint that nobody without the key can make collide.
 *
 * The tables know flows by such fingerprints instead of by whole tuples: 8 bytes instead of 40, and with a secret key
 * two of a million live flows share one with a probability of 3e-8.
 * J.-P. Aumasson, D. J. Bernstein, "SipHash: a fast short-input PRF", 2012; one compression and three final rounds as
 * in the kernel's hsiphash.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k[2];
};

/* The fingerprint of len bytes; the same on every byte order. */
uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len);

/* A key from getrandom(2). 0 or -errno. */
int hash_key_random(struct hash_key *key);
