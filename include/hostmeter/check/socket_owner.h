/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * socket_owner: which process has a socket, as far as /proc tells whoever asks; of this network namespace. For a client
 * process: it reads a lot.
 */
#ifndef HOSTMETER_CHECK_SOCKET_OWNER_H
#define HOSTMETER_CHECK_SOCKET_OWNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { SOCKET_OWNER_NAME = 32 };

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

#endif
