/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * basic_auth: asks for a user's password before a request gets to its handler. Requests on the UNIX socket need none.
 *
 * - A password that is known to be right lets the request pass at once: it is remembered by a keyed hash, one per user.
 * - Otherwise the connection waits until a child process has checked it (bcrypt_worker.h); the loop does not wait.
 * - The number of waiting requests is limited, and they are checked in the order they came.
 * - A wrong password costs one of the client's tries (tries.h).
 */
#pragma once

#include "hostmeter/http/server.h"

struct basic_auth;
struct web_config_user;

enum { BASIC_AUTH_WAITING = 16 };

/* handler: gets the requests that pass, all of them until users are set. NULL: out of memory. */
struct basic_auth *basic_auth_new(struct loop *loop, http_handler handler, void *ctx);

/* Wakes what waits, so call it before http_server_free(). basic_auth_free(NULL) is fine. */
void basic_auth_free(struct basic_auth *auth);

/* Takes over an array of users, at most WEB_CONFIG_USERS, and asks anew whatever waits. No user: all requests pass. */
void basic_auth_set_users(struct basic_auth *auth, struct web_config_user *user, size_t count);

/* Wakes all requests that wait: they are asked again. To be called before a listening socket is closed. */
void basic_auth_wake(struct basic_auth *auth);

/* The handler and the "ended" of http_server_new(). */
void basic_auth_request(void *auth, const struct http_request *request, struct http_response *response);
void basic_auth_ended(void *auth, void *memory);
