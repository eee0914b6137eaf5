/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether first packets are logged is known in two ways. The meter knows whether they arrive, of both families
 * together, and the firewall's programs say whether our rules are loaded, of each family. Rules of others are not
 * judged.
 */
#include "judge_rows.h"

#include <inttypes.h>
#include <string.h>

enum { DEFAULT_GROUP = 60 };

/* --- Rules that log first packets */

static void fix_by(const struct check_facts *f, struct finding *finding, const char *kind, const char *loader)
{
	if (f->nflog_group == DEFAULT_GROUP)
		finding_fix(finding, "hostmeter --print-rules%s | %s", kind, loader);
	else
		finding_fix(finding, "hostmeter --nflog-group %u --print-rules%s | %s", f->nflog_group, kind, loader);
}

void judge_rules_fix(const struct check_facts *f, struct finding *finding)
{
	if (f->firewall.has_nft) {
		fix_by(f, finding, "", "nft -f -");
		return;
	}
	fix_by(f, finding, "=iptables", "iptables-restore -w --noflush");
	fix_by(f, finding, "=iptables", "ip6tables-restore -w --noflush");
}

/* Whether a listing is missing, so that our rules may be loaded unseen. */
static bool unread(const struct check_facts *f)
{
	return !f->firewall.read || f->firewall.failed;
}

static void say_unread(const struct check_facts *f, struct finding *finding)
{
	if (f->firewall.failed)
		finding_unknown(finding, "%s did not list its rules%s", f->firewall.failed,
			f->privileged ? "" : ": CAP_NET_ADMIN is missing");
	else
		finding_unknown(finding, "there is neither nft nor iptables-save here to list the rules");
}

/* Our rules of the family are loaded. The meter may miss first packets for lack of the other family's. */
static void judge_loaded(const struct check_facts *f, struct finding *finding, enum firewall_family family)
{
	enum firewall_family other = family == FIREWALL_IPV4 ? FIREWALL_IPV6 : FIREWALL_IPV4;

	if (f->meter.unsighted && (f->firewall.rules[other] || !f->forwards[other])) {
		finding_bad(finding,
			"%s is loaded, but of the last %" PRIu64
			" new connections no first packet arrived: an earlier rule may accept them",
			f->firewall.rules[family], f->meter.unsighted);
		judge_rules_fix(f, finding);
	} else {
		finding_good(finding, "NFLOG group %u: %s", f->nflog_group, f->firewall.rules[family]);
	}
}

static void judge_rules(const struct check_facts *f, struct finding *finding)
{
	enum firewall_family family = strcmp(finding->name, "rules-ipv4") ? FIREWALL_IPV6 : FIREWALL_IPV4;
	bool arrive = f->meter.sighted && !f->meter.unsighted;
	bool none_loaded = !f->firewall.rules[FIREWALL_IPV4] && !f->firewall.rules[FIREWALL_IPV6];

	if (!f->forwards[family]) {
		finding_good(finding, "none needed: forwarding is off");
	} else if (f->firewall.rules[family]) {
		judge_loaded(f, finding, family);
	} else if (unread(f) && arrive) {
		finding_good(finding, "first packets arrive, of %" PRIu64 " connection%s since the meter started",
			f->meter.sighted, finding_plural(f->meter.sighted));
	} else if (unread(f) && !f->meter.unsighted) {
		say_unread(f, finding);
	} else if (arrive && none_loaded) {
		finding_unknown(finding,
			"hostmeter's rules are not loaded, but first packets arrived: by other rules, or by these "
			"before");
	} else {
		finding_bad(finding, "hostmeter's rules for %s and NFLOG group %u are not loaded",
			family == FIREWALL_IPV4 ? "IPv4" : "IPv6", f->nflog_group);
		judge_rules_fix(f, finding);
	}
}

/* --- Their NFLOG group */

static void judge_nflog(const struct check_facts *f, struct finding *finding)
{
	unsigned int group = f->nflog_group, next = group == UINT16_MAX ? DEFAULT_GROUP + 1 : group + 1;

	if (f->meter.answers && f->meter.source[SOURCE_NFLOG].up) {
		finding_good(finding, "group %u is the running meter's", group);
	} else if (f->nflog_bound == 1) {
		finding_bad(finding, "group %u is taken by ", group);
		finding_put_owner(finding, &f->nflog_owner);
		if (*f->nflog_socket)
			finding_fix(finding, "hostmeter --check --socket %s  # asks that one", f->nflog_socket);
		finding_fix(finding,
			"nflog-group = %u  # and load the rules anew: hostmeter --nflog-group %u --print-rules | nft "
			"-f -",
			next, next);
	} else if (f->nflog_bound < 0) {
		finding_unknown(finding, "nfnetlink_log is not loaded: the kernel does not say who has group %u",
			group);
	} else if (f->meter.answers) {
		finding_unknown(finding, "group %u is free, and the meter does not have it yet: it tries every 10 s",
			group);
	} else {
		finding_good(finding, "group %u is free", group);
	}
}

/* --- Flowtables */

static void judge_flowtables(const struct check_facts *f, struct finding *finding, const struct buf *flawed,
	const char *flaw, const char *good)
{
	if (!f->firewall.has_nft)
		finding_unknown(finding, "nft did not list them%s", f->privileged ? "" : ": CAP_NET_ADMIN is missing");
	else if (flawed->len)
		finding_bad(finding, "%.*s: %s", (int)flawed->len, flawed->data, flaw);
	else
		finding_good(finding, "%s", f->firewall.flowtables ? good : "there is no flowtable");
}

static void judge_flowtable(const struct check_facts *f, struct finding *finding)
{
	judge_flowtables(f, finding, &f->firewall.uncounted,
		"without the flag counter, what goes through is not counted", "all count");
}

static void judge_hardware(const struct check_facts *f, struct finding *finding)
{
	judge_flowtables(f, finding, &f->firewall.hardware,
		"hardware forwards, and tells connection tracking late or never", "off in all of them");
}

const struct judgement judge_rules_rows[] = {
	{ "flowtable", judge_flowtable, JUDGE_FIX_COUNTER },
	{ "hardware", judge_hardware, JUDGE_FIX_HARDWARE },
	{ "rules-ipv4", judge_rules, NULL },
	{ "rules-ipv6", judge_rules, NULL },
	{ "nflog-group", judge_nflog, NULL },
	{ NULL, NULL, NULL },
};
