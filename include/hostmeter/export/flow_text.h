/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow_text: how flows and what the meter made of them are put into words, and picked by them: --flows and --explain.
 */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/meter/meter.h"

/* "wan", "local", "router", "none", "undecided". */
const char *flow_text_scope(const struct meter_flow *flow);

/* Whether the flow is one of the host's with this name, MAC (both in any case) or address. */
bool flow_text_is_of(const char *host, const struct ct_event *event, const struct meter_flow *flow);

/* Appends " NAME=WORD". What would break a line of words is replaced. */
void flow_text_put(struct buf *out, const char *name, const char *word);

/* Appends the host, the peer if there is one, how they were found and the scope, each as flow_text_put(). */
void flow_text_put_hosts(struct buf *out, const struct meter_flow *flow);

/* Appends an event's flow as conntrack(8) prints it; for where there is no message for nfct_print(). */
void flow_text_event(struct buf *out, const struct ct_event *event);
