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

/* A request that has to be checked. It lives until it is answered: http remembers it. */
struct waiter {
	enum state state;
	struct http_server *http;
	void *connection;
	bool rests;
	struct http_credentials given;
	struct users_check check;
};

struct basic_auth {
	struct loop *loop;
	http_handler handler;
	void *ctx;
	struct users *users; /* NULL: open */
	struct bcrypt_worker *worker;
	struct waiter *waiter[BASIC_AUTH_WAITING]; /* all that are not answered yet, the oldest first */
	size_t waiters;
	char retry[24]; /* of the last answer that says so */
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

static void ask_for_password(struct http_response *response)
{
	refuse(response, 401, "WWW-Authenticate", "Basic realm=\"hostmeter\", charset=\"UTF-8\"",
		"a name and its password are needed\n");
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
		ask_for_password(response);
	else
		refuse(response, 503, "Retry-After", "1", "passwords cannot be checked now\n");
}

static void tell_of_wrong(struct basic_auth *auth, const struct waiter *waiter)
{
	char client[ADDR_TEXT];

	log_repeated(&auth->wrong, LOG_PERIOD_NS, loop_now_ns(auth->loop), "wrong password for \"%.64s\" from %s",
		waiter->given.user, addr_format(&waiter->check.asker, client));
}

static void tell_of_failure(struct basic_auth *auth, int error)
{
	log_repeated(&auth->failed, LOG_PERIOD_NS, loop_now_ns(auth->loop), "passwords cannot be checked: %s",
		strerror(-error));
}

/* --- The queue */

static void settle(struct waiter *waiter, enum state state)
{
	waiter->state = state;
	if (waiter->rests)
		http_server_wake(waiter->http, waiter->connection);
	waiter->rests = false;
}

/* The oldest in this state, or NULL. */
static struct waiter *find(const struct basic_auth *auth, enum state state)
{
	for (size_t i = 0; i < auth->waiters; i++) {
		if (auth->waiter[i]->state == state)
			return auth->waiter[i];
	}
	return NULL;
}

static void outcome(struct basic_auth *auth, struct waiter *waiter, int matches)
{
	bool right = users_checked(auth->users, &waiter->check, matches);

	if (matches < 0)
		tell_of_failure(auth, matches);
	else if (!right)
		tell_of_wrong(auth, waiter);
	settle(waiter, matches < 0 ? FAILED : right ? RIGHT : WRONG);
}

/* Begins the next check if none runs. */
static void work(struct basic_auth *auth)
{
	struct waiter *waiter;

	while (!bcrypt_worker_busy(auth->worker) && (waiter = find(auth, QUEUED))) {
		int error;

		if (users_settled(auth->users, &waiter->check)) {
			settle(waiter, RIGHT);
			continue;
		}
		error = bcrypt_worker_check(auth->worker, waiter->given.password, waiter->check.hash);
		if (error) {
			outcome(auth, waiter, error);
			continue;
		}
		waiter->state = CHECKING;
	}
}

static void on_checked(void *ctx, int matches)
{
	struct basic_auth *auth = ctx;
	struct waiter *waiter = find(auth, CHECKING);

	/* None: the users have changed since it began, and the answer is nobody's. */
	if (waiter)
		outcome(auth, waiter, matches);
	work(auth);
}

static void settle_all(struct basic_auth *auth, enum state state)
{
	for (size_t i = 0; i < auth->waiters; i++) {
		if (auth->waiter[i]->state == QUEUED || auth->waiter[i]->state == CHECKING)
			settle(auth->waiter[i], state);
	}
}

/* --- Requests */

static void forget(struct basic_auth *auth, struct waiter *waiter)
{
	size_t i = 0;

	while (auth->waiter[i] != waiter)
		i++;
	auth->waiters--;
	memmove(&auth->waiter[i], &auth->waiter[i + 1], (auth->waiters - i) * sizeof(auth->waiter[0]));
	explicit_bzero(waiter, sizeof(*waiter));
	free(waiter);
}

void basic_auth_ended(void *ctx, void *memory)
{
	forget(ctx, memory);
}

static void enqueue(struct basic_auth *auth, const struct http_request *request, struct http_response *response,
	const struct http_credentials *given, const struct users_check *check)
{
	struct waiter *waiter = auth->waiters < BASIC_AUTH_WAITING ? malloc(sizeof(*waiter)) : NULL;

	if (!waiter) {
		users_checked(auth->users, check, -1); /* gives the try back */
		ask_to_wait(auth, response, CLOCK_NS_PER_S);
		return;
	}
	*waiter = (struct waiter){
		.http = request->http,
		.connection = request->connection,
		.given = *given,
		.check = *check,
	};
	auth->waiter[auth->waiters++] = waiter;
	work(auth);
	if (waiter->state == QUEUED || waiter->state == CHECKING) {
		waiter->rests = true;
		*request->memory = waiter;
		response->status = HTTP_LATER;
	} else {
		answer(auth, request, response, waiter->state);
		forget(auth, waiter);
	}
}

static void ask(struct basic_auth *auth, const struct http_request *request, struct http_response *response)
{
	struct http_credentials given;
	struct users_check check;
	uint64_t retry_ns;

	if (!http_basic(request, &given)) {
		ask_for_password(response);
		return;
	}
	switch (users_ask(auth->users, &request->client, given.user, given.password, loop_now_ns(auth->loop), &check,
		&retry_ns)) {
	case USERS_RIGHT:
		auth->handler(auth->ctx, request, response);
		break;
	case USERS_LIMITED:
		ask_to_wait(auth, response, retry_ns);
		break;
	case USERS_CHECK:
		enqueue(auth, request, response, &given, &check);
		break;
	}
	explicit_bzero(&given, sizeof(given));
}

void basic_auth_request(void *ctx, const struct http_request *request, struct http_response *response)
{
	struct basic_auth *auth = ctx;
	struct waiter *waiter = *request->memory;
	enum state state = waiter ? waiter->state : ANEW;

	if (waiter)
		forget(auth, waiter);
	*request->memory = NULL;
	if (request->local || !auth->users)
		auth->handler(auth->ctx, request, response);
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
	if (auth->worker)
		return auth;
	free(auth);
	return NULL;
}

void basic_auth_free(struct basic_auth *auth)
{
	if (!auth)
		return;
	settle_all(auth, FAILED);
	while (auth->waiters)
		forget(auth, auth->waiter[0]);
	bcrypt_worker_free(auth->worker);
	users_free(auth->users);
	free(auth);
}

void basic_auth_set_users(struct basic_auth *auth, struct users *users)
{
	int error;

	settle_all(auth, ANEW);
	users_free(auth->users);
	auth->users = users && users_count(users) ? users : NULL;
	if (!auth->users) {
		users_free(users);
		return;
	}
	error = bcrypt_worker_start(auth->worker);
	if (error)
		tell_of_failure(auth, error);
}
