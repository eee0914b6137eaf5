/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/http/basic_auth.h"

#include "bcrypt_worker.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/os/loop.h"
#include "users.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum state { QUEUED, CHECKING, RIGHT, WRONG, FAILED, ANEW };

/* A request whose password has to be checked. It is the request's memory until that is answered. */
struct waiter {
	struct waiter *next;
	enum state state;
	struct http_server *server;
	void *connection;
	struct http_credentials given;
	struct users_check check;
};

struct basic_auth {
	struct loop *loop;
	http_handler handler;
	void *ctx;
	struct users *users; /* NULL: every request passes */
	struct bcrypt_worker *worker;
	struct loop_timer *next;
	struct waiter *waiters; /* the oldest first */
	size_t count;
	char retry[24]; /* the last Retry-After */
	struct log_limit wrong, failed;
};

/* --- Answers */

static void refuse(struct http_response *response, unsigned int status, const char *header, const char *value,
	const char *text)
{
	response->status = status;
	response->header[0].name = header;
	response->header[0].value = value;
	buf_puts(&response->body, text);
}

static void ask_to_wait(struct basic_auth *auth, struct http_response *response, uint64_t retry_ns)
{
	snprintf(auth->retry, sizeof(auth->retry), "%" PRIu64, (retry_ns + CLOCK_NS_PER_S - 1) / CLOCK_NS_PER_S);
	refuse(response, 429, "Retry-After", auth->retry, "too many passwords were wrong\n");
}

static void answer(struct basic_auth *auth, const struct http_request *request, struct http_response *response,
	enum state state)
{
	if (state == RIGHT)
		auth->handler(auth->ctx, request, response);
	else if (state == WRONG)
		refuse(response, 401, "WWW-Authenticate", "Basic realm=\"hostmeter\", charset=\"UTF-8\"",
			"a name and its password are needed\n");
	else
		refuse(response, 503, "Retry-After", "1", "passwords cannot be checked now\n");
}

/* --- The queue */

static void settle(struct waiter *waiter, enum state state)
{
	waiter->state = state;
	http_server_wake(waiter->server, waiter->connection);
}

static void settle_all(struct basic_auth *auth, enum state state)
{
	for (struct waiter *waiter = auth->waiters; waiter; waiter = waiter->next) {
		if (waiter->state == QUEUED || waiter->state == CHECKING)
			settle(waiter, state);
	}
}

/* The oldest in this state, or NULL. */
static struct waiter *find(const struct basic_auth *auth, enum state state)
{
	struct waiter *waiter = auth->waiters;

	while (waiter && waiter->state != state)
		waiter = waiter->next;
	return waiter;
}

static void log_failure(struct basic_auth *auth, int error)
{
	log_repeated(&auth->failed, LOG_PERIOD_NS, loop_now_ns(auth->loop), "passwords cannot be checked: %s",
		strerror(-error));
}

static void take_outcome(struct basic_auth *auth, struct waiter *waiter, int matches)
{
	bool right = users_checked(auth->users, &waiter->check, matches);
	char client[ADDR_TEXT];

	if (matches < 0)
		log_failure(auth, matches);
	else if (!right)
		log_repeated(&auth->wrong, LOG_PERIOD_NS, loop_now_ns(auth->loop),
			"wrong password for \"%.64s\" from %s", waiter->given.user,
			addr_format(&waiter->check.asker, client));
	settle(waiter, matches < 0 ? FAILED : right ? RIGHT : WRONG);
}

/* Begins the next check unless one runs. */
static void check_next(void *ctx)
{
	struct basic_auth *auth = ctx;
	struct waiter *waiter;

	while (!bcrypt_worker_busy(auth->worker) && (waiter = find(auth, QUEUED))) {
		int error;

		if (users_settled(auth->users, &waiter->check)) {
			settle(waiter, RIGHT);
			continue;
		}
		error = bcrypt_worker_check(auth->worker, waiter->given.password, waiter->check.hash);
		if (error)
			take_outcome(auth, waiter, error);
		else
			waiter->state = CHECKING;
	}
}

static void on_checked(void *ctx, int matches)
{
	struct basic_auth *auth = ctx;
	struct waiter *waiter = find(auth, CHECKING);

	/* None: the users have changed since, or the client has gone. */
	if (waiter)
		take_outcome(auth, waiter, matches);
	check_next(auth);
}

/* --- Requests */

void basic_auth_ended(void *ctx, void *memory)
{
	struct basic_auth *auth = ctx;
	struct waiter *waiter = memory, **at = &auth->waiters;

	while (*at != waiter)
		at = &(*at)->next;
	*at = waiter->next;
	auth->count--;
	explicit_bzero(waiter, sizeof(*waiter));
	free(waiter);
}

/* Lets the request wait with a copy of *asked. */
static void enqueue(struct basic_auth *auth, const struct http_request *request, struct http_response *response,
	const struct waiter *asked)
{
	struct waiter *waiter = auth->count < BASIC_AUTH_WAITING ? malloc(sizeof(*waiter)) : NULL,
		      **last = &auth->waiters;

	if (!waiter) {
		users_checked(auth->users, &asked->check, -1); /* returns the try */
		ask_to_wait(auth, response, CLOCK_NS_PER_S);
		return;
	}
	*waiter = *asked;
	while (*last)
		last = &(*last)->next;
	*last = waiter;
	auth->count++;
	*request->memory = waiter;
	response->status = HTTP_LATER;
	/* Not at once: only what waits already can be woken. */
	loop_timer_set(auth->next, 0);
}

static void ask(struct basic_auth *auth, const struct http_request *request, struct http_response *response)
{
	struct waiter asked = { .state = QUEUED, .server = request->http, .connection = request->connection };
	uint64_t retry_ns;

	if (!http_basic(request, &asked.given)) {
		answer(auth, request, response, WRONG);
		return;
	}
	switch (users_ask(auth->users, &request->client, asked.given.user, asked.given.password,
		loop_now_ns(auth->loop), &asked.check, &retry_ns)) {
	case USERS_RIGHT:
		answer(auth, request, response, RIGHT);
		break;
	case USERS_LIMITED:
		ask_to_wait(auth, response, retry_ns);
		break;
	case USERS_CHECK:
		enqueue(auth, request, response, &asked);
		break;
	}
	explicit_bzero(&asked, sizeof(asked));
}

void basic_auth_request(void *ctx, const struct http_request *request, struct http_response *response)
{
	struct basic_auth *auth = ctx;
	struct waiter *waiter = *request->memory;
	enum state state = waiter ? waiter->state : ANEW;

	if (waiter)
		basic_auth_ended(auth, waiter);
	*request->memory = NULL;
	if (request->local || !auth->users)
		answer(auth, request, response, RIGHT);
	else if (state == ANEW)
		ask(auth, request, response);
	else
		answer(auth, request, response, state);
}

/* --- Start and end */

struct basic_auth *basic_auth_new(struct loop *loop, http_handler handler, void *ctx)
{
	struct basic_auth *auth = calloc(1, sizeof(*auth));

	if (!auth)
		return NULL;
	*auth = (struct basic_auth){ .loop = loop, .handler = handler, .ctx = ctx };
	auth->worker = bcrypt_worker_new(loop, on_checked, auth);
	auth->next = loop_timer_add(loop, check_next, auth);
	if (auth->worker && auth->next)
		return auth;
	basic_auth_free(auth);
	return NULL;
}

void basic_auth_free(struct basic_auth *auth)
{
	if (!auth)
		return;
	settle_all(auth, FAILED);
	while (auth->waiters)
		basic_auth_ended(auth, auth->waiters);
	loop_timer_del(auth->next);
	bcrypt_worker_free(auth->worker);
	users_free(auth->users);
	free(auth);
}

void basic_auth_set_users(struct basic_auth *auth, struct users *users)
{
	int error = 0;

	settle_all(auth, ANEW);
	users_free(auth->users);
	auth->users = users;
	if (users && users_count(users)) {
		error = bcrypt_worker_start(auth->worker);
	} else {
		users_free(users);
		auth->users = NULL;
	}
	if (error)
		log_failure(auth, error);
}
