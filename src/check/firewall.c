/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/check/firewall.h"

#include "hostmeter/os/file.h"
#include "run_program.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { LISTING_MOST = 16 << 20, TIMEOUT_MS = 10000 };
enum { IPV4 = 1 << FIREWALL_IPV4, IPV6 = 1 << FIREWALL_IPV6 };

/* --- Our rules in a listing */

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

/* --- Asking the programs */

/*
 * iptables-save may be the one of nftables, which does not list legacy tables: those are asked for where the kernel has
 * some. iptables itself is never asked: it would load a table's module.
 */
static const struct question {
	const char *argv[6];
	bool (*parse)(const char *text, uint16_t nflog_group);
	unsigned int families;
	const char *rules;   /* what is found where parse says yes */
	const char *only_if; /* this file has something in it */
} questions[] = {
	{ { "nft", "list", "table", "inet", "hostmeter" }, firewall_parse_nft, IPV4 | IPV6, "nft inet hostmeter",
		NULL },
	{ { "iptables-save" }, firewall_parse_iptables, IPV4, "iptables mangle HOSTMETER", NULL },
	{ { "ip6tables-save" }, firewall_parse_iptables, IPV6, "ip6tables mangle HOSTMETER", NULL },
	{ { "iptables-legacy-save" }, firewall_parse_iptables, IPV4, "iptables-legacy mangle HOSTMETER",
		"/proc/net/ip_tables_names" },
	{ { "ip6tables-legacy-save" }, firewall_parse_iptables, IPV6, "ip6tables-legacy mangle HOSTMETER",
		"/proc/net/ip6_tables_names" },
};

static bool has_something(const char *path)
{
	struct buf text = BUF_INIT;
	bool some;

	file_read_kernel(path, 1, &text);
	some = text.len;
	buf_free(&text);
	return some;
}

static void ask(struct firewall *firewall, const struct question *question, uint16_t nflog_group)
{
	struct buf text = BUF_INIT;
	int error = run_program(question->argv, &text, LISTING_MOST, TIMEOUT_MS);

	/* nft fails where there is no such table. Where it lists other things, that is an answer. */
	if (error == -EIO && firewall->has_nft && question->parse == firewall_parse_nft)
		error = 0;
	firewall->read |= !error;
	if (error && error != -ENOENT)
		firewall->failed = question->argv[0];
	for (int family = 0; !error && family < FIREWALL_FAMILIES; family++)
		if (question->families & 1U << family && question->parse(buf_text(&text), nflog_group))
			firewall->rules[family] = question->rules;
	buf_free(&text);
}

void firewall_read_flowtables(struct firewall *firewall)
{
	static const char *const argv[] = { "nft", "list", "flowtables", NULL };
	struct buf text = BUF_INIT;

	*firewall = (struct firewall){ 0 };
	firewall->has_nft = !run_program(argv, &text, LISTING_MOST, TIMEOUT_MS);
	if (firewall->has_nft)
		firewall_parse_flowtables(buf_text(&text), firewall);
	buf_free(&text);
}

void firewall_read(struct firewall *firewall, uint16_t nflog_group)
{
	firewall_read_flowtables(firewall);
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		if (!questions[i].only_if || has_something(questions[i].only_if))
			ask(firewall, &questions[i], nflog_group);
}

bool firewall_counts_offloaded(const struct firewall *firewall)
{
	return firewall->flowtables && !firewall->uncounted.len && !firewall->hardware.len;
}

void firewall_clear(struct firewall *firewall)
{
	buf_free(&firewall->uncounted);
	buf_free(&firewall->hardware);
}
