/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/embed.h"
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"

#include <string.h>

EMBED(rules_text_nft, "rules/hostmeter.nft");
EMBED(rules_text_iptables, "rules/hostmeter.iptables");

static const struct {
	const char *kind, *text;
	const char *option; /* before the number of the NFLOG group */
} rules[] = {
	{ "nft", rules_text_nft, "log group " },
	{ "iptables", rules_text_iptables, "--nflog-group " },
};

/* Copies text with the NFLOG group's number after each option replaced. */
static void put_rules(struct buf *out, const char *text, const char *option, uint16_t group)
{
	for (const char *found; (found = strstr(text, option));) {
		found += strlen(option);
		buf_add(out, text, (size_t)(found - text));
		buf_put_u64(out, group);
		text = found + strspn(found, "0123456789");
	}
	buf_puts(out, text);
}

int cmd_print_rules(const struct config *config, struct buf *out)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		if (strcmp(config->rules, rules[i].kind) != 0)
			continue;
		put_rules(out, rules[i].text, rules[i].option, config->nflog_group);
		return CMD_OK;
	}
	return CMD_USAGE;
}
