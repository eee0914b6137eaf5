/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gate: asks for a password before a request gets to its handler.
 *
 * Most requests bring one that is known to be right, and go on at once. One that has to be checked rests, and so does
 * its connection, until the child process that checks (verifier.h) has an answer: the loop waits for nothing. What
 * rests is bounded, and checked in the order it came. What the UNIX socket brings is not asked.
 */
#ifndef HOSTMETER_HTTP_BASIC_AUTH_H
#define HOSTMETER_HTTP_BASIC_AUTH_H

#include "hostmeter/http/server.h"

struct gate;
struct passwords;

enum { GATE_RESTING = 16 };

/* Open to all. handler: what is behind it. NULL: out of memory. */
struct gate *gate_new(struct loop *loop, http_handler handler, void *ctx);

/* Wakes whatever rests: before http_free(). gate_free(NULL) is fine. */
void gate_free(struct gate *gate);

/*
 * From now on these users, which are taken over; NULL or none: open to all. What rests is asked anew. Where there are
 * users, the process that checks is made now.
 */
void gate_set_passwords(struct gate *gate, struct passwords *passwords);

/* An http_handler, and what http_on_end() is to call; ctx: the gate. */
void gate_request(void *gate, const struct http_request *request, struct http_response *response);
void gate_ended(void *gate, void *memory);

#endif
