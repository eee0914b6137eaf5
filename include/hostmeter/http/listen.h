/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listen: sockets that wait for connections, on TCP and as files, non-blocking and close-on-exec.
 */
#ifndef HOSTMETER_HTTP_LISTEN_H
#define HOSTMETER_HTTP_LISTEN_H

/*
 * A socket on "ADDR:PORT", "[V6ADDR]:PORT", ":PORT" or "PORT" (all addresses, both families), or -errno: -EINVAL for a
 * bad form, -EADDRINUSE, -EADDRNOTAVAIL, -EACCES.
 */
int listen_tcp(const char *where);

/*
 * A UNIX socket with mode 0660, or -errno. A left-over socket that nobody listens on is replaced. -EADDRINUSE if
 * somebody does, -ENOTSOCK if a file of another kind is in the way.
 */
int listen_unix(const char *path);

#endif
