/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ruleset_nft: what nft(8) prints, read into a ruleset. libnftables-json(5); flowtables from the plain listing, since
 * no version of the JSON has their flags.
 */
#ifndef HOSTMETER_CHECK_RULESET_NFT_H
#define HOSTMETER_CHECK_RULESET_NFT_H

#include "hostmeter/check/ruleset.h"

/*
 * Adds the chains and rules of `nft -j list ruleset`. What is of no interest or unknown is passed over; a statement
 * that is not known makes its rule one with a condition. 0, -EBADMSG if it is no such text, -ENOMEM, -E2BIG.
 */
int ruleset_nft_rules(struct ruleset *ruleset, const char *text, size_t len);

/* Adds the flowtables of `nft list flowtables`. 0, -ENOMEM, -E2BIG. */
int ruleset_nft_flowtables(struct ruleset *ruleset, const char *text, size_t len);

#endif
