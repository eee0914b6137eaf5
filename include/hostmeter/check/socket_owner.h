/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * socket_owner: which process has a socket, as far as /proc tells whoever asks; of this network namespace. For a client
 * process: it reads a lot.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum { SOCKET_OWNER_NAME = 32, SOCKET_OWNER_PATH = 108 /* of a UNIX socket, unix(7) */ };

struct socket_owner {
	pid_t pid;                    /* 0: it cannot be seen from here */
	char name[SOCKET_OWNER_NAME]; /* of the program, "" if unknown */
};

/*
 * Whether the NFLOG group is bound, and by whom. 1, 0, or -ENOENT if the kernel does not say (nfnetlink_log is not
 * loaded).
 */
int socket_owner_nflog(uint16_t group, struct socket_owner *owner);

/* Who listens on a TCP port. False: nobody who can be seen. */
bool socket_owner_tcp(uint16_t port, struct socket_owner *owner);

/* The path of a UNIX socket on which the process listens. False, and "": there is none that can be seen. */
bool socket_owner_unix(pid_t pid, char path[static SOCKET_OWNER_PATH]);

/*
 * Tables of /proc/net; lines that are not understood are passed over.
 *
 * netfilter/nfnetlink_log: the netlink port that is bound to the group. Kernel: seq_show() of nfnetlink_log.c.
 * netlink: the inode of the socket of this protocol and port. Kernel: netlink_native_seq_show().
 * tcp or tcp6, proc_net_tcp(5): the inode of the first socket that listens on the port.
 * unix: the path of the socket with this inode, if it listens and has an absolute path.
 */
bool socket_owner_parse_nflog(FILE *table, uint16_t group, uint32_t *port);
bool socket_owner_parse_netlink(FILE *table, unsigned int protocol, uint32_t port, uint64_t *inode);
bool socket_owner_parse_tcp(FILE *table, uint16_t port, uint64_t *inode);
bool socket_owner_parse_unix(FILE *table, uint64_t inode, char path[static SOCKET_OWNER_PATH]);
