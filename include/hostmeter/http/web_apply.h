/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * web_apply: puts what --web.config.file says into effect: the server's certificate, and the users of basic_auth. When
 * the file is read again and has a mistake, nothing changes.
 */
#pragma once

#include <stdbool.h>

struct basic_auth;
struct http_server;
struct web_apply;

/*
 * Reads the file and the files that it names. 0; or -EINVAL after one line on the log that says what is wrong and
 * where. Call it before the server listens: whether it uses TLS does not change later. path is borrowed; NULL: there is
 * no file, and *web is NULL.
 */
int web_apply_new(struct web_apply **web, const char *path, struct http_server *server, struct basic_auth *auth);
void web_apply_free(struct web_apply *web);

/*
 * For a reload: reads all of it again, from another path if need be (borrowed; NULL: no file). *web may be NULL. 0, and
 * web_apply_commit() puts it into effect, for new connections and requests; or -EINVAL after one line on the log, and
 * nothing changes.
 */
int web_apply_prepare(struct web_apply **web, const char *path, struct http_server *server, struct basic_auth *auth);
void web_apply_commit(struct web_apply *web);

/* Whether the server uses TLS. NULL: no. */
bool web_apply_has_tls(const struct web_apply *web);
