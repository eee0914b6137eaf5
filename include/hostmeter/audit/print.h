/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * audit_print: an audit's report as a table for people, or as one JSON object (docs/api.md).
 */
#ifndef HOSTMETER_AUDIT_PRINT_H
#define HOSTMETER_AUDIT_PRINT_H

#include "hostmeter/audit/audit.h"
#include "hostmeter/base/buf.h"

enum { AUDIT_SCHEMA = 1 };

/* How the two ends were read: how long each took, and how long lay between them, in nanoseconds. */
struct audit_times {
	uint64_t took_ns[AUDIT_ENDS], between_ns;
	uint64_t begin_ns, end_ns; /* since 1970 */
};

/* Each appends; what did not fit shows in buf_error(). */
void audit_print_text(struct buf *out, const struct audit_report *report, const struct audit_times *times);
void audit_print_json(struct buf *out, const struct audit_report *report, const struct audit_times *times);

#endif
