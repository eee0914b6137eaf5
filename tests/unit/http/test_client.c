/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/http/client.h"

#include "loop_server.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* Our own server in a loop, and what it was asked and shall answer. */
struct fixture {
	struct loop_server s;
	char path[64], query[32];
	unsigned int status;
	const char *body;
};

static void handler(void *ctx, const struct http_request *request, struct http_response *response)
{
	struct fixture *f = ctx;
	const char *x = http_query(request, "x");

	snprintf(f->path, sizeof(f->path), "%s", request->path);
	snprintf(f->query, sizeof(f->query), "%s", x ? x : "(none)");
	response->status = f->status;
	buf_puts(&response->body, f->body);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	loop_server_open(&f->s, handler, NULL, f);
	f->status = 200;
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

static void child_said(void *ctx, int events)
{
	(void)events;
	loop_stop(((struct fixture *)ctx)->s.loop);
}

/* http_get() in a child process, for it blocks; its result. The body must be the expected one. */
static int get_in_child(struct fixture *f, const char *target, const char *expected)
{
	int result, pipes[2];
	struct loop_io *io;
	pid_t pid;

	assert_int_equal(pipe(pipes), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct buf body = BUF_INIT;

		buf_puts(&body, ">");
		result = http_get(f->s.socket, target, &body, 10000);
		if (buf_text(&body)[0] != '>' || strcmp(buf_text(&body) + 1, expected) != 0)
			result = -1000;
		_exit(write(pipes[1], &result, sizeof(result)) != sizeof(result));
	}
	close(pipes[1]);
	io = loop_io_add(f->s.loop, pipes[0], LOOP_READ, child_said, f);
	loop_server_run(&f->s);
	loop_io_del(io);
	assert_int_equal(read(pipes[0], &result, sizeof(result)), sizeof(result));
	close(pipes[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return result;
}

static void client_gets_status_and_body(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(http_server_listen_unix(f->s.http, f->s.socket), 0);
	assert_int_equal(get_in_child(f, "/metrics?x=2", "hello\n"), 200);
	assert_string_equal(f->path, "/metrics");
	assert_string_equal(f->query, "2");
	f->status = 503;
	f->body = "";
	assert_int_equal(get_in_child(f, "/", ""), 503);
	f->status = 0;
	assert_int_equal(get_in_child(f, "/", ""), -EBADMSG);
	assert_int_equal(get_in_child(f, "/ HTTP/1.0", ""), -EINVAL);
	assert_int_equal(get_in_child(f, "/\r\nHost:", ""), -EINVAL);
}

/* A listening socket in place of what there was at path. */
static int listen_on(const char *path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	unlink(path);
	strcpy(un.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 1), 0);
	return fd;
}

/* Only the head is taken off: the body is for the caller, whatever Content-Length says. */
static int open_from(struct fixture *f, const char *reply, const char *body)
{
	int listening = listen_on(f->s.socket), fd = -1, result;
	char got[64] = "";
	pid_t pid;

	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char request[256];
		int peer = accept(listening, NULL, NULL);
		bool heard = recv(peer, request, sizeof(request), 0) > 0;

		_exit(!heard || send(peer, reply, strlen(reply), MSG_NOSIGNAL) < 0);
	}
	close(listening);
	result = http_open(f->s.socket, "/", &fd, 10000);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	if (result > 0) {
		assert_int_equal(read(fd, got, sizeof(got) - 1), strlen(body));
		assert_string_equal(got, body);
		close(fd);
	}
	return result;
}

static void client_opens_a_body(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(open_from(f, "HTTP/1.0 200 OK\r\nX: y\r\n\r\nbody\r\n\r\n", "body\r\n\r\n"), 200);
	assert_int_equal(open_from(f, "HTTP/1.1 503 No\r\nContent-Length: 7\r\n\r\nbody", "body"), 503);
	assert_int_equal(open_from(f, "HTTP/1.0 200 OK\r\n\r\n", ""), 200);
	assert_int_equal(open_from(f, "HTTP/1.0 200 OK\r\n", ""), -EBADMSG);
	assert_int_equal(open_from(f, "SSH-2.0-x\r\n\r\n", ""), -EBADMSG);
	unlink(f->s.socket);
	assert_int_equal(http_open(f->s.socket, "/", &(int){ -1 }, 100), -ENOENT);
}

/* A server made by hand that says reply to whoever connects, closes, and asks nothing. */
static int get_from(struct fixture *f, const char *reply)
{
	int listening = listen_on(f->s.socket), result;
	struct buf body = BUF_INIT;
	pid_t pid;

	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		char request[256];
		int fd = accept(listening, NULL, NULL);
		bool heard = recv(fd, request, sizeof(request), 0) > 0;

		_exit(!heard || send(fd, reply, strlen(reply), MSG_NOSIGNAL) < 0);
	}
	close(listening);
	result = http_get(f->s.socket, "/", &body, 10000);
	buf_free(&body);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	return result;
}

static void client_believes_no_damaged_reply(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(get_from(f, "HTTP/1.0 200 OK\r\n\r\nbody"), 200);
	assert_int_equal(get_from(f, "HTTP/1.1 404\r\ncontent-length:4\r\n\r\nbody"), 404);
	assert_int_equal(get_from(f, "HTTP/1.1 200 OK\r\nX: y\r\nContent-Length: 5\r\n\r\nbody"), -EBADMSG);
	assert_int_equal(get_from(f, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nbody"), -EBADMSG);
	assert_int_equal(get_from(f, "HTTP/1.1 200 OK\r\nX: y\r\n"), -EBADMSG);
	assert_int_equal(get_from(f, "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nbody"), -EBADMSG);
	assert_int_equal(get_from(f, "HTTP/1.1 100 Continue\r\n\r\n"), -EBADMSG);
	assert_int_equal(get_from(f, "HTTP/1.1 9999 OK\r\n\r\n"), -EBADMSG);
	assert_int_equal(get_from(f, "HTTP/1.1\r\n\r\n"), -EBADMSG);
	assert_int_equal(get_from(f, "SSH-2.0-x\r\n\r\n"), -EBADMSG);
	assert_int_equal(get_from(f, ""), -EBADMSG);
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

static void client_gives_up(void **state)
{
	struct fixture *f = *state;
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct buf body = BUF_INIT;
	uint64_t start;

	assert_int_equal(http_get(f->s.socket, "/", &body, 1000), -ENOENT);
	leave_socket(f->s.socket);
	assert_int_equal(http_get(f->s.socket, "/", &body, 1000), -ECONNREFUSED);
	unlink(f->s.socket);
	/*
	 * Listens, and answers nobody: first the answer is waited for in vain, then, with a full queue, the connection.
	 */
	strcpy(un.sun_path, f->s.socket);
	assert_int_equal(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(fd, 0), 0);
	start = clock_mono_ns();
	assert_int_equal(http_get(f->s.socket, "/", &body, 30), -ETIMEDOUT);
	assert_int_equal(http_get(f->s.socket, "/", &body, 30), -ETIMEDOUT);
	assert_int_equal(http_get(f->s.socket, "/", &body, 0), -ETIMEDOUT);
	assert_true(clock_mono_ns() - start >= 50 * CLOCK_NS_PER_MS);
	assert_null(body.data);
	close(fd);
}

/*
 * Asks a server that says len bytes of reply, or nothing until the client has gone; the request must begin as expected.
 */
static int get_reply(struct fixture *f, const char *reply, size_t len, unsigned int timeout_ms, struct buf *body)
{
	static const char expected[] = "GET /x HTTP/1.0\r\nHost: localhost\r\n";
	int listening = listen_on(f->s.socket), result, status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		char request[256] = "";
		int fd = accept(listening, NULL, NULL);
		bool heard = recv(fd, request, sizeof(request) - 1, 0) > 0;

		if (!heard || strncmp(request, expected, strlen(expected)) != 0)
			_exit(1);
		if (!reply)
			_exit(recv(fd, request, sizeof(request), 0) > 0); /* until the client has gone */
		for (size_t sent = 0; sent < len;) {
			ssize_t n = send(fd, reply + sent, len - sent, MSG_NOSIGNAL);

			if (n < 0)
				break;
			sent += (size_t)n;
		}
		_exit(0);
	}
	result = http_get(f->s.socket, "/x", body, timeout_ms);
	close(listening);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return result;
}

static void client_asks_and_waits(void **state)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody";
	struct fixture *f = *state;
	struct buf body = BUF_INIT;

	assert_int_equal(get_reply(f, answer, sizeof(answer) - 1, 10000, &body), 200);
	assert_string_equal(buf_text(&body), "body");
	buf_reset(&body);
	assert_int_equal(get_reply(f, NULL, 0, 50, &body), -ETIMEDOUT);
	assert_int_equal(get_reply(f, answer, 20, 10000, &body), -EBADMSG);
	assert_int_equal(http_get(f->s.socket, "/", &body, 1000), -ECONNREFUSED);
	assert_int_equal(body.len, 0);
	buf_free(&body);
}

static void client_swallows_no_flood(void **state)
{
	size_t len = HTTP_ANSWER_MOST + (1 << 20);
	char *flood = calloc(1, len);
	struct fixture *f = *state;
	struct buf body = BUF_INIT;

	memcpy(flood, "HTTP/1.0 200 OK\r\n\r\n", 19);
	assert_int_equal(get_reply(f, flood, len, 20000, &body), -EMSGSIZE);
	assert_null(body.data);
	free(flood);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(client_gets_status_and_body),
		TEST(client_believes_no_damaged_reply),
		TEST(client_opens_a_body),
		TEST(client_gives_up),
		TEST(client_asks_and_waits),
		TEST(client_swallows_no_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
