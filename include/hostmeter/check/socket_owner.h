/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sockets: which process has a socket, as far as /proc tells whoever asks; of this network namespace. For a client
 * process: it reads a lot.
 */
#ifndef HOSTMETER_CHECK_SOCKET_OWNER_H
#define HOSTMETER_CHECK_SOCKET_OWNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { SOCKETS_NAME = 32 };

struct sockets_owner {
	pid_t pid;               /* 0: it cannot be seen from here */
	char name[SOCKETS_NAME]; /* of the program, "" if unknown */
};

/*
 * Whether the NFLOG group is bound, and by whom. 1, 0, or -ENOENT if the kernel does not say (nfnetlink_log is not
 * loaded).
 */
int sockets_nflog(uint16_t group, struct sockets_owner *owner);

/* Who listens on a TCP port. False: nobody who can be seen. */
bool sockets_tcp(uint16_t port, struct sockets_owner *owner);

#endif
