/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge_rows: tables of judgements, each ending with an empty row. judge.c has those on the machine, judge_rules.c
 * those on the firewall: rules that log first packets, their NFLOG group, flowtables. judge_meter.c has those on what
 * the running meter reports: each way in which its numbers may be incomplete.
 */
#pragma once

#include "hostmeter/check/judge.h"

struct judgement {
	const char *name;
	void (*judge)(const struct check_facts *facts, struct finding *finding);
	const char *fix; /* unless the function gives another; or NULL */
};

/* Of a flowtable without the flag counter; of one with the flag offload. */
#define JUDGE_FIX_COUNTER "counter;  # in the flowtable's definition; load it anew"
#define JUDGE_FIX_HARDWARE "take \"flags offload;\" out of its definition  # OpenWrt: option flow_offloading_hw '0'"

extern const struct judgement judge_rules_rows[], judge_meter_rows[];

/* Adds the commands that load our rules for the group. */
void judge_rules_fix(const struct check_facts *facts, struct finding *finding);
