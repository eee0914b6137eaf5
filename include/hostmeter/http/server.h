/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * server: an HTTP/1.1 server (libmicrohttpd) inside the event loop, on TCP and on UNIX sockets, without threads. Each
 * request goes to one handler, which fills in a response.
 *
 * A listening socket has 32 connections, of which one client (an IPv4 address, an IPv6 /64, a user of the UNIX socket
 * but root) has a quarter at most. While others wait, idle ones leave first, then those that have sent no whole request
 * or have not read on for a few seconds: see places.h.
 */
#pragma once

#include "hostmeter/base/addr.h"
#include "hostmeter/base/buf.h"

struct loop;
struct http_server;
struct tls;

struct http_request {
	const char *method;       /* "GET" or "HEAD"; others are answered with 405 before the callback */
	const char *path;         /* "/metrics": decoded, without the query */
	const char *authority;    /* "router:10060" of a target "http://router:10060/metrics"; else NULL */
	bool local;               /* came by the UNIX socket */
	unsigned int answers;     /* that this client is reading on other connections */
	bool pieces;              /* HTTP/1.1: the client notices an incomplete page, also one of unknown length */
	struct addr client;       /* family 0 if local; an IPv4-mapped address is given as IPv4 */
	struct http_server *http; /* these two for http_header(), http_query(), http_basic() and http_server_wake() */
	void *connection;
	void **memory; /* the handler's own: NULL at first, kept if the response is HTTP_LATER */
};

/*
 * A header's or a query parameter's value, NULL if absent. Borrowed for the callback. Names of headers: any case. For
 * "Host" that is the authority, if there is one (RFC 9112, section 3.2.2); two of them are answered with 400.
 */
const char *http_header(const struct http_request *request, const char *name);
const char *http_query(const struct http_request *request, const char *name);

/* Name and password of basic authentication (RFC 7617). */
struct http_credentials {
	char user[256], password[512];
};

/* False if the request has none, or they are too long. */
bool http_basic(const struct http_request *request, struct http_credentials *credentials);

enum { HTTP_HEADERS = 8 };

/* A body that several responses share, or that is made while it is sent. */
struct http_shared {
	void *ctx;                  /* NULL: there is none */
	void (*release)(void *ctx); /* called once for each response, when it is sent or given up */
	const void *data;           /* all of it, for as long as it is not released */
	size_t len;
	/*
	 * Unless NULL, instead of data: copies at most room bytes from offset on. How many; 0: the end; -errno;
	 * -EAGAIN: it is called again in the next turn of the loop.
	 */
	long (*read)(void *ctx, uint64_t offset, char *to, size_t room);
	/* Unless NULL: the length of what read() gives, for a client that has to know; or as read(). */
	long (*measure)(void *ctx);
	bool live; /* read() is called again after http_server_resume() only */
};

/* Instead of a status: suspend the connection, and call the handler again after http_server_wake(). No body. */
enum { HTTP_LATER = 1 };

struct http_response {
	unsigned int status;       /* 200 unless set; or HTTP_LATER */
	const char *content_type;  /* "text/plain; charset=utf-8" unless set */
	struct buf body;           /* taken over by http */
	struct http_shared shared; /* instead of body */
	struct {
		const char *name, *value;
	} header[HTTP_HEADERS]; /* more of them, up to the first NULL; borrowed, with shared.measure until it is sent */
	bool crowded;           /* there is too little memory: slow readers have to leave for a while */
};

enum http_drop { HTTP_DROP_IDLE, HTTP_DROP_HEADERS, HTTP_DROP_SLOW, HTTP_DROPS };

struct http_usage {
	uint64_t connections;
	uint64_t refused;             /* of a client that had its share */
	uint64_t dropped[HTTP_DROPS]; /* because others waited, or after a time that is long enough for anybody */
};

struct http_usage http_server_usage(const struct http_server *http);

/* The live bodies with this ctx may have more. Not to be called from their read(). */
void http_server_resume(struct http_server *http, const void *ctx);

typedef void (*http_handler)(void *ctx, const struct http_request *request, struct http_response *response);

/*
 * Whether to admit a TCP client. Asked before anything is read from a connection: others are closed at once and do not
 * count for the limit of connections. Asked again before each answer, also of a request that was suspended: a client
 * that is no longer admitted is disconnected without an answer, as any stranger is. ifindex: the link of a link-local
 * client; for others, before an answer, the link by which it connected; 0: not known.
 */
typedef bool (*http_admit)(void *ctx, const struct addr *client, uint32_t ifindex);

/*
 * A server that does not listen yet. NULL: out of memory. ended, unless NULL: called with ctx and a request's memory
 * when the request ends with some, answered or not; not by http_server_free(). That closes the connections and unlinks
 * the sockets, without a call of the handler; suspended connections have to be woken before. http_server_free(NULL) is
 * fine.
 */
struct http_server *http_server_new(struct loop *loop, http_handler handler, void (*ended)(void *ctx, void *memory),
	void *ctx);
void http_server_free(struct http_server *http);

/* Resumes a connection (http_request.connection) whose response was HTTP_LATER. */
void http_server_wake(struct http_server *http, void *connection);

/* Without it every client is admitted, as are those of UNIX sockets. */
void http_server_set_admit(struct http_server *http, http_admit admit, void *ctx);

/* TCP sockets that listen from now on use TLS; http holds tls. Called again: the new rules, for new connections. */
void http_server_set_tls(struct http_server *http, struct tls *tls);

/* Listens on TCP or as a UNIX socket, as listen_tcp() and listen_unix() do. 0 or -errno, theirs or -ENOMEM. */
int http_server_listen(struct http_server *http, const char *where);
int http_server_listen_unix(struct http_server *http, const char *path);

/*
 * Closes the TCP socket of http_server_listen() with the same text, and its connections. Requests that wait for
 * http_server_wake() have to be woken before. Not to be called from a handler.
 */
void http_server_unlisten(struct http_server *http, const char *where);

/*
 * Makes the file of a UNIX socket anew, and the directories above it, if it is gone; its connections stay. To be called
 * now and then. 1 if one was made; 0 if none is missing; -errno.
 */
int http_server_renew_unix(struct http_server *http);
