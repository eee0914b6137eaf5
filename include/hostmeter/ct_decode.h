/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ct_decode: a ctnetlink message (events and dumps alike) into a struct ct_event.
 *
 * An inline walk over the attributes, each length checked: measured at a third of the cost of nfct_nlmsg_parse(),
 * which the tests hold it against. Follows net/netfilter/nf_conntrack_netlink.c.
 */
#ifndef HOSTMETER_CT_DECODE_H
#define HOSTMETER_CT_DECODE_H

#include "hostmeter/ct_event.h"

#include <stddef.h>

struct nlmsghdr;

/*
 * Decodes one whole message (nlmsg_len lies inside the caller's buffer). The result holds no pointers.
 * 0; -ENOMSG if it is no conntrack entry (another subsystem or type); -EBADMSG if it is one but damaged: a length that
 * is wrong, a tuple that is missing or of an unknown family. On error *event is unspecified. GRE has no ports here: what
 * the kernel keeps in their place (PPTP's call ids) cannot be read from a packet.
 */
int ct_decode(const struct nlmsghdr *message, struct ct_event *event);

/* The reply tuple of a message, still to be decoded: borrowed from it. */
struct ct_reply {
	const void *attributes;
	size_t len;
};

/*
 * ct_decode() in two steps, since a dump is mostly of flows whose reply tuple is of no use any more: all but that tuple,
 * then that. The same errors.
 */
int ct_decode_original(const struct nlmsghdr *message, struct ct_event *event, struct ct_reply *reply);
int ct_decode_reply(const struct ct_reply *reply, struct ct_event *event);

/*
 * The same for the bare attributes of an entry, as other messages carry them (NFLOG's NFULA_CT); family is 4 or 6, and
 * the event's type is CT_NEW. 0 or -EBADMSG.
 */
int ct_decode_attributes(const void *attributes, size_t len, uint8_t family, struct ct_event *event);

#endif
