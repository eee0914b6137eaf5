/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nl_socket: netlink sockets of libmnl, non-blocking, that receive datagrams of the kernel only (netlink(7)).
 * mnl_socket_close() closes them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mnl_socket;

/* Opens and binds one, with receive_buffer bytes or, without privileges, what the kernel grants. 0 or -errno. */
int nl_socket_open(struct mnl_socket **socket, uint16_t protocol, size_t receive_buffer);

/* Sets an on/off option of SOL_NETLINK. 0 or -errno. */
int nl_socket_set(struct mnl_socket *socket, int option, bool on);

/* Joins multicast groups. 0 or -errno. */
int nl_socket_join(struct mnl_socket *socket, const int *groups, size_t count);

enum { NL_SOCKET_MANY = 16 };

/*
 * Receives up to count datagrams (at most NL_SOCKET_MANY) without waiting, one every size bytes of buffer. How many, or
 * -errno: -EAGAIN if there are none. got: the length of each; 0 for one that another process sent; -EMSGSIZE for one
 * that was longer than size and is lost.
 */
int nl_socket_receive(struct mnl_socket *socket, void *buffer, size_t size, unsigned int count, ssize_t *got);

/* Waits for timeout_ms at most: whether there is something to receive, or an error. */
bool nl_socket_wait(const struct mnl_socket *socket, int timeout_ms);
