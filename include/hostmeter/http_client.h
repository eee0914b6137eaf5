/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http_client: the other side of http, for --once and --watch. It blocks: for a client process, never inside the
 * daemon's loop.
 */
#ifndef HOSTMETER_HTTP_CLIENT_H
#define HOSTMETER_HTTP_CLIENT_H

#include "hostmeter/buf.h"

/*
 * GET of target ("/metrics") from the server on a UNIX socket, within timeout_ms; the body is appended, whatever the
 * status. The HTTP status; or -errno and *body untouched: -ENOENT and -ECONNREFUSED if nobody is there, -EACCES,
 * -ETIMEDOUT, -EBADMSG if the answer is no HTTP or was cut, -EINVAL for a target that is not printable ASCII.
 */
int http_get_unix(const char *path, const char *target, struct buf *body, unsigned int timeout_ms);

#endif
