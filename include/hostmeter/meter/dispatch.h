/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * intake: netlink datagrams into the meter, from sockets and traces alike: frames, decodes, and hands on. It also sees
 * where dumps begin (our own requests) and end.
 */
#ifndef HOSTMETER_METER_DISPATCH_H
#define HOSTMETER_METER_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct intake;
struct meter;

/* NULL: out of memory. The meter is borrowed. */
struct intake *intake_new(struct meter *meter);
void intake_free(struct intake *intake);

/*
 * Takes one datagram of a socket of this netlink protocol (NETLINK_NETFILTER, NETLINK_ROUTE): received, or sent
 * (outgoing). data is aligned for struct nlmsghdr and borrowed. Lengths are checked; what is damaged is counted.
 */
void intake_datagram(struct intake *intake, uint16_t protocol, bool outgoing, const void *data, size_t len,
	uint64_t now);

struct ct_event;
struct nlmsghdr;

/* Calls watch for every conntrack entry of a dump, after the meter has taken it. NULL: no more. */
void intake_watch_entries(struct intake *intake,
	void (*watch)(void *ctx, const struct nlmsghdr *message, const struct ct_event *event), void *ctx);

/* Whether links, addresses, routes and neighbours have been dumped once: the topology is known. */
bool intake_topology_known(const struct intake *intake);

/* How many complete or failed conntrack dumps ended so far: a change says that one just did. */
uint64_t intake_dumps_ended(const struct intake *intake);

/* A conntrack dump was broken off by an overrun of its socket or the loss of it. */
void intake_dump_aborted(struct intake *intake, uint64_t now);

#endif
