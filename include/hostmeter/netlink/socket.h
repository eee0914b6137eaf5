/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nl_socket: what every netlink socket of ours needs, below nl: room, subscriptions, and datagrams of the kernel only.
 * netlink(7). The sockets are libmnl's, non-blocking; mnl_socket_close() ends them.
 */
#ifndef HOSTMETER_NETLINK_SOCKET_H
#define HOSTMETER_NETLINK_SOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mnl_socket;

/*
 * A bound socket of a netlink protocol with receive_buffer bytes, or as many as the kernel grants without privileges.
 * 0 or -errno.
 */
int nl_socket_open(struct mnl_socket **socket, uint16_t protocol, size_t receive_buffer);

/* What SO_RCVBUF reads back: the kernel doubles what it is asked for, and caps it in silence. */
size_t nl_socket_receive_buffer(const struct mnl_socket *socket);

/* Sets an on/off option of SOL_NETLINK. 0 or -errno. */
int nl_socket_set(struct mnl_socket *socket, int option, bool on);

/* Joins multicast groups. 0 or -errno. */
int nl_socket_join(struct mnl_socket *socket, const int *groups, size_t count);

/*
 * Receives one datagram without waiting: its length; 0 for one that another process sent; -EAGAIN if there is none;
 * -EMSGSIZE if it was longer than size and is lost; -errno.
 */
ssize_t nl_socket_receive(struct mnl_socket *socket, void *buffer, size_t size);

enum { NL_SOCKET_MANY = 16 };

/*
 * The same for count datagrams at most (NL_SOCKET_MANY), one every size bytes of buffer, recvmmsg(2): how many there
 * are, with what nl_socket_receive() says of each in got, or its error for the first.
 */
int nl_socket_receive_many(struct mnl_socket *socket, void *buffer, size_t size, unsigned int count, ssize_t *got);

/* Waits until there is something to receive, an error too, for timeout_ms at most. */
bool nl_socket_wait(const struct mnl_socket *socket, int timeout_ms);

#endif
