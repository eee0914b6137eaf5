/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * audit_state: the inside of struct audit, for the files of this room: audit.c and kernel.c fill it in, judge.c
 * compares.
 */
#pragma once

#include "by_address.h"
#include "hostmeter/audit/audit.h"
#include "readings.h"

#include <uthash.h>

enum { AUDIT_ID = AUDIT_LABEL + MAC_TEXT };

/* The numbers of the hosts that are always there. */
enum { AUDIT_ROUTER, AUDIT_OTHER };

/* A host is known by its MAC, else by its label. */
struct audit_host {
	char id[AUDIT_ID], label[AUDIT_LABEL], mac[MAC_TEXT];
	uint32_t number;
	bool present[AUDIT_ENDS];
	uint64_t first_seen;
	uint64_t bytes[AUDIT_ENDS][AUDIT_SCOPES][AUDIT_FAMILIES][AUDIT_DIRECTIONS];
	UT_hash_handle hh;
};

struct audit {
	struct readings *flows;
	struct by_address *addresses;
	struct audit_host *table; /* in the order of their numbers, 0 on */
	uint32_t hosts;
	struct audit_link link[AUDIT_ENDS][AUDIT_LINKS];
	size_t links[AUDIT_ENDS];
	uint64_t tunnel[AUDIT_ENDS][AUDIT_DIRECTIONS];
	uint64_t time[AUDIT_ENDS], uptime_ns[AUDIT_ENDS], overruns[AUDIT_ENDS], dump_interval_ns;
	bool reliable[AUDIT_ENDS];
	bool cut, flowtables_count;
};
