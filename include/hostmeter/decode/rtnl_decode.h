/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnl_decode: an rtnetlink message into a struct rtnl_event. rtnetlink(7); net/core/rtnetlink.c, net/core/neighbour.c,
 * net/ipv4/fib_semantics.c, net/ipv6/route.c.
 */
#pragma once

#include "hostmeter/decode/rtnl_event.h"

struct nlmsghdr;

/*
 * Decodes one whole RTM_NEW… or RTM_DEL… message of a link, address, route or neighbour.
 * 0; -ENOMSG for any other type, for families other than IPv4 and IPv6 (bridge ports and their forwarding tables), for
 * cloned (cached) routes and wireless events; -EBADMSG if it is damaged. A byte of an interface name that is not
 * printable ASCII becomes '?'. A neighbour's MAC counts only if mac_is_host().
 */
int rtnl_decode(const struct nlmsghdr *message, struct rtnl_event *event);

/* The kernel's name of a kind, "" for RTNL_KIND_PLAIN. */
const char *rtnl_kind_name(enum rtnl_kind kind);
