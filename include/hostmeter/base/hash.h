/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hash: SipHash-1-3 (J.-P. Aumasson, D. J. Bernstein, 2012), a keyed 64-bit fingerprint that nobody without the key can
 * make collide. The tables know flows by it: two of a million live flows share one with a probability of 3e-8.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct hash_key {
	uint64_t k[2];
};

/* The fingerprint of len bytes; the same on every byte order. */
uint64_t hash_bytes(const struct hash_key *key, const void *data, size_t len);

/* The same with a key that this process made when it was first asked, for tables in memory (base/keyed_uthash.h). */
uint32_t hash_secretly(const void *data, size_t len);

/* A key from getrandom(2). 0 or -errno. */
int hash_key_random(struct hash_key *key);
