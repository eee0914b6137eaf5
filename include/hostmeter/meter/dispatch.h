/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dispatch: splits netlink datagrams, from sockets or a trace, into messages, decodes them and passes them to the
 * meter. It notices where dumps begin (our own requests) and end, and calls the listeners.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ct_event;
struct dispatch;
struct meter;
struct nlmsghdr;

/* Callbacks, or NULL. A dump is a conntrack dump. */
struct dispatch_listener {
	void *ctx;
	/* Called once: links, addresses, routes and neighbours have been dumped. */
	void (*topology_known)(void *ctx);
	/* The request was sent. */
	void (*dump_began)(void *ctx, uint64_t now);
	/* An entry, after the meter took it; both are borrowed. */
	void (*entry)(void *ctx, const struct nlmsghdr *message, const struct ct_event *event);
	/* Not complete: an error or an overrun ended it, or the table changed meanwhile (NLM_F_DUMP_INTR). */
	void (*dump_ended)(void *ctx, bool complete, uint64_t now);
};

enum { DISPATCH_LISTENERS = 8 };

/* NULL: out of memory. The meter is borrowed. dispatch_free(NULL) is fine. */
struct dispatch *dispatch_new(struct meter *meter);
void dispatch_free(struct dispatch *dispatch);

/* Adds a listener for the life of dispatch. Listeners are called in this order. 0; -ENOSPC: too many. */
int dispatch_subscribe(struct dispatch *dispatch, const struct dispatch_listener *listener);

/*
 * Takes one datagram of NETLINK_NETFILTER or NETLINK_ROUTE that was received, or sent (outgoing). data is aligned for
 * struct nlmsghdr and borrowed. Lengths are checked; damaged messages are counted.
 */
void dispatch_datagram(struct dispatch *dispatch, uint16_t protocol, bool outgoing, const void *data, size_t len,
	uint64_t now);

/* The running conntrack dump, if any, ended by an overrun or the loss of its socket. */
void dispatch_dump_aborted(struct dispatch *dispatch, uint64_t now);
