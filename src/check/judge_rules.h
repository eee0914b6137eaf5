/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check_rules: the judgements on the firewall: rules that log first packets, their NFLOG group, flowtables.
 */
#ifndef HOSTMETER_CHECK_JUDGE_RULES_H
#define HOSTMETER_CHECK_JUDGE_RULES_H

#include "hostmeter/check/facts.h"
#include "hostmeter/check/finding.h"

/* Judgements, rows of the table in check.c. */
void check_rules_ipv4(const struct check_facts *facts, struct check_line *line);
void check_rules_ipv6(const struct check_facts *facts, struct check_line *line);
void check_rules_flowtable(const struct check_facts *facts, struct check_line *line);
void check_rules_hardware(const struct check_facts *facts, struct check_line *line);
void check_rules_nflog(const struct check_facts *facts, struct check_line *line);

/* How rules are loaded that log to the group. */
void check_rules_mend(const struct check_facts *facts, struct check_line *line);

#endif
