/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * explain: --replay --explain: the meter's decisions on the flows of one host, a line each. The first lines of a flow
 * come before its host is decided, so a trace is metered twice: the first round finds the host's flows, the second
 * writes their lines.
 */
#pragma once

#include "hostmeter/base/buf.h"

#include <stdbool.h>

struct explain;
struct meter;

/* host: a name, a MAC, an address, or "all"; borrowed. NULL: out of memory. explain_free(NULL) is fine. */
struct explain *explain_new(const char *host);
void explain_free(struct explain *explain);

/* Observes a new meter. out: where the lines go; NULL in the first round. */
void explain_meter(struct explain *explain, struct meter *meter, struct buf *out);

/* After the second round: appends the sums of the lines, by host. 0, or -ENOMEM if something was left out. */
int explain_sums(struct explain *explain, struct buf *out);
