/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * basic_auth: asks for a password before a request gets to its handler.
 *
 * Most requests bring one that is known to be right, and go on at once. One that has to be checked rests, and so does
 * its connection, until the child process that checks (bcrypt_worker.h) has an answer: the loop waits for nothing. What
 * rests is bounded, and checked in the order it came. What the UNIX socket brings is not asked.
 */
#ifndef HOSTMETER_HTTP_BASIC_AUTH_H
#define HOSTMETER_HTTP_BASIC_AUTH_H

#include "hostmeter/http/server.h"

struct basic_auth;
struct users;

enum { BASIC_AUTH_WAITING = 16 };

/* Open to all. handler: what is behind it. NULL: out of memory. */
struct basic_auth *basic_auth_new(struct loop *loop, http_handler handler, void *ctx);

/* Wakes whatever rests: before http_server_free(). basic_auth_free(NULL) is fine. */
void basic_auth_free(struct basic_auth *auth);

/*
 * From now on these users, which are taken over; NULL or none: open to all. What rests is asked anew. Where there are
 * users, the process that checks is made now.
 */
void basic_auth_set_users(struct basic_auth *auth, struct users *users);

/* An http_handler, and what http_server_on_end() is to call; ctx: the basic_auth. */
void basic_auth_request(void *auth, const struct http_request *request, struct http_response *response);
void basic_auth_ended(void *auth, void *memory);

#endif
