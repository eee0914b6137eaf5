/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/clock.h"
#include "hostmeter/guard.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

#define MS CLOCK_NS_PER_MS

/* A netlink socket with reliable delivery, and a table that is as full as the test says. */
struct scene {
	int socket;
	FILE *count, *max;
	struct guard *guard;
};

static void write_number(FILE *file, int number)
{
	rewind(file);
	fprintf(file, "%d\n", number);
	fflush(file);
}

static int begin(void **state)
{
	struct scene *s = calloc(1, sizeof(*s));
	int on = 1;

	assert_non_null(s);
	s->socket = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	assert_true(s->socket >= 0);
	assert_int_equal(setsockopt(s->socket, SOL_NETLINK, NETLINK_BROADCAST_ERROR, &on, sizeof(on)), 0);
	s->count = tmpfile();
	s->max = tmpfile();
	write_number(s->max, 1000);
	*state = s;
	return 0;
}

static int end(void **state)
{
	struct scene *s = *state;

	guard_free(s->guard);
	fclose(s->count);
	fclose(s->max);
	close(s->socket);
	free(s);
	return 0;
}

static void start(struct scene *s, int count, uint64_t patience_ns)
{
	const struct guard_options options = {
		.socket = s->socket,
		.count_fd = fileno(s->count),
		.max_fd = fileno(s->max),
		.fill_percent = 90,
		.patience_ns = patience_ns,
	};

	write_number(s->count, count);
	s->guard = guard_start(&options);
	assert_non_null(s->guard);
}

static bool is_reliable(const struct scene *s)
{
	int on = -1;
	socklen_t len = sizeof(on);

	assert_int_equal(getsockopt(s->socket, SOL_NETLINK, NETLINK_BROADCAST_ERROR, &on, &len), 0);
	return on;
}

/* Beats (or not) until reliability is gone or the time is over. True if it is gone. */
static bool lets_go_within(struct scene *s, uint64_t ns, bool beats)
{
	uint64_t deadline = clock_mono_ns() + ns;

	while (is_reliable(s) && clock_mono_ns() < deadline) {
		if (beats)
			guard_beat(s->guard);
		poll(NULL, 0, 2);
	}
	return !is_reliable(s);
}

static void a_silent_meter_and_a_full_table(void **state)
{
	struct scene *s = *state;

	start(s, 901, 50 * MS);
	assert_true(lets_go_within(s, 5000 * MS, false));
}

static void a_table_that_fills_while_it_is_silent(void **state)
{
	struct scene *s = *state;

	start(s, 100, 10 * MS);
	assert_false(lets_go_within(s, 300 * MS, false));
	write_number(s->count, 999);
	assert_true(lets_go_within(s, 5000 * MS, false));
}

static void a_meter_that_beats_keeps_it(void **state)
{
	struct scene *s = *state;

	start(s, 999, 200 * MS);
	assert_false(lets_go_within(s, 600 * MS, true));
}

static void it_ends_with_the_meter(void **state)
{
	struct scene *s = *state;
	int status;

	start(s, 100, 10 * MS);
	guard_free(s->guard);
	s->guard = NULL;
	assert_int_equal(waitpid(-1, &status, WNOHANG), -1); /* no child, no zombie */
}

static void a_beat_to_nobody_is_harmless(void **state)
{
	struct scene *s = *state;

	signal(SIGPIPE, SIG_IGN);
	start(s, 100, 10 * MS);
	for (int i = 0; i < 100000; i++) /* more than a pipe holds */
		guard_beat(s->guard);
	guard_beat(NULL);
	guard_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_silent_meter_and_a_full_table, begin, end),
		cmocka_unit_test_setup_teardown(a_table_that_fills_while_it_is_silent, begin, end),
		cmocka_unit_test_setup_teardown(a_meter_that_beats_keeps_it, begin, end),
		cmocka_unit_test_setup_teardown(it_ends_with_the_meter, begin, end),
		cmocka_unit_test_setup_teardown(a_beat_to_nobody_is_harmless, begin, end),
	};

	return cmocka_run_group_tests_name("guard", tests, NULL, NULL);
}
