/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bytes that a client sends to the server: it answers with HTTP or closes, and the handler gets a request whose parts
 * are whole: its headers, query and credentials are taken apart as the meter does it.
 */
#include "hostmeter/http/server.h"

#include "export/negotiate.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/export/flow_list.h"
#include "hostmeter/os/loop.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PATIENCE_NS (2 * CLOCK_NS_PER_MS) /* the server waits for more of a request that is not whole */

static char directory[] = "/tmp/fuzz-http-server-XXXXXX";
static struct sockaddr_un address = { .sun_family = AF_UNIX };
static struct loop *loop;
static struct loop_timer *patience;
static struct http_server *http;
static char answer[65536];
static size_t answered;
static int client;

static void handle(void *ctx, const struct http_request *request, struct http_response *response)
{
	static const char *const own[] = { "meter.example.net" };
	struct http_credentials credentials;
	struct flow_list_filter filter = { .json = false };
	const char *wrong;

	(void)ctx;
	if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0)
		abort();
	if (http_basic(request, &credentials) &&
		(strlen(credentials.user) >= sizeof(credentials.user) ||
			strlen(credentials.password) >= sizeof(credentials.password)))
		abort();
	negotiate_format(http_header(request, "Accept"));
	negotiate_gzip(http_header(request, "Accept-Encoding"));
	if (request->authority && http_header(request, "Host") != request->authority)
		abort();
	response->status = negotiate_host(http_header(request, "Host"), own, 1) ? 200 : 421;
	wrong = flow_list_filter_set(&filter, http_query(request, "host"), http_query(request, "ipv"),
		http_query(request, "proto"), http_query(request, "port"));
	if (wrong && !http_query(request, wrong))
		abort();
	if (!memchr(filter.host, 0, sizeof(filter.host)) || (filter.family && filter.family != 4 && filter.family != 6))
		abort();
	buf_puts(&response->body, wrong ? http_query(request, wrong) : request->path);
}

static void stop(void *ctx)
{
	(void)ctx;
	loop_stop(loop);
}

static void on_answer(void *ctx, int events)
{
	ssize_t got = read(client, answer + answered, sizeof(answer) - answered);

	(void)ctx, (void)events;
	if (got > 0)
		answered += (size_t)got;
	else if (got == 0 || (errno != EAGAIN && errno != EINTR) || answered == sizeof(answer))
		loop_stop(loop);
}

static void clear(void)
{
	http_server_free(http);
	loop_timer_del(patience);
	loop_free(loop);
	rmdir(directory);
}

static void start(void)
{
	loop = loop_new();
	patience = loop_timer_add(loop, stop, NULL);
	http = http_server_new(loop, handle, NULL, NULL);
	if (!mkdtemp(directory))
		abort();
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
	if (!http || http_server_listen_unix(http, address.sun_path))
		abort();
	atexit(clear);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct loop_io *io;

	if (!loop)
		start();
	client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (connect(client, (struct sockaddr *)&address, sizeof(address)))
		abort();
	answered = 0;
	io = loop_io_add(loop, client, LOOP_READ, on_answer, NULL);
	/* What follows an answer may be refused unread. */
	if (send(client, data, size, MSG_NOSIGNAL) != (ssize_t)size || shutdown(client, SHUT_WR))
		abort();
	loop_timer_set(patience, PATIENCE_NS);
	loop_run(loop);
	loop_timer_stop(patience);
	loop_io_del(io);
	close(client);
	if (answered && (answered < 9 || memcmp(answer, "HTTP/1.", 7) != 0))
		abort();
	return 0;
}
