/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/http/client.h"

#include "hostmeter/base/clock.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_SIZE = 65536, PAUSE_MS = 5, HEAD_MOST = 4096 };

struct http_fetch {
	int fd;
	struct buf reply;
	uint64_t deadline;
};

/* --- The request */

static int connect_to(int fd, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	return connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : -errno;
}

/* The empty buffer of a new socket takes a request as a whole. */
static int send_request(int fd, const char *target)
{
	char *request;
	int error = 0, len = asprintf(&request, "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", target);
	ssize_t sent;

	if (len < 0)
		return -ENOMEM;
	sent = send(fd, request, (size_t)len, MSG_NOSIGNAL);
	if (sent != len)
		error = sent < 0 ? -errno : -EMSGSIZE;
	free(request);
	return error;
}

int http_fetch_start(struct http_fetch **out, const char *path, const char *target, unsigned int timeout_ms)
{
	struct http_fetch *fetch;
	int error;

	*out = NULL;
	for (const unsigned char *c = (const unsigned char *)target; *c; c++) {
		if (*c <= ' ' || *c >= 0x7f)
			return -EINVAL;
	}
	fetch = calloc(1, sizeof(*fetch));
	if (!fetch)
		return -ENOMEM;
	fetch->deadline = clock_mono_ns() + timeout_ms * CLOCK_NS_PER_MS;
	fetch->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	error = fetch->fd < 0 ? -errno : connect_to(fetch->fd, path);
	if (!error)
		error = send_request(fetch->fd, target);
	if (error) {
		http_fetch_free(fetch);
		return error;
	}
	*out = fetch;
	return 0;
}

void http_fetch_free(struct http_fetch *fetch)
{
	if (!fetch)
		return;
	if (fetch->fd >= 0)
		close(fetch->fd);
	buf_free(&fetch->reply);
	free(fetch);
}

int http_fetch_fd(const struct http_fetch *fetch)
{
	return fetch->fd;
}

int http_fetch_patience(const struct http_fetch *fetch)
{
	uint64_t now = clock_mono_ns(), left = now < fetch->deadline ? fetch->deadline - now : 0;

	return left ? (int)(left / CLOCK_NS_PER_MS < INT_MAX - 1 ? left / CLOCK_NS_PER_MS + 1 : INT_MAX) : 0;
}

/* --- The reply */

/* 0 at the end of the connection; -EAGAIN or another -errno. */
static int receive(struct http_fetch *fetch)
{
	for (;;) {
		void *room = buf_reserve(&fetch->reply, READ_SIZE);
		ssize_t n;

		if (!room)
			return -ENOMEM;
		n = recv(fetch->fd, room, READ_SIZE, 0);
		if (n == 0)
			return 0;
		if (n > 0)
			buf_commit(&fetch->reply, (size_t)n);
		else if (errno != EINTR)
			return -errno;
		if (fetch->reply.len > HTTP_ANSWER_MOST)
			return -EMSGSIZE;
	}
}

/* 0 once the head is read, and nothing of the body; -EAGAIN or another -errno. */
static int receive_head(struct http_fetch *fetch)
{
	static const char end[] = "\r\n\r\n";
	struct buf *head = &fetch->reply;
	char c;

	while (head->len < HEAD_MOST) {
		ssize_t n = recv(fetch->fd, &c, 1, 0);

		if (n <= 0)
			return n == 0 ? -EBADMSG : -errno;
		buf_putc(head, c);
		if (buf_error(head))
			return buf_error(head);
		if (head->len >= 4 && memcmp(head->data + head->len - 4, end, 4) == 0)
			return 0;
	}
	return -EBADMSG;
}

/* Whether a Content-Length among the header lines, if there is one, agrees with what came. */
static bool is_whole(const char *headers, size_t body_len)
{
	static const char name[] = "\r\nContent-Length:";

	for (const char *line = strstr(headers, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
		if (strncasecmp(line, name, sizeof(name) - 1) == 0)
			return strtoull(line + sizeof(name) - 1, NULL, 10) == body_len;
	}
	return true;
}

/* Splits the reply; the status or -EBADMSG. Cuts it after the headers. */
static int split_reply(struct buf *reply, const char **body, size_t *body_len)
{
	static const char start[] = "HTTP/1.";
	char *text = reply->data;
	char *end = text ? memmem(text, reply->len, "\r\n\r\n", 4) : NULL;
	const char *space;
	int status;

	if (!end || strncmp(text, start, sizeof(start) - 1) != 0)
		return -EBADMSG;
	*body = end + 4;
	*body_len = reply->len - (size_t)(*body - text);
	*end = '\0';
	space = strchr(text, ' ');
	status = space ? atoi(space + 1) : 0;
	return status >= 200 && status <= 599 ? status : -EBADMSG;
}

/* As http_fetch_step(). only_head: the body stays in the socket. */
static int step(struct http_fetch *fetch, struct buf *body, bool only_head)
{
	const char *from = NULL;
	size_t len = 0;
	int result = only_head ? receive_head(fetch) : receive(fetch);

	if (result == -EAGAIN)
		return clock_mono_ns() < fetch->deadline ? 0 : -ETIMEDOUT;
	if (!result)
		result = split_reply(&fetch->reply, &from, &len);
	if (result <= 0 || only_head)
		return result;
	if (!is_whole(fetch->reply.data, len))
		return -EBADMSG;
	buf_add(body, from, len);
	return buf_error(body) ? buf_error(body) : result;
}

int http_fetch_step(struct http_fetch *fetch, struct buf *body)
{
	return step(fetch, body, false);
}

/* --- Blocking */

/* The whole body, or *fd unless that is NULL. A full queue of a UNIX socket cannot be polled for: it tries again. */
static int ask(const char *path, const char *target, struct buf *body, int *fd, unsigned int timeout_ms)
{
	const uint64_t deadline = clock_mono_ns() + timeout_ms * CLOCK_NS_PER_MS;
	struct http_fetch *fetch;
	int result;

	while ((result = http_fetch_start(&fetch, path, target, timeout_ms)) == -EAGAIN) {
		if (clock_mono_ns() >= deadline)
			return -ETIMEDOUT;
		poll(NULL, 0, PAUSE_MS);
	}
	if (fetch)
		fetch->deadline = deadline;
	while (!result) {
		poll(&(struct pollfd){ fetch->fd, POLLIN, 0 }, 1, http_fetch_patience(fetch));
		result = step(fetch, body, fd);
	}
	if (fd && result > 0) {
		*fd = fetch->fd;
		fetch->fd = -1;
	}
	http_fetch_free(fetch);
	return result;
}

int http_get(const char *path, const char *target, struct buf *body, unsigned int timeout_ms)
{
	return ask(path, target, body, NULL, timeout_ms);
}

int http_open(const char *path, const char *target, int *fd, unsigned int timeout_ms)
{
	return ask(path, target, NULL, fd, timeout_ms);
}
