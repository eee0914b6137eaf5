/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check: what a router needs for its numbers to be whole: each thing judged by the facts, with the command or the line
 * of configuration that mends it. One table of judgements; it looks at nothing but the facts.
 */
#ifndef HOSTMETER_CHECK_JUDGE_H
#define HOSTMETER_CHECK_JUDGE_H

#include "hostmeter/check/facts.h"
#include "hostmeter/check/finding.h"

enum { CHECK_MOST = 32 };

/* Judges everything: as many lines as there are judgements, in their order. */
size_t check_judge(const struct check_facts *facts, struct check_line line[static CHECK_MOST]);

/* Whether nothing is bad. */
bool check_is_good(const struct check_line *line, size_t count);

void check_clear(struct check_line *line, size_t count);

#endif
