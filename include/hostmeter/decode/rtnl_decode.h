/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnl_decode: an rtnetlink message into a struct rtnl_event. rtnetlink(7); net/core/rtnetlink.c, net/core/neighbour.c,
 * net/ipv4/fib_semantics.c, net/ipv6/route.c.
 */
#pragma once

#include "hostmeter/decode/rtnl_event.h"

#include <stddef.h>

struct nlmsghdr;

/*
 * Decodes one whole RTM_NEW… or RTM_DEL… message of a link, address, route or neighbour.
 * 0; -ENOMSG for any other type, for families other than IPv4 and IPv6 (bridge ports and their forwarding tables), for
 * cloned (cached) routes and wireless events; -EBADMSG if it is damaged. Names of interfaces are made fit by
 * rtnl_interface_name(). A neighbour's MAC counts only if mac_is_host().
 */
int rtnl_decode(const struct nlmsghdr *message, struct rtnl_event *event);

/*
 * Makes the kernel's name of an interface (at most size bytes) fit to be shown: blanks, invisible characters and what
 * is not UTF-8 become '?', and "#" and the index follow, so that the name stays the only one; it is cut for them. 0;
 * -EBADMSG for a name that is empty or too long.
 */
int rtnl_interface_name(char name[static IFNAME_LEN], const char *raw, size_t size, uint32_t ifindex);

/* The kernel's name of a kind, "" for RTNL_KIND_PLAIN. */
const char *rtnl_kind_name(enum rtnl_kind kind);
