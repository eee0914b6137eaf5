/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_meter: the judgements on what the running meter reports of itself: every way in which its numbers may be
 * incomplete. Rows of the table in judge.c.
 */
#ifndef HOSTMETER_CHECK_JUDGE_METER_H
#define HOSTMETER_CHECK_JUDGE_METER_H

#include "hostmeter/check/facts.h"
#include "hostmeter/check/finding.h"

void judge_meter_answers(const struct check_facts *facts, struct finding *finding);
void judge_meter_sources(const struct check_facts *facts, struct finding *finding);
void judge_meter_overruns(const struct check_facts *facts, struct finding *finding);
void judge_meter_valve(const struct check_facts *facts, struct finding *finding);
void judge_meter_ends(const struct check_facts *facts, struct finding *finding);
void judge_meter_unattributed(const struct check_facts *facts, struct finding *finding);
void judge_meter_zeroing(const struct check_facts *facts, struct finding *finding);
void judge_meter_dump(const struct check_facts *facts, struct finding *finding);
void judge_meter_room(const struct check_facts *facts, struct finding *finding);
void judge_meter_damaged(const struct check_facts *facts, struct finding *finding);
void judge_meter_checkpoint(const struct check_facts *facts, struct finding *finding);
void judge_meter_folded(const struct check_facts *facts, struct finding *finding);

#endif
