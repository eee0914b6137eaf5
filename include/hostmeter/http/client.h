/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * client: HTTP requests to a meter's UNIX socket, for the modes that ask a running meter; never inside the daemon's
 * loop.
 *
 * Requests are HTTP/1.0, so an answer ends with the connection and never comes in chunks.
 */
#pragma once

#include "hostmeter/base/buf.h"

enum { HTTP_ANSWER_MOST = 64 << 20 };

/*
 * GET of target ("/metrics") from the server on the UNIX socket path, within timeout_ms; the body is appended, whatever
 * the status. The HTTP status; or -errno and *body untouched: -ENOENT and -ECONNREFUSED if nobody is there, -EACCES,
 * -ENAMETOOLONG, -ETIMEDOUT, -EBADMSG if the answer is not HTTP or incomplete, -EMSGSIZE if it is larger than
 * HTTP_ANSWER_MOST, -EINVAL for a target that is not printable ASCII.
 */
int http_get(const char *path, const char *target, struct buf *body, unsigned int timeout_ms);

/*
 * The same, but the caller reads the body, for as long as it comes: the HTTP status and *fd at the body's first byte,
 * which the caller closes; or -errno as above.
 */
int http_open(const char *path, const char *target, int *fd, unsigned int timeout_ms);

/* A GET that goes on while its caller does other things. */
struct http_fetch;

/* Sends the request. 0 and *fetch; or -errno as above and NULL, -EAGAIN if the server's queue is full. */
int http_fetch_start(struct http_fetch **fetch, const char *path, const char *target, unsigned int timeout_ms);

/* What to poll(2) for POLLIN, and for how long, in ms. */
int http_fetch_fd(const struct http_fetch *fetch);
int http_fetch_patience(const struct http_fetch *fetch);

/* Reads what has come. 0: call it again after poll(2); or the result as above, with the body appended. */
int http_fetch_step(struct http_fetch *fetch, struct buf *body);

/* http_fetch_free(NULL) is fine. */
void http_fetch_free(struct http_fetch *fetch);
