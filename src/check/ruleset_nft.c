/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ruleset_nft.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* --- Small things of JSON: what is missing or of another type is "" or NULL */

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

/* The one key of a statement or expression, and its value. */
static const char *single(json_t *object, json_t **value)
{
	void *at = json_object_iter(object);

	*value = at ? json_object_iter_value(at) : NULL;
	return at ? json_object_iter_key(at) : "";
}

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(word, *words))
			return true;
	return false;
}

/* --- Conditions */

/* The first packets of a flow are NEW (or RELATED) in the original direction, ESTABLISHED in the reply's. */
static void add_state(const char *name, uint8_t *always, uint8_t *maybe)
{
	if (!strcmp(name, "new")) {
		*always |= RULESET_ORIGINAL;
		*maybe |= RULESET_ORIGINAL;
	} else if (!strcmp(name, "established")) {
		*always |= RULESET_REPLY;
		*maybe |= RULESET_REPLY;
	} else if (!strcmp(name, "related")) {
		*maybe |= RULESET_BOTH;
	}
}

/* A name, a list of names, or {"set": list}. */
static void add_states(const json_t *right, uint8_t *always, uint8_t *maybe)
{
	const json_t *set = json_object_get(right, "set"), *list = set ? set : right;
	size_t i;
	json_t *one;

	if (json_is_string(list))
		add_state(json_string_value(list), always, maybe);
	json_array_foreach (list, i, one) {
		if (json_is_string(one))
			add_state(json_string_value(one), always, maybe);
	}
}

static bool match_direction(struct ruleset_rule *rule, const char *op, const json_t *right)
{
	const char *name = json_string_value(right);
	uint8_t direction = !name         ? 0 :
		!strcmp(name, "original") ? RULESET_ORIGINAL :
		!strcmp(name, "reply")    ? RULESET_REPLY :
					    0;

	if (!direction || strcmp(op, "=="))
		return false;
	rule->always &= direction;
	rule->maybe &= direction;
	return true;
}

static bool match_state(struct ruleset_rule *rule, const char *op, const json_t *right)
{
	uint8_t always = 0, maybe = 0;

	if (strcmp(op, "==") && strcmp(op, "in"))
		return false;
	add_states(right, &always, &maybe);
	rule->always &= always;
	rule->maybe &= maybe;
	return true;
}

/* The first packet of a direction: all that are looked at here. */
static bool match_packets(const char *op, const json_t *right)
{
	json_int_t count = json_integer_value(right);

	return (!strcmp(op, "==") && count == 1) || (!strcmp(op, "<=") && count >= 1) ||
		(!strcmp(op, "<") && count >= 2);
}

static bool match_family(struct ruleset_rule *rule, const char *op, const json_t *right)
{
	const char *name = json_string_value(right);

	if (!name || strcmp(op, "==") || (strcmp(name, "ipv4") && strcmp(name, "ipv6")))
		return false;
	rule->families &= name[3] == '4' ? RULESET_IPV4 : RULESET_IPV6;
	return true;
}

/* Narrows the rule. False: a condition that is not understood. */
static bool match(struct ruleset_rule *rule, const json_t *statement)
{
	const json_t *left = json_object_get(statement, "left"), *right = json_object_get(statement, "right");
	const json_t *ct = json_object_get(left, "ct"), *meta = json_object_get(left, "meta");
	const char *key = text_of(ct, "key"), *op = text_of(statement, "op");

	if (!strcmp(key, "direction"))
		return match_direction(rule, op, right);
	if (!strcmp(key, "state"))
		return match_state(rule, op, right);
	if (!strcmp(key, "packets"))
		return match_packets(op, right);
	return !strcmp(text_of(meta, "key"), "nfproto") && match_family(rule, op, right);
}

/* --- Statements */

/* A verdict, or the map of several: true if it was one. */
static bool read_verdict(struct ruleset_rule *rule, const char *name, const json_t *value)
{
	static const struct {
		const char *name;
		enum ruleset_verdict verdict;
	} verdicts[] = {
		{ "accept", RULESET_ACCEPT },
		{ "drop", RULESET_DROP },
		{ "reject", RULESET_DROP },
		{ "jump", RULESET_JUMP },
		{ "goto", RULESET_GOTO },
		{ "return", RULESET_RETURN },
		{ "continue", RULESET_CONTINUE },
	};

	for (size_t i = 0; i < sizeof(verdicts) / sizeof(verdicts[0]); i++) {
		if (strcmp(name, verdicts[i].name))
			continue;
		rule->verdict = verdicts[i].verdict;
		if (rule->verdict == RULESET_JUMP || rule->verdict == RULESET_GOTO)
			rule->target = (char *)text_of(value, "target"); /* copied when it is added */
		return true;
	}
	return false;
}

/* Adds a rule for each element of a verdict map. */
static int add_vmap(struct ruleset *ruleset, const struct ruleset_rule *rule, const json_t *vmap)
{
	bool is_state = !strcmp(text_of(json_object_get(json_object_get(vmap, "key"), "ct"), "key"), "state");
	const json_t *set = json_object_get(json_object_get(vmap, "data"), "set");
	size_t i;
	json_t *pair;
	int added = 0;

	json_array_foreach (set, i, pair) {
		struct ruleset_rule one = *rule;
		json_t *value;
		const char *name = single(json_array_get(pair, 1), &value);

		one.group = -1;
		if (!is_state || !match_state(&one, "in", json_array_get(pair, 0)))
			one.always = 0;
		if (read_verdict(&one, name, value))
			added = ruleset_add_rule(ruleset, &one);
		if (added < 0)
			return added;
	}
	return 0;
}

/* One statement of a rule. */
static int read_statement(struct ruleset *ruleset, struct ruleset_rule *rule, json_t *statement)
{
	static const char *const harmless[] = { "counter", "comment", "mangle", "notrack", "flow", "map", "set", "dup",
		"ct helper", "ct timeout", "ct expectation", "secmark", "last", "queue", NULL };
	json_t *value;
	const char *name = single(statement, &value);

	if (!strcmp(name, "match")) {
		if (!match(rule, value))
			rule->always = 0;
	} else if (!strcmp(name, "log")) {
		const json_t *group = json_object_get(value, "group");

		if (json_is_integer(group) && json_integer_value(group) >= 0 && json_integer_value(group) <= UINT16_MAX)
			rule->group = (int)json_integer_value(group);
	} else if (!strcmp(name, "vmap")) {
		return add_vmap(ruleset, rule, value);
	} else if (!read_verdict(rule, name, value) && !is_one_of(name, harmless)) {
		rule->always = 0;
	}
	return 0;
}

static int read_rule(struct ruleset *ruleset, json_t *object)
{
	int chain = ruleset_find(ruleset, ruleset->sources, text_of(object, "family"), text_of(object, "table"),
		text_of(object, "chain"));
	json_int_t handle = json_integer_value(json_object_get(object, "handle"));
	const json_t *expr = json_object_get(object, "expr");
	struct ruleset_rule rule = { .always = RULESET_BOTH, .maybe = RULESET_BOTH, .group = -1 };
	size_t i;
	json_t *statement;

	if (chain < 0)
		return 0;
	rule.chain = (uint32_t)chain;
	rule.number = (uint32_t)handle;
	rule.families = ruleset->chain[chain].families;
	json_array_foreach (expr, i, statement) {
		int error = read_statement(ruleset, &rule, statement);

		if (error)
			return error;
	}
	return ruleset_add_rule(ruleset, &rule);
}

static uint8_t families_of(const char *family)
{
	if (!strcmp(family, "ip"))
		return RULESET_IPV4;
	if (!strcmp(family, "ip6"))
		return RULESET_IPV6;
	return !strcmp(family, "inet") ? RULESET_IPV4 | RULESET_IPV6 : 0;
}

static int read_chain(struct ruleset *ruleset, const json_t *object)
{
	json_int_t priority = json_integer_value(json_object_get(object, "prio"));
	const struct ruleset_chain chain = {
		.tool = "nft",
		.source = ruleset->sources,
		.families = families_of(text_of(object, "family")),
		.family = (char *)text_of(object, "family"),
		.table = (char *)text_of(object, "table"),
		.name = (char *)text_of(object, "name"),
		.at_forward = !strcmp(text_of(object, "hook"), "forward"),
		.priority = priority < INT32_MIN ? INT32_MIN :
			priority > INT32_MAX     ? INT32_MAX :
						   (int)priority,
		.drops = !strcmp(text_of(object, "policy"), "drop"),
	};

	return chain.families ? ruleset_add_chain(ruleset, &chain) : 0;
}

/* Chains first: a rule may stand before the chain that it is of. */
static int read_objects(struct ruleset *ruleset, json_t *list)
{
	json_t *one, *value;
	size_t i;
	int error = 0;

	json_array_foreach (list, i, one) {
		if (error >= 0 && !strcmp(single(one, &value), "chain"))
			error = read_chain(ruleset, value);
	}
	json_array_foreach (list, i, one) {
		if (error >= 0 && !strcmp(single(one, &value), "rule"))
			error = read_rule(ruleset, value);
	}
	return error < 0 ? error : 0;
}

int ruleset_nft_rules(struct ruleset *ruleset, const char *text, size_t len)
{
	json_t *document = json_loadb(text ? text : "", len, 0, NULL), *list = json_object_get(document, "nftables");
	int error = json_is_array(list) ? 0 : -EBADMSG;

	ruleset->sources++;
	if (!error)
		error = read_objects(ruleset, list);
	json_decref(document);
	return error;
}

/* --- Flowtables: "table FAMILY NAME {", within it "flowtable NAME {", within that "counter" and "flags offload" */

struct listing {
	char family[32], table[256];
	struct ruleset_flowtable now;
	char name[256];
	bool inside;
};

static int read_line(struct ruleset *ruleset, struct listing *at, const char *line)
{
	char word[256], next[256] = "";
	int words = sscanf(line, "%255s %255s", word, next), added = 0;

	if (words < 1)
		return 0;
	if (!strcmp(word, "table") && sscanf(line, "%*s %31s %255s", at->family, at->table) == 2) {
		at->inside = false;
	} else if (!strcmp(word, "flowtable")) {
		at->inside = true;
		at->now = (struct ruleset_flowtable){ at->family, at->table, at->name, false, false };
		snprintf(at->name, sizeof(at->name), "%s", next);
	} else if (at->inside && !strncmp(word, "counter", 7)) {
		at->now.counts = true;
	} else if (at->inside && !strcmp(word, "flags")) {
		at->now.hardware |= strstr(line, "offload") != NULL;
	} else if (at->inside && *word == '}') {
		at->inside = false;
		added = ruleset_add_flowtable(ruleset, &at->now);
	}
	return added < 0 ? added : 0;
}

int ruleset_nft_flowtables(struct ruleset *ruleset, const char *text, size_t len)
{
	struct listing at = { 0 };
	const char *end = text + len;
	int error = 0;

	while (!error && text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t size = (size_t)((newline ? newline : end) - text);
		char line[1024];

		if (size > sizeof(line) - 1)
			size = sizeof(line) - 1;
		memcpy(line, text, size);
		line[size] = '\0';
		error = read_line(ruleset, &at, line);
		text = newline ? newline + 1 : end;
	}
	return error;
}
