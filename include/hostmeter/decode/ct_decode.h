/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ct_decode: a ctnetlink message (events and dumps alike) into a struct ct_event.
 *
 * One walk over the attributes, every length checked; what is not needed is skipped. The tests compare it with
 * nfct_nlmsg_parse(). Follows net/netfilter/nf_conntrack_netlink.c.
 */
#ifndef HOSTMETER_DECODE_CT_DECODE_H
#define HOSTMETER_DECODE_CT_DECODE_H

#include "hostmeter/decode/ct_event.h"

#include <stddef.h>

struct nlmsghdr;

/*
 * Decodes one whole message (nlmsg_len lies inside the caller's buffer). The result holds no pointers.
 * 0; -ENOMSG if it is no conntrack entry (another subsystem or type); -EBADMSG if it is one but damaged: a length that
 * is wrong, a tuple that is missing or of an unknown family. On error *event is unspecified. GRE has no ports here:
 * what the kernel keeps in their place (PPTP's call ids) cannot be read from a packet.
 */
int ct_decode(const struct nlmsghdr *message, struct ct_event *event);

/*
 * The same for the bare attributes of an entry, as other messages carry them (NFLOG's NFULA_CT); family is 4 or 6, and
 * the event's type is CT_NEW. 0 or -EBADMSG.
 */
int ct_decode_attributes(const void *attributes, size_t len, uint8_t family, struct ct_event *event);

#endif
