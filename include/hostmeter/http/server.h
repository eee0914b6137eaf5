/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * http: a small HTTP/1.1 server (libmicrohttpd) inside the one event loop, on TCP and on a UNIX socket. No thread.
 *
 * It knows nothing of what it serves: each request goes to one callback, which fills in a response.
 */
#ifndef HOSTMETER_HTTP_SERVER_H
#define HOSTMETER_HTTP_SERVER_H

#include "hostmeter/base/addr.h"
#include "hostmeter/base/buf.h"

struct loop;
struct http_server;
struct tls;

struct http_request {
	const char *method; /* "GET" or "HEAD"; others are answered with 405 before the callback */
	const char *path;   /* "/metrics": decoded, without the query */
	bool local;         /* came by the UNIX socket */
	bool pieces; /* HTTP/1.1: a client that knows a page that was cut, also where its length is not told beforehand
		      */
	struct addr client;       /* family 0 if local; an IPv4-mapped address is given as IPv4 */
	struct http_server *http; /* these two for http_header(), http_query(), http_basic() and http_server_wake() */
	void *connection;
	void **memory; /* the handler's own, of this request: NULL at first, kept where the answer is HTTP_LATER */
};

/* A header's or a query parameter's value, NULL if absent. Borrowed for the callback. Names of headers: any case. */
const char *http_header(const struct http_request *request, const char *name);
const char *http_query(const struct http_request *request, const char *name);

/* Name and password of basic authentication (RFC 7617). */
struct http_credentials {
	char user[256], password[512];
};

/* False if the request has none, or longer ones. */
bool http_basic(const struct http_request *request, struct http_credentials *credentials);

enum { HTTP_HEADERS = 8 };

/* A body that several answers share, or that is made while it is sent. */
struct http_shared {
	void *ctx;                  /* NULL: there is none */
	void (*release)(void *ctx); /* called once for each answer, when it is sent or given up */
	const void *data;           /* all of it, for as long as it is not released */
	size_t len;
	/* Instead of data, unless NULL: copies what follows offset, at most room bytes. How many; 0: the end; -errno.
	 */
	long (*read)(void *ctx, uint64_t offset, char *to, size_t room);
	bool live; /* it comes as it happens: read() may say -EAGAIN, and is called again after http_server_resume(), if
		    the client is still there */
};

/* Instead of an answer: the connection is closed; or rests, and the handler is asked again after http_server_wake(). */
enum http_instead { HTTP_CLOSE = 0, HTTP_LATER = 1 };

struct http_response {
	unsigned int status;       /* 200 unless set; or one of enum http_instead */
	const char *content_type;  /* "text/plain; charset=utf-8" unless set */
	struct buf body;           /* taken over by http */
	struct http_shared shared; /* instead of body */
	struct {
		const char *name, *value;
	} header[HTTP_HEADERS]; /* more of them, up to the first NULL; borrowed */
};

/* There may be more of the live bodies with this ctx. Never from within their read(). */
void http_server_resume(struct http_server *http, const void *ctx);

typedef void (*http_handler)(void *ctx, const struct http_request *request, struct http_response *response);

/*
 * Asked of each TCP connection before anything is read from it; one that is not admitted is closed at once, and takes
 * no place from others. ifindex: the link that a link-local client is on, else 0.
 */
typedef bool (*http_admit)(void *ctx, const struct addr *client, uint32_t ifindex);

/*
 * Nothing is listened to yet. NULL: out of memory. http_server_free(NULL) is fine; it drops connections and unlinks
 * sockets. Before it, whatever rests is woken; the handler is not asked any more.
 */
struct http_server *http_server_new(struct loop *loop, http_handler handler, void *ctx);
void http_server_free(struct http_server *http);

/* Ends the rest of a TCP connection (http_request.connection) whose answer was HTTP_LATER. */
void http_server_wake(struct http_server *http, void *connection);

/* From now on; before, everybody is admitted. UNIX sockets are not asked about. */
void http_server_set_admit(struct http_server *http, http_admit admit, void *ctx);

/*
 * From now on ended is told of the memory of each request that ends with some, answered or not; with the handler's ctx.
 * Not by http_server_free().
 */
void http_server_on_end(struct http_server *http, void (*ended)(void *ctx, void *memory));

/*
 * What is listened to on TCP from now on speaks TLS by these rules, of which http takes a use. Called again, new ones
 * are for the connections that come; those that are there go on with theirs. UNIX sockets stay plain.
 */
void http_server_set_tls(struct http_server *http, struct tls *tls);

/* Listens on TCP or as a UNIX socket, as listen_tcp() and listen_unix() do. 0 or -errno, theirs or -ENOMEM. */
int http_server_listen(struct http_server *http, const char *where);
int http_server_listen_unix(struct http_server *http, const char *path);

#endif
