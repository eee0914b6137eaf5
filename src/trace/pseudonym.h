/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pseudonym: replaces MAC and IP addresses, so that a trace can be shown to strangers.
 *
 * Under one key each address has one pseudonym and no two share one. Two addresses with their first n bits in common
 * have pseudonyms with n bits in common, as in J. Xu et al., "Prefix-Preserving IP Address Anonymization" (Crypto-PAn,
 * 2002): so prefixes, routes and the addresses in them still fit together. What an address means stays: its family;
 * loopback, link-local, multicast, private; a MAC's group and local bits; and a subnet's broadcast, once the subnet is
 * known.
 */
#pragma once

#include "hostmeter/base/addr.h"
#include "hostmeter/base/hash.h"

struct pseudonyms;

/* NULL: out of memory. The key reveals the addresses: do not keep it. */
struct pseudonyms *pseudonyms_new(const struct hash_key *key);
void pseudonyms_free(struct pseudonyms *pseudonyms);

/* Adds the subnet of addr/len, whose broadcast is then kept. Call it before addresses of that subnet are asked for. */
void pseudonyms_add_subnet(struct pseudonyms *pseudonyms, const struct addr *addr, unsigned int len);

/* The pseudonym; no address (family 0) stays none. */
struct addr pseudonyms_addr(struct pseudonyms *pseudonyms, const struct addr *addr);
struct mac pseudonyms_mac(struct pseudonyms *pseudonyms, const struct mac *mac);
