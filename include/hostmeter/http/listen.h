/* SPDX-License-Identifier: GPL-2.0-or-later */
/* listen: opens listening sockets, TCP and UNIX, non-blocking and close-on-exec. */
#pragma once

#include <stdint.h>

/*
 * A socket on "ADDR:PORT", "[V6ADDR]:PORT", ":PORT" or "PORT" (all addresses, both families), or -errno: -EINVAL for a
 * bad form, -EADDRINUSE, -EADDRNOTAVAIL, -EACCES.
 */
int listen_tcp(const char *where);

/* The interface by which the handshake of a connection to such a socket came in; 0: the kernel does not say. */
uint32_t listen_arrival(int fd);

/*
 * A UNIX socket with mode 0660, or -errno. An old socket is replaced if nobody listens on it; else -EADDRINUSE.
 * -ENOTSOCK: path is a file of another kind.
 */
int listen_unix(const char *path);
