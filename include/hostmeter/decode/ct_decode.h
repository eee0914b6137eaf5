/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ct_decode: a ctnetlink message (event or dump entry) into a struct ct_event. Follows
 * net/netfilter/nf_conntrack_netlink.c; the tests compare it with nfct_nlmsg_parse().
 */
#pragma once

#include "hostmeter/decode/ct_event.h"

#include <stddef.h>

struct nlmsghdr;

/*
 * Decodes one message that lies in the caller's buffer. 0; -ENOMSG: not a conntrack entry; -EBADMSG: a wrong length, a
 * missing tuple, an unknown family. On error *event is unspecified. GRE has no ports.
 */
int ct_decode(const struct nlmsghdr *message, struct ct_event *event);

/* The same for the attributes alone (NFLOG's NFULA_CT); family is 4 or 6, the type is CT_NEW. 0 or -EBADMSG. */
int ct_decode_attributes(const void *attributes, size_t len, uint8_t family, struct ct_event *event);
