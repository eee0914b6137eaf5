/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "rules.h"

#include "embed.h"
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

EMBED(rules_text_nft, "rules/hostmeter.nft");
EMBED(rules_text_iptables, "rules/hostmeter.iptables");

/* Copies text, with the default group's number after each "group" replaced. */
static void put_rules(struct buf *out, const char *text, uint16_t group)
{
	static const char *const before[] = { "log group ", "--nflog-group " };

	while (*text) {
		const char *found = NULL;

		for (size_t i = 0; i < sizeof(before) / sizeof(*before); i++) {
			const char *hit = strstr(text, before[i]);

			if (hit && (!found || hit + strlen(before[i]) < found))
				found = hit + strlen(before[i]);
		}
		if (!found)
			break;
		buf_add(out, text, (size_t)(found - text));
		text = found + strspn(found, "0123456789");
		if (text != found)
			buf_put_u64(out, group);
	}
	buf_puts(out, text);
}

int rules_render(struct buf *out, const char *kind, uint16_t group)
{
	if (!strcmp(kind, "nft")) {
		put_rules(out, rules_text_nft, group);
		return 0;
	}
	if (strcmp(kind, "iptables"))
		return -EINVAL;
	put_rules(out, rules_text_iptables, group);
	return 0;
}

int cmd_print_rules(const struct config *config, struct buf *out)
{
	rules_render(out, config->rules ? config->rules : "nft", config->nflog_group);
	return CMD_OK;
}
