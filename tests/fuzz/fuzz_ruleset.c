/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listings of firewalls, of nft and of iptables: no crash, and an answer or none for each family and direction. */
#include "check/ruleset_iptables.h"
#include "check/ruleset_nft.h"
#include "hostmeter/check/ruleset.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct ruleset *ruleset, uint8_t family, uint8_t direction)
{
	struct ruleset_answer answer;
	struct buf place = BUF_INIT;

	if (!ruleset_ask(ruleset, family, direction, 60, &answer))
		return;
	if ((answer.fate == RULESET_MISSING) != (answer.chain < 0))
		abort();
	if (answer.chain >= 0)
		ruleset_describe(ruleset, &answer, &place);
	buf_free(&place);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ruleset ruleset = { 0 };

	/* The input without a NUL behind it: reading past its end is seen. */
	ruleset_nft_rules(&ruleset, (const char *)data, size);
	ruleset_nft_flowtables(&ruleset, (const char *)data, size);
	ruleset_iptables(&ruleset, "iptables", RULESET_IPV4, (const char *)data, size);
	ruleset_iptables(&ruleset, "ip6tables", RULESET_IPV6, (const char *)data, size);
	for (uint8_t family = RULESET_IPV4; family <= RULESET_IPV6; family++) {
		ask(&ruleset, family, RULESET_ORIGINAL);
		ask(&ruleset, family, RULESET_REPLY);
	}
	ruleset_clear(&ruleset);
	return 0;
}
