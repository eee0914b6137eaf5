/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check_meter: the judgements on what the running meter says of itself: every way in which its numbers may be
 * incomplete.
 */
#ifndef HOSTMETER_CHECK_JUDGE_METER_H
#define HOSTMETER_CHECK_JUDGE_METER_H

#include "hostmeter/check/facts.h"
#include "hostmeter/check/finding.h"

/* Judgements, rows of the table in check.c. */
void check_meter_answers(const struct check_facts *facts, struct check_line *line);
void check_meter_sources(const struct check_facts *facts, struct check_line *line);
void check_meter_overruns(const struct check_facts *facts, struct check_line *line);
void check_meter_valve(const struct check_facts *facts, struct check_line *line);
void check_meter_ends(const struct check_facts *facts, struct check_line *line);
void check_meter_unattributed(const struct check_facts *facts, struct check_line *line);
void check_meter_zeroing(const struct check_facts *facts, struct check_line *line);
void check_meter_dump(const struct check_facts *facts, struct check_line *line);
void check_meter_room(const struct check_facts *facts, struct check_line *line);
void check_meter_damaged(const struct check_facts *facts, struct check_line *line);
void check_meter_checkpoint(const struct check_facts *facts, struct check_line *line);
void check_meter_folded(const struct check_facts *facts, struct check_line *line);

#endif
