/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/http/server.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/http/listen.h"
#include "hostmeter/os/file.h"
#include "hostmeter/os/loop.h"
#include "places.h"
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
	CONNECTION_MEMORY = 16384,
	TIMEOUT_S = 15,
	READ_BLOCK = 16384,
	LIVE_BLOCK = 1 << 20, /* one turn of the loop may bring a quarter of it, and MHD sends a block in two turns */
	LIVE_SEND_BUFFER = 4 << 20,
	RETIRED = 4,          /* listeners without a file that still serve connections */
	AUTHORITY_SIZE = 280, /* of a name in DNS, a dot and a port */
};

/* How often it is seen who has to leave; for how long memory is scarce once somebody was told so. */
#define WATCH_NS (250 * CLOCK_NS_PER_MS)
#define CROWDED_NS (10 * CLOCK_NS_PER_S)

/* One listening socket with an MHD daemon of its own. */
struct listener {
	struct listener *next;
	struct http_server *http;
	struct MHD_Daemon *daemon;
	struct loop_io *io;
	struct loop_timer *timer;
	int fd;
	struct place *places;
	bool has_more; /* some connection is to go on in the next turn */
	/* A UNIX socket's file, and which file it was: only that one is unlinked. */
	char path[sizeof((struct sockaddr_un){ 0 }.sun_path)];
	struct stat file;
	char *where;  /* of TCP, as http_server_listen() had it */
	bool retired; /* its file is gone and has a new listener: it serves the connections that it has */
};

/* One connection, and the request on it. */
struct connection {
	struct place place; /* first */
	struct listener *listener;
	struct MHD_Connection *mhd;
	struct tls *tls;
	void *memory;                /* of the handler */
	struct http_response answer; /* has a measure() until its length is known */
	bool is_suspended;           /* until the next turn */
};

/* A shared body on its way to one client. */
struct sending {
	struct http_shared shared;
	struct connection *connection;
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
	struct loop_timer *watch;
	uint64_t crowded_until;
	struct http_usage usage;
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

static int fd_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

/* NULL: there was no memory for it. */
static struct connection *connection_of(struct MHD_Connection *mhd)
{
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

static void free_body(void *data)
{
	buf_free(&(struct buf){ .data = data });
}

/* Whether the client has closed. MHD notices that only when it sends. */
static bool has_left(struct MHD_Connection *connection)
{
	struct pollfd pollfd = { .fd = fd_of(connection) };

	return poll(&pollfd, 1, 0) > 0 && pollfd.revents & (POLLHUP | POLLERR);
}

/* Until the next turn. */
static void suspend(struct connection *connection)
{
	MHD_suspend_connection(connection->mhd);
	connection->is_suspended = connection->listener->has_more = true;
}

static ssize_t read_shared(void *ctx, uint64_t offset, char *to, size_t room)
{
	struct sending *sending = ctx;
	struct connection *connection = sending->connection;
	long got = sending->shared.read(sending->shared.ctx, offset, to, room);

	place_take(&connection->place, offset, loop_now_ns(connection->listener->http->loop));
	if (got > 0)
		return got;
	if (got == -EAGAIN && !sending->shared.live) {
		suspend(connection);
		return 0;
	}
	if (got == -EAGAIN && !has_left(connection->mhd)) {
		MHD_suspend_connection(connection->mhd);
		sending->suspended = true;
		return 0;
	}
	return got == 0 ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void free_shared(void *ctx)
{
	struct sending *sending = ctx;

	LL_DELETE(sending->connection->listener->http->sendings, sending);
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

static struct MHD_Response *make_shared(struct sending *sending)
{
	const struct http_shared *shared = &sending->shared;

	if (!shared->read)
		return MHD_create_response_from_buffer_with_free_callback_cls(shared->len, (void *)shared->data,
			free_shared, sending);
	return MHD_create_response_from_callback(shared->len ? shared->len : MHD_SIZE_UNKNOWN,
		shared->live ? LIVE_BLOCK : READ_BLOCK, read_shared, sending, free_shared);
}

/* Takes the shared body over, also where it fails. */
static struct MHD_Response *respond_shared(struct connection *connection, const struct http_shared *shared,
	bool is_head)
{
	struct sending *sending = malloc(sizeof(*sending));
	struct MHD_Response *mhd;

	if (!sending) {
		shared->release(shared->ctx);
		return NULL;
	}
	*sending = (struct sending){ .shared = *shared, .connection = connection };
	LL_PREPEND(connection->listener->http->sendings, sending);
	mhd = make_shared(sending);
	if (!mhd) {
		free_shared(sending);
		return NULL;
	}
	connection->place.is_patient = shared->live;
	if (shared->live)
		grow_send_buffer(fd_of(connection->mhd));
	/* Ends with the connection instead of in chunks: those are small, and MHD sends their end after HEAD too. */
	if (shared->live || (shared->read && !shared->len && is_head))
		MHD_set_response_options(mhd, MHD_RF_HTTP_VERSION_1_0_ONLY, MHD_RO_END);
	return mhd;
}

/* --- A large body of a response's own: as a shared one, of which it is seen how far it has come. */

static long read_body(void *ctx, uint64_t offset, char *to, size_t room)
{
	return buf_copy(ctx, offset, to, room);
}

static void release_body(void *ctx)
{
	buf_free(ctx);
	free(ctx);
}

static void share_large_body(struct http_response *response)
{
	struct buf *body = response->body.len > READ_BLOCK ? malloc(sizeof(*body)) : NULL;

	if (!body)
		return;
	*body = response->body;
	response->body = BUF_INIT;
	response->shared =
		(struct http_shared){ .ctx = body, .release = release_body, .read = read_body, .len = body->len };
}

/* Takes the body over. MHD_NO closes the connection. */
static enum MHD_Result answer(struct connection *connection, struct http_response *response, bool is_head)
{
	const char *type = response->content_type ? response->content_type : "text/plain; charset=utf-8";
	struct buf *body = &response->body;
	struct MHD_Response *mhd;
	enum MHD_Result queued;

	if (buf_error(body))
		response->status = MHD_HTTP_INTERNAL_SERVER_ERROR;
	if (buf_error(body) || response->shared.ctx)
		buf_free(body);
	if (!response->shared.ctx)
		share_large_body(response);
	if (response->shared.ctx)
		mhd = respond_shared(connection, &response->shared, is_head);
	else
		mhd = MHD_create_response_from_buffer_with_free_callback(body->len, body->data, free_body);
	if (!mhd) {
		buf_free(body);
		return MHD_NO;
	}
	MHD_add_response_header(mhd, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	for (int i = 0; i < HTTP_HEADERS && response->header[i].name; i++)
		MHD_add_response_header(mhd, response->header[i].name, response->header[i].value);
	queued = MHD_queue_response(connection->mhd, response->status, mhd);
	MHD_destroy_response(mhd);
	return queued;
}

static enum MHD_Result refuse(struct connection *connection, unsigned int status, const char *why, bool is_head)
{
	struct http_response response = { .status = status };

	if (status == MHD_HTTP_METHOD_NOT_ALLOWED) {
		response.header[0].name = MHD_HTTP_HEADER_ALLOW;
		response.header[0].value = "GET, HEAD";
	}
	buf_puts(&response.body, why);
	return answer(connection, &response, is_head);
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

/* Answers once the length is known. */
static enum MHD_Result answer_measured(struct connection *connection, bool is_head)
{
	struct http_response *response = &connection->answer, now;
	long len = response->shared.measure(response->shared.ctx);

	if (len == -EAGAIN) {
		suspend(connection);
		return MHD_YES;
	}
	now = *response;
	*response = (struct http_response){ 0 };
	if (len < 0) {
		now.shared.release(now.shared.ctx);
		return MHD_NO;
	}
	now.shared.len = (size_t)len;
	return answer(connection, &now, is_head);
}

static void end_request(void *ctx, struct MHD_Connection *mhd, void **state, enum MHD_RequestTerminationCode why)
{
	const struct listener *listener = ctx;
	struct connection *connection = connection_of(mhd);

	(void)why;
	*state = NULL;
	if (!connection)
		return;
	if (connection->memory && listener->http->ended)
		listener->http->ended(listener->http->ctx, connection->memory);
	connection->memory = NULL;
	if (connection->answer.shared.ctx)
		connection->answer.shared.release(connection->answer.shared.ctx);
	connection->answer = (struct http_response){ 0 };
	place_set_state(&connection->place, PLACE_IDLE, loop_now_ns(listener->http->loop));
}

/* Asks the handler, and answers unless that is for later. */
static enum MHD_Result ask(struct connection *connection, struct http_request *request, bool is_head)
{
	struct http_server *http = connection->listener->http;
	struct http_response response = { .status = MHD_HTTP_OK };

	request->answers = places_answers(connection->listener->places, &connection->place);
	place_set_state(&connection->place, PLACE_ANSWER, loop_now_ns(http->loop)); /* it may have waited for us */
	http->handler(http->ctx, request, &response);
	if (response.crowded)
		http->crowded_until = loop_now_ns(http->loop) + CROWDED_NS;
	if (response.status == HTTP_LATER) {
		connection->place.is_patient = true;
		MHD_suspend_connection(connection->mhd);
		return MHD_YES;
	}
	if (!response.shared.ctx || !response.shared.measure)
		return answer(connection, &response, is_head);
	buf_free(&response.body); /* shared is instead of it */
	connection->answer = response;
	return answer_measured(connection, is_head);
}

/*
 * MHD calls this once when the headers are there, then for each piece of a body, then at the end, and again after a
 * suspension. *state is NULL in the first call only.
 */
static enum MHD_Result handle(void *ctx, struct MHD_Connection *mhd, const char *path, const char *method,
	const char *version, const char *upload, size_t *upload_len, void **state)
{
	struct listener *listener = ctx;
	struct connection *connection = connection_of(mhd);
	const bool is_head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0, is_first = !*state;
	const bool is_get = is_head || strcmp(method, MHD_HTTP_METHOD_GET) == 0;
	const struct sockaddr *address = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
	struct http_request request = {
		.method = method,
		.path = path,
		.local = listener->path[0],
		.pieces = strcmp(version, MHD_HTTP_VERSION_1_1) == 0,
		.http = listener->http,
		.connection = mhd,
	};
	char authority[AUTHORITY_SIZE];
	const char *fault;

	(void)upload;
	if (!connection)
		return MHD_NO;
	if (is_first)
		place_set_state(&connection->place, PLACE_ANSWER, loop_now_ns(listener->http->loop));
	*state = connection;
	if (is_get && (is_first || *upload_len > 0)) {
		*upload_len = 0;
		return MHD_YES;
	}
	/* The connection may be older than what is known of the client now. */
	if (!is_admitted(listener, address, listener->path[0] ? -1 : fd_of(mhd)))
		return MHD_NO;
	/* Refused in the first call, a body is never read. */
	if (!is_get)
		return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "GET and HEAD only\n", false);
	if (connection->answer.shared.ctx)
		return answer_measured(connection, is_head);
	fault = split_target(&request, authority);
	if (fault)
		return refuse(connection, MHD_HTTP_BAD_REQUEST, fault, is_head);
	if (!request.local)
		request.client = addr_of(address);
	request.memory = &connection->memory;
	return ask(connection, &request, is_head);
}

void http_server_wake(struct http_server *http, void *connection)
{
	MHD_resume_connection(connection);
	/* MHD goes on with it in its next run, which nothing else starts in a loop of ours. */
	for (struct listener *listener = http->listeners; listener; listener = listener->next)
		loop_timer_set(listener->timer, 0);
}

/* --- Who has a place */

/* MHD sees it in its next run. abruptly: what the client has not read yet is given up, and it is told. */
static void drop(struct connection *connection, bool abruptly)
{
	const struct linger at_once = { .l_onoff = 1 };
	int fd = fd_of(connection->mhd);

	connection->place.is_leaving = true;
	if (abruptly)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	shutdown(fd, SHUT_RDWR);
	loop_timer_set(connection->listener->timer, 0);
}

static struct place_client client_of(const struct connection *connection)
{
	const struct sockaddr *address =
		MHD_get_connection_info(connection->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr;
	struct ucred user = { .uid = 0 };
	socklen_t len = sizeof(user);
	struct addr client;

	if (connection->listener->path[0]) {
		getsockopt(fd_of(connection->mhd), SOL_SOCKET, SO_PEERCRED, &user, &len);
		return place_client_of_user(user.uid);
	}
	client = addr_of(address);
	return place_client_of_address(&client);
}

static void take_place(struct connection *connection)
{
	struct listener *listener = connection->listener;
	struct http_server *http = listener->http;
	struct place_client client = client_of(connection);
	struct place *idle;

	places_add(&listener->places, &connection->place, &client, loop_now_ns(http->loop));
	if (!http->usage.connections++)
		loop_timer_set(http->watch, WATCH_NS);
	if (!places_is_over(listener->places, &connection->place, &idle))
		return;
	if (idle) {
		http->usage.dropped[HTTP_DROP_IDLE]++;
		drop((struct connection *)idle, false);
		return;
	}
	http->usage.refused++;
	drop(connection, true);
}

static void give_place(struct connection *connection)
{
	places_remove(&connection->listener->places, &connection->place);
	connection->listener->http->usage.connections--;
	tls_release(connection->tls);
	free(connection);
}

/* MHD calls this for each connection before its handshake, and after its end. */
static void notify(void *ctx, struct MHD_Connection *mhd, void **socket_ctx, enum MHD_ConnectionNotificationCode code)
{
	struct listener *listener = ctx;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	struct connection *connection = *socket_ctx;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (connection)
			give_place(connection);
		return;
	}
	connection = calloc(1, sizeof(*connection));
	if (!connection)
		return;
	*connection = (struct connection){ .listener = listener, .mhd = mhd };
	*socket_ctx = connection;
	/* A session without our rules has MHD's: no certificate, so its handshake fails. */
	if (info && info->tls_session && tls_attach(listener->http->tls, info->tls_session) == 0)
		connection->tls = tls_hold(listener->http->tls);
	take_place(connection);
}

struct http_usage http_server_usage(const struct http_server *http)
{
	return http->usage;
}

void http_server_set_tls(struct http_server *http, struct tls *tls)
{
	tls_release(http->tls);
	http->tls = tls_hold(tls);
}

/* --- Inside the loop */

static bool is_full(const struct listener *listener)
{
	return MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)->num_connections >= PLACES;
}

/* Those whose turn was over. */
static void go_on(struct listener *listener)
{
	listener->has_more = false;
	for (struct place *place = listener->places; place; place = place->next) {
		struct connection *connection = (struct connection *)place;

		if (connection->is_suspended)
			MHD_resume_connection(connection->mhd);
		connection->is_suspended = false;
	}
}

static void run(void *ctx)
{
	struct listener *listener = ctx;
	bool was_full = is_full(listener);
	MHD_UNSIGNED_LONG_LONG ms;

	if (listener->has_more)
		go_on(listener);
	MHD_run(listener->daemon);
	/* MHD listens again only in the run after the one that made room, which nothing else starts. */
	if (listener->has_more || (was_full && !is_full(listener)))
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
	MHD_resume_connection(sending->connection->mhd);
	loop_timer_set(sending->connection->listener->timer, 0);
}

void http_server_resume(struct http_server *http, const void *ctx)
{
	for (struct sending *sending = http->sendings; sending; sending = sending->next)
		if (sending->shared.ctx == ctx && sending->suspended)
			resume(sending);
}

/* Makes those leave who have to. */
static void watch_listener(struct listener *listener)
{
	static const enum http_drop drops[PLACE_ENDS] = { [PLACE_END_IDLE] = HTTP_DROP_IDLE,
		[PLACE_END_HEADERS] = HTTP_DROP_HEADERS,
		[PLACE_END_SLOW] = HTTP_DROP_SLOW };
	struct http_server *http = listener->http;
	struct pollfd queue = { .fd = listener->fd, .events = POLLIN };
	uint64_t now = loop_now_ns(http->loop);
	unsigned int wanted = now < http->crowded_until ? PLACES_MEMORY : 0;
	struct place *place;
	enum place_end why;

	if (is_full(listener) && poll(&queue, 1, 0) > 0)
		wanted |= PLACES_FULL;
	while ((place = places_leaver(listener->places, wanted, now, &why))) {
		http->usage.dropped[drops[why]]++;
		drop((struct connection *)place, why != PLACE_END_IDLE);
		if (why == PLACE_END_IDLE)
			wanted &= ~(unsigned int)PLACES_FULL; /* for one who waits; others in the next turn */
	}
}

static void watch(void *ctx)
{
	struct http_server *http = ctx;

	for (struct listener *listener = http->listeners; listener; listener = listener->next)
		watch_listener(listener);
	if (http->usage.connections)
		loop_timer_set(http->watch, WATCH_NS);
}

static void listener_free(struct listener *listener)
{
	struct stat st;

	if (!listener)
		return;
	if (listener->path[0] && !listener->retired && lstat(listener->path, &st) == 0 &&
		st.st_dev == listener->file.st_dev && st.st_ino == listener->file.st_ino)
		unlink(listener->path);
	/* MHD_stop_daemon() wants no connection to be suspended. */
	for (struct sending *sending = listener->http->sendings; sending; sending = sending->next)
		if (sending->connection->listener == listener && sending->suspended)
			resume(sending);
	go_on(listener);
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
		{ MHD_OPTION_END, 0, NULL },
	};
	const struct MHD_OptionItem options[] = {
		{ MHD_OPTION_LISTEN_SOCKET, fd, NULL },
		{ MHD_OPTION_CONNECTION_LIMIT, PLACES, NULL },
		{ MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S, NULL },
		{ MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL },
		{ MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL },
		{ MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)notify, listener },
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

	if (listener) {
		listener->http = http;
		listener->fd = fd;
	}
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

	if (!http)
		return NULL;
	*http = (struct http_server){ .loop = loop, .handler = handler, .ended = ended, .ctx = ctx };
	http->watch = loop_timer_add(loop, watch, http);
	if (http->watch)
		return http;
	free(http);
	return NULL;
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
	loop_timer_del(http->watch);
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

/* Ends the retired listeners that have no connections left, and the oldest of too many. */
static void end_retired(struct http_server *http)
{
	unsigned int count = 0;

	/* The list begins with the latest. */
	for (struct listener *listener = http->listeners, *next; listener; listener = next) {
		next = listener->next;
		if (!listener->retired ||
			(++count <= RETIRED &&
				MHD_get_daemon_info(listener->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS)
						->num_connections > 0))
			continue;
		LL_DELETE(http->listeners, listener);
		listener_free(listener);
	}
}

int http_server_renew_unix(struct http_server *http)
{
	struct listener *lost;
	struct stat st;
	int error;

	end_retired(http);
	lost = http->listeners;
	while (lost && (!lost->path[0] || lost->retired || lstat(lost->path, &st) == 0 || errno != ENOENT))
		lost = lost->next;
	if (!lost)
		return 0;
	error = file_make_parents(lost->path);
	if (!error)
		error = http_server_listen_unix(http, lost->path);
	lost->retired = !error;
	return error ? error : 1;
}
