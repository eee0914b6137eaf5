/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/http/server.h"

#include "emulated.h"
#include "loop_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* A server in a loop, what its handler saw last, and what it shall answer. */
struct fixture {
	struct loop_server s;
	uint16_t port;
	int calls;
	char method[8], path[64], query[32], flag[8], header[32], host[300];
	bool local;
	struct addr client;
	struct http_response answer;
	const char *body;
	bool admits, admits_once; /* once: no more after the next call of the handler */
	int asked;
	struct addr asked_for;
	uint32_t asked_ifindex;
	int releases;
	/* A request to "/rest" rests; the timer ends that. */
	struct loop_timer *waker;
	struct http_server *resting_http;
	void *resting;
	bool forgetful; /* what was remembered is forgotten with the answer */
	int ended;
	bool has_basic;
	struct http_credentials basic;
};

/* A connection whose reply is collected until the server closes it. */
struct client {
	struct fixture *f;
	int fd;
	struct loop_io *io;
	struct buf reply;
};

static void note(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text ? text : "(none)");
}

static void handler(void *ctx, const struct http_request *request, struct http_response *response)
{
	struct fixture *f = ctx;

	f->calls++;
	f->admits &= !f->admits_once;
	note(f->method, sizeof(f->method), request->method);
	note(f->path, sizeof(f->path), request->path);
	note(f->query, sizeof(f->query), http_query(request, "x"));
	note(f->flag, sizeof(f->flag), http_query(request, "flag"));
	note(f->header, sizeof(f->header), http_header(request, "x-test"));
	note(f->host, sizeof(f->host), http_header(request, "host"));
	f->local = request->local;
	f->client = request->client;
	f->has_basic = http_basic(request, &f->basic);
	assert_int_equal(response->status, 200);
	if (strcmp(request->path, "/rest") == 0 && !*request->memory) {
		*request->memory = &f->ended;
		f->resting_http = request->http;
		f->resting = request->connection;
		response->status = HTTP_LATER;
		loop_timer_set(f->waker, 5 * CLOCK_NS_PER_MS);
		return;
	}
	if (f->forgetful)
		*request->memory = NULL;
	*response = f->answer;
	buf_puts(&response->body, f->body);
	if (strcmp(request->path, "/no-memory") == 0)
		response->body.error = -ENOMEM;
}

static void wake(void *ctx)
{
	struct fixture *f = ctx;

	http_server_wake(f->resting_http, f->resting);
}

static void ended(void *ctx, void *memory)
{
	struct fixture *f = ctx;

	assert_ptr_equal(memory, &f->ended);
	f->ended++;
}

static bool admit(void *ctx, const struct addr *client, uint32_t ifindex)
{
	struct fixture *f = ctx;

	f->asked++;
	f->asked_for = *client;
	f->asked_ifindex = ifindex;
	return f->admits;
}

static void release(void *ctx)
{
	struct fixture *f = ctx;

	f->releases++;
}

/* Twelve bytes, at most five a call. */
static long read_pieces(void *ctx, uint64_t offset, char *to, size_t room)
{
	static const char text[] = "hello, world";
	size_t len = sizeof(text) - 1 - offset;

	(void)ctx;
	len = len < 5 ? len : 5;
	assert_in_range(room, 5, SIZE_MAX);
	memcpy(to, text + offset, len);
	return (long)len;
}

static long read_fails(void *ctx, uint64_t offset, char *to, size_t room)
{
	return offset < 5 ? read_pieces(ctx, offset, to, room) : -ENOMEM;
}

static uint16_t free_port(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &len), 0);
	close(fd);
	return ntohs(in.sin_port);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	loop_server_open(&f->s, handler, ended, f);
	f->waker = loop_timer_add(f->s.loop, wake, f);
	f->answer.status = 200;
	f->body = "hello\n";
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	loop_server_close(&f->s);
	free(f);
	return 0;
}

/* Listens on a free port of prefix ("127.0.0.1:", "", ...). */
static void listen_tcp(struct fixture *f, const char *prefix)
{
	int error = -EADDRINUSE;

	for (int i = 0; i < 20 && error == -EADDRINUSE; i++) {
		char where[64];

		f->port = free_port();
		snprintf(where, sizeof(where), "%s%u", prefix, f->port);
		error = http_server_listen(f->s.http, where);
	}
	assert_int_equal(error, 0);
}

static void readable(void *ctx, int events)
{
	struct client *c = ctx;
	ssize_t n = recv(c->fd, buf_reserve(&c->reply, 4096), 4096, MSG_DONTWAIT);

	(void)events;
	if (n > 0) {
		buf_commit(&c->reply, (size_t)n);
		return;
	}
	loop_io_del(c->io);
	c->io = NULL;
	loop_stop(c->f->s.loop);
}

static void client_start(struct fixture *f, struct client *c, int fd, const char *request)
{
	*c = (struct client){ .f = f, .fd = fd };
	assert_true(fd >= 0);
	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	c->io = loop_io_add(f->s.loop, fd, LOOP_READ, readable, c);
}

static const char *client_finish(struct client *c)
{
	while (c->io) /* the end of another connection stops the loop, too */
		loop_server_run(&c->f->s);
	close(c->fd);
	return buf_text(&c->reply);
}

/* As the client 127.0.0.1 + number. */
static int connect_as(const struct fixture *f, uint32_t number)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number);
	assert_int_equal(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(f->port);
	assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	return fd;
}

static int connect_v4(const struct fixture *f)
{
	return connect_as(f, 0);
}

static int connect_v6(const struct fixture *f)
{
	struct sockaddr_in6 in6 = {
		.sin6_family = AF_INET6, .sin6_port = htons(f->port), .sin6_addr = in6addr_loopback
	};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	assert_int_equal(connect(fd, (struct sockaddr *)&in6, sizeof(in6)), 0);
	return fd;
}

static int connect_local(const struct fixture *f)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(un.sun_path, f->s.socket);
	assert_int_equal(connect(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

/* Sends the request on fd and checks that the reply starts with status and, after its headers, ends with body. */
static void exchange(struct fixture *f, int fd, const char *request, const char *status, const char *body)
{
	struct client c;
	const char *reply, *end;

	client_start(f, &c, fd, request);
	reply = client_finish(&c);
	assert_memory_equal(reply, status, strlen(status));
	end = strstr(reply, "\r\n\r\n");
	assert_non_null(end);
	assert_string_equal(end + 4, body);
	buf_free(&c.reply);
}

#define CLOSE "Host: test\r\nConnection: close\r\n\r\n"

static void get_is_answered(void **state)
{
	struct fixture *f = *state;
	struct client c;
	const char *reply;

	listen_tcp(f, "127.0.0.1:");
	client_start(f, &c, connect_v4(f), "GET /a%20b?x=1%2B&flag HTTP/1.1\r\nX-TEST: value\r\n" CLOSE);
	reply = client_finish(&c);
	assert_memory_equal(reply, "HTTP/1.1 200 OK\r\n", 17);
	assert_non_null(strstr(reply, "\r\nContent-Type: text/plain; charset=utf-8\r\n"));
	assert_non_null(strstr(reply, "\r\nContent-Length: 6\r\n"));
	assert_non_null(strstr(reply, "\r\n\r\nhello\n"));
	assert_string_equal(f->method, "GET");
	assert_string_equal(f->path, "/a b");
	assert_string_equal(f->query, "1+");
	assert_string_equal(f->flag, "");
	assert_string_equal(f->header, "value");
	assert_false(f->local);
	assert_int_equal(f->client.family, 4);
	assert_true(addr_is_loopback(&f->client));
	buf_free(&c.reply);
	exchange(f, connect_v4(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	assert_string_equal(f->query, "(none)");
	assert_string_equal(f->flag, "(none)");
	assert_string_equal(f->header, "(none)");
}

/* RFC 9112, section 3.2: an absolute target has the server's name itself, and a request has one Host. */
static void a_request_is_for_one_server(void **state)
{
	static const struct {
		const char *request, *status, *path, *host;
	} cases[] = {
		{ "GET /a HTTP/1.0\r\n\r\n", "HTTP/1.1 200", "/a", "(none)" },
		{ "GET /a HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "/a", "test" },
		{ "GET http://evil:80/a/b?x=1 HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "/a/b", "evil:80" },
		{ "GET HTTPS://evil HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "/", "evil" },
		{ "GET http://evil/ HTTP/1.0\r\n\r\n", "HTTP/1.1 200", "/", "evil" },
		{ "GET http:///a HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "/a", "" },
		{ "GET //evil/a HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "//evil/a", "test" },
		{ "GET /a HTTP/1.1\r\nhost: evil\r\n" CLOSE, "HTTP/1.1 400", NULL, NULL },
		{ "GET /a HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "/a", "test" },
		{ "HEAD /a HTTP/1.0\r\nHost: test\r\nX-Test: y\r\nHOST: test\r\n\r\n", "HTTP/1.1 400", NULL, NULL },
		{ "GET /a HTTP/1.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 400", NULL, NULL },
	};
	struct fixture *f = *state;

	listen_tcp(f, "127.0.0.1:");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int calls = f->calls;
		struct client c;

		client_start(f, &c, connect_v4(f), cases[i].request);
		assert_memory_equal(client_finish(&c), cases[i].status, strlen(cases[i].status));
		assert_int_equal(f->calls - calls, cases[i].path != NULL);
		if (cases[i].path) {
			assert_string_equal(f->path, cases[i].path);
			assert_string_equal(f->host, cases[i].host);
		}
		buf_free(&c.reply);
	}
}

static void a_name_longer_than_any_is_refused(void **state)
{
	struct fixture *f = *state;
	char request[600];

	listen_tcp(f, "127.0.0.1:");
	for (int len = 279; len <= 280; len++) {
		struct client c;

		snprintf(request, sizeof(request), "GET http://%0*d/a HTTP/1.1\r\n" CLOSE, len, 0);
		client_start(f, &c, connect_v4(f), request);
		assert_memory_equal(client_finish(&c), len == 279 ? "HTTP/1.1 200" : "HTTP/1.1 400", 12);
		assert_int_equal(strlen(f->host), 279);
		buf_free(&c.reply);
	}
}

static void head_has_no_body(void **state)
{
	struct fixture *f = *state;
	struct client c;
	const char *reply;

	listen_tcp(f, "127.0.0.1:");
	client_start(f, &c, connect_v4(f), "HEAD / HTTP/1.1\r\n" CLOSE);
	reply = client_finish(&c);
	assert_memory_equal(reply, "HTTP/1.1 200 OK\r\n", 17);
	assert_non_null(strstr(reply, "\r\nContent-Length: 6\r\n"));
	assert_string_equal(strstr(reply, "\r\n\r\n"), "\r\n\r\n");
	assert_string_equal(f->method, "HEAD");
	buf_free(&c.reply);
}

static void other_methods_are_refused_unread(void **state)
{
	static const char *const requests[] = {
		"POST / HTTP/1.1\r\nContent-Length: 1000000000\r\n" CLOSE,
		"POST / HTTP/1.1\r\nContent-Length: 5\r\n" CLOSE "12345",
		"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" CLOSE,
		"DELETE / HTTP/1.1\r\n" CLOSE,
		"get / HTTP/1.1\r\n" CLOSE,
	};
	struct fixture *f = *state;

	listen_tcp(f, "127.0.0.1:");
	for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
		struct client c;
		const char *reply;

		client_start(f, &c, connect_v4(f), requests[i]);
		reply = client_finish(&c);
		assert_memory_equal(reply, "HTTP/1.1 405 ", 13);
		assert_non_null(strstr(reply, "\r\nAllow: GET, HEAD\r\n"));
		buf_free(&c.reply);
	}
	assert_int_equal(f->calls, 0);
}

static void body_of_a_get_is_ignored(void **state)
{
	struct fixture *f = *state;

	listen_tcp(f, "127.0.0.1:");
	exchange(f, connect_v4(f), "GET / HTTP/1.1\r\nContent-Length: 5\r\n" CLOSE "12345", "HTTP/1.1 200", "hello\n");
	assert_int_equal(f->calls, 1);
}

static void half_a_request_keeps_nobody_waiting(void **state)
{
	struct fixture *f = *state;
	struct client slow;
	const char *reply;

	listen_tcp(f, "127.0.0.1:");
	client_start(f, &slow, connect_v4(f), "GET /slow HT");
	exchange(f, connect_v4(f), "GET /quick HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	assert_string_equal(f->path, "/quick");
	assert_int_equal(f->calls, 1);
	assert_int_equal(send(slow.fd, "TP/1.1\r\n" CLOSE, strlen("TP/1.1\r\n" CLOSE), MSG_NOSIGNAL),
		strlen("TP/1.1\r\n" CLOSE));
	reply = client_finish(&slow);
	assert_memory_equal(reply, "HTTP/1.1 200", 12);
	assert_string_equal(f->path, "/slow");
	buf_free(&slow.reply);
}

static void connection_is_kept_alive(void **state)
{
	struct fixture *f = *state;
	struct client c;
	const char *first, *second;

	listen_tcp(f, "127.0.0.1:");
	client_start(f, &c, connect_v4(f), "GET /1 HTTP/1.1\r\nHost: test\r\n\r\nGET /2 HTTP/1.1\r\n" CLOSE);
	first = client_finish(&c);
	second = strstr(first, "hello\n");
	assert_non_null(second);
	assert_memory_equal(second + 6, "HTTP/1.1 200", 12);
	assert_int_equal(f->calls, 2);
	assert_string_equal(f->path, "/2");
	buf_free(&c.reply);
}

static void accept_all(void *ctx)
{
	loop_stop(((struct fixture *)ctx)->s.loop);
}

static void full_house_lets_in_who_waits(void **state)
{
	struct fixture *f = *state;
	struct loop_timer *timer;
	struct client waiting;
	int idle[32];

	listen_tcp(f, "127.0.0.1:");
	for (size_t i = 0; i < sizeof(idle) / sizeof(*idle); i++)
		idle[i] = connect_as(f, (uint32_t)i % 4);
	client_start(f, &waiting, connect_as(f, 4), "GET / HTTP/1.1\r\n" CLOSE);
	timer = loop_timer_add(f->s.loop, accept_all, f);
	loop_timer_set(timer, 20 * CLOCK_NS_PER_MS);
	loop_run(f->s.loop);
	assert_int_equal(f->calls, 0);
	close(idle[7]);
	assert_memory_equal(client_finish(&waiting), "HTTP/1.1 200", 12);
	buf_free(&waiting.reply);
	for (size_t i = 0; i < sizeof(idle) / sizeof(*idle); i++) {
		if (i != 7)
			close(idle[i]);
	}
}

/* For a while, so that the server sees whatever came. */
static void let_it_run(struct fixture *f, uint64_t ns)
{
	struct loop_timer *timer = loop_timer_add(f->s.loop, accept_all, f);

	loop_timer_set(timer, ns);
	loop_run(f->s.loop);
	loop_timer_del(timer);
}

static void until_there_are(struct fixture *f, uint64_t connections)
{
	for (int tries = 0; tries < 2000 && http_server_usage(f->s.http).connections != connections; tries++)
		let_it_run(f, 5 * CLOCK_NS_PER_MS);
	assert_int_equal(http_server_usage(f->s.http).connections, connections);
}

static void one_client_has_a_quarter(void **state)
{
	struct fixture *f = *state;
	struct client c;
	int silent[8];

	listen_tcp(f, "127.0.0.1:");
	for (size_t i = 0; i < 8; i++)
		silent[i] = connect_as(f, 1);
	until_there_are(f, 8);
	client_start(f, &c, connect_as(f, 1), "GET / HTTP/1.1\r\n" CLOSE);
	assert_string_equal(client_finish(&c), "");
	buf_free(&c.reply);
	assert_int_equal(f->calls, 0);
	assert_int_equal(http_server_usage(f->s.http).refused, 1);
	until_there_are(f, 8);
	exchange(f, connect_as(f, 2), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	/* Once it has less, it may come again. */
	close(silent[3]);
	until_there_are(f, 7);
	exchange(f, connect_as(f, 1), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	for (size_t i = 0; i < 8; i++)
		if (i != 3)
			close(silent[i]);
}

/* Answered connections that are kept, so many of each client from the first on. */
static void keep_alive(struct fixture *f, struct client *kept, size_t count, uint32_t each)
{
	for (size_t i = 0; i < count; i++) {
		client_start(f, &kept[i], connect_as(f, (uint32_t)i / each), "GET / HTTP/1.1\r\nHost: test\r\n\r\n");
		for (int tries = 0; tries < 2000 && !strstr(buf_text(&kept[i].reply), "hello\n"); tries++)
			let_it_run(f, 5 * CLOCK_NS_PER_MS);
		assert_non_null(strstr(buf_text(&kept[i].reply), "hello\n"));
	}
}

static void until_closed(struct fixture *f, const struct client *c)
{
	for (int tries = 0; tries < 2000 && c->io; tries++)
		let_it_run(f, 5 * CLOCK_NS_PER_MS);
	assert_null(c->io);
}

static void forget(struct client *kept, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		loop_io_del(kept[i].io);
		close(kept[i].fd);
		buf_free(&kept[i].reply);
	}
}

/* The client's own if it has too many; the one that is idle for longest if there is no place for others. */
static void idle_connections_leave_first(void **state)
{
	struct fixture *f = *state;
	struct client kept[32];

	listen_tcp(f, "127.0.0.1:");
	keep_alive(f, kept, 32, 8);
	assert_int_equal(http_server_usage(f->s.http).dropped[HTTP_DROP_IDLE], 0);
	exchange(f, connect_as(f, 9), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	assert_int_equal(http_server_usage(f->s.http).dropped[HTTP_DROP_IDLE], 1);
	until_closed(f, &kept[0]);
	/* There is a place now, but not for a client that has its share. */
	exchange(f, connect_as(f, 2), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	until_closed(f, &kept[16]);
	assert_int_equal(http_server_usage(f->s.http).dropped[HTTP_DROP_IDLE], 2);
	assert_int_equal(http_server_usage(f->s.http).refused, 0);
	for (size_t i = 0; i < 32; i++)
		assert_int_equal(kept[i].io == NULL, i == 0 || i == 16);
	forget(kept, 32);
}

static void no_status_is_no_answer(void **state)
{
	struct fixture *f = *state;
	struct client c;

	listen_tcp(f, "127.0.0.1:");
	f->answer.status = 0;
	client_start(f, &c, connect_v4(f), "GET / HTTP/1.1\r\nHost: test\r\n\r\n");
	assert_string_equal(client_finish(&c), "");
	assert_int_equal(f->calls, 1);
	buf_free(&c.reply);
}

static void response_is_what_the_handler_says(void **state)
{
	struct fixture *f = *state;
	struct client c;
	const char *reply;

	listen_tcp(f, "127.0.0.1:");
	f->answer = (struct http_response){ .status = 404,
		.content_type = "text/html",
		.header = { { "Cache-Control", "no-store" }, { "X-More", "yes" } } };
	f->body = "";
	client_start(f, &c, connect_v4(f), "GET / HTTP/1.1\r\n" CLOSE);
	reply = client_finish(&c);
	assert_memory_equal(reply, "HTTP/1.1 404 ", 13);
	assert_non_null(strstr(reply, "\r\nContent-Type: text/html\r\n"));
	assert_non_null(strstr(reply, "\r\nCache-Control: no-store\r\n"));
	assert_non_null(strstr(reply, "\r\nX-More: yes\r\n"));
	assert_non_null(strstr(reply, "\r\nContent-Length: 0\r\n"));
	buf_free(&c.reply);
	exchange(f, connect_v4(f), "GET /no-memory HTTP/1.1\r\n" CLOSE, "HTTP/1.1 500", "");
}

static void large_body_arrives_whole(void **state)
{
	static char text[1000001];
	struct fixture *f = *state;

	memset(text, 'x', sizeof(text) - 1);
	f->body = text;
	listen_tcp(f, "127.0.0.1:");
	exchange(f, connect_v4(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", text);
}

static void port_alone_is_both_families(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		listen_tcp(f, i ? ":" : "");
		exchange(f, connect_v4(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
		assert_int_equal(f->client.family, 4);
		assert_true(addr_is_loopback(&f->client));
		exchange(f, connect_v6(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
		assert_int_equal(f->client.family, 6);
		assert_true(addr_is_loopback(&f->client));
	}
	listen_tcp(f, "[::1]:");
	exchange(f, connect_v6(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
}

static void bad_addresses_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		":",
		"0",
		":0",
		"65536",
		"99999999999999999999",
		"-1",
		" 80",
		"80 ",
		"8o",
		"0x50",
		"+80",
		"000080",
		"1.2.3.4",
		"1.2.3:80",
		"1.2.3.4:",
		"::1:80",
		"[::1]",
		"[::1]:",
		"[::1:80",
		"::1]:80",
		"[]:80",
		"[1.2.3.4]:80",
		"[:80",
		"localhost:80",
		"[::1]80",
		"[fe80::1%lo]:80",
		"1.2.3.4:80:90",
		"1111111111111111111111111111111111111111111111111111111:80",
	};
	struct fixture *f = *state;
	char where[64];

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(http_server_listen(f->s.http, bad[i]), -EINVAL);
	listen_tcp(f, "127.0.0.1:");
	snprintf(where, sizeof(where), "127.0.0.1:%u", f->port);
	assert_int_equal(http_server_listen(f->s.http, where), -EADDRINUSE);
	/* TEST-NET-1: an address of nobody here. */
	snprintf(where, sizeof(where), "192.0.2.1:%u", f->port);
	assert_int_equal(http_server_listen(f->s.http, where), -EADDRNOTAVAIL);
}

static void unix_socket_is_served(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(http_server_listen_unix(f->s.http, f->s.socket), 0);
	assert_int_equal(stat(f->s.socket, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	exchange(f, connect_local(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	assert_true(f->local);
	assert_int_equal(f->client.family, 0);
	/* Somebody listens on it: ourselves. */
	assert_int_equal(http_server_listen_unix(f->s.http, f->s.socket), -EADDRINUSE);
	http_server_free(f->s.http);
	f->s.http = NULL;
	assert_int_equal(stat(f->s.socket, &st), -1);
}

/* A socket file bound, and left behind without a listener. */
static void leave_socket(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(un.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
}

static void left_over_socket_is_replaced(void **state)
{
	struct fixture *f = *state;

	leave_socket(f->s.socket);
	assert_int_equal(http_server_listen_unix(f->s.http, f->s.socket), 0);
	exchange(f, connect_local(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
}

static void foreign_file_is_left_alone(void **state)
{
	struct fixture *f = *state;
	char target[80];
	struct stat st;
	FILE *file = fopen(f->s.socket, "w");

	assert_non_null(file);
	fclose(file);
	assert_int_equal(http_server_listen_unix(f->s.http, f->s.socket), -ENOTSOCK);
	assert_int_equal(stat(f->s.socket, &st), 0);
	unlink(f->s.socket);
	snprintf(target, sizeof(target), "%s/other", f->s.dir);
	leave_socket(target);
	assert_int_equal(symlink(target, f->s.socket), 0);
	assert_int_equal(http_server_listen_unix(f->s.http, f->s.socket), -ENOTSOCK);
	unlink(f->s.socket);
	unlink(target);
	/* Replaced under a running server: not its file any more. */
	assert_int_equal(http_server_listen_unix(f->s.http, f->s.socket), 0);
	snprintf(target, sizeof(target), "%s.old", f->s.socket);
	assert_int_equal(rename(f->s.socket, target), 0);
	leave_socket(f->s.socket);
	http_server_free(f->s.http);
	f->s.http = NULL;
	assert_int_equal(stat(f->s.socket, &st), 0);
	unlink(target);
}

static void stop(void *ctx, int events)
{
	struct fixture *f = ctx;

	(void)events;
	loop_stop(f->s.loop);
}

/* A request and its answer on a connection that stays open. */
static void ask_and_stay(struct fixture *f, int fd)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
	struct loop_io *io = loop_io_add(f->s.loop, fd, LOOP_READ, stop, f);
	char reply[1000] = "";

	assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	loop_server_run(&f->s);
	loop_io_del(io);
	assert_true(recv(fd, reply, sizeof(reply) - 1, MSG_DONTWAIT) > 0);
	assert_memory_equal(reply, "HTTP/1.1 200", 12);
	assert_true(f->local);
}

static void a_removed_socket_is_made_again(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	int old;

	listen_tcp(f, "127.0.0.1:");
	assert_int_equal(http_server_renew_unix(f->s.http), 0);
	assert_int_equal(http_server_listen_unix(f->s.http, f->s.socket), 0);
	assert_int_equal(http_server_renew_unix(f->s.http), 0);
	old = connect_local(f);
	ask_and_stay(f, old);
	assert_int_equal(unlink(f->s.socket), 0);
	assert_int_equal(rmdir(f->s.dir), 0);
	assert_int_equal(http_server_renew_unix(f->s.http), 1);
	assert_int_equal(http_server_renew_unix(f->s.http), 0);
	assert_int_equal(stat(f->s.socket, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	exchange(f, connect_local(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	/* Who was connected stays so. */
	ask_and_stay(f, old);
	close(old);

	/* Again and again, with a connection to each. */
	for (int i = 0; i < 20; i++) {
		ask_and_stay(f, connect_local(f));
		assert_int_equal(unlink(f->s.socket), 0);
		assert_int_equal(http_server_renew_unix(f->s.http), 1);
	}
	exchange(f, connect_local(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	http_server_free(f->s.http);
	f->s.http = NULL;
	assert_int_equal(stat(f->s.socket, &st), -1);
}

/* A file of somebody else is in its place: nothing is changed. */
static void a_replaced_socket_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	assert_int_equal(http_server_listen_unix(f->s.http, f->s.socket), 0);
	assert_int_equal(unlink(f->s.socket), 0);
	leave_socket(f->s.socket);
	assert_int_equal(http_server_renew_unix(f->s.http), 0);
	assert_int_equal(unlink(f->s.socket), 0);
	assert_int_equal(rmdir(f->s.dir), 0);
	assert_int_equal(symlink("none", f->s.dir), 0);
	assert_true(http_server_renew_unix(f->s.http) < 0);
	assert_int_equal(unlink(f->s.dir), 0);
	assert_int_equal(http_server_renew_unix(f->s.http), 1);
	assert_int_equal(stat(f->s.socket, &st), 0);
}

static void bad_paths_are_refused(void **state)
{
	struct fixture *f = *state;
	char path[200];

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(http_server_listen_unix(f->s.http, path), -ENAMETOOLONG);
	assert_int_equal(http_server_listen_unix(f->s.http, ""), -EINVAL);
	assert_int_equal(http_server_listen_unix(f->s.http, "/nonexistent/sock"), -ENOENT);
	http_server_free(NULL);
}

/* --- Who is let in */

static void strangers_are_closed_unread(void **state)
{
	struct fixture *f = *state;
	struct client c;

	listen_tcp(f, "");
	http_server_set_admit(f->s.http, admit, f);
	assert_int_equal(http_server_listen_unix(f->s.http, f->s.socket), 0);
	client_start(f, &c, connect_v4(f), "DELETE / HTTP/9.9\r\n" CLOSE);
	assert_string_equal(client_finish(&c), "");
	buf_free(&c.reply);
	assert_int_equal(f->asked, 1);
	assert_int_equal(f->asked_for.family, 4);
	assert_true(addr_is_loopback(&f->asked_for));
	client_start(f, &c, connect_v6(f), "GET / HTTP/1.1\r\n" CLOSE);
	assert_string_equal(client_finish(&c), "");
	buf_free(&c.reply);
	assert_int_equal(f->asked_for.family, 6);
	assert_int_equal(f->asked_ifindex, 0);
	assert_int_equal(f->calls, 0);
	exchange(f, connect_local(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	assert_int_equal(f->asked, 2);
	f->admits = true;
	exchange(f, connect_v6(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
}

static void strangers_take_nobodys_place(void **state)
{
	struct fixture *f = *state;
	struct client c;
	int fds[40];

	listen_tcp(f, "127.0.0.1:");
	http_server_set_admit(f->s.http, admit, f);
	for (size_t i = 0; i < 40; i++) {
		client_start(f, &c, connect_v4(f), "GET");
		client_finish(&c);
		buf_free(&c.reply);
		fds[i] = connect_v4(f);
		client_start(f, &c, dup(fds[i]), "GET");
		client_finish(&c);
		buf_free(&c.reply);
	}
	f->admits = true;
	exchange(f, connect_v4(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	for (size_t i = 0; i < 40; i++)
		close(fds[i]);
}

/* What the client has sent before it was known to be a stranger is not answered either. */
static void strangers_lose_their_connection(void **state)
{
	static const char *const next[] = { "GET", "HEAD", "POST", "get" };
	struct fixture *f = *state;

	listen_tcp(f, "");
	http_server_set_admit(f->s.http, admit, f);
	f->admits_once = true;
	for (size_t i = 0; i < sizeof(next) / sizeof(*next); i++) {
		char both[160];
		struct client c;
		const char *reply;

		f->admits = true;
		f->calls = f->asked = 0;
		snprintf(both, sizeof(both), "GET /1 HTTP/1.1\r\nHost: test\r\n\r\n%s /2 HTTP/1.1\r\n" CLOSE, next[i]);
		client_start(f, &c, i % 2 ? connect_v6(f) : connect_v4(f), both);
		reply = client_finish(&c);
		assert_memory_equal(reply, "HTTP/1.1 200", 12);
		assert_string_equal(strstr(reply, "\r\n\r\n"), "\r\n\r\nhello\n");
		buf_free(&c.reply);
		assert_string_equal(f->path, "/1");
		assert_int_equal(f->calls, 1);
		/* The connection, and each request on it. */
		assert_int_equal(f->asked, 3);
		assert_int_equal(f->asked_for.family, i % 2 ? 6 : 4);
		assert_int_equal(f->asked_ifindex, emulated_arrival("lo"));
	}
}

static void the_socket_is_not_asked_about(void **state)
{
	struct fixture *f = *state;

	http_server_set_admit(f->s.http, admit, f);
	assert_int_equal(http_server_listen_unix(f->s.http, f->s.socket), 0);
	exchange(f, connect_local(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	assert_int_equal(f->asked, 0);
}

/* Between a request and its answer a password may be checked. */
static void a_suspended_stranger_gets_no_answer(void **state)
{
	struct fixture *f = *state;
	struct client c;

	listen_tcp(f, "127.0.0.1:");
	http_server_set_admit(f->s.http, admit, f);
	f->admits = f->admits_once = true;
	client_start(f, &c, connect_v4(f), "GET /rest HTTP/1.1\r\n" CLOSE);
	assert_string_equal(client_finish(&c), "");
	buf_free(&c.reply);
	assert_int_equal(f->calls, 1);
	assert_int_equal(f->ended, 1);
	f->admits = true;
	f->admits_once = false;
	exchange(f, connect_v4(f), "GET /rest HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	assert_int_equal(f->ended, 2);
}

/* --- Shared bodies */

static void shared_body_is_sent_and_released(void **state)
{
	struct fixture *f = *state;

	listen_tcp(f, "127.0.0.1:");
	f->answer.shared = (struct http_shared){ .ctx = f, .release = release, .data = "shared", .len = 6 };
	exchange(f, connect_v4(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "shared");
	assert_int_equal(f->releases, 1);
	exchange(f, connect_v4(f), "HEAD / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "");
	assert_int_equal(f->releases, 2);
	f->answer.status = 0;
	f->answer.shared.len = 5;
	{
		struct client c;

		client_start(f, &c, connect_v4(f), "GET / HTTP/1.1\r\n" CLOSE);
		assert_string_equal(client_finish(&c), "");
		buf_free(&c.reply);
	}
	assert_int_equal(f->releases, 3);
}

static void body_is_made_while_it_is_sent(void **state)
{
	struct fixture *f = *state;

	listen_tcp(f, "127.0.0.1:");
	f->answer.shared = (struct http_shared){ .ctx = f, .release = release, .read = read_pieces };
	exchange(f, connect_v4(f), "GET / HTTP/1.0\r\n\r\n", "HTTP/1.", "hello, world");
	exchange(f, connect_v4(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200",
		"5\r\nhello\r\n5\r\n, wor\r\n2\r\nld\r\n0\r\n\r\n");
	exchange(f, connect_v4(f), "HEAD / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "");
	assert_int_equal(f->releases, 3);
}

/* What fails half way must not look whole. */
static void body_that_fails_has_no_end(void **state)
{
	struct fixture *f = *state;

	listen_tcp(f, "127.0.0.1:");
	f->answer.shared = (struct http_shared){ .ctx = f, .release = release, .read = read_fails };
	exchange(f, connect_v4(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "5\r\nhello\r\n");
	assert_int_equal(f->releases, 1);
}

/* Says so in every second call, then gives a piece. */
static long read_in_turns(void *ctx, uint64_t offset, char *to, size_t room)
{
	static int calls;

	if (++calls % 2)
		return -EAGAIN;
	/* Where the length is known there is room for just the rest. */
	return read_pieces(ctx, offset, to, room < 5 ? 5 : room);
}

static long measure_in_turns(void *ctx)
{
	static int calls;

	(void)ctx;
	return ++calls % 3 ? -EAGAIN : 12;
}

static void body_takes_several_turns(void **state)
{
	struct fixture *f = *state;

	listen_tcp(f, "127.0.0.1:");
	f->answer.shared = (struct http_shared){ .ctx = f, .release = release, .read = read_in_turns };
	exchange(f, connect_v4(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200",
		"5\r\nhello\r\n5\r\n, wor\r\n2\r\nld\r\n0\r\n\r\n");
	assert_int_equal(f->releases, 1);
}

static void length_is_said_once_it_is_known(void **state)
{
	static const char *const requests[] = { "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\n" CLOSE,
		"HEAD / HTTP/1.1\r\n" CLOSE };
	struct fixture *f = *state;

	listen_tcp(f, "127.0.0.1:");
	f->answer.shared = (struct http_shared){
		.ctx = f, .release = release, .read = read_in_turns, .measure = measure_in_turns
	};
	for (int i = 0; i < 3; i++) {
		struct client c;
		const char *reply;

		client_start(f, &c, connect_v4(f), requests[i]);
		reply = client_finish(&c);
		assert_non_null(strstr(reply, "\r\nContent-Length: 12\r\n"));
		assert_string_equal(strstr(reply, "\r\n\r\n") + 4, i == 2 ? "" : "hello, world");
		buf_free(&c.reply);
		assert_int_equal(f->releases, i + 1);
		assert_int_equal(f->calls, i + 1);
	}
}

static long measure_fails(void *ctx)
{
	(void)ctx;
	return -ENOMEM;
}

static long measure_never_ends(void *ctx)
{
	((struct fixture *)ctx)->asked++;
	return -EAGAIN;
}

static void what_cannot_be_measured_is_no_answer(void **state)
{
	struct fixture *f = *state;
	struct client c;

	listen_tcp(f, "127.0.0.1:");
	f->answer.shared =
		(struct http_shared){ .ctx = f, .release = release, .read = read_pieces, .measure = measure_fails };
	client_start(f, &c, connect_v4(f), "GET / HTTP/1.0\r\n\r\n");
	assert_string_equal(client_finish(&c), "");
	buf_free(&c.reply);
	assert_int_equal(f->releases, 1);
	/* The server ends while it is still being measured. */
	f->answer.shared.measure = measure_never_ends;
	client_start(f, &c, connect_v4(f), "GET / HTTP/1.0\r\n\r\n");
	let_it_run(f, 20 * CLOCK_NS_PER_MS);
	assert_in_range(f->asked, 2, 1000000);
	http_server_free(f->s.http);
	f->s.http = NULL;
	assert_int_equal(f->releases, 2);
	loop_io_del(c.io);
	close(c.fd);
	buf_free(&c.reply);
}

/* A live body: what is in the buffer, then whatever comes, until the end is said. */
struct live {
	struct fixture *f;
	struct loop_timer *timer;
	struct buf more;
	int steps, asked_in_vain;
	bool ended, silent; /* silent: nothing comes, ever */
};

/* Turns the loop until somebody asked for more in vain. */
static void leave(void *ctx)
{
	loop_stop(((struct fixture *)ctx)->s.loop);
}

static void until_it_waits(struct fixture *f, const struct live *live)
{
	struct loop_timer *timer = loop_timer_add(f->s.loop, leave, f);

	loop_timer_set(f->s.deadline, LOOP_SERVER_DEADLINE_NS);
	while (!live->asked_in_vain) {
		loop_timer_set(timer, 5 * CLOCK_NS_PER_MS);
		loop_run(f->s.loop);
	}
	loop_timer_stop(f->s.deadline);
	loop_timer_del(timer);
}

static long read_live(void *ctx, uint64_t offset, char *to, size_t room)
{
	struct live *live = ctx;
	size_t len = live->more.len;

	assert_in_range(len, 0, room);
	assert_true(offset <= 10);
	if (!len) {
		live->asked_in_vain += !live->ended;
		return live->ended ? 0 : -EAGAIN;
	}
	memcpy(to, live->more.data, len);
	buf_reset(&live->more);
	return (long)len;
}

static void release_live(void *ctx)
{
	struct live *live = ctx;

	live->f->releases++;
	loop_timer_stop(live->timer);
}

static void next_step(void *ctx)
{
	struct live *live = ctx;

	if (!live->silent && ++live->steps <= 5)
		buf_puts(&live->more, "ab");
	else
		live->ended = !live->silent;
	http_server_resume(live->f->s.http, live);
	http_server_resume(live->f->s.http, "somebody else's");
	loop_timer_set(live->timer, 20 * CLOCK_NS_PER_MS);
}

static void live_body_comes_as_it_happens(void **state)
{
	struct fixture *f = *state;
	struct live live = { .f = f };

	assert_int_equal(http_server_listen_unix(f->s.http, f->s.socket), 0);
	f->body = "";
	f->answer.shared =
		(struct http_shared){ .ctx = &live, .release = release_live, .read = read_live, .live = true };
	live.timer = loop_timer_add(f->s.loop, next_step, &live);
	loop_timer_set(live.timer, 20 * CLOCK_NS_PER_MS);
	exchange(f, connect_local(f), "GET / HTTP/1.1\r\nHost: test\r\n\r\n", "HTTP/1.1 200", "ababababab");
	assert_int_equal(f->releases, 1);
	/* Nobody is asked all the time while there is nothing. */
	assert_in_range(live.asked_in_vain, 1, 20);
	loop_timer_del(live.timer);
	buf_free(&live.more);
}

static void stop_when_released(void *ctx)
{
	release_live(ctx);
	loop_stop(((struct live *)ctx)->f->s.loop);
}

static void live_body_ends_with_its_client(void **state)
{
	struct fixture *f = *state;
	struct live live = { .f = f, .silent = true };
	static const char request[] = "GET / HTTP/1.1\r\nHost: test\r\n\r\n";
	int fd;

	buf_puts(&live.more, "ab");
	assert_int_equal(http_server_listen_unix(f->s.http, f->s.socket), 0);
	f->body = "";
	f->answer.shared =
		(struct http_shared){ .ctx = &live, .release = stop_when_released, .read = read_live, .live = true };
	live.timer = loop_timer_add(f->s.loop, next_step, &live);
	fd = connect_local(f);
	assert_int_equal(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL), sizeof(request) - 1);
	until_it_waits(f, &live);
	close(fd);
	loop_timer_set(live.timer, 20 * CLOCK_NS_PER_MS);
	loop_timer_set(f->s.deadline, LOOP_SERVER_DEADLINE_NS);
	loop_run(f->s.loop);
	assert_int_equal(f->releases, 1);
	loop_timer_del(live.timer);
	buf_free(&live.more);
}

static void server_ends_with_a_live_body(void **state)
{
	struct fixture *f = *state;
	struct live live = { .f = f };
	struct client c;

	assert_int_equal(http_server_listen_unix(f->s.http, f->s.socket), 0);
	f->body = "";
	f->answer.shared =
		(struct http_shared){ .ctx = &live, .release = release_live, .read = read_live, .live = true };
	live.timer = loop_timer_add(f->s.loop, next_step, &live);
	client_start(f, &c, connect_local(f), "GET / HTTP/1.1\r\nHost: test\r\n\r\n");
	until_it_waits(f, &live);
	http_server_free(f->s.http);
	f->s.http = NULL;
	assert_int_equal(f->releases, 1);
	loop_io_del(c.io);
	close(c.fd);
	buf_free(&c.reply);
}

static void a_request_rests_and_goes_on(void **state)
{
	struct fixture *f = *state;

	listen_tcp(f, "127.0.0.1:");
	exchange(f, connect_v4(f), "GET /rest HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	assert_int_equal(f->calls, 2);
	assert_int_equal(f->ended, 1);
	f->forgetful = true;
	exchange(f, connect_v4(f), "GET /rest HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	assert_int_equal(f->calls, 4);
	assert_int_equal(f->ended, 1);
	/* What has nothing to remember has no end that is told. */
	f->forgetful = false;
	exchange(f, connect_v4(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	assert_int_equal(f->ended, 1);
}

static void others_go_on_while_one_rests(void **state)
{
	struct fixture *f = *state;
	struct client resting;

	listen_tcp(f, "127.0.0.1:");
	client_start(f, &resting, connect_v4(f), "GET /rest HTTP/1.1\r\n" CLOSE);
	for (int i = 0; i < 3; i++)
		exchange(f, connect_v4(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	assert_non_null(strstr(client_finish(&resting), "hello\n"));
	buf_free(&resting.reply);
}

/* Its memory is told of, or the next connection at the same place would be taken for it. */
static void a_client_that_goes_while_it_rests(void **state)
{
	struct fixture *f = *state;
	const struct linger at_once = { 1, 0 };
	struct client c;
	int fd;

	listen_tcp(f, "127.0.0.1:");
	fd = connect_v4(f);
	client_start(f, &c, fd, "GET /rest HTTP/1.1\r\n" CLOSE);
	while (!f->resting) /* others make the loop go round */
		exchange(f, connect_v4(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	loop_timer_stop(f->waker);
	assert_int_equal(f->ended, 0);
	loop_io_del(c.io);
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
	http_server_wake(f->resting_http, f->resting);
	exchange(f, connect_v4(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	assert_int_equal(f->ended, 1);
}

static void what_rests_ends_with_the_server(void **state)
{
	struct fixture *f = *state;
	struct client c;

	listen_tcp(f, "127.0.0.1:");
	client_start(f, &c, connect_v4(f), "GET /rest HTTP/1.1\r\n" CLOSE);
	while (!f->resting)
		exchange(f, connect_v4(f), "GET / HTTP/1.1\r\n" CLOSE, "HTTP/1.1 200", "hello\n");
	loop_timer_stop(f->waker);
	http_server_wake(f->resting_http, f->resting);
	http_server_free(f->s.http);
	f->s.http = NULL;
	assert_string_equal(client_finish(&c), "");
	assert_int_equal(f->ended, 0);
	buf_free(&c.reply);
}

static void basic_credentials(void **state)
{
	static const struct {
		const char *header, *user, *password;
	} cases[] = {
		{ "Authorization: Basic YWxpY2U6c2VjcmV0", "alice", "secret" },
		{ "Authorization: Basic YWxpY2U6YTpiOg==", "alice", "a:b:" },
		{ "Authorization: Basic Og==", "", "" },
		{ "X-Nothing: x", NULL, NULL },
		{ "Authorization: Bearer YWxpY2U6c2VjcmV0", NULL, NULL },
		{ "Authorization: Basic", NULL, NULL },
		{ "Authorization: Basic YWxpY2U=", NULL, NULL }, /* no colon */
		{ "Authorization: Basic YWxpY2U6c2VjcmV", NULL, NULL },
	};
	struct fixture *f = *state;
	char request[2048], many[1500];

	listen_tcp(f, "127.0.0.1:");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(request, sizeof(request), "GET / HTTP/1.1\r\n%s\r\n" CLOSE, cases[i].header);
		exchange(f, connect_v4(f), request, "HTTP/1.1 200", "hello\n");
		assert_int_equal(f->has_basic, cases[i].user != NULL);
		if (!cases[i].user)
			continue;
		assert_string_equal(f->basic.user, cases[i].user);
		assert_string_equal(f->basic.password, cases[i].password);
	}
	/* "aaa" over and over: a name that is too long, then after "a:" a password that is. */
	for (int i = 0; i < 2; i++) {
		size_t len = i ? 4 : 0;

		memcpy(many, "YTph", len);
		for (; len < 800; len += 4)
			memcpy(many + len, "YWFh", 4);
		memcpy(many + len, i ? "YWFh" : "OmFh", 5);
		snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nAuthorization: Basic %s\r\n" CLOSE, many);
		exchange(f, connect_v4(f), request, "HTTP/1.1 200", "hello\n");
		assert_false(f->has_basic);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(get_is_answered),
		TEST(a_request_is_for_one_server),
		TEST(a_name_longer_than_any_is_refused),
		TEST(head_has_no_body),
		TEST(other_methods_are_refused_unread),
		TEST(body_of_a_get_is_ignored),
		TEST(half_a_request_keeps_nobody_waiting),
		TEST(connection_is_kept_alive),
		TEST(full_house_lets_in_who_waits),
		TEST(one_client_has_a_quarter),
		TEST(idle_connections_leave_first),
		TEST(no_status_is_no_answer),
		TEST(response_is_what_the_handler_says),
		TEST(large_body_arrives_whole),
		TEST(strangers_are_closed_unread),
		TEST(strangers_take_nobodys_place),
		TEST(strangers_lose_their_connection),
		TEST(the_socket_is_not_asked_about),
		TEST(a_suspended_stranger_gets_no_answer),
		TEST(shared_body_is_sent_and_released),
		TEST(live_body_comes_as_it_happens),
		TEST(live_body_ends_with_its_client),
		TEST(server_ends_with_a_live_body),
		TEST(body_is_made_while_it_is_sent),
		TEST(body_that_fails_has_no_end),
		TEST(body_takes_several_turns),
		TEST(length_is_said_once_it_is_known),
		TEST(what_cannot_be_measured_is_no_answer),
		TEST(port_alone_is_both_families),
		TEST(bad_addresses_are_refused),
		TEST(unix_socket_is_served),
		TEST(a_removed_socket_is_made_again),
		TEST(a_replaced_socket_is_left_alone),
		TEST(left_over_socket_is_replaced),
		TEST(foreign_file_is_left_alone),
		TEST(bad_paths_are_refused),
		TEST(a_request_rests_and_goes_on),
		TEST(others_go_on_while_one_rests),
		TEST(a_client_that_goes_while_it_rests),
		TEST(what_rests_ends_with_the_server),
		TEST(basic_credentials),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
