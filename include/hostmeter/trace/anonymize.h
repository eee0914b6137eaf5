/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * anonymize: a trace that can be shown to a stranger. A message is decoded, and what the meter makes of it is written
 * anew, with MAC and IP addresses under pseudonyms (pseudonym.h), the same in all sources. What the meter does not need
 * is not there: names of interfaces (they become "if" and their number), log prefixes, payload, options, labels.
 */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/base/hash.h"

#include <stdbool.h>

struct anonymizer;

/* With a key that nobody else has and that nobody keeps. NULL: out of memory. anonymize_free(NULL) is fine. */
struct anonymizer *anonymize_new(const struct hash_key *key);
void anonymize_free(struct anonymizer *anonymizer);

/*
 * Appends to out what is left of a datagram of this netlink protocol, received or sent (outgoing); nothing if nothing
 * is. data is aligned for struct nlmsghdr; lengths in it are checked.
 */
void anonymize_datagram(struct anonymizer *anonymizer, uint16_t protocol, bool outgoing, const void *data, size_t len,
	struct buf *out);

/* How many messages were left out: not of use to the meter, or damaged. */
uint64_t anonymize_left_out(const struct anonymizer *anonymizer);
