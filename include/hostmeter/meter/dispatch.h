/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dispatch: netlink datagrams into the meter, from sockets and traces alike: frames, decodes, and hands on. It also
 * sees where dumps begin (our own requests) and end.
 */
#ifndef HOSTMETER_METER_DISPATCH_H
#define HOSTMETER_METER_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dispatch;
struct meter;

/* NULL: out of memory. The meter is borrowed. */
struct dispatch *dispatch_new(struct meter *meter);
void dispatch_free(struct dispatch *dispatch);

/*
 * Takes one datagram of a socket of this netlink protocol (NETLINK_NETFILTER, NETLINK_ROUTE): received, or sent
 * (outgoing). data is aligned for struct nlmsghdr and borrowed. Lengths are checked; what is damaged is counted.
 */
void dispatch_datagram(struct dispatch *dispatch, uint16_t protocol, bool outgoing, const void *data, size_t len,
	uint64_t now);

struct ct_event;
struct nlmsghdr;

/* Calls watch for every conntrack entry of a dump, after the meter has taken it. NULL: no more. */
void dispatch_watch_entries(struct dispatch *dispatch,
	void (*watch)(void *ctx, const struct nlmsghdr *message, const struct ct_event *event), void *ctx);

/* Whether links, addresses, routes and neighbours have been dumped once: the topology is known. */
bool dispatch_topology_known(const struct dispatch *dispatch);

/* How many complete or failed conntrack dumps ended so far: a change says that one just did. */
uint64_t dispatch_dumps_ended(const struct dispatch *dispatch);

/* A conntrack dump was broken off by an overrun of its socket or the loss of it. */
void dispatch_dump_aborted(struct dispatch *dispatch, uint64_t now);

#endif
