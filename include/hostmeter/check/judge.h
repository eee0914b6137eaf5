/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge: what a router needs for complete numbers: each thing judged by the facts, with the command or the line of
 * configuration that fixes it. One table of judgements; it looks at nothing but the facts.
 */
#ifndef HOSTMETER_CHECK_JUDGE_H
#define HOSTMETER_CHECK_JUDGE_H

#include "hostmeter/check/facts.h"
#include "hostmeter/check/finding.h"

enum { JUDGE_MOST = 32 };

/* Judges everything. Returns the number of findings; finding_clear() frees what is inside them. */
size_t judge_all(const struct check_facts *facts, struct finding finding[static JUDGE_MOST]);

#endif
