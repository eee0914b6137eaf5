/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow_line: a conntrack entry as conntrack(8) prints it with -L -o extended, by libnetfilter_conntrack's own
 * formatting.
 */
#ifndef HOSTMETER_DECODE_FLOW_LINE_H
#define HOSTMETER_DECODE_FLOW_LINE_H

#include "hostmeter/base/buf.h"

struct nlmsghdr;

/* Appends the line of one ctnetlink message, without a newline. 0; -EBADMSG if the library does not take it; -ENOMEM.
 */
int flow_line(struct buf *out, const struct nlmsghdr *message);

#endif
