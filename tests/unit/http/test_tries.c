/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may try a password when, under a made-up clock. */
#include "tries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)

struct fixture {
	struct tries tries;
	uint64_t now, retry;
};

static struct fixture fixture;

static int setup(void **state)
{
	fixture = (struct fixture){ .now = 1000 * S };
	*state = &fixture;
	return 0;
}

/* Whether the client gets a try; else f->retry says how long to wait. */
static bool try(struct fixture *f, const char *client)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, client), 0);
	f->retry = tries_take(&f->tries, &addr, f->now);
	return f->retry == 0;
}

static void give_back(struct fixture *f, const char *client)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, client), 0);
	tries_return(&f->tries, &addr);
}

static void a_client_runs_out_of_tries(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < TRIES_EACH; i++)
		assert_true(try(f, "192.0.2.1"));
	assert_false(try(f, "192.0.2.1"));
	assert_int_equal(f->retry, TRIES_EACH_NS);
	/* Another client is not meant. */
	assert_true(try(f, "192.0.2.2"));
	f->now += TRIES_EACH_NS - 1;
	assert_false(try(f, "192.0.2.1"));
	assert_int_equal(f->retry, 1);
	f->now += 1;
	assert_true(try(f, "192.0.2.1"));
	assert_false(try(f, "192.0.2.1"));
	/* All of them are back after a while, and no more than all. */
	f->now += 1000 * S;
	for (int i = 0; i < TRIES_EACH; i++)
		assert_true(try(f, "192.0.2.1"));
	assert_false(try(f, "192.0.2.1"));
}

static void a_try_can_be_returned(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < TRIES_EACH; i++)
		assert_true(try(f, "192.0.2.1"));
	assert_false(try(f, "192.0.2.1"));
	give_back(f, "192.0.2.1");
	assert_true(try(f, "192.0.2.1"));
	assert_false(try(f, "192.0.2.1"));
}

static void what_is_returned_costs_nothing(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 100; i++) {
		assert_true(try(f, "192.0.2.1"));
		give_back(f, "192.0.2.1");
	}
}

static void three_tries_and_two_returned(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++)
		assert_true(try(f, "192.0.2.1"));
	give_back(f, "192.0.2.1");
	give_back(f, "192.0.2.1");
	for (int i = 0; i < TRIES_EACH - 1; i++)
		assert_true(try(f, "192.0.2.1"));
	assert_false(try(f, "192.0.2.1"));
}

static void a_v6_client_is_its_prefix(void **state)
{
	struct fixture *f = *state;
	char client[32];

	for (int i = 0; i < TRIES_EACH; i++) {
		snprintf(client, sizeof(client), "2001:db8:0:1::%d", i + 1);
		assert_true(try(f, client));
	}
	assert_false(try(f, "2001:db8:0:1:ffff::9"));
	assert_true(try(f, "2001:db8:0:2::1"));
	assert_true(try(f, "192.0.2.1"));
	give_back(f, "2001:db8:0:1:ffff::9");
	assert_true(try(f, "2001:db8:0:1::1"));
}

static void all_together_run_out_too(void **state)
{
	struct fixture *f = *state;
	char client[32];

	for (int i = 0; i < TRIES_ALL; i++) {
		snprintf(client, sizeof(client), "192.0.2.%d", i + 1);
		assert_true(try(f, client));
	}
	assert_false(try(f, "198.51.100.1"));
	assert_int_equal(f->retry, TRIES_ALL_NS);
	f->now += TRIES_ALL_NS;
	assert_true(try(f, "198.51.100.1"));
	assert_false(try(f, "198.51.100.2"));
}

static void a_thousand_clients_fit(void **state)
{
	struct fixture *f = *state;
	char client[32];

	for (int i = 0; i < 1000; i++) {
		if (i % 4 == 0) {
			f->now += 100 * S; /* all is forgiven */
			while (try(f, "198.51.100.1"))
				;
		}
		f->now += TRIES_ALL_NS;
		snprintf(client, sizeof(client), "10.0.%d.%d", i / 250, i % 250);
		assert_true(try(f, client));
		/* However many they are, nobody who has run out is forgotten for another. */
		assert_false(try(f, "198.51.100.1"));
	}
}

#define TEST(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_client_runs_out_of_tries),
		TEST(a_try_can_be_returned),
		TEST(what_is_returned_costs_nothing),
		TEST(three_tries_and_two_returned),
		TEST(a_v6_client_is_its_prefix),
		TEST(all_together_run_out_too),
		TEST(a_thousand_clients_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
