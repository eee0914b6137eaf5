/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/http_client.h"

#include "hostmeter/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { READ_SIZE = 16384 };

/* Waits until fd is ready for events. 0, -ETIMEDOUT or -errno. */
static int wait_for(int fd, short events, uint64_t deadline)
{
	for (;;) {
		struct pollfd pollfd = { .fd = fd, .events = events };
		uint64_t now = clock_mono_ns();
		int ready;

		if (now >= deadline)
			return -ETIMEDOUT;
		ready = poll(&pollfd, 1, (int)((deadline - now) / CLOCK_NS_PER_MS) + 1);
		if (ready > 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return -errno;
	}
}

/* A connected socket or -errno. */
static int connect_unix(const char *path, unsigned int timeout_ms)
{
	/* Never 0, which would be for ever. */
	struct timeval patience = { .tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000 + 1 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, error;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	strcpy(address.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* With a full queue connect() waits, which poll() cannot do for it. */
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	error = errno == EAGAIN ? -ETIMEDOUT : -errno;
	close(fd);
	return error;
}

static int send_request(int fd, const char *target, uint64_t deadline)
{
	struct buf request = BUF_INIT;
	size_t sent = 0;
	int error;

	/* The answer to HTTP/1.0 ends with the connection and never comes in chunks. */
	buf_printf(&request, "GET %s HTTP/1.0\r\nHost: localhost\r\n\r\n", target);
	error = buf_error(&request);
	while (!error && sent < request.len) {
		ssize_t n;

		error = wait_for(fd, POLLOUT, deadline);
		if (error)
			break;
		n = send(fd, request.data + sent, request.len - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n >= 0)
			sent += (size_t)n;
		else if (errno != EAGAIN && errno != EINTR)
			error = -errno;
	}
	buf_free(&request);
	return error;
}

/* Everything up to the end of the connection. */
static int receive_all(int fd, struct buf *reply, uint64_t deadline)
{
	for (;;) {
		void *room = buf_reserve(reply, READ_SIZE);
		int error = room ? wait_for(fd, POLLIN, deadline) : -ENOMEM;
		ssize_t n;

		if (error)
			return error;
		n = recv(fd, room, READ_SIZE, MSG_DONTWAIT);
		if (n == 0)
			return 0;
		if (n > 0)
			buf_commit(reply, (size_t)n);
		else if (errno != EAGAIN && errno != EINTR)
			return -errno;
	}
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
static int parse_reply(struct buf *reply, const char **body, size_t *body_len)
{
	static const char start[] = "HTTP/1.";
	char *text = reply->data;
	char *end = reply->len ? memmem(text, reply->len, "\r\n\r\n", 4) : NULL;
	const char *space;
	int status;

	if (!end || strncmp(text, start, sizeof(start) - 1) != 0)
		return -EBADMSG;
	*body = end + 4;
	*body_len = reply->len - (size_t)(*body - text);
	*end = '\0';
	space = strchr(text, ' ');
	status = space ? atoi(space + 1) : 0;
	return status >= 200 && status <= 599 && is_whole(text, *body_len) ? status : -EBADMSG;
}

int http_get_unix(const char *path, const char *target, struct buf *body, unsigned int timeout_ms)
{
	uint64_t deadline = clock_mono_ns() + timeout_ms * CLOCK_NS_PER_MS;
	struct buf reply = BUF_INIT;
	const char *from = NULL;
	size_t len = 0;
	int fd, result;

	for (const unsigned char *c = (const unsigned char *)target; *c; c++) {
		if (*c <= ' ' || *c >= 0x7f)
			return -EINVAL;
	}
	fd = connect_unix(path, timeout_ms);
	if (fd < 0)
		return fd;
	result = send_request(fd, target, deadline);
	if (!result)
		result = receive_all(fd, &reply, deadline);
	if (!result)
		result = parse_reply(&reply, &from, &len);
	if (result > 0) {
		buf_add(body, from, len);
		if (buf_error(body))
			result = buf_error(body);
	}
	buf_free(&reply);
	close(fd);
	return result;
}
