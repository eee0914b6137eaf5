/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * web: what --web.config.file says, put into effect: certificates at the server, users at its gate. Read again, a file
 * with a mistake changes nothing.
 */
#ifndef HOSTMETER_HTTP_WEB_APPLY_H
#define HOSTMETER_HTTP_WEB_APPLY_H

#include <stdbool.h>

struct gate;
struct http;
struct web;

/*
 * Reads the file and what it names. 0; or -EINVAL after one line on the log that says what is wrong and where. Before
 * http listens: TLS is then on or off for good. path is borrowed; NULL: there is no file, and *web is NULL.
 */
int web_new(struct web **web, const char *path, struct http *http, struct gate *gate);
void web_free(struct web *web);

/* Reads all of it again, for the connections and requests to come. One line on the log, of what was read or is wrong.
 */
void web_reload(struct web *web);

/* Whether TLS is spoken. NULL: no. */
bool web_has_tls(const struct web *web);

#endif
