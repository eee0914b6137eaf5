/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the view asks for, answered by hand: in which order, how often, and what becomes of an answer that came too
 * late.
 */
#include "hostmeter/watch/feed.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

struct world {
	char directory[32], path[64];
	int listener;
	struct watch_feed *feed;
	uint64_t now;
};

static int begin(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	strcpy(w->directory, "/tmp/hostmeter-unit.XXXXXX");
	assert_non_null(mkdtemp(w->directory));
	snprintf(w->path, sizeof(w->path), "%s/socket", w->directory);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", w->path);
	w->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(w->listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(w->listener, 8), 0);
	assert_int_equal(watch_feed_open(&w->feed, w->path), 0);
	w->now = S;
	*state = w;
	return 0;
}

static int end(void **state)
{
	struct world *w = *state;

	watch_feed_free(w->feed);
	close(w->listener);
	unlink(w->path);
	rmdir(w->directory);
	free(w);
	return 0;
}

/* Answers the one who waits; he asked for this. */
static void answer(struct world *w, const char *target, const char *status, const char *body)
{
	char request[512] = "", line[256], reply[1024];
	int client = accept(w->listener, NULL, NULL);

	assert_true(client >= 0);
	assert_true(read(client, request, sizeof(request) - 1) > 0);
	snprintf(line, sizeof(line), "GET %s HTTP/1.0\r\n", target);
	if (strncmp(request, line, strlen(line)) != 0)
		fail_msg("'%s' is not '%s'", request, line);
	snprintf(reply, sizeof(reply), "HTTP/1.0 %s\r\n\r\n%s", status, body);
	assert_int_equal(write(client, reply, strlen(reply)), strlen(reply));
	close(client);
}

static bool nobody_asks(const struct world *w)
{
	return accept(w->listener, NULL, NULL) < 0 && errno == EAGAIN;
}

static int patience(const struct world *w)
{
	struct pollfd polled[WATCH_FEED_FDS];

	return watch_feed_poll(w->feed, polled, w->now);
}

static int connections_of(struct world *w, const char *label, const char *mac, struct watch_connections *fresh)
{
	return watch_feed_connections(w->feed, label, mac, w->now, fresh);
}

static void both_documents_make_a_sample(void **state)
{
	struct world *w = *state;
	struct watch_sample sample;

	assert_false(watch_feed_wants_sample(w->feed));
	assert_int_equal(patience(w), -1);
	assert_int_equal(watch_feed_sample(w->feed, S / 2, &sample), 0);
	assert_true(watch_feed_wants_sample(w->feed));
	assert_in_range(patience(w), 1000, 5000);
	answer(w, "/api/v1/hosts?local=0&watch=0.500", "200 OK", "{\"schema\":1,\"hosts\":[{\"host\":\"a\"}]}");
	assert_int_equal(watch_feed_sample(w->feed, S / 2, &sample), 0);
	assert_true(watch_feed_wants_sample(w->feed));
	answer(w, "/api/v1/status", "200 OK", "{\"schema\":1}");
	assert_int_equal(watch_feed_sample(w->feed, S / 2, &sample), 200);
	assert_false(watch_feed_wants_sample(w->feed));
	assert_int_equal(sample.hosts, 1);
	watch_sample_clear(&sample);
}

static void local_traffic_is_asked_for_where_it_is_wanted(void **state)
{
	struct world *w = *state;
	struct watch_sample sample;

	watch_feed_want_local(w->feed);
	assert_int_equal(watch_feed_sample(w->feed, S, &sample), 0);
	answer(w, "/api/v1/hosts?local=1&watch=1.000", "200 OK", "{\"schema\":1,\"hosts\":[{\"host\":\"a\"}]}");
	assert_int_equal(watch_feed_sample(w->feed, S, &sample), 0);
	answer(w, "/api/v1/status", "200 OK", "{\"schema\":1}");
	assert_int_equal(watch_feed_sample(w->feed, S, &sample), 200);
	assert_false(sample.has_local);
	watch_sample_clear(&sample);
}

static void a_failure_begins_anew(void **state)
{
	struct world *w = *state;
	struct watch_sample sample;

	watch_feed_sample(w->feed, S, &sample);
	answer(w, "/api/v1/hosts?local=0&watch=1.000", "200 OK", "{\"schema\":1,\"hosts\":[]}");
	watch_feed_sample(w->feed, S, &sample);
	answer(w, "/api/v1/status", "503 Sorry", "no");
	assert_int_equal(watch_feed_sample(w->feed, S, &sample), 503);
	watch_feed_sample(w->feed, S, &sample);
	answer(w, "/api/v1/hosts?local=0&watch=1.000", "200 OK", "nonsense");
	watch_feed_sample(w->feed, S, &sample);
	answer(w, "/api/v1/status", "200 OK", "{}");
	assert_int_equal(watch_feed_sample(w->feed, S, &sample), -EBADMSG);
}

#define FLOWS "/api/v1/flows?json=1&host="
#define LINE                                                                                                           \
	"{\"schema\":1,\"original\":{\"src\":\"::1\",\"dst\":\"::2\"},\"reply\":{\"src\":\"::2\",\"dst\":\"::1\"}}\n"

static void a_listing_is_asked_for_until_it_is_there(void **state)
{
	struct world *w = *state;
	struct watch_connections fresh;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(connections_of(w, "a b", "", &fresh), 0);
		answer(w, FLOWS "a%20b", "202 Accepted", "");
		assert_int_equal(connections_of(w, "a b", "", &fresh), 0);
		/* Not at once again. */
		assert_true(watch_feed_wants_connections(w->feed));
		assert_int_equal(connections_of(w, "a b", "", &fresh), 0);
		assert_true(nobody_asks(w));
		assert_in_range(patience(w), 40, 60);
		w->now += 60 * MS;
		assert_int_equal(patience(w), 0);
	}
	connections_of(w, "a b", "", &fresh);
	answer(w, FLOWS "a%20b", "200 OK", LINE);
	assert_int_equal(connections_of(w, "a b", "", &fresh), 200);
	assert_false(watch_feed_wants_connections(w->feed));
	assert_int_equal(fresh.count, 1);
	assert_true(watch_connections_are_of(&fresh, "a b", ""));
	watch_connections_clear(&fresh);
}

/* A host's page was left: the meter keeps its listing for whoever fetches it, and makes no other until then. */
static void one_that_was_begun_is_fetched(void **state)
{
	struct world *w = *state;
	struct watch_connections fresh;

	connections_of(w, "one", "00:00:5e:00:53:0b", &fresh);
	answer(w, FLOWS "00%3A00%3A5e%3A00%3A53%3A0b", "202 Accepted", "");
	connections_of(w, "one", "00:00:5e:00:53:0b", &fresh);
	w->now += S;
	assert_int_equal(connections_of(w, "other", "", &fresh), 0);
	answer(w, FLOWS "00%3A00%3A5e%3A00%3A53%3A0b", "200 OK", LINE);
	assert_int_equal(connections_of(w, "other", "", &fresh), 0);
	assert_int_equal(connections_of(w, "other", "", &fresh), 0);
	answer(w, FLOWS "other", "200 OK", LINE);
	assert_int_equal(connections_of(w, "other", "", &fresh), 200);
	assert_true(watch_connections_are_of(&fresh, "other", ""));
	watch_connections_clear(&fresh);
	connections_of(w, "other", "", &fresh);
	answer(w, FLOWS "other", "403 Forbidden", "no");
	assert_int_equal(connections_of(w, "other", "", &fresh), 403);
	assert_false(watch_feed_wants_connections(w->feed));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(both_documents_make_a_sample, begin, end),
		cmocka_unit_test_setup_teardown(local_traffic_is_asked_for_where_it_is_wanted, begin, end),
		cmocka_unit_test_setup_teardown(a_failure_begins_anew, begin, end),
		cmocka_unit_test_setup_teardown(a_listing_is_asked_for_until_it_is_there, begin, end),
		cmocka_unit_test_setup_teardown(one_that_was_begun_is_fetched, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
