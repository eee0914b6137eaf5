/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_rules: the judgements on the firewall: rules that log first packets, their NFLOG group, flowtables. Rows of the
 * table in judge.c.
 */
#ifndef HOSTMETER_CHECK_JUDGE_RULES_H
#define HOSTMETER_CHECK_JUDGE_RULES_H

#include "hostmeter/check/facts.h"
#include "hostmeter/check/finding.h"

void judge_rules_ipv4(const struct check_facts *facts, struct finding *finding);
void judge_rules_ipv6(const struct check_facts *facts, struct finding *finding);
void judge_rules_flowtable(const struct check_facts *facts, struct finding *finding);
void judge_rules_hardware(const struct check_facts *facts, struct finding *finding);
void judge_rules_nflog(const struct check_facts *facts, struct finding *finding);

/* Adds the commands that load our rules for the group. */
void judge_rules_fix(const struct check_facts *facts, struct finding *finding);

#endif
