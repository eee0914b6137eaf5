/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * procnet_parse: tables of /proc/net as text: which socket has an NFLOG group, a netlink port, a TCP port. Lines that
 * are not understood are passed over.
 */
#ifndef HOSTMETER_CHECK_PROCNET_H
#define HOSTMETER_CHECK_PROCNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * /proc/net/netfilter/nfnetlink_log: the netlink port that is bound to the group. Kernel: seq_show() of
 * nfnetlink_log.c.
 */
bool procnet_parse_nflog(const char *text, size_t len, uint16_t group, uint32_t *port);

/* /proc/net/netlink: the inode of the socket of this protocol and port. Kernel: netlink_native_seq_show(). */
bool procnet_parse_netlink(const char *text, size_t len, unsigned int protocol, uint32_t port, uint64_t *inode);

/* /proc/net/tcp or tcp6, proc_net_tcp(5): the inode of the first socket that listens on the port. */
bool procnet_parse_tcp(const char *text, size_t len, uint16_t port, uint64_t *inode);

#endif
