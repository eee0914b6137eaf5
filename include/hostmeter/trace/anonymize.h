/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * anonymize: makes a trace that can be shown to strangers. Each message is decoded and written again, with pseudonyms
 * for MAC and IP addresses (pseudonym.h), the same ones in all sources. What the meter does not use is left out: log
 * prefixes, payload, options, labels. The name of an interface becomes "if" and its number.
 */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/base/hash.h"

#include <stdbool.h>

struct anonymizer;

/* The key reveals the addresses: make a random one and do not keep it. NULL: out of memory. anonymize_free(NULL) is
 * fine. */
struct anonymizer *anonymize_new(const struct hash_key *key);
void anonymize_free(struct anonymizer *anonymizer);

/*
 * Appends the anonymized datagram to out, or nothing if all of it is left out. protocol: of netlink; outgoing: it was
 * sent, not received; data is aligned for struct nlmsghdr, and lengths in it are checked.
 */
void anonymize_datagram(struct anonymizer *anonymizer, uint16_t protocol, bool outgoing, const void *data, size_t len,
	struct buf *out);

/* How many messages were left out because the meter does not use them, or because they were damaged. */
uint64_t anonymize_left_out(const struct anonymizer *anonymizer);
