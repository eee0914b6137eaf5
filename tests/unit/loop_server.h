/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An HTTP server in a loop, with a directory for its socket and a deadline for whatever it waits for. */
#pragma once

#include "hostmeter/base/clock.h"
#include "hostmeter/http/server.h"
#include "hostmeter/os/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define LOOP_SERVER_DEADLINE_NS (10 * CLOCK_NS_PER_S)

struct loop_server {
	struct loop *loop;
	struct http_server *http;
	struct loop_timer *deadline;
	char dir[40], socket[64];
};

static inline void loop_server_too_late(void *ctx)
{
	(void)ctx;
	fail_msg("nothing happened before the deadline");
}

static inline void loop_server_open(struct loop_server *s, http_handler handler, void (*ended)(void *ctx, void *memory),
	void *ctx)
{
	strcpy(s->dir, "/tmp/test_http.XXXXXX");
	assert_non_null(mkdtemp(s->dir));
	snprintf(s->socket, sizeof(s->socket), "%s/sock", s->dir);
	s->loop = loop_new();
	s->http = http_server_new(s->loop, handler, ended, ctx);
	s->deadline = loop_timer_add(s->loop, loop_server_too_late, NULL);
}

static inline void loop_server_close(struct loop_server *s)
{
	http_server_free(s->http);
	loop_free(s->loop);
	unlink(s->socket);
	rmdir(s->dir);
}

/* Until loop_stop(); fails after ten seconds. */
static inline void loop_server_run(struct loop_server *s)
{
	loop_timer_set(s->deadline, LOOP_SERVER_DEADLINE_NS);
	loop_run(s->loop);
	loop_timer_stop(s->deadline);
}
