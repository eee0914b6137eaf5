/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/http/server.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/http/listen.h"
#include "hostmeter/os/loop.h"
#include "tls.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utlist.h>

enum {
	CONNECTIONS = 32, /* per listening socket */
	CONNECTION_MEMORY = 16384,
	TIMEOUT_S = 15,
	READ_BLOCK = 16384,
	LIVE_BLOCK = 1 << 20, /* one turn of the loop may bring a quarter of it, and MHD sends a block in two turns */
	LIVE_SEND_BUFFER = 4 << 20,
	AUTHORITY_SIZE = 280, /* of a name in DNS, a dot and a port */
};

/* One listening socket with an MHD daemon of its own. */
struct listener {
	struct listener *next;
	struct http_server *http;
	struct MHD_Daemon *daemon;
	struct loop_io *io;
	struct loop_timer *timer;
	/* A UNIX socket's file, and which file it was: only that one is unlinked. */
	char path[sizeof((struct sockaddr_un){ 0 }.sun_path)];
	struct stat file;
	char *where; /* of TCP, as http_server_listen() had it */
};

/* A shared body on its way to one client. */
struct sending {
	struct http_shared shared;
	struct listener *listener;
	struct MHD_Connection *connection;
	bool suspended; /* a live one, until there is more */
	struct sending *next;
};

struct http_server {
	struct loop *loop;
	struct sending *sendings;
	http_handler handler;
	void *ctx;
	void (*ended)(void *ctx, void *memory);
	http_admit admit;
	void *admit_ctx;
	struct tls *tls; /* NULL: plain */
	struct listener *listeners;
};

/* --- Requests */

static const char *lookup(const struct http_request *request, enum MHD_ValueKind kind, const char *name)
{
	const char *value = NULL;
	size_t len;

	if (MHD_lookup_connection_value_n(request->connection, kind, name, strlen(name), &value, &len) != MHD_YES)
		return NULL;
	/* "?name" without a value. */
	return value ? value : "";
}

const char *http_header(const struct http_request *request, const char *name)
{
	if (request->authority && !strcasecmp(name, MHD_HTTP_HEADER_HOST))
		return request->authority;
	return lookup(request, MHD_HEADER_KIND, name);
}

const char *http_query(const struct http_request *request, const char *name)
{
	return lookup(request, MHD_GET_ARGUMENT_KIND, name);
}

bool http_basic(const struct http_request *request, struct http_credentials *credentials)
{
	char *password = NULL, *user = MHD_basic_auth_get_username_password(request->connection, &password);
	bool fits = user && password && strlen(user) < sizeof(credentials->user) &&
		strlen(password) < sizeof(credentials->password);

	if (fits) {
		strcpy(credentials->user, user);
		strcpy(credentials->password, password);
	}
	if (password)
		explicit_bzero(password, strlen(password));
	MHD_free(user);
	MHD_free(password);
	return fits;
}

static struct addr addr_of(const struct sockaddr *address)
{
	if (address && address->sa_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)address;

		return addr_make(4, &in->sin_addr, sizeof(in->sin_addr));
	}
	if (address && address->sa_family == AF_INET6) {
		const struct in6_addr *in6 = &((const struct sockaddr_in6 *)address)->sin6_addr;

		if (IN6_IS_ADDR_V4MAPPED(in6))
			return addr_make(4, &in6->s6_addr[12], 4);
		return addr_make(6, in6, sizeof(*in6));
	}
	return (struct addr){ 0 };
}

/* fd: of the connection, or -1 while only MHD knows it. */
static bool is_admitted(const struct listener *listener, const struct sockaddr *address, int fd)
{
	const struct http_server *http = listener->http;
	uint32_t ifindex = 0;
	struct addr client;

	if (listener->path[0] || !http->admit)
		return true;
	client = addr_of(address);
	if (address->sa_family == AF_INET6)
		ifindex = ((const struct sockaddr_in6 *)address)->sin6_scope_id;
	if (!ifindex && fd >= 0)
		ifindex = listen_arrival(fd);
	return http->admit(http->admit_ctx, &client, ifindex);
}

/* MHD asks this of each connection it accepts. */
static enum MHD_Result accept_client(void *ctx, const struct sockaddr *address, socklen_t len)
{
	(void)len;
	return is_admitted(ctx, address, -1) ? MHD_YES : MHD_NO;
}

static void free_body(void *data)
{
	buf_free(&(struct buf){ .data = data });
}

static int fd_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

/* Whether the client has closed. MHD notices that only when it sends. */
static bool has_left(struct MHD_Connection *connection)
{
	struct pollfd pollfd = { .fd = fd_of(connection) };

	return poll(&pollfd, 1, 0) > 0 && pollfd.revents & (POLLHUP | POLLERR);
}

static ssize_t read_shared(void *ctx, uint64_t offset, char *to, size_t room)
{
	struct sending *sending = ctx;
	long got = sending->shared.read(sending->shared.ctx, offset, to, room);

	if (got > 0)
		return got;
	if (got == -EAGAIN && sending->shared.live && !has_left(sending->connection)) {
		MHD_suspend_connection(sending->connection);
		sending->suspended = true;
		return 0;
	}
	return got == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void free_shared(void *ctx)
{
	struct sending *sending = ctx;

	LL_DELETE(sending->listener->http->sendings, sending);
	sending->shared.release(sending->shared.ctx);
	free(sending);
}

/* Makes room for a block to go in one send. Above the machine's limit with CAP_NET_ADMIN only. */
static void grow_send_buffer(int fd)
{
	int size = LIVE_SEND_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

/* Takes the shared body over, also where it fails. */
static struct MHD_Response *respond_shared(struct listener *listener, struct MHD_Connection *connection,
	const struct http_shared *shared, bool is_head)
{
	struct sending *sending = malloc(sizeof(*sending));
	struct MHD_Response *mhd;

	if (!sending) {
		shared->release(shared->ctx);
		return NULL;
	}
	*sending = (struct sending){ .shared = *shared, .listener = listener, .connection = connection };
	LL_PREPEND(listener->http->sendings, sending);
	if (shared->read)
		mhd = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, shared->live ? LIVE_BLOCK : READ_BLOCK,
			read_shared, sending, free_shared);
	else
		mhd = MHD_create_response_from_buffer_with_free_callback_cls(shared->len, (void *)shared->data,
			free_shared, sending);
	if (!mhd) {
		free_shared(sending);
		return NULL;
	}
	if (shared->live)
		grow_send_buffer(fd_of(connection));
	/* Ends with the connection instead of in chunks: those are small, and MHD sends their end after HEAD too. */
	if (shared->live || (shared->read && is_head))
		MHD_set_response_options(mhd, MHD_RF_HTTP_VERSION_1_0_ONLY, MHD_RO_END);
	return mhd;
}

/* Takes the body over. MHD_NO closes the connection. */
static enum MHD_Result answer(struct listener *listener, struct MHD_Connection *connection,
	struct http_response *response, bool is_head)
{
	const char *type = response->content_type ? response->content_type : "text/plain; charset=utf-8";
	struct buf *body = &response->body;
	struct MHD_Response *mhd;
	enum MHD_Result queued;

	if (buf_error(body))
		response->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
	if (buf_error(body) || response->shared.ctx)
		buf_free(body);
	if (response->shared.ctx)
		mhd = respond_shared(listener, connection, &response->shared, is_head);
	else
		mhd = MHD_create_response_from_buffer_with_free_callback(body->len, body->data, free_body);
	if (!mhd) {
		buf_free(body);
		return MHD_NO;
	}
	MHD_add_response_header(mhd, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	for (int i = 0; i < HTTP_HEADERS && response->header[i].name; i++)
		MHD_add_response_header(mhd, response->header[i].name, response->header[i].value);
	queued = MHD_queue_response(connection, response->status, mhd);
	MHD_destroy_response(mhd);
	return queued;
}

static enum MHD_Result refuse(struct listener *listener, struct MHD_Connection *connection, unsigned int status,
	const char *why, bool is_head)
{
	struct http_response response = { .status = status };

	if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
		response.header[0].name = MHD_HTTP_HEADER_ALLOW;
		response.header[0].value = "GET, HEAD";
	}
	buf_puts(&response.body, why);
	return answer(listener, connection, &response, is_head);
}

static enum MHD_Result count_host(void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	unsigned int *hosts = ctx;

	(void)kind, (void)value;
	*hosts += !strcasecmp(name, MHD_HTTP_HEADER_HOST);
	return MHD_YES;
}

/* Takes scheme and authority off the path. NULL, or why the server that is asked for is not told: status 400. */
static const char *split_target(struct http_request *request, char authority[static AUTHORITY_SIZE])
{
	static const char *const schemes[] = { "http://", "https://" };
	unsigned int hosts = 0;

	MHD_get_connection_values(request->connection, MHD_HEADER_KIND, count_host, &hosts);
	if (hosts > 1)
		return "one Host only\n";
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		const char *name = request->path + strlen(schemes[i]);
		size_t len;

		if (strncasecmp(request->path, schemes[i], strlen(schemes[i])) != 0)
			continue;
		len = strcspn(name, "/");
		if (len >= AUTHORITY_SIZE)
			return "the server's name is too long\n";
		memcpy(authority, name, len);
		authority[len] = '\0';
		request->authority = authority;
		request->path = name[len] ? name + len : "/";
		break;
	}
	return NULL;
}

/* The state of a request that has no memory of the handler. */
static char begun;

static void end_request(void *ctx, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode why)
{
	const struct listener *listener = ctx;

	(void)connection, (void)why;
	if (*state && *state != &begun && listener->http->ended)
		listener->http->ended(listener->http->ctx, *state);
	*state = NULL;
}

/*
 * MHD calls this once when the headers are there, then for each piece of a body, then at the end, and again after a
 * suspension. *state is NULL in the first call only.
 */
static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *path, const char *method,
	const char *version, const char *upload, size_t *upload_len, void **state)
{
	struct listener *listener = ctx;
	const bool is_head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0, is_first = !*state;
	const bool is_get = is_head || strcmp(method, MHD_HTTP_METHOD_GET) == 0;
	const struct sockaddr *address =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
	void *memory = *state == &begun ? NULL : *state;
	struct http_request request = {
		.method = method,
		.path = path,
		.local = listener->path[0],
		.pieces = strcmp(version, MHD_HTTP_VERSION_1_1) == 0,
		.http = listener->http,
		.connection = connection,
		.memory = &memory,
	};
	struct http_response response = { .status = MHD_HTTP_OK };
	char authority[AUTHORITY_SIZE];
	const char *fault;

	(void)upload;
	*state = is_first ? &begun : *state;
	if (is_get && (is_first || *upload_len > 0)) {
		*upload_len = 0;
		return MHD_YES;
	}
	/* The connection may be older than what is known of the client now. */
	if (!is_admitted(listener, address, listener->path[0] ? -1 : fd_of(connection)))
		return MHD_NO;
	/* Refused in the first call, a body is never read. */
	if (!is_get)
		return refuse(listener, connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only\n", false);
	fault = split_target(&request, authority);
	if (fault)
		return refuse(listener, connection, MHD_HTTP_BAD_REQUEST, fault, is_head);
	if (!request.local)
		request.client = addr_of(address);
	listener->http->handler(listener->http->ctx, &request, &response);
	*state = memory ? memory : &begun;
	if (response.status != HTTP_LATER)
		return answer(listener, connection, &response, is_head);
	MHD_suspend_connection(connection);
	return MHD_YES;
}

void http_server_wake(struct http_server *http, void *connection)
{
	MHD_resume_connection(connection);
	/* MHD goes on with it in its next run, which nothing else starts in a loop of ours. */
	for (struct listener *listener = http->listeners; listener; listener = listener->next)
		loop_timer_set(listener->timer, 0);
}

/* --- TLS */

/* MHD calls this for each connection before its handshake, and after its end. */
static void notify(void *ctx, struct MHD_Connection *connection, void **socket_ctx,
	enum MHD_ConnectionNotificationCode code)
{
	const struct listener *listener = ctx;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		tls_release(*socket_ctx);
		return;
	}
	/* A session without our rules has MHD's: no certificate, so its handshake fails. */
	if (info && tls_attach(listener->http->tls, info->tls_session) == 0)
		*socket_ctx = tls_hold(listener->http->tls);
}

void http_server_set_tls(struct http_server *http, struct tls *tls)
{
	tls_release(http->tls);
	http->tls = tls_hold(tls);
}

/* --- Inside the loop */

static bool is_full(const struct listener *listener)
{
	return MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections >=
		CONNECTIONS;
}

static void run(void *ctx)
{
	struct listener *listener = ctx;
	bool was_full = is_full(listener);
	MHD_UNSIGNED_LONG_LONG ms;

	MHD_run(listener->daemon);
	/* MHD listens again only in the run after the one that made room, which nothing else starts. */
	if (was_full && !is_full(listener))
		loop_timer_set(listener->timer, 0);
	else if (MHD_get_timeout(listener->daemon, &ms) == MHD_YES)
		loop_timer_set(listener->timer, ms * CLOCK_NS_PER_MS);
	else
		loop_timer_stop(listener->timer);
}

static void ready(void *ctx, int events)
{
	(void)events;
	run(ctx);
}

static void resume(struct sending *sending)
{
	sending->suspended = false;
	MHD_resume_connection(sending->connection);
	loop_timer_set(sending->listener->timer, 0);
}

void http_server_resume(struct http_server *http, const void *ctx)
{
	for (struct sending *sending = http->sendings; sending; sending = sending->next)
		if (sending->shared.ctx == ctx && sending->suspended)
			resume(sending);
}

static void listener_free(struct listener *listener)
{
	struct stat st;

	if (!listener)
		return;
	if (listener->path[0] && lstat(listener->path, &st) == 0 && st.st_dev == listener->file.st_dev &&
		st.st_ino == listener->file.st_ino)
		unlink(listener->path);
	/* MHD_stop_daemon() wants no connection to be suspended. */
	for (struct sending *sending = listener->http->sendings; sending; sending = sending->next)
		if (sending->listener == listener && sending->suspended)
			resume(sending);
	loop_io_del(listener->io);
	loop_timer_del(listener->timer);
	if (listener->daemon)
		MHD_stop_daemon(listener->daemon);
	free(listener->where);
	free(listener);
}

/* Gives fd to a new MHD daemon. 0 or -ENOMEM, and fd is the caller's as before. */
static int start_daemon(struct listener *listener, int fd)
{
	const bool has_tls = listener->http->tls && !listener->path[0];
	const struct MHD_OptionItem for_tls[] = {
		/* MHD wants to know where certificates come from, before there is a session that gets ours. */
		{ MHD_OPTION_HTTPS_CERT_CALLBACK, 0, tls_no_certificate() },
		{ MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)notify, listener },
		{ MHD_OPTION_END, 0, NULL },
	};
	const struct MHD_OptionItem options[] = {
		{ MHD_OPTION_LISTEN_SOCKET, fd, NULL },
		{ MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS, NULL },
		{ MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S, NULL },
		{ MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL },
		{ MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL },
		{ MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)end_request, listener },
		{ has_tls ? MHD_OPTION_ARRAY : MHD_OPTION_END, 0, (void *)for_tls },
		{ MHD_OPTION_END, 0, NULL },
	};
	const unsigned int flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (has_tls ? MHD_USE_TLS : 0);

	listener->daemon = MHD_start_daemon(flags, 0, accept_client, listener, handle, listener, MHD_OPTION_ARRAY,
		options, MHD_OPTION_END);
	return listener->daemon ? 0 : -ENOMEM;
}

/* A listener on fd, which it takes over, on failure too. path: of a UNIX socket, or NULL; where: of TCP, or NULL. */
static int listener_add(struct http_server *http, int fd, const char *path, const char *where)
{
	struct listener *listener = calloc(1, sizeof(*listener));

	if (listener)
		listener->http = http;
	if (listener && path) {
		strcpy(listener->path, path);
		lstat(path, &listener->file);
	}
	if (listener && where)
		listener->where = strdup(where);
	if (!listener || (where && !listener->where) || start_daemon(listener, fd)) {
		close(fd);
		listener_free(listener);
		return -ENOMEM;
	}
	listener->timer = loop_timer_add(http->loop, run, listener);
	if (listener->timer)
		listener->io = loop_io_add(http->loop,
			MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, LOOP_READ, ready,
			listener);
	if (!listener->io) {
		listener_free(listener);
		return -ENOMEM;
	}
	LL_PREPEND(http->listeners, listener);
	return 0;
}

struct http_server *http_server_new(struct loop *loop, http_handler handler, void (*ended)(void *ctx, void *memory),
	void *ctx)
{
	struct http_server *http = calloc(1, sizeof(*http));

	if (http)
		*http = (struct http_server){ .loop = loop, .handler = handler, .ended = ended, .ctx = ctx };
	return http;
}

void http_server_set_admit(struct http_server *http, http_admit admit, void *ctx)
{
	http->admit = admit;
	http->admit_ctx = ctx;
}

void http_server_free(struct http_server *http)
{
	if (!http)
		return;
	http->ended = NULL;
	while (http->listeners) {
		struct listener *listener = http->listeners;

		http->listeners = listener->next;
		listener_free(listener);
	}
	tls_release(http->tls);
	free(http);
}

int http_server_listen(struct http_server *http, const char *where)
{
	int fd = listen_tcp(where);

	return fd < 0 ? fd : listener_add(http, fd, NULL, where);
}

void http_server_unlisten(struct http_server *http, const char *where)
{
	struct listener *listener, *next;

	LL_FOREACH_SAFE(http->listeners, listener, next)
	{
		if (!listener->where || strcmp(listener->where, where) != 0)
			continue;
		LL_DELETE(http->listeners, listener);
		listener_free(listener);
	}
}

int http_server_listen_unix(struct http_server *http, const char *path)
{
	int fd = listen_unix(path);

	return fd < 0 ? fd : listener_add(http, fd, path, NULL);
}
