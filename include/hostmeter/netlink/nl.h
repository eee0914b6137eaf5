/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nl: the netlink sockets, one per source, so that a flood on one does not stop the others.
 *
 *   SOURCE_EVENTS  ctnetlink DESTROY events with reliable delivery (NETLINK_BROADCAST_ERROR). Overruns are reported
 *                  (no NETLINK_NO_ENOBUFS).
 *   SOURCE_DUMP    ctnetlink GET dumps; never CTRZERO.
 *   SOURCE_NFLOG   one NFLOG group: packet copies cut to the headers, batched (32 KiB, 100 messages, 100 ms).
 *   SOURCE_RTNL    links, addresses, routes, neighbours: multicast groups and dumps.
 *
 * nl moves datagrams and reads no more of them than the netlink header. Every datagram and every request goes to one
 * callback. Reading is limited per turn of the loop, in number and in time; the rest is read in the next turn. Events
 * and NFLOG rest for 10 ms after they were read empty, and events are read before each datagram of another source.
 */
#pragma once

#include "hostmeter/decode/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;
struct nl;

/* NETLINK_NETFILTER or NETLINK_ROUTE. */
uint16_t nl_source_protocol(enum source source);

struct nl_callbacks {
	void *ctx;
	/* One datagram, complete, aligned for struct nlmsghdr; borrowed for the call. outgoing: a request of ours. */
	void (*datagram)(void *ctx, enum source source, bool outgoing, const void *data, size_t len);
	/* The kernel dropped messages for this socket (ENOBUFS); called once the socket has been drained to EAGAIN. */
	void (*overrun)(void *ctx, enum source source);
	/* A source failed otherwise (error is -errno): it is closed, and nl_open_source() may be tried again. */
	void (*failed)(void *ctx, enum source source, int error);
};

struct nl_options {
	uint16_t nflog_group;
	size_t receive_buffer[SOURCE_COUNT]; /* bytes of SO_RCVBUF(FORCE); 0: a built-in default */
};

/* No socket is open yet. NULL: out of memory. nl_free(NULL) is fine and closes what is open. */
struct nl *nl_new(struct loop *loop, const struct nl_options *options, const struct nl_callbacks *callbacks);
void nl_free(struct nl *nl);

/*
 * Opens one source, subscribes, and reads from then on. 0 or -errno: -EALREADY if it is open; -EPERM for missing
 * privileges or, with SOURCE_NFLOG, a group that another process holds.
 */
int nl_open_source(struct nl *nl, enum source source);
bool nl_is_open(const struct nl *nl, enum source source);

/* Bytes of the receive buffer: as read back, 0 for a closed source; and as they would be if all were granted. */
size_t nl_receive_buffer(const struct nl *nl, enum source source);
size_t nl_receive_buffer_asked(const struct nl *nl, enum source source);

/* Reads back whether the event socket has reliable delivery (a child may share the socket), and sets it: 0 or -errno.
 */
bool nl_is_reliable(const struct nl *nl);
int nl_set_reliable(struct nl *nl, bool on);

/* A source's socket, to share with a child process; -1 while it is closed. */
int nl_fd(const struct nl *nl, enum source source);

/* Reads at most so many datagrams at once. True if there may be more. */
bool nl_drain(struct nl *nl, enum source source, unsigned int datagrams);

/* Requests a dump of all conntrack entries, both families, on SOURCE_DUMP. 0; -EBUSY while one is running; -errno. */
int nl_dump_conntrack(struct nl *nl);

/* The same on SOURCE_RTNL for links, addresses, routes and neighbours, one dump after the other; or the links alone. */
int nl_dump_rtnl(struct nl *nl);
int nl_dump_links(struct nl *nl);

/* Whether a dump of this source is running. */
bool nl_is_dumping(const struct nl *nl, enum source source);
