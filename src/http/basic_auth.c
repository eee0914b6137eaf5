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
	struct http *http;
	void *connection;
	bool rests;
	struct http_credentials given;
	struct passwords_check check;
};

struct gate {
	struct loop *loop;
	http_handler handler;
	void *ctx;
	struct passwords *passwords; /* NULL: open */
	struct verifier *verifier;
	struct waiter *waiter[GATE_RESTING]; /* all that are not answered yet, the oldest first */
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

static void ask_to_wait(struct gate *gate, struct http_response *response, uint64_t retry_ns)
{
	snprintf(gate->retry, sizeof(gate->retry), "%" PRIu64, (retry_ns + CLOCK_NS_PER_S - 1) / CLOCK_NS_PER_S);
	refuse(response, 429, "Retry-After", gate->retry, "too many passwords were wrong\n");
}

static void answer(struct gate *gate, const struct http_request *request, struct http_response *response,
	enum state state)
{
	if (state == RIGHT)
		gate->handler(gate->ctx, request, response);
	else if (state == WRONG)
		ask_for_password(response);
	else
		refuse(response, 503, "Retry-After", "1", "passwords cannot be checked now\n");
}

static void tell_of_wrong(struct gate *gate, const struct waiter *waiter)
{
	char client[ADDR_TEXT];

	log_repeated(&gate->wrong, LOG_PERIOD_NS, loop_now_ns(gate->loop), "wrong password for \"%.64s\" from %s",
		waiter->given.user, addr_format(&waiter->check.asker, client));
}

static void tell_of_failure(struct gate *gate, int error)
{
	log_repeated(&gate->failed, LOG_PERIOD_NS, loop_now_ns(gate->loop), "passwords cannot be checked: %s",
		strerror(-error));
}

/* --- The queue */

static void settle(struct waiter *waiter, enum state state)
{
	waiter->state = state;
	if (waiter->rests)
		http_wake(waiter->http, waiter->connection);
	waiter->rests = false;
}

/* The oldest in this state, or NULL. */
static struct waiter *find(const struct gate *gate, enum state state)
{
	for (size_t i = 0; i < gate->waiters; i++) {
		if (gate->waiter[i]->state == state)
			return gate->waiter[i];
	}
	return NULL;
}

static void outcome(struct gate *gate, struct waiter *waiter, int matches)
{
	bool right = passwords_checked(gate->passwords, &waiter->check, matches);

	if (matches < 0)
		tell_of_failure(gate, matches);
	else if (!right)
		tell_of_wrong(gate, waiter);
	settle(waiter, matches < 0 ? FAILED : right ? RIGHT : WRONG);
}

/* Begins the next check if none runs. */
static void work(struct gate *gate)
{
	struct waiter *waiter;

	while (!verifier_busy(gate->verifier) && (waiter = find(gate, QUEUED))) {
		int error;

		if (passwords_settled(gate->passwords, &waiter->check)) {
			settle(waiter, RIGHT);
			continue;
		}
		error = verifier_check(gate->verifier, waiter->given.password, waiter->check.hash);
		if (error) {
			outcome(gate, waiter, error);
			continue;
		}
		waiter->state = CHECKING;
	}
}

static void on_checked(void *ctx, int matches)
{
	struct gate *gate = ctx;
	struct waiter *waiter = find(gate, CHECKING);

	/* None: the users have changed since it began, and the answer is nobody's. */
	if (waiter)
		outcome(gate, waiter, matches);
	work(gate);
}

static void settle_all(struct gate *gate, enum state state)
{
	for (size_t i = 0; i < gate->waiters; i++) {
		if (gate->waiter[i]->state == QUEUED || gate->waiter[i]->state == CHECKING)
			settle(gate->waiter[i], state);
	}
}

/* --- Requests */

static void forget(struct gate *gate, struct waiter *waiter)
{
	size_t i = 0;

	while (gate->waiter[i] != waiter)
		i++;
	gate->waiters--;
	memmove(&gate->waiter[i], &gate->waiter[i + 1], (gate->waiters - i) * sizeof(gate->waiter[0]));
	explicit_bzero(waiter, sizeof(*waiter));
	free(waiter);
}

void gate_ended(void *ctx, void *memory)
{
	forget(ctx, memory);
}

static void enqueue(struct gate *gate, const struct http_request *request, struct http_response *response,
	const struct http_credentials *given, const struct passwords_check *check)
{
	struct waiter *waiter = gate->waiters < GATE_RESTING ? malloc(sizeof(*waiter)) : NULL;

	if (!waiter) {
		passwords_checked(gate->passwords, check, -1); /* gives the try back */
		ask_to_wait(gate, response, CLOCK_NS_PER_S);
		return;
	}
	*waiter = (struct waiter){
		.http = request->http,
		.connection = request->connection,
		.given = *given,
		.check = *check,
	};
	gate->waiter[gate->waiters++] = waiter;
	work(gate);
	if (waiter->state == QUEUED || waiter->state == CHECKING) {
		waiter->rests = true;
		*request->memory = waiter;
		response->status = HTTP_LATER;
	} else {
		answer(gate, request, response, waiter->state);
		forget(gate, waiter);
	}
}

static void ask(struct gate *gate, const struct http_request *request, struct http_response *response)
{
	struct http_credentials given;
	struct passwords_check check;
	uint64_t retry_ns;

	if (!http_basic(request, &given)) {
		ask_for_password(response);
		return;
	}
	switch (passwords_ask(gate->passwords, &request->client, given.user, given.password, loop_now_ns(gate->loop),
		&check, &retry_ns)) {
	case PASSWORDS_RIGHT:
		gate->handler(gate->ctx, request, response);
		break;
	case PASSWORDS_LIMITED:
		ask_to_wait(gate, response, retry_ns);
		break;
	case PASSWORDS_CHECK:
		enqueue(gate, request, response, &given, &check);
		break;
	}
	explicit_bzero(&given, sizeof(given));
}

void gate_request(void *ctx, const struct http_request *request, struct http_response *response)
{
	struct gate *gate = ctx;
	struct waiter *waiter = *request->memory;
	enum state state = waiter ? waiter->state : ANEW;

	if (waiter)
		forget(gate, waiter);
	*request->memory = NULL;
	if (request->local || !gate->passwords)
		gate->handler(gate->ctx, request, response);
	else if (state == ANEW)
		ask(gate, request, response);
	else
		answer(gate, request, response, state);
}

/* --- Start and end */

struct gate *gate_new(struct loop *loop, http_handler handler, void *ctx)
{
	struct gate *gate = calloc(1, sizeof(*gate));

	if (!gate)
		return NULL;
	*gate = (struct gate){ .loop = loop, .handler = handler, .ctx = ctx };
	gate->verifier = verifier_new(loop, on_checked, gate);
	if (gate->verifier)
		return gate;
	free(gate);
	return NULL;
}

void gate_free(struct gate *gate)
{
	if (!gate)
		return;
	settle_all(gate, FAILED);
	while (gate->waiters)
		forget(gate, gate->waiter[0]);
	verifier_free(gate->verifier);
	passwords_free(gate->passwords);
	free(gate);
}

void gate_set_passwords(struct gate *gate, struct passwords *passwords)
{
	int error;

	settle_all(gate, ANEW);
	passwords_free(gate->passwords);
	gate->passwords = passwords && passwords_count(passwords) ? passwords : NULL;
	if (!gate->passwords) {
		passwords_free(passwords);
		return;
	}
	error = verifier_start(gate->verifier);
	if (error)
		tell_of_failure(gate, error);
}
