/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/http/client.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/url.h"

#include <errno.h>
#include <limits.h>
#include <netdb.h>
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

struct http_server {
	char host[URL_HOST_TEXT + 16]; /* for the Host header */
	char base[URL_BASE_TEXT];      /* what every target is appended to */
	struct sockaddr_un path;
	struct addrinfo local;  /* of path */
	struct addrinfo *found; /* of getaddrinfo(), freed with it */
	const struct addrinfo *first;
};

struct http_fetch {
	const struct addrinfo *address; /* the one that is tried */
	int fd;
	bool connected;
	struct buf request, reply;
	size_t sent;
	uint64_t deadline;
};

/* ---- Servers */

static int open_url(struct http_server *server, const char *url)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	char host[URL_HOST_TEXT], port[URL_PORT_TEXT], *name = host;
	int error = url_split(url, host, port, server->base);

	if (error)
		return error;
	snprintf(server->host, sizeof(server->host), "%s:%s", host, port);
	if (*name == '[') {
		*strchr(name, ']') = '\0';
		name++;
		hints.ai_flags = AI_NUMERICHOST;
	}
	if (getaddrinfo(name, port, &hints, &server->found))
		return -EDESTADDRREQ;
	server->first = server->found;
	return 0;
}

static int open_path(struct http_server *server, const char *path)
{
	if (strlen(path) >= sizeof(server->path.sun_path))
		return -ENAMETOOLONG;
	server->path.sun_family = AF_UNIX;
	strcpy(server->path.sun_path, path);
	strcpy(server->host, "localhost");
	server->local = (struct addrinfo){
		.ai_family = AF_UNIX,
		.ai_socktype = SOCK_STREAM,
		.ai_addr = (struct sockaddr *)&server->path,
		.ai_addrlen = sizeof(server->path),
	};
	server->first = &server->local;
	return 0;
}

int http_server_open(struct http_server **server, const char *text)
{
	int error;

	*server = calloc(1, sizeof(**server));
	if (!*server)
		return -ENOMEM;
	error = strstr(text, "://") ? open_url(*server, text) : open_path(*server, text);
	if (error) {
		http_server_free(*server);
		*server = NULL;
	}
	return error;
}

void http_server_free(struct http_server *server)
{
	if (!server)
		return;
	if (server->found)
		freeaddrinfo(server->found);
	free(server);
}

/* ---- Fetching */

/* Begins to connect to the address, or to the first after it that does not refuse at once. 0 or -errno of the last. */
static int connect_any(struct http_fetch *fetch, const struct addrinfo *address)
{
	int error = -EDESTADDRREQ;

	for (; address; address = address->ai_next) {
		if (fetch->fd >= 0)
			close(fetch->fd);
		fetch->address = address;
		fetch->fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (fetch->fd < 0) {
			error = -errno;
			continue;
		}
		fetch->connected = connect(fetch->fd, address->ai_addr, address->ai_addrlen) == 0;
		if (fetch->connected || errno == EINPROGRESS)
			return 0;
		error = -errno;
	}
	return error;
}

int http_fetch_start(struct http_fetch **out, const struct http_server *server, const char *target,
	unsigned int timeout_ms)
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
	fetch->fd = -1;
	fetch->deadline = clock_mono_ns() + timeout_ms * CLOCK_NS_PER_MS;
	buf_printf(&fetch->request, "GET %s%s HTTP/1.0\r\nHost: %s\r\n\r\n", server->base, target, server->host);
	error = buf_error(&fetch->request);
	if (!error)
		error = connect_any(fetch, server->first);
	if (error) {
		http_fetch_free(fetch);
		return error;
	}
	*out = fetch;
	return 0;
}

int http_fetch_fd(const struct http_fetch *fetch)
{
	return fetch->fd;
}

short http_fetch_events(const struct http_fetch *fetch)
{
	return fetch->connected && fetch->sent == fetch->request.len ? POLLIN : POLLOUT;
}

int http_fetch_patience(const struct http_fetch *fetch)
{
	uint64_t now = clock_mono_ns(), left = now < fetch->deadline ? fetch->deadline - now : 0;

	return left ? (int)(left / CLOCK_NS_PER_MS < INT_MAX - 1 ? left / CLOCK_NS_PER_MS + 1 : INT_MAX) : 0;
}

/* How the connecting ended: 0, -EAGAIN while it goes on, or -errno once no address is left. */
static int finish_connect(struct http_fetch *fetch)
{
	struct pollfd pollfd = { .fd = fetch->fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error = 0;

	if (poll(&pollfd, 1, 0) <= 0)
		return -EAGAIN;
	if (getsockopt(fetch->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		error = errno;
	fetch->connected = error == 0;
	if (!error)
		return 0;
	if (!fetch->address->ai_next)
		return -error;
	error = connect_any(fetch, fetch->address->ai_next);
	return error ? error : -EAGAIN;
}

/* 0 once all is sent; -EAGAIN or another -errno. */
static int send_request(struct http_fetch *fetch)
{
	while (fetch->sent < fetch->request.len) {
		ssize_t n = send(fetch->fd, fetch->request.data + fetch->sent, fetch->request.len - fetch->sent,
			MSG_NOSIGNAL);

		if (n >= 0)
			fetch->sent += (size_t)n;
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

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

static int parse_reply(struct buf *reply, const char **body, size_t *body_len)
{
	int status = split_reply(reply, body, body_len);

	return status < 0 || is_whole(reply->data, *body_len) ? status : -EBADMSG;
}

int http_fetch_step(struct http_fetch *fetch, struct buf *body)
{
	const char *from = NULL;
	size_t len = 0;
	int result = fetch->connected ? 0 : finish_connect(fetch);

	if (!result)
		result = send_request(fetch);
	if (!result)
		result = receive(fetch);
	if (result == -EAGAIN)
		return clock_mono_ns() < fetch->deadline ? 0 : -ETIMEDOUT;
	if (!result)
		result = parse_reply(&fetch->reply, &from, &len);
	if (result > 0) {
		buf_add(body, from, len);
		if (buf_error(body))
			result = buf_error(body);
	}
	return result;
}

void http_fetch_free(struct http_fetch *fetch)
{
	if (!fetch)
		return;
	if (fetch->fd >= 0)
		close(fetch->fd);
	buf_free(&fetch->request);
	buf_free(&fetch->reply);
	free(fetch);
}

/* ---- Waiting for it */

/* A full queue of a UNIX socket cannot be polled for: ask again until the time is over. */
static int start_patiently(struct http_fetch **fetch, const struct http_server *server, const char *target,
	uint64_t deadline)
{
	for (;;) {
		uint64_t now = clock_mono_ns();
		int error = http_fetch_start(fetch, server, target,
			now < deadline ? (unsigned int)((deadline - now) / CLOCK_NS_PER_MS) : 0);

		if (error != -EAGAIN)
			return error;
		if (now >= deadline)
			return -ETIMEDOUT;
		poll(NULL, 0, PAUSE_MS);
	}
}

static int get(const char *text, const char *target, struct buf *body, unsigned int timeout_ms)
{
	uint64_t deadline = clock_mono_ns() + timeout_ms * CLOCK_NS_PER_MS;
	struct http_server *server = NULL;
	struct http_fetch *fetch = NULL;
	int result = http_server_open(&server, text);

	if (!result)
		result = start_patiently(&fetch, server, target, deadline);
	while (!result) {
		struct pollfd pollfd = { .fd = fetch->fd, .events = http_fetch_events(fetch) };

		poll(&pollfd, 1, http_fetch_patience(fetch));
		result = http_fetch_step(fetch, body);
	}
	http_fetch_free(fetch);
	http_server_free(server);
	return result;
}

/* Takes the head of the answer off the socket, and nothing of its body. ended: no more will come. The status or -errno.
 */
static int receive_head(int fd, bool ended, struct buf *head)
{
	static const char end[] = "\r\n\r\n";
	char *room = buf_reserve(head, HEAD_MOST);
	const char *found, *body;
	size_t body_len;
	ssize_t n;

	if (!room)
		return -ENOMEM;
	n = recv(fd, room, HEAD_MOST, MSG_PEEK);
	if (n < 0)
		return -errno;
	found = memmem(room, (size_t)n, end, 4);
	if (!found)
		return ended || n == HEAD_MOST ? -EBADMSG : -EAGAIN;
	n = recv(fd, room, (size_t)(found + 4 - room), 0);
	if (n != found + 4 - room)
		return -EBADMSG;
	buf_commit(head, (size_t)n);
	return split_reply(head, &body, &body_len);
}

int http_open_unix(const char *path, const char *target, int *fd, unsigned int timeout_ms)
{
	uint64_t deadline = clock_mono_ns() + timeout_ms * CLOCK_NS_PER_MS;
	struct http_server *server = NULL;
	struct http_fetch *fetch = NULL;
	int result = http_server_open(&server, path);

	if (!result)
		result = start_patiently(&fetch, server, target, deadline);
	while (!result) {
		struct pollfd pollfd = { .fd = fetch->fd, .events = http_fetch_events(fetch) | POLLRDHUP };

		poll(&pollfd, 1, http_fetch_patience(fetch));
		result = fetch->connected ? send_request(fetch) : finish_connect(fetch);
		if (!result && fetch->connected)
			result = receive_head(fetch->fd, pollfd.revents & (POLLRDHUP | POLLHUP), &fetch->reply);
		if (result == -EAGAIN)
			result = clock_mono_ns() < deadline ? 0 : -ETIMEDOUT;
	}
	if (result > 0) {
		*fd = fetch->fd;
		fetch->fd = -1;
	}
	http_fetch_free(fetch);
	http_server_free(server);
	return result;
}

int http_get_unix(const char *path, const char *target, struct buf *body, unsigned int timeout_ms)
{
	return get(path, target, body, timeout_ms);
}

int http_get_tcp(const char *url, const char *target, struct buf *body, unsigned int timeout_ms)
{
	int error = url_check(url);

	return error ? error : get(url, target, body, timeout_ms);
}
