/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * web: what --web.config.file says, put into effect: certificates at the server, users at its auth. Read again, a file
 * with a mistake changes nothing.
 */
#ifndef HOSTMETER_HTTP_WEB_APPLY_H
#define HOSTMETER_HTTP_WEB_APPLY_H

#include <stdbool.h>

struct basic_auth;
struct http_server;
struct web_apply;

/*
 * Reads the file and what it names. 0; or -EINVAL after one line on the log that says what is wrong and where. Before
 * http listens: TLS is then on or off for good. path is borrowed; NULL: there is no file, and *web is NULL.
 */
int web_apply_new(struct web_apply **web, const char *path, struct http_server *server, struct basic_auth *auth);
void web_apply_free(struct web_apply *web);

/* Reads all of it again, for the connections and requests to come. One line on the log, of what was read or is wrong.
 */
void web_apply_reload(struct web_apply *web);

/* Whether TLS is spoken. NULL: no. */
bool web_apply_has_tls(const struct web_apply *web);

#endif
