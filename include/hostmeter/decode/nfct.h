/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nfct: conntrack entries by libnetfilter_conntrack's parser, which --audit compares with ct_decode. */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/decode/ct_event.h"

struct nlmsghdr;

/*
 * Reads one whole ctnetlink message, as ct_decode() does; icmp_type, icmp_code and start_ns are left 0. 0; -ENOMSG for
 * what is no entry; -EBADMSG if the library does not take it; -ENOMEM.
 */
int nfct_read(const struct nlmsghdr *message, struct ct_event *event);

/*
 * Appends the entry as conntrack(8) prints it with -L -o extended, without a newline. 0; -EBADMSG if the library does
 * not take it; -ENOMEM.
 */
int nfct_print(struct buf *out, const struct nlmsghdr *message);
