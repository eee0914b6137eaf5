/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pseudonym: replaces MAC and IP addresses, so that a trace can be shown to strangers.
 *
 * With one key each address has one pseudonym, and no two addresses have the same. Addresses whose first n bits are
 * equal have pseudonyms whose first n bits are equal, as in J. Xu et al., "Prefix-Preserving IP Address Anonymization"
 * (Crypto-PAn, 2002): so addresses still fit their prefixes and routes. What an address means stays: its family;
 * loopback, link-local, multicast, private; the group and local bits of a MAC; and, once the subnet is known, that it
 * is a broadcast address.
 */
#pragma once

#include "hostmeter/base/addr.h"
#include "hostmeter/base/hash.h"

struct pseudonyms;

/* NULL: out of memory. The key reveals the addresses: do not keep it. */
struct pseudonyms *pseudonyms_new(const struct hash_key *key);
void pseudonyms_free(struct pseudonyms *pseudonyms);

/* Adds the subnet of addr/len. To be called before addresses of that subnet are asked for. */
void pseudonyms_add_subnet(struct pseudonyms *pseudonyms, const struct addr *addr, unsigned int len);

/* The pseudonym. An address of family 0, which is none, stays as it is. */
struct addr pseudonyms_addr(struct pseudonyms *pseudonyms, const struct addr *addr);
struct mac pseudonyms_mac(struct pseudonyms *pseudonyms, const struct mac *mac);
