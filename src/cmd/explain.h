/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain: the decisions of a meter on the flows of one host, a line each, in order, for --replay --explain.
 *
 * Whose a flow is is known only after its first lines. So a trace is metered twice: the first time the host's flows are
 * found, the second time the lines are written.
 */
#ifndef HOSTMETER_CMD_EXPLAIN_H
#define HOSTMETER_CMD_EXPLAIN_H

#include "hostmeter/base/buf.h"

#include <stdbool.h>

struct explain;
struct meter;

/* host: a name, a MAC, an address, or "all"; borrowed. NULL: out of memory. explain_free(NULL) is fine. */
struct explain *explain_new(const char *host);
void explain_free(struct explain *explain);

/* Observes a fresh meter. out: where the lines go; NULL: this time the host's flows are found. */
void explain_meter(struct explain *explain, struct meter *meter, struct buf *out);

/* At the end of the second time: what was counted for each host in the lines above. -ENOMEM if any of it was lost. */
int explain_sums(struct explain *explain, struct buf *out);

#endif
