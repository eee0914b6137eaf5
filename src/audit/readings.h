/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * readings: what the audit itself read of each flow, at four moments: just before and just after the meter's own
 * reading, at the begin and at the end. So what the meter had read of a flow lies between two of ours.
 */
#pragma once

#include "hostmeter/audit/reported.h"

#include <stddef.h>

enum audit_moment { AUDIT_BEGIN_LOW, AUDIT_BEGIN_HIGH, AUDIT_END_LOW, AUDIT_END_HIGH, AUDIT_MOMENTS };

#define AUDIT_LOW_OF(end) ((end) == AUDIT_BEGIN ? AUDIT_BEGIN_LOW : AUDIT_END_LOW)
#define AUDIT_HIGH_OF(end) ((end) == AUDIT_BEGIN ? AUDIT_BEGIN_HIGH : AUDIT_END_HIGH)

/* So long after a flow's end the meter may still hold its bytes back, not knowing whose it was. */
#define AUDIT_HOLD_NS UINT64_C(2000000000)

/* The host of a flow. host, peer: any numbers of the caller's, or AUDIT_NOBODY. */
struct audit_owner {
	bool given;
	enum audit_scope scope;
	uint32_t host, peer;
	bool began;
};

#define AUDIT_NOBODY UINT32_MAX

struct audit_flow {
	struct ct_event first;            /* as it was read first */
	uint64_t value[AUDIT_MOMENTS][2]; /* bytes by enum ct_dir; of every moment once readings_each() gives it */
	enum audit_moment ended;          /* by then; AUDIT_MOMENTS: it lives */
	struct audit_owner reported[AUDIT_ENDS];
	bool uncounted, offloaded, zeroed;
	bool in_hardware;           /* offloaded to it */
	bool reused;                /* its tuple and id are; reported is of the earlier flow */
	bool vanished;              /* it went, and no DESTROY came */
	bool fresh_end[AUDIT_ENDS]; /* it ended so shortly before that it may be held back */
};

struct readings;

/* NULL: out of memory. */
struct readings *readings_new(size_t most);
void readings_free(struct readings *flows);

/* An entry of a dump, or a DESTROY. It belongs to the moment whose dump runs or comes next. */
void readings_add(struct readings *flows, const struct ct_event *event, uint64_t now);

/* A dump is requested. It ended: the next moment begins. */
void readings_dump_begins(struct readings *flows, uint64_t now);
void readings_dump_ended(struct readings *flows, uint64_t now);

/* What the meter reports of a flow at one end. */
void readings_report(struct readings *flows, enum audit_end end, const struct ct_event *flow,
	const struct audit_owner *owner);

/* Flows for which there was no room or memory: with one of them the sums are wrong. */
uint64_t readings_refused(const struct readings *flows);

/* Once all is read: calls each flow, after filling in the moments at which it was not read. */
void readings_each(const struct readings *flows, void (*each)(void *ctx, const struct audit_flow *flow), void *ctx);
