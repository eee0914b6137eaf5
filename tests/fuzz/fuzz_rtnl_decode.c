/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/decode/rtnl_decode.h"

#include "hostmeter/base/utf8.h"

#include "message_of.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_link(const struct rtnl_link *link)
{
	size_t len = strnlen(link->name, IFNAME_LEN), step;
	uint32_t code;

	if (!len || len == IFNAME_LEN)
		abort();
	for (size_t i = 0; i < len; i += step) {
		step = utf8_char(link->name + i, len - i, &code);
		if (!step || code == ' ' || !utf8_is_visible(code))
			abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct nlmsghdr *message = message_of(data, size);
	struct rtnl_event e;

	if (message && rtnl_decode(message, &e) == 0) {
		if (e.type == RTNL_LINK)
			check_link(&e.link);
		else if (e.type == RTNL_ROUTE && e.route.dst.len > 8 * addr_len(e.route.dst.addr.family))
			abort();
		else if (e.type == RTNL_ADDR && e.addr.prefix_len > 8 * addr_len(e.addr.addr.family))
			abort();
		else if (e.type == RTNL_ROUTE && e.route.others > RTNL_OTHER_HOPS)
			abort();
		else if (e.type == RTNL_RULE && (!e.rule.family || (e.rule.is_general && e.rule.is_vrf)))
			abort();
		else if (e.type == RTNL_NEIGH && !e.neigh.addr.family)
			abort();
	}
	free(message);
	return 0;
}
