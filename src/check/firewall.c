/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/check/firewall.h"

#include "hostmeter/os/file_watch.h"
#include "ruleset_iptables.h"
#include "ruleset_nft.h"
#include "run_program.h"

#include <errno.h>

enum { LISTING_MOST = 16 << 20, TIMEOUT_MS = 10000 };

static int read_iptables(struct ruleset *ruleset, const char *text, size_t len)
{
	return ruleset_iptables(ruleset, "iptables", RULESET_IPV4, text, len);
}

static int read_ip6tables(struct ruleset *ruleset, const char *text, size_t len)
{
	return ruleset_iptables(ruleset, "ip6tables", RULESET_IPV6, text, len);
}

static int read_iptables_legacy(struct ruleset *ruleset, const char *text, size_t len)
{
	return ruleset_iptables(ruleset, "iptables-legacy", RULESET_IPV4, text, len);
}

static int read_ip6tables_legacy(struct ruleset *ruleset, const char *text, size_t len)
{
	return ruleset_iptables(ruleset, "ip6tables-legacy", RULESET_IPV6, text, len);
}

/*
 * iptables-save may be that of nftables, and then does not list the older kind of tables: those are asked for where the
 * kernel has some. What is listed twice does no harm.
 */
static const struct listing {
	const char *argv[5];
	int (*read)(struct ruleset *ruleset, const char *text, size_t len);
	const char *only_if; /* this file has something in it */
} listings[] = {
	{ { "nft", "-j", "list", "ruleset" }, ruleset_nft_rules, NULL },
	{ { "nft", "list", "flowtables" }, ruleset_nft_flowtables, NULL },
	{ { "iptables-save" }, read_iptables, NULL },
	{ { "ip6tables-save" }, read_ip6tables, NULL },
	{ { "iptables-legacy-save" }, read_iptables_legacy, "/proc/net/ip_tables_names" },
	{ { "ip6tables-legacy-save" }, read_ip6tables_legacy, "/proc/net/ip6_tables_names" },
};

static bool has_something(const char *path)
{
	struct buf text = BUF_INIT;
	bool some;

	files_read(path, &text);
	some = text.len;
	buf_free(&text);
	return some;
}

static void read_listing(struct firewall *firewall, const struct listing *listing)
{
	struct buf text = BUF_INIT;
	int error = command_run(listing->argv, &text, LISTING_MOST, TIMEOUT_MS);

	if (!error)
		error = listing->read(&firewall->rules, text.data ? text.data : "", text.len);
	buf_free(&text);
	if (error && error != -ENOENT)
		firewall->failed = listing->argv[0];
	else if (!error && listing->read == ruleset_nft_flowtables)
		firewall->flowtables_read = true;
	else if (!error)
		firewall->read++;
}

void firewall_read(struct firewall *firewall)
{
	*firewall = (struct firewall){ 0 };
	for (size_t i = 0; i < sizeof(listings) / sizeof(listings[0]); i++)
		if (!listings[i].only_if || has_something(listings[i].only_if))
			read_listing(firewall, &listings[i]);
}

void firewall_clear(struct firewall *firewall)
{
	ruleset_clear(&firewall->rules);
}
