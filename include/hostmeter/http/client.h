/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_client: the other side of http, for --once and --watch: for a client process, never inside the daemon's loop.
 *
 * A server is known by text: the path of a UNIX socket, or "http://HOST[:PORT][/BASE]". Requests are HTTP/1.0 ones, so
 * that answers end with the connection and never come in chunks. Proxies, redirections and TLS are not for this one.
 */
#ifndef HOSTMETER_HTTP_CLIENT_H
#define HOSTMETER_HTTP_CLIENT_H

#include "hostmeter/base/buf.h"

enum { HTTP_ANSWER_MOST = 64 << 20 };

/*
 * GET of target ("/metrics") from the server on a UNIX socket, within timeout_ms; the body is appended, whatever the
 * status. The HTTP status; or -errno and *body untouched: -ENOENT and -ECONNREFUSED if nobody is there, -EACCES,
 * -ETIMEDOUT, -EBADMSG if the answer is no HTTP or was cut, -EMSGSIZE if it is beyond HTTP_ANSWER_MOST, -EINVAL for a
 * target that is not printable ASCII.
 */
int http_get_unix(const char *path, const char *target, struct buf *body, unsigned int timeout_ms);

/*
 * A GET from a UNIX socket whose body the caller reads, for as long as it comes: the HTTP status and *fd, which stands
 * at the body's first byte and is the caller's to close; or -errno as above.
 */
int http_open_unix(const char *path, const char *target, int *fd, unsigned int timeout_ms);

/* The same over TCP from an URL's server, -EDESTADDRREQ if its host has no address. */
int http_get_tcp(const char *url, const char *target, struct buf *body, unsigned int timeout_ms);

/* A server, its name looked up once: then nothing below waits for anything. */
struct http_server;
int http_server_open(struct http_server **server, const char *text);
void http_server_free(struct http_server *server);

/* A GET that goes on while its caller does other things. */
struct http_fetch;

/* Begins. 0 or -errno as above, -EAGAIN if the server's queue is full. The server must outlive it. */
int http_fetch_start(struct http_fetch **fetch, const struct http_server *server, const char *target,
	unsigned int timeout_ms);

/* What to poll(2) for, and for how long, in ms. */
int http_fetch_fd(const struct http_fetch *fetch);
short http_fetch_events(const struct http_fetch *fetch);
int http_fetch_patience(const struct http_fetch *fetch);

/* Goes on as far as it can. 0: call it again after poll(2); or the result as above, with the body appended. */
int http_fetch_step(struct http_fetch *fetch, struct buf *body);
void http_fetch_free(struct http_fetch *fetch);

#endif
