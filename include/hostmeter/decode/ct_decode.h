/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ct_decode: a ctnetlink message (events and dumps alike) into a struct ct_event.
 *
 * By the shapes of messages (ct_shape.h), which are learned in a walk with every length checked; the tests hold it
 * against nfct_nlmsg_parse(). Follows net/netfilter/nf_conntrack_netlink.c.
 */
#ifndef HOSTMETER_DECODE_CT_DECODE_H
#define HOSTMETER_DECODE_CT_DECODE_H

#include "hostmeter/decode/ct_event.h"
#include "hostmeter/decode/ct_shape.h"

#include <stddef.h>

struct nlmsghdr;

/*
 * Decodes one whole message (nlmsg_len lies inside the caller's buffer). The result holds no pointers.
 * 0; -ENOMSG if it is no conntrack entry (another subsystem or type); -EBADMSG if it is one but damaged: a length that
 * is wrong, a tuple that is missing or of an unknown family. On error *event is unspecified. GRE has no ports here:
 * what the kernel keeps in their place (PPTP's call ids) cannot be read from a packet.
 */
int ct_decode(const struct nlmsghdr *message, struct ct_event *event);

/* What was learned of messages, for those to come; all zeros is nothing. Owned by who reads many of them; 15 KiB. */
enum { CT_SHAPES = 32 };

struct ct_shapes {
	struct ct_shape shape[CT_SHAPES];
};

/* The same, twice as quick for messages of shapes that have been seen. */
int ct_decode_with(struct ct_shapes *shapes, const struct nlmsghdr *message, struct ct_event *event);

/*
 * The same for the bare attributes of an entry, as other messages carry them (NFLOG's NFULA_CT); family is 4 or 6, and
 * the event's type is CT_NEW. 0 or -EBADMSG.
 */
int ct_decode_attributes(const void *attributes, size_t len, uint8_t family, struct ct_event *event);

#endif
