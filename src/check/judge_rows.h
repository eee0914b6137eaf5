/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_rows: rows of the table in judge.c: judge_rules.c judges the firewall (rules that log first packets, their
 * NFLOG group, flowtables), judge_meter.c what the running meter reports of itself: each way in which its numbers may
 * be incomplete.
 */
#ifndef HOSTMETER_CHECK_JUDGE_ROWS_H
#define HOSTMETER_CHECK_JUDGE_ROWS_H

#include "hostmeter/check/facts.h"
#include "hostmeter/check/finding.h"

void judge_rules_ipv4(const struct check_facts *facts, struct finding *finding);
void judge_rules_ipv6(const struct check_facts *facts, struct finding *finding);
void judge_rules_flowtable(const struct check_facts *facts, struct finding *finding);
void judge_rules_hardware(const struct check_facts *facts, struct finding *finding);
void judge_rules_nflog(const struct check_facts *facts, struct finding *finding);

/* Adds the commands that load our rules for the group. */
void judge_rules_fix(const struct check_facts *facts, struct finding *finding);

void judge_meter_answers(const struct check_facts *facts, struct finding *finding);
void judge_meter_sources(const struct check_facts *facts, struct finding *finding);
void judge_meter_overruns(const struct check_facts *facts, struct finding *finding);
void judge_meter_reliability(const struct check_facts *facts, struct finding *finding);
void judge_meter_ends(const struct check_facts *facts, struct finding *finding);
void judge_meter_unattributed(const struct check_facts *facts, struct finding *finding);
void judge_meter_zeroing(const struct check_facts *facts, struct finding *finding);
void judge_meter_dump(const struct check_facts *facts, struct finding *finding);
void judge_meter_capacity(const struct check_facts *facts, struct finding *finding);
void judge_meter_damaged(const struct check_facts *facts, struct finding *finding);
void judge_meter_checkpoint(const struct check_facts *facts, struct finding *finding);
void judge_meter_folded(const struct check_facts *facts, struct finding *finding);

#endif
