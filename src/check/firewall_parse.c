/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "firewall_parse.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Whether the text has this, ending in the group's number, once for each direction. */
static bool logs_twice(const char *text, const char *before, uint16_t group)
{
	unsigned int found = 0;
	char wanted[64];
	int len = snprintf(wanted, sizeof(wanted), "%s%u", before, group);

	for (; (text = strstr(text, wanted)); text += len)
		found += !isdigit((unsigned char)text[len]);
	return found >= 2;
}

bool firewall_parse_nft(const char *text, uint16_t nflog_group)
{
	return logs_twice(text, " log group ", nflog_group);
}

bool firewall_parse_iptables(const char *text, uint16_t nflog_group)
{
	const char *chain = strstr(text, "\n-A HOSTMETER ");

	/* iptables-save does not print group 0: there the next option, with the size in our rules, follows. */
	return strstr(text, "\n-A FORWARD -j HOSTMETER\n") && chain &&
		(nflog_group ? logs_twice(chain, " -j NFLOG --nflog-group ", nflog_group) :
			       logs_twice(chain, " -j NFLOG --nflog-size ", 128));
}

/* --- Flowtables: "table FAMILY NAME {", within it "flowtable NAME {", within that "counter" and "flags offload" */

struct listing {
	char family[32], table[256], name[256];
	bool inside, counts, in_hardware;
};

static void put_name(struct buf *names, const struct listing *at)
{
	buf_printf(names, "%s%s %s %s", names->len ? ", " : "", at->family, at->table, at->name);
}

static void take_line(struct firewall *firewall, struct listing *at, const char *line)
{
	char word[256] = "";

	sscanf(line, "%255s", word);
	if (sscanf(line, " table %31s %255s", at->family, at->table) == 2) {
		at->inside = false;
	} else if (sscanf(line, " flowtable %255s", at->name) == 1) {
		at->inside = true;
		at->counts = at->in_hardware = false;
	} else if (at->inside && !strncmp(word, "counter", 7)) {
		at->counts = true;
	} else if (at->inside && !strcmp(word, "flags")) {
		at->in_hardware = strstr(line, "offload");
	} else if (at->inside && *word == '}') {
		at->inside = false;
		firewall->flowtables++;
		if (!at->counts)
			put_name(&firewall->uncounted, at);
		if (at->in_hardware)
			put_name(&firewall->hardware, at);
	}
}

void firewall_parse_flowtables(const char *text, struct firewall *firewall)
{
	struct listing at = { 0 };

	while (*text) {
		size_t len = strcspn(text, "\n");
		char line[1024];

		snprintf(line, sizeof(line), "%.*s", (int)(len < sizeof(line) ? len : sizeof(line)), text);
		take_line(firewall, &at, line);
		text += len + (text[len] == '\n');
	}
}
