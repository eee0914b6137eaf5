/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/http/basic_auth.h"

#include "bcrypt_worker.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/hash.h"
#include "hostmeter/base/log.h"
#include "hostmeter/os/loop.h"
#include "tries.h"
#include "web_config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

/* QUEUED and CHECKING: the request waits. ANEW: it has to be asked again. */
enum state { QUEUED, CHECKING, RIGHT, WRONG, LIMITED, FAILED, ANEW };

/* A request whose password has to be checked. It is the request's memory until that is answered. */
struct waiter {
	struct waiter *next;
	enum state state;
	struct http_server *server;
	void *connection;
	struct addr client;
	struct http_credentials given;
	size_t user;      /* auth->users: nobody has this name, and the check fails whatever comes out */
	uint64_t tag;     /* keyed hash of name and password; never 0 */
	const char *hash; /* to compare the password with */
};

struct basic_auth {
	struct loop *loop;
	http_handler handler;
	void *ctx;
	struct web_config_user *user;
	size_t users; /* 0: every request passes */
	/* For each user the tag of the password that was last found right, 0: none. The password itself is not kept. */
	uint64_t known[WEB_CONFIG_USERS];
	struct hash_key key;
	struct tries tries;
	struct bcrypt_worker *worker;
	struct loop_timer *next;
	struct waiter *waiters; /* the oldest first */
	char retry[24];         /* the last Retry-After */
	struct log_limit wrong, failed;
};

/* --- The queue */

/* Only a wrong password costs a try. */
static void settle(struct basic_auth *auth, struct waiter *waiter, enum state state)
{
	if (state != WRONG)
		tries_return(&auth->tries, &waiter->client);
	waiter->state = state;
	http_server_wake(waiter->server, waiter->connection);
}

static void take_outcome(struct basic_auth *auth, struct waiter *waiter, int matches)
{
	bool right = matches > 0 && waiter->user < auth->users;
	uint64_t now = loop_now_ns(auth->loop);
	char client[ADDR_TEXT];

	if (matches < 0)
		log_repeated(&auth->failed, LOG_PERIOD_NS, now, "passwords cannot be checked: %s", strerror(-matches));
	else if (right)
		auth->known[waiter->user] = waiter->tag;
	else
		log_repeated(&auth->wrong, LOG_PERIOD_NS, now, "wrong password for \"%.64s\" from %s",
			waiter->given.user, addr_format(&waiter->client, client));
	settle(auth, waiter, matches < 0 ? FAILED : right ? RIGHT : WRONG);
}

static bool is_known(const struct basic_auth *auth, const struct waiter *waiter)
{
	return waiter->user < auth->users && auth->known[waiter->user] == waiter->tag;
}

/* Begins the next check unless one runs. */
static void check_next(void *ctx)
{
	struct basic_auth *auth = ctx;
	struct waiter *waiter;

	for (;;) {
		int error;

		LL_SEARCH_SCALAR(auth->waiters, waiter, state, QUEUED);
		if (!waiter)
			return;
		if (is_known(auth, waiter)) {
			settle(auth, waiter, RIGHT);
			continue;
		}
		error = bcrypt_worker_check(auth->worker, waiter->given.password, waiter->hash);
		if (error == -EBUSY)
			return;
		if (error)
			take_outcome(auth, waiter, error);
		else
			waiter->state = CHECKING;
	}
}

static void on_checked(void *ctx, int matches)
{
	struct basic_auth *auth = ctx;
	struct waiter *waiter;

	LL_SEARCH_SCALAR(auth->waiters, waiter, state, CHECKING);
	/* None: the users have changed since, or the client has gone. */
	if (waiter)
		take_outcome(auth, waiter, matches);
	check_next(auth);
}

/* --- Requests */

void basic_auth_ended(void *ctx, void *memory)
{
	struct basic_auth *auth = ctx;
	struct waiter *waiter = memory;

	LL_DELETE(auth->waiters, waiter);
	explicit_bzero(waiter, sizeof(*waiter));
	free(waiter);
}

/*
 * Finds the user. An unknown one costs a client the same: the password is checked against some user's hash, always the
 * same one for a name.
 */
static void identify(const struct basic_auth *auth, struct waiter *waiter)
{
	const char *name = waiter->given.user, *password = waiter->given.password;
	const uint64_t hashes[] = {
		hash_bytes(&auth->key, name, strlen(name)),
		hash_bytes(&auth->key, password, strlen(password)),
	};

	while (waiter->user < auth->users && strcmp(auth->user[waiter->user].name, name) != 0)
		waiter->user++;
	waiter->hash = auth->user[waiter->user < auth->users ? waiter->user : hashes[0] % auth->users].hash;
	waiter->tag = hash_bytes(&auth->key, hashes, sizeof(hashes)) | 1;
}

/* QUEUED: the request has taken a try. LIMITED: auth->retry says when to come again. */
static enum state judge(struct basic_auth *auth, const struct http_request *request, struct waiter *waiter)
{
	uint64_t retry_ns = CLOCK_NS_PER_S;
	int waiting;

	if (!http_basic(request, &waiter->given))
		return WRONG;
	identify(auth, waiter);
	if (is_known(auth, waiter))
		return RIGHT;
	LL_COUNT(auth->waiters, waiter, waiting);
	if (waiting < BASIC_AUTH_WAITING)
		retry_ns = tries_take(&auth->tries, &request->client, loop_now_ns(auth->loop));
	snprintf(auth->retry, sizeof(auth->retry), "%" PRIu64, (retry_ns + CLOCK_NS_PER_S - 1) / CLOCK_NS_PER_S);
	return retry_ns ? LIMITED : QUEUED;
}

static enum state ask(struct basic_auth *auth, const struct http_request *request)
{
	struct waiter *waiter = malloc(sizeof(*waiter));
	enum state state;

	if (!waiter)
		return FAILED;
	*waiter = (struct waiter){
		.server = request->http, .connection = request->connection, .client = request->client
	};
	state = judge(auth, request, waiter);
	LL_APPEND(auth->waiters, waiter);
	if (state == QUEUED) {
		*request->memory = waiter;
		/* Not at once: only what waits already can be woken. */
		loop_timer_set(auth->next, 0);
	} else {
		basic_auth_ended(auth, waiter);
	}
	return state;
}

static const struct {
	unsigned int status;
	const char *header, *value, *text;
} refusals[] = {
	[WRONG] = { 401, "WWW-Authenticate", "Basic realm=\"hostmeter\", charset=\"UTF-8\"",
		"a name and its password are needed\n" },
	[LIMITED] = { 429, "Retry-After", NULL, "too many passwords were wrong\n" },
	[FAILED] = { 503, "Retry-After", "1", "passwords cannot be checked now\n" },
};

void basic_auth_request(void *ctx, const struct http_request *request, struct http_response *response)
{
	struct basic_auth *auth = ctx;
	struct waiter *waiter = *request->memory;
	enum state state = waiter ? waiter->state : ANEW;

	if (waiter)
		basic_auth_ended(auth, waiter);
	*request->memory = NULL;
	if (request->local || !auth->users)
		state = RIGHT;
	else if (state == ANEW)
		state = ask(auth, request);
	if (state == RIGHT) {
		auth->handler(auth->ctx, request, response);
	} else if (state == QUEUED) {
		response->status = HTTP_LATER;
	} else {
		response->status = refusals[state].status;
		response->header[0].name = refusals[state].header;
		response->header[0].value = state == LIMITED ? auth->retry : refusals[state].value;
		buf_puts(&response->body, refusals[state].text);
	}
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
	if (auth->worker && auth->next && !hash_key_random(&auth->key))
		return auth;
	basic_auth_free(auth);
	return NULL;
}

void basic_auth_free(struct basic_auth *auth)
{
	if (!auth)
		return;
	basic_auth_set_users(auth, NULL, 0);
	while (auth->waiters)
		basic_auth_ended(auth, auth->waiters);
	loop_timer_del(auth->next);
	bcrypt_worker_free(auth->worker);
	free(auth);
}

void basic_auth_wake(struct basic_auth *auth)
{
	for (struct waiter *waiter = auth->waiters; waiter; waiter = waiter->next)
		if (waiter->state == QUEUED || waiter->state == CHECKING)
			settle(auth, waiter, ANEW);
}

void basic_auth_set_users(struct basic_auth *auth, struct web_config_user *user, size_t count)
{
	basic_auth_wake(auth);
	web_config_free_users(auth->user, auth->users);
	auth->user = user;
	auth->users = count;
	memset(auth->known, 0, sizeof(auth->known));
	/* Where this fails, the first check tries again, and its error is logged. */
	if (count)
		bcrypt_worker_start(auth->worker);
}
