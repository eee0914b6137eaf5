/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ruleset_iptables.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_MOST = 4096, WORDS_MOST = 256, NAME_MOST = 64 };

struct reader {
	struct ruleset *ruleset;
	const char *tool;
	uint8_t family;
	char table[NAME_MOST];
	char line[LINE_MOST];
	char *word[WORDS_MOST];
	size_t words;
};

/* Cuts the line into words as iptables-restore does: double quotes keep spaces, a backslash the next byte. */
static void split(struct reader *r)
{
	char *from = r->line, *to = r->line;

	for (r->words = 0; r->words < WORDS_MOST;) {
		bool quoted = false;

		while (*from == ' ' || *from == '\t')
			from++;
		if (!*from)
			return;
		r->word[r->words++] = to;
		for (; *from && (quoted || (*from != ' ' && *from != '\t')); from++) {
			if (*from == '"') {
				quoted = !quoted;
				continue;
			}
			if (*from == '\\' && from[1])
				from++;
			*to++ = *from;
		}
		if (*from)
			from++;
		*to++ = '\0';
	}
}

/* The kernel's own: hook priorities of the tables that have a forward hook, enum nf_ip_hook_priorities. */
static bool table_priority(const char *table, int *priority)
{
	static const struct {
		const char *name;
		int priority;
	} tables[] = {
		{ "mangle", -150 },
		{ "filter", 0 },
		{ "security", 50 },
	};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		if (!strcmp(tables[i].name, table)) {
			*priority = tables[i].priority;
			return true;
		}
	}
	return false;
}

/* ":FORWARD ACCEPT [0:0]" */
static int add_chain(struct reader *r, const char *name, const char *policy)
{
	struct ruleset_chain chain = {
		.tool = r->tool,
		.source = r->ruleset->sources,
		.families = r->family,
		.table = r->table,
		.name = (char *)name,
		.drops = !strcmp(policy, "DROP"),
	};

	chain.at_forward = table_priority(r->table, &chain.priority) && !strcmp(name, "FORWARD");
	return ruleset_add_chain(r->ruleset, &chain);
}

/* --- Rules */

static void match_direction(struct ruleset_rule *rule, const char *value)
{
	uint8_t direction = !strcmp(value, "ORIGINAL") ? RULESET_ORIGINAL : !strcmp(value, "REPLY") ? RULESET_REPLY : 0;

	rule->always &= direction;
	rule->maybe &= direction ? direction : RULESET_BOTH;
}

/* The first packets of a flow are NEW (or RELATED) in the original direction, ESTABLISHED in the reply's. */
static void match_state(struct ruleset_rule *rule, const char *value)
{
	bool is_new = strstr(value, "NEW"), established = strstr(value, "ESTABLISHED"),
	     related = strstr(value, "RELATED");
	uint8_t always = (uint8_t)((is_new ? RULESET_ORIGINAL : 0) | (established ? RULESET_REPLY : 0));

	rule->always &= always;
	rule->maybe &= related ? RULESET_BOTH : always;
}

static void match_packets(struct ruleset_rule *rule, const char *value)
{
	if (strcmp(value, "1:1"))
		rule->always = 0;
}

static void match_module(struct ruleset_rule *rule, const char *value)
{
	/* These say nothing without their options. */
	if (strcmp(value, "conntrack") && strcmp(value, "state") && strcmp(value, "connbytes") &&
		strcmp(value, "comment"))
		rule->always = 0;
}

static void match_nothing(struct ruleset_rule *rule, const char *value)
{
	(void)rule;
	(void)value;
}

static const struct option {
	const char *name;
	void (*match)(struct ruleset_rule *rule, const char *value);
} options[] = {
	{ "-m", match_module },
	{ "--ctdir", match_direction },
	{ "--ctstate", match_state },
	{ "--state", match_state },
	{ "--connbytes", match_packets },
	{ "--connbytes-dir", match_nothing },
	{ "--connbytes-mode", match_nothing },
	{ "--comment", match_nothing },
};

static bool match_known(struct ruleset_rule *rule, const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		if (!strcmp(options[i].name, name)) {
			options[i].match(rule, value);
			return true;
		}
	}
	return false;
}

static void read_target(struct reader *r, struct ruleset_rule *rule, const char *name, bool is_goto)
{
	static const struct {
		const char *name;
		enum ruleset_verdict verdict;
	} targets[] = {
		{ "ACCEPT", RULESET_ACCEPT },
		{ "DROP", RULESET_DROP },
		{ "REJECT", RULESET_DROP },
		{ "RETURN", RULESET_RETURN },
	};

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++)
		if (!strcmp(targets[i].name, name))
			rule->verdict = targets[i].verdict;
	if (ruleset_find(r->ruleset, r->ruleset->sources, "", r->table, name) >= 0) {
		rule->verdict = is_goto ? RULESET_GOTO : RULESET_JUMP;
		rule->target = (char *)name; /* copied when it is added */
	}
}

/* What follows the target is the target's. */
static void read_target_options(struct reader *r, struct ruleset_rule *rule, size_t i)
{
	bool logs = !strcmp(r->word[i], "NFLOG");

	if (logs)
		rule->group = 0;
	for (i++; logs && i + 1 < r->words; i++)
		if (!strcmp(r->word[i], "--nflog-group"))
			rule->group = (int)(strtoul(r->word[i + 1], NULL, 10) & UINT16_MAX);
}

static void read_conditions(struct reader *r, struct ruleset_rule *rule)
{
	for (size_t i = 2; i < r->words; i++) {
		const char *word = r->word[i], *value = i + 1 < r->words ? r->word[i + 1] : "";

		if (!strcmp(word, "-j") || !strcmp(word, "-g")) {
			read_target(r, rule, value, word[1] == 'g');
			if (i + 1 < r->words)
				read_target_options(r, rule, i + 1);
			return;
		}
		if (!strcmp(word, "!")) {
			rule->always = 0; /* what is negated is not understood */
			i += 2;
		} else if (match_known(rule, word, value)) {
			i++;
		} else {
			rule->always = 0;
		}
	}
}

static uint32_t next_number(const struct ruleset *ruleset, uint32_t chain)
{
	for (size_t i = ruleset->rules; i-- > 0;)
		if (ruleset->rule[i].chain == chain)
			return ruleset->rule[i].number + 1;
	return 1;
}

static int add_rule(struct reader *r)
{
	struct ruleset_rule rule = {
		.families = r->family, .always = RULESET_BOTH, .maybe = RULESET_BOTH, .group = -1
	};
	int chain = ruleset_find(r->ruleset, r->ruleset->sources, "", r->table, r->word[1]);

	if (chain < 0)
		return 0;
	rule.chain = (uint32_t)chain;
	rule.number = next_number(r->ruleset, rule.chain);
	read_conditions(r, &rule);
	return ruleset_add_rule(r->ruleset, &rule);
}

static int read_line(struct reader *r)
{
	int error = 0;

	split(r);
	if (!r->words)
		return 0;
	if (r->word[0][0] == '*' && strlen(r->word[0]) < NAME_MOST)
		strcpy(r->table, r->word[0] + 1);
	else if (r->word[0][0] == ':')
		error = add_chain(r, r->word[0] + 1, r->words > 1 ? r->word[1] : "");
	else if (!strcmp(r->word[0], "-A") && r->words > 1)
		error = add_rule(r);
	return error < 0 ? error : 0;
}

int ruleset_iptables(struct ruleset *ruleset, const char *tool, uint8_t family, const char *text, size_t len)
{
	struct reader r = { .ruleset = ruleset, .tool = tool, .family = family };
	const char *end = text + len;
	int error = 0;

	ruleset->sources++;
	while (!error && text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t size = (size_t)((newline ? newline : end) - text);

		if (size < LINE_MOST) {
			memcpy(r.line, text, size);
			r.line[size] = '\0';
			error = read_line(&r);
		}
		text = newline ? newline + 1 : end;
	}
	return error;
}
