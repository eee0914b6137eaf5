/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/check/firewall.h"

#include "firewall_parse.h"
#include "hostmeter/os/file.h"
#include "run_program.h"

#include <errno.h>

enum { LISTING_MOST = 16 << 20, TIMEOUT_MS = 10000 };
enum { IPV4 = 1 << FIREWALL_IPV4, IPV6 = 1 << FIREWALL_IPV6 };

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

	file_read_matching(path, &text);
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

static void ask_for_flowtables(struct firewall *firewall)
{
	static const char *const argv[] = { "nft", "list", "flowtables", NULL };
	struct buf text = BUF_INIT;

	firewall->has_nft = !run_program(argv, &text, LISTING_MOST, TIMEOUT_MS);
	if (firewall->has_nft)
		firewall_parse_flowtables(buf_text(&text), firewall);
	buf_free(&text);
}

void firewall_read(struct firewall *firewall, uint16_t nflog_group)
{
	*firewall = (struct firewall){ 0 };
	ask_for_flowtables(firewall);
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++)
		if (!questions[i].only_if || has_something(questions[i].only_if))
			ask(firewall, &questions[i], nflog_group);
}

void firewall_clear(struct firewall *firewall)
{
	buf_free(&firewall->uncounted);
	buf_free(&firewall->hardware);
}
