/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dispatch: takes netlink datagrams, from sockets and traces alike, splits them into messages, decodes these and gives
 * them to the meter. It sees where dumps begin (our own requests) and end, and tells whoever subscribed.
 */
#ifndef HOSTMETER_METER_DISPATCH_H
#define HOSTMETER_METER_DISPATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ct_event;
struct dispatch;
struct meter;
struct nlmsghdr;

/* What a listener is told. Each may be NULL. "Dump" is a dump of the connections. */
struct dispatch_listener {
	void *ctx;
	/* Links, addresses, routes and neighbours have been dumped: once. */
	void (*topology_known)(void *ctx);
	/* Its request was sent. */
	void (*dump_began)(void *ctx, uint64_t now);
	/* One entry of it, after the meter has taken it; both are borrowed. */
	void (*entry)(void *ctx, const struct nlmsghdr *message, const struct ct_event *event);
	/* The meter has all of it; not complete: an error or an overrun ended it, or the table changed under it. */
	void (*dump_ended)(void *ctx, bool complete, uint64_t now);
};

enum { DISPATCH_LISTENERS = 8 };

/* NULL: out of memory. The meter is borrowed. dispatch_free(NULL) is fine. */
struct dispatch *dispatch_new(struct meter *meter);
void dispatch_free(struct dispatch *dispatch);

/* Listeners are told in the order of their subscriptions, which last as long as dispatch. 0, or -ENOSPC: too many. */
int dispatch_subscribe(struct dispatch *dispatch, const struct dispatch_listener *listener);

/*
 * Takes one datagram of a socket of this netlink protocol (NETLINK_NETFILTER, NETLINK_ROUTE): received, or sent
 * (outgoing). data is aligned for struct nlmsghdr and borrowed. Lengths are checked; what is damaged is counted.
 */
void dispatch_datagram(struct dispatch *dispatch, uint16_t protocol, bool outgoing, const void *data, size_t len,
	uint64_t now);

/* A conntrack dump was broken off by an overrun of its socket or the loss of it. Nothing if none runs. */
void dispatch_dump_aborted(struct dispatch *dispatch, uint64_t now);

#endif
