/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/check/ruleset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MOST = 64, STEPS_MOST = 1 << 26 }; /* rules looked at: a fraction of a second */

/* --- Filling it in */

/* Room for one more of size bytes; doubled when it is full. The array, or NULL. */
static void *grow(void *array, size_t count, size_t size)
{
	if (count & (count - 1))
		return array;
	return reallocarray(array, count ? 2 * count : 1, size);
}

static char *copy(const char *text)
{
	return strdup(text ? text : "");
}

int ruleset_add_chain(struct ruleset *ruleset, const struct ruleset_chain *chain)
{
	struct ruleset_chain *array = grow(ruleset->chain, ruleset->chains, sizeof(*array)), *added;

	if (!array)
		return -ENOMEM;
	ruleset->chain = array;
	if (ruleset->chains >= RULESET_MOST)
		return -E2BIG;
	added = &array[ruleset->chains++];
	*added = *chain;
	added->family = copy(chain->family);
	added->table = copy(chain->table);
	added->name = copy(chain->name);
	return added->family && added->table && added->name ? (int)ruleset->chains - 1 : -ENOMEM;
}

int ruleset_add_rule(struct ruleset *ruleset, const struct ruleset_rule *rule)
{
	struct ruleset_rule *array = grow(ruleset->rule, ruleset->rules, sizeof(*array)), *added;

	if (!array)
		return -ENOMEM;
	ruleset->rule = array;
	if (ruleset->rules >= RULESET_MOST)
		return -E2BIG;
	added = &array[ruleset->rules++];
	*added = *rule;
	added->target = rule->target ? strdup(rule->target) : NULL;
	return !rule->target || added->target ? (int)ruleset->rules - 1 : -ENOMEM;
}

int ruleset_add_flowtable(struct ruleset *ruleset, const struct ruleset_flowtable *flowtable)
{
	struct ruleset_flowtable *array = grow(ruleset->flowtable, ruleset->flowtables, sizeof(*array)), *added;

	if (!array)
		return -ENOMEM;
	ruleset->flowtable = array;
	if (ruleset->flowtables >= RULESET_MOST)
		return -E2BIG;
	added = &array[ruleset->flowtables++];
	*added = *flowtable;
	added->family = copy(flowtable->family);
	added->table = copy(flowtable->table);
	added->name = copy(flowtable->name);
	return added->family && added->table && added->name ? (int)ruleset->flowtables - 1 : -ENOMEM;
}

int ruleset_find(const struct ruleset *ruleset, unsigned int source, const char *family, const char *table,
	const char *name)
{
	for (size_t i = ruleset->chains; i-- > 0;) {
		const struct ruleset_chain *chain = &ruleset->chain[i];

		if (chain->source == source && !strcmp(chain->name, name) && !strcmp(chain->table, table) &&
			!strcmp(chain->family, family))
			return (int)i;
	}
	return -1;
}

void ruleset_clear(struct ruleset *ruleset)
{
	for (size_t i = 0; i < ruleset->chains; i++) {
		free(ruleset->chain[i].family);
		free(ruleset->chain[i].table);
		free(ruleset->chain[i].name);
	}
	for (size_t i = 0; i < ruleset->rules; i++)
		free(ruleset->rule[i].target);
	for (size_t i = 0; i < ruleset->flowtables; i++) {
		free(ruleset->flowtable[i].family);
		free(ruleset->flowtable[i].table);
		free(ruleset->flowtable[i].name);
	}
	free(ruleset->chain);
	free(ruleset->rule);
	free(ruleset->flowtable);
	*ruleset = (struct ruleset){ 0 };
}

/* --- The way of a packet */

/*
 * One walk is for one family and one direction. Packets are "here" until all of them have ended; they are "all" here
 * while no condition has been passed that is not understood.
 */
struct walk {
	const struct ruleset *ruleset;
	uint8_t family, direction;
	uint16_t group;
	unsigned int steps;
	bool tangled;
	bool accepted;                /* all left this base chain by an accept */
	bool dropped;                 /* all are gone for good */
	struct ruleset_answer end;    /* what ended them */
	bool some_accepted;           /* in this base chain */
	struct ruleset_answer bypass; /* by what */
	struct ruleset_answer best;
};

static bool has_ended(const struct walk *w)
{
	return w->accepted || w->dropped;
}

static void found(struct walk *w, const struct ruleset_rule *rule, bool here, bool all)
{
	struct ruleset_answer answer = { RULESET_LOGGED, (int)rule->chain, (int)(rule - w->ruleset->rule) };

	if (!here || has_ended(w)) {
		answer = w->end;
		answer.fate = RULESET_SHADOWED;
	} else if (w->some_accepted) {
		answer = w->bypass;
		answer.fate = RULESET_BYPASSED;
	} else if (!all) {
		answer.fate = RULESET_PARTLY;
	}
	if (answer.fate > w->best.fate)
		w->best = answer;
}

static void end(struct walk *w, const struct ruleset_rule *rule, bool all)
{
	const struct ruleset_answer place = { RULESET_MISSING, (int)rule->chain, (int)(rule - w->ruleset->rule) };

	if (has_ended(w))
		return;
	if (rule->verdict == RULESET_ACCEPT && !all) {
		if (!w->some_accepted)
			w->bypass = place;
		w->some_accepted = true;
	}
	if (!all)
		return;
	/* After accepts of some the rest is of no interest: what is dropped is not forwarded. */
	if (rule->verdict == RULESET_DROP && !w->some_accepted)
		w->dropped = true;
	else
		w->accepted = true;
	w->end = place;
}

static void walk_chain(struct walk *w, uint32_t chain, unsigned int depth, bool here, bool all);

static void walk_jump(struct walk *w, const struct ruleset_rule *rule, unsigned int depth, bool here, bool all)
{
	const struct ruleset_chain *from = &w->ruleset->chain[rule->chain];
	int target = ruleset_find(w->ruleset, from->source, from->family, from->table, rule->target);

	if (target < 0)
		return;
	if (depth >= DEPTH_MOST)
		w->tangled = true;
	else
		walk_chain(w, (uint32_t)target, depth + 1, here, all);
}

/* here: packets come in; all: every one. Rules are looked at even when none does, for those that would log. */
static void walk_chain(struct walk *w, uint32_t chain, unsigned int depth, bool here, bool all)
{
	for (size_t i = 0; i < w->ruleset->rules && !w->tangled; i++) {
		const struct ruleset_rule *rule = &w->ruleset->rule[i];
		bool every;

		if (++w->steps > STEPS_MOST)
			w->tangled = true;
		if (rule->chain != chain || !(rule->families & w->family) || !(rule->maybe & w->direction))
			continue;
		every = all && here && (rule->always & w->direction);
		if (rule->group == w->group)
			found(w, rule, here, every);
		if (rule->verdict == RULESET_JUMP || rule->verdict == RULESET_GOTO)
			walk_jump(w, rule, depth, here, every);
		else if (here && (rule->verdict == RULESET_ACCEPT || rule->verdict == RULESET_DROP))
			end(w, rule, every);
		if (every && !has_ended(w) && (rule->verdict == RULESET_GOTO || rule->verdict == RULESET_RETURN)) {
			w->end = (struct ruleset_answer){ RULESET_MISSING, (int)chain, (int)i };
			here = false;
		}
	}
}

static void walk_base(struct walk *w, uint32_t index)
{
	const struct ruleset_chain *chain = &w->ruleset->chain[index];

	w->accepted = w->some_accepted = false;
	walk_chain(w, index, 0, !w->dropped, !w->dropped);
	if (chain->drops && !has_ended(w) && !w->some_accepted) {
		w->dropped = true;
		w->end = (struct ruleset_answer){ RULESET_MISSING, (int)index, -1 };
	}
}

static bool stands_aside(const struct walk *w, struct ruleset_answer *answer)
{
	for (size_t i = 0; i < w->ruleset->rules; i++) {
		const struct ruleset_rule *rule = &w->ruleset->rule[i];

		if (rule->group == w->group && (rule->families & w->family) && (rule->maybe & w->direction)) {
			*answer = (struct ruleset_answer){ RULESET_ASIDE, (int)rule->chain, (int)i };
			return true;
		}
	}
	return false;
}

/* The next base chain after one of this priority and index; -1: none. Chains of one priority come in their order. */
static int next_base(const struct ruleset *ruleset, uint8_t family, int64_t priority, int after)
{
	int next = -1;

	for (size_t i = 0; i < ruleset->chains; i++) {
		const struct ruleset_chain *chain = &ruleset->chain[i];

		if (!chain->at_forward || !(chain->families & family) || chain->priority < priority ||
			(chain->priority == priority && (int)i <= after))
			continue;
		if (next < 0 || chain->priority < ruleset->chain[next].priority)
			next = (int)i;
	}
	return next;
}

bool ruleset_ask(const struct ruleset *ruleset, uint8_t family, uint8_t direction, uint16_t group,
	struct ruleset_answer *answer)
{
	struct walk w = { .ruleset = ruleset,
		.family = family,
		.direction = direction,
		.group = group,
		.best = { RULESET_MISSING, -1, -1 } };
	int64_t priority = INT64_MIN;

	for (int i = -1; (i = next_base(ruleset, family, priority, i)) >= 0 && !w.tangled;) {
		priority = ruleset->chain[i].priority;
		walk_base(&w, (uint32_t)i);
	}
	*answer = w.best;
	if (w.best.fate == RULESET_MISSING)
		stands_aside(&w, answer);
	return !w.tangled;
}

void ruleset_describe(const struct ruleset *ruleset, const struct ruleset_answer *answer, struct buf *out)
{
	const struct ruleset_chain *chain = &ruleset->chain[answer->chain];
	bool is_nft = chain->family[0];

	buf_printf(out, "%s %s%s%s %s", chain->tool, chain->family, is_nft ? " " : "", chain->table, chain->name);
	if (answer->rule < 0)
		buf_puts(out, ", its policy");
	else
		buf_printf(out, is_nft ? ", handle %u" : ", rule %u", ruleset->rule[answer->rule].number);
}
