/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A real server behind the auth, a real child that checks, and clients that come at the wrong moments. */
#include "hostmeter/http/basic_auth.h"

#include "child_of_ours.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/os/loop.h"
#include "tries.h"
#include "web_config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* Of "secret" and of "other", of the lowest cost; and of the first of a cost that gives a test time. */
#define SECRET "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
#define OTHER "$2b$04$abcdefghijklmnopqrstuu0HtfOlPbTiymk5tcV.3TsFPDd3SYZqu"
#define SLOW "$2b$12$abcdefghijklmnopqrstuuT1Iwu6o8Wx7BoOyIMHfgVJq6JO/IJhW"

/* base64 of NAME:PASSWORD */
#define ALICE_SECRET "YWxpY2U6c2VjcmV0"
#define ALICE_OTHER "YWxpY2U6b3RoZXI="
#define ALICE_WRONG "YWxpY2U6d3Jvbmc="
#define ALICE_NOTHING "YWxpY2U6"
#define ALICES_ECRET "YWxpY2VzOmVjcmV0"
#define BOB_SECRET "Ym9iOnNlY3JldA=="
#define BOB_OTHER "Ym9iOm90aGVy"
#define MALLORY_SECRET "bWFsbG9yeTpzZWNyZXQ="

enum { CLIENTS = BASIC_AUTH_WAITING + 4 };

struct client {
	int fd;
	struct loop_io *io;
	struct buf reply;
	struct fixture *f;
};

struct fixture {
	struct loop *loop;
	struct loop_timer *deadline;
	struct basic_auth *auth;
	struct http_server *http;
	uint16_t port;
	int served;
	struct client client[CLIENTS];
	int clients, open;
};

static void handler(void *ctx, const struct http_request *request, struct http_response *response)
{
	struct fixture *f = ctx;

	(void)request;
	f->served++;
	buf_puts(&response->body, "inside\n");
}

static void too_late(void *ctx)
{
	(void)ctx;
	fail_msg("nothing happened before the deadline");
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char where[32];
	int error = -EADDRINUSE;

	log_set_fd(open("/dev/null", O_WRONLY | O_CLOEXEC));
	f->loop = loop_new();
	f->deadline = loop_timer_add(f->loop, too_late, f);
	f->auth = basic_auth_new(f->loop, handler, f);
	f->http = http_server_new(f->loop, basic_auth_request, basic_auth_ended, f->auth);
	for (int i = 0; i < 50 && error == -EADDRINUSE; i++) {
		f->port = (uint16_t)(20000 + (getpid() * 7 + i * 131) % 10000);
		snprintf(where, sizeof(where), "127.0.0.1:%u", f->port);
		error = http_server_listen(f->http, where);
	}
	*state = f;
	return error;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	basic_auth_free(f->auth);
	http_server_free(f->http);
	for (int i = 0; i < f->clients; i++) {
		buf_free(&f->client[i].reply);
		close(f->client[i].fd);
	}
	loop_free(f->loop);
	free(f);
	return 0;
}

/* Alice and, unless NULL, bob with these hashes. */
static void set_users(struct fixture *f, const char *alice, const char *bob)
{
	struct web_config_user *user = calloc(2, sizeof(*user));

	user[0] = (struct web_config_user){ strdup("alice"), strdup(alice) };
	if (bob)
		user[1] = (struct web_config_user){ strdup("bob"), strdup(bob) };
	basic_auth_set_users(f->auth, user, bob ? 2 : 1);
}

static void readable(void *ctx, int events)
{
	struct client *c = ctx;
	ssize_t n = recv(c->fd, buf_reserve(&c->reply, 4096), 4096, MSG_DONTWAIT);

	(void)events;
	if (n > 0) {
		buf_commit(&c->reply, (size_t)n);
		return;
	}
	loop_io_del(c->io);
	c->io = NULL;
	if (--c->f->open == 0)
		loop_stop(c->f->loop);
}

/* Comes from 127.0.0.FROM, so that each is an asker of its own. */
static struct client *come(struct fixture *f, int from, const char *credentials)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct client *c = &f->client[f->clients++];
	char request[256];

	c->f = f;
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + (uint32_t)from);
	assert_int_equal(bind(c->fd, (struct sockaddr *)&in, sizeof(in)), 0);
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(f->port);
	assert_int_equal(connect(c->fd, (struct sockaddr *)&in, sizeof(in)), 0);
	snprintf(request, sizeof(request), "GET / HTTP/1.1\r\nHost: x\r\n%s%s%sConnection: close\r\n\r\n",
		credentials ? "Authorization: Basic " : "", credentials ? credentials : "", credentials ? "\r\n" : "");
	assert_int_equal(send(c->fd, request, strlen(request), MSG_NOSIGNAL), strlen(request));
	c->io = loop_io_add(f->loop, c->fd, LOOP_READ, readable, c);
	f->open++;
	return c;
}

/* Until all that came were answered. */
static void finish(struct fixture *f)
{
	loop_timer_set(f->deadline, 30 * CLOCK_NS_PER_S);
	loop_run(f->loop);
	loop_timer_stop(f->deadline);
	assert_int_equal(f->open, 0);
}

static int status(struct client *c)
{
	return atoi(buf_text(&c->reply) + strlen("HTTP/1.1 "));
}

static int ask(struct fixture *f, int from, const char *credentials)
{
	struct client *c = come(f, from, credentials);

	finish(f);
	return status(c);
}

static void open_until_there_are_users(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, 1, NULL), 200);
	basic_auth_set_users(f->auth, NULL, 0);
	assert_int_equal(ask(f, 1, NULL), 200);
	set_users(f, SECRET, NULL);
	assert_int_equal(ask(f, 1, NULL), 401);
	assert_int_equal(ask(f, 1, ALICE_WRONG), 401);
	assert_int_equal(f->served, 2);
	assert_int_equal(ask(f, 1, ALICE_SECRET), 200);
	assert_int_equal(ask(f, 1, ALICE_SECRET), 200);
	basic_auth_set_users(f->auth, NULL, 0);
	assert_int_equal(ask(f, 1, NULL), 200);
	assert_int_equal(f->served, 5);
}

/* Stops the loop from within, once the requests that came have been read. */
static void interrupt(void *ctx)
{
	loop_stop(((struct fixture *)ctx)->loop);
}

static void turn(struct fixture *f, uint64_t ns)
{
	struct loop_timer *timer = loop_timer_add(f->loop, interrupt, f);

	loop_timer_set(timer, ns);
	loop_run(f->loop);
	loop_timer_del(timer);
}

static void new_users_while_somebody_rests(void **state)
{
	struct fixture *f = *state;
	struct client *first, *second;

	set_users(f, SLOW, NULL);
	first = come(f, 1, ALICE_SECRET);
	second = come(f, 2, ALICE_OTHER);
	turn(f, 50 * CLOCK_NS_PER_MS); /* a check takes longer */
	assert_int_equal(f->open, 2);
	set_users(f, OTHER, NULL);
	finish(f);
	/* The first was right by the old users: its check has ended by now, and counts for nothing. */
	assert_int_equal(status(first), 401);
	assert_int_equal(status(second), 200);
	assert_int_equal(ask(f, 1, ALICE_SECRET), 401);
	first = come(f, 1, ALICE_WRONG);
	turn(f, 0);
	basic_auth_set_users(f->auth, NULL, 0);
	finish(f);
	assert_int_equal(status(first), 200);
}

static void a_child_that_dies_while_it_checks(void **state)
{
	struct fixture *f = *state;
	struct client *first, *second;

	set_users(f, SECRET, NULL);
	assert_int_equal(kill(child_of_ours(), SIGSTOP), 0);
	first = come(f, 1, ALICE_SECRET);
	second = come(f, 1, ALICE_SECRET);
	turn(f, 50 * CLOCK_NS_PER_MS);
	assert_int_equal(f->open, 2);
	assert_int_equal(kill(child_of_ours(), SIGKILL), 0);
	finish(f);
	/* The next is checked by another. */
	assert_int_equal(status(first) + status(second), 503 + 200);
}

static void only_so_many_rest(void **state)
{
	struct fixture *f = *state;
	int limited = 0, right = 0;

	set_users(f, SECRET, NULL);
	assert_int_equal(kill(child_of_ours(), SIGSTOP), 0);
	for (int i = 0; i < BASIC_AUTH_WAITING + 2; i++)
		come(f, 1 + i / 4, ALICE_SECRET);
	turn(f, 200 * CLOCK_NS_PER_MS);
	assert_int_equal(kill(child_of_ours(), SIGCONT), 0);
	finish(f);
	for (int i = 0; i < f->clients; i++) {
		right += status(&f->client[i]) == 200;
		limited += status(&f->client[i]) == 429 && strstr(buf_text(&f->client[i].reply), "Retry-After: 1\r\n");
	}
	assert_int_equal(right, BASIC_AUTH_WAITING);
	assert_int_equal(limited, 2);
	/* All were right in the end, so nobody has lost a try. */
	for (int i = 0; i < TRIES_EACH - 3; i++)
		assert_int_equal(ask(f, 1, ALICE_WRONG), 401);
}

static void it_ends_while_somebody_rests(void **state)
{
	struct fixture *f = *state;

	set_users(f, SLOW, NULL);
	come(f, 1, ALICE_SECRET);
	come(f, 2, ALICE_SECRET);
	turn(f, 50 * CLOCK_NS_PER_MS);
	assert_int_equal(f->open, 2);
	/* teardown() is the test. */
}

static void right_is_known_from_then_on(void **state)
{
	static const char *const others[] = { ALICE_WRONG, ALICE_NOTHING, BOB_SECRET, ALICES_ECRET };
	struct fixture *f = *state;

	set_users(f, SECRET, OTHER);
	assert_int_equal(ask(f, 1, ALICE_SECRET), 200);
	assert_int_equal(kill(child_of_ours(), SIGSTOP), 0);
	/* No check is made for it, wherever it comes from. */
	assert_int_equal(ask(f, 1, ALICE_SECRET), 200);
	assert_int_equal(ask(f, 2, ALICE_SECRET), 200);
	/* Neither another password, nor another user's, nor what only looks the same joined. */
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		come(f, 3, others[i]);
	turn(f, 50 * CLOCK_NS_PER_MS);
	assert_int_equal(f->open, 4);
	/* Whoever guesses, what is known comes in. */
	come(f, 3, ALICE_SECRET);
	turn(f, 50 * CLOCK_NS_PER_MS);
	assert_int_equal(status(&f->client[f->clients - 1]), 200);
	assert_int_equal(f->open, 4);
	assert_int_equal(kill(child_of_ours(), SIGCONT), 0);
	finish(f);
	for (int i = 3; i < 7; i++)
		assert_int_equal(status(&f->client[i]), 401);
	/* A wrong one does not make the right one forgotten; and each user has one of their own. */
	assert_int_equal(ask(f, 4, BOB_OTHER), 200);
	assert_int_equal(kill(child_of_ours(), SIGSTOP), 0);
	assert_int_equal(ask(f, 4, ALICE_SECRET), 200);
	assert_int_equal(ask(f, 4, BOB_OTHER), 200);
}

static void known_comes_in_without_a_try(void **state)
{
	struct fixture *f = *state;
	int status = 401;

	set_users(f, SECRET, NULL);
	assert_int_equal(ask(f, 1, ALICE_SECRET), 200);
	for (int i = 0; i < TRIES_EACH && status == 401; i++)
		status = ask(f, 1, ALICE_WRONG);
	assert_int_equal(status, 401);
	assert_int_equal(ask(f, 1, ALICE_WRONG), 429);
	/* A stranger is limited as well. */
	assert_int_equal(ask(f, 1, MALLORY_SECRET), 429);
	assert_int_equal(ask(f, 1, ALICE_SECRET), 200);
}

/* Right passwords cost no try: each of these is checked, for the other one is remembered. */
static void right_costs_no_try(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < TRIES_EACH + 2; i++) {
		set_users(f, i % 2 ? OTHER : SECRET, NULL);
		assert_int_equal(ask(f, 1, i % 2 ? ALICE_OTHER : ALICE_SECRET), 200);
	}
	/* What was right by the old users is not known by the new ones. */
	set_users(f, OTHER, NULL);
	assert_int_equal(ask(f, 1, ALICE_SECRET), 401);
}

/* The CPU time of our child in clock ticks. */
static unsigned long child_ticks(void)
{
	unsigned long user, system;
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", child_of_ours());
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d %*s %*s %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system),
		2);
	fclose(file);
	return user + system;
}

/* What a check of these credentials costs the child, which has to find them wrong. */
static unsigned long cost(struct fixture *f, int from, const char *credentials)
{
	unsigned long before = child_ticks();

	assert_int_equal(ask(f, from, credentials), 401);
	f->clients--;
	buf_free(&f->client[f->clients].reply);
	close(f->client[f->clients].fd);
	return child_ticks() - before;
}

/* Checked against the hash of alice or of bob, which differ in cost: as different in cost as users are. */
static void a_stranger_is_checked_too_and_fails(void **state)
{
	struct fixture *f = *state;
	int slow = 0, strangers = TRIES_ALL - 3;
	unsigned long bob;
	bool first;

	set_users(f, SECRET, SLOW);
	bob = cost(f, 1, BOB_OTHER);
	first = cost(f, 1, MALLORY_SECRET) > bob / 4;
	assert_int_equal(cost(f, 1, MALLORY_SECRET) > bob / 4, first);
	/* base64 of "xyN:secret" */
	for (int i = 0; i < strangers; i++) {
		char credentials[] = "eHlBOnNlY3JldA==";

		credentials[3] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"[i];
		slow += cost(f, 2 + i, credentials) > bob / 4;
	}
	/* The key is random: all on one side once in 65000 runs. */
	assert_true(slow > 0 && slow < strangers);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(open_until_there_are_users),
		TEST(new_users_while_somebody_rests),
		TEST(a_child_that_dies_while_it_checks),
		TEST(only_so_many_rest),
		TEST(it_ends_while_somebody_rests),
		TEST(right_is_known_from_then_on),
		TEST(known_comes_in_without_a_try),
		TEST(right_costs_no_try),
		TEST(a_stranger_is_checked_too_and_fails),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
