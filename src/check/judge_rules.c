/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge_rules.h"

#include "hostmeter/check/ruleset.h"

static bool rules_unread(const struct check_facts *f, struct check_line *line)
{
	if (f->rules_failed[0])
		check_line_untold(line, "%s did not list its rules%s", f->rules_failed,
			f->privileged ? "" : ": CAP_NET_ADMIN is missing");
	else if (!f->rules_read)
		check_line_untold(line, "there is neither nft nor iptables-save here to list the rules");
	return f->rules_failed[0] || !f->rules_read;
}

/* With the group, unless it is the default. */
static void mend_by(const struct check_facts *f, struct check_line *line, const char *what, const char *loader)
{
	if (f->nflog_group == 60)
		check_line_mend(line, "hostmeter --print-rules%s | %s", what, loader);
	else
		check_line_mend(line, "hostmeter --nflog-group %u --print-rules%s | %s", f->nflog_group, what, loader);
}

void check_rules_mend(const struct check_facts *f, struct check_line *line)
{
	if (f->flowtables_read) {
		mend_by(f, line, "", "nft -f -");
		return;
	}
	/* A router without nft. */
	mend_by(f, line, "=iptables", "iptables-restore -w --noflush");
	mend_by(f, line, "=iptables", "ip6tables-restore -w --noflush");
}

static bool drops(const struct check_facts *f, const struct ruleset_answer *answer)
{
	return answer->rule < 0 || f->rules->rule[answer->rule].verdict == RULESET_DROP;
}

/* A table of our own mends all but a drop before it. That one may be meant, so it is shown and not taken out. */
static void mend_order(const struct check_facts *f, struct check_line *line, const struct ruleset_answer *answer)
{
	const struct ruleset_chain *chain = &f->rules->chain[answer->chain];

	if (answer->fate == RULESET_ASIDE && !chain->family[0])
		check_line_mend(line, "%s -w -t %s -I FORWARD -j %s", chain->tool, chain->table, chain->name);
	else if (answer->fate == RULESET_SHADOWED && drops(f, answer) && chain->family[0])
		check_line_mend(line, "nft -a list chain %s %s %s  # it drops all that is forwarded", chain->family,
			chain->table, chain->name);
	else if (answer->fate == RULESET_SHADOWED && drops(f, answer))
		check_line_mend(line, "%s -w -t %s -vnL %s  # it drops all that is forwarded", chain->tool,
			chain->table, chain->name);
	else
		check_rules_mend(f, line);
}

static const char *fault(enum ruleset_fate fate)
{
	switch (fate) {
	case RULESET_ASIDE:
		return "stand where no forwarded packet comes by";
	case RULESET_SHADOWED:
		return "are shadowed by an earlier verdict";
	default:
		return "are passed by where an earlier rule accepts";
	}
}

/* How the direction fares that fares worse. False: it cannot be told. */
static bool ask(const struct check_facts *f, uint8_t family, struct ruleset_answer *worst)
{
	struct ruleset_answer reply;
	bool told = ruleset_ask(f->rules, family, RULESET_ORIGINAL, f->nflog_group, worst) &&
		ruleset_ask(f->rules, family, RULESET_REPLY, f->nflog_group, &reply);

	if (told && reply.fate < worst->fate)
		*worst = reply;
	return told;
}

static void judge_answer(const struct check_facts *f, struct check_line *line, const struct ruleset_answer *answer)
{
	switch (answer->fate) {
	case RULESET_MISSING:
		check_line_bad(line, "no rule logs the first packets of both directions to NFLOG group %u",
			f->nflog_group);
		check_rules_mend(f, line);
		return;
	case RULESET_LOGGED:
		check_line_good(line, "NFLOG group %u: ", f->nflog_group);
		break;
	case RULESET_PARTLY:
		check_line_untold(line,
			"the rules for NFLOG group %u have conditions that cannot be judged here: ", f->nflog_group);
		break;
	default:
		check_line_bad(line, "the rules for NFLOG group %u %s: ", f->nflog_group, fault(answer->fate));
		mend_order(f, line, answer);
	}
	ruleset_describe(f->rules, answer, &line->text);
}

static void judge_rules(const struct check_facts *f, struct check_line *line, uint8_t family, bool forwards)
{
	struct ruleset_answer worst;
	bool told = ask(f, family, &worst);

	if (!forwards)
		check_line_good(line, "none needed: forwarding is off");
	else if (told && worst.fate == RULESET_LOGGED)
		judge_answer(f, line, &worst);
	else if (rules_unread(f, line))
		return;
	else if (!told)
		check_line_untold(line, "the chains are too tangled to follow");
	else
		judge_answer(f, line, &worst);
}

void check_rules_ipv4(const struct check_facts *f, struct check_line *line)
{
	judge_rules(f, line, RULESET_IPV4, f->forwards_ipv4);
}

void check_rules_ipv6(const struct check_facts *f, struct check_line *line)
{
	judge_rules(f, line, RULESET_IPV6, f->forwards_ipv6);
}

/* Those that have a flaw, by name; how many there are. */
static size_t put_flowtables(const struct check_facts *f, struct check_line *line, bool hardware)
{
	size_t found = 0;

	for (size_t i = 0; i < f->rules->flowtables; i++) {
		const struct ruleset_flowtable *table = &f->rules->flowtable[i];

		if (hardware ? !table->hardware : table->counts)
			continue;
		check_line_bad(line, "%s%s %s %s", found++ ? ", " : "", table->family, table->table, table->name);
	}
	return found;
}

static void flowtables_unread(const struct check_facts *f, struct check_line *line)
{
	check_line_untold(line, "nft did not list them%s", f->privileged ? "" : ": CAP_NET_ADMIN is missing");
}

void check_rules_flowtable(const struct check_facts *f, struct check_line *line)
{
	if (put_flowtables(f, line, false))
		buf_puts(&line->text, ": without the flag counter, what goes through is not counted");
	else if (f->flowtables_read)
		check_line_good(line, f->rules->flowtables ? "all count" : "there is none");
	else
		flowtables_unread(f, line);
}

void check_rules_hardware(const struct check_facts *f, struct check_line *line)
{
	if (put_flowtables(f, line, true))
		buf_puts(&line->text, ": hardware forwards, and tells connection tracking late or never");
	else if (f->flowtables_read)
		check_line_good(line, "off");
	else
		flowtables_unread(f, line);
}

void check_rules_nflog(const struct check_facts *f, struct check_line *line)
{
	if (f->meter.answers && f->meter.source[SOURCE_NFLOG].up) {
		check_line_good(line, "group %u is the running meter's", f->nflog_group);
	} else if (f->nflog_bound == 1) {
		check_line_bad(line, "group %u is taken by ", f->nflog_group);
		check_line_owner(line, &f->nflog_owner);
		check_line_mend(line,
			"nflog-group = %u  # and load the rules anew: hostmeter --nflog-group %u --print-rules | nft "
			"-f -",
			f->nflog_group == UINT16_MAX ? 61 : f->nflog_group + 1,
			f->nflog_group == UINT16_MAX ? 61 : f->nflog_group + 1);
	} else if (f->nflog_bound < 0) {
		check_line_untold(line, "nfnetlink_log is not loaded: the kernel does not say who has group %u",
			f->nflog_group);
	} else if (f->meter.answers) {
		check_line_untold(line, "group %u is free, and the meter does not have it yet: it tries every 10 s",
			f->nflog_group);
	} else {
		check_line_good(line, "group %u is free", f->nflog_group);
	}
}
