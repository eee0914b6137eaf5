/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who may try a password when, under a made-up clock. No hash is computed here: the test says what matches. */
#include "users.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)

struct fixture {
	struct users *users;
	uint64_t now, retry;
	struct users_check check;
};

static struct fixture fixture;

static int setup(void **state)
{
	const struct hash_key key = { { 1, 2 } };

	fixture = (struct fixture){ .users = users_new(&key), .now = 1000 * S };
	assert_int_equal(users_add(fixture.users, "alice", "hash of alice"), 0);
	assert_int_equal(users_add(fixture.users, "bob", "hash of bob"), 0);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	users_free(((struct fixture *)*state)->users);
	return 0;
}

static enum users_verdict ask(struct fixture *f, const char *client, const char *user, const char *password)
{
	struct addr addr;

	assert_int_equal(addr_parse(&addr, client), 0);
	f->retry = 0;
	return users_ask(f->users, &addr, user, password, f->now, &f->check, &f->retry);
}

/* Asks and brings the answer of the check: whether there was one. */
static bool try(struct fixture *f, const char *client, const char *user, int matches)
{
	if (ask(f, client, user, "try") != USERS_CHECK)
		return false;
	assert_int_equal(users_checked(f->users, &f->check, matches), matches > 0);
	return true;
}

static void right_is_known_from_then_on(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(users_count(f->users), 2);
	assert_int_equal(ask(f, "192.0.2.1", "alice", "secret"), USERS_CHECK);
	assert_string_equal(f->check.hash, "hash of alice");
	assert_true(users_checked(f->users, &f->check, 1));
	assert_int_equal(ask(f, "192.0.2.1", "alice", "secret"), USERS_RIGHT);
	assert_int_equal(ask(f, "2001:db8::1", "alice", "secret"), USERS_RIGHT);
	/* Neither another password, nor another user's, nor what only looks the same joined. */
	assert_int_equal(ask(f, "192.0.2.1", "alice", "secret2"), USERS_CHECK);
	assert_int_equal(ask(f, "192.0.2.1", "alice", ""), USERS_CHECK);
	assert_int_equal(ask(f, "192.0.2.1", "bob", "secret"), USERS_CHECK);
	assert_string_equal(f->check.hash, "hash of bob");
	assert_int_equal(ask(f, "192.0.2.1", "alices", "ecret"), USERS_CHECK);
}

static void wrong_is_wrong(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, "192.0.2.1", "alice", "guess"), USERS_CHECK);
	assert_false(users_checked(f->users, &f->check, 0));
	assert_int_equal(ask(f, "192.0.2.1", "alice", "guess"), USERS_CHECK);
	/* A wrong one does not make the right one forgotten. */
	assert_true(users_checked(f->users, &f->check, 1));
	assert_int_equal(ask(f, "192.0.2.1", "alice", "other"), USERS_CHECK);
	assert_false(users_checked(f->users, &f->check, 0));
	assert_int_equal(ask(f, "192.0.2.1", "alice", "guess"), USERS_RIGHT);
}

static void a_stranger_is_checked_too_and_fails(void **state)
{
	struct fixture *f = *state;
	bool of_alice = false, of_bob = false;
	const char *hash;

	assert_int_equal(ask(f, "192.0.2.1", "mallory", "x"), USERS_CHECK);
	hash = f->check.hash;
	assert_false(users_checked(f->users, &f->check, 1));
	assert_int_equal(ask(f, "192.0.2.1", "mallory", "x"), USERS_CHECK);
	assert_ptr_equal(f->check.hash, hash);
	/* Strangers are as different in cost as users are. */
	for (int i = 0; i < 40; i++) {
		char name[8];

		f->now += 10 * S;
		snprintf(name, sizeof(name), "u%d", i);
		assert_int_equal(ask(f, "192.0.2.1", name, "x"), USERS_CHECK);
		of_alice |= !strcmp(f->check.hash, "hash of alice");
		of_bob |= !strcmp(f->check.hash, "hash of bob");
		assert_false(users_checked(f->users, &f->check, 0));
	}
	assert_true(of_alice && of_bob);
}

static void an_asker_runs_out_of_tries(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < USERS_TRIES; i++)
		assert_true(try(f, "192.0.2.1", "alice", 0));
	assert_int_equal(ask(f, "192.0.2.1", "alice", "x"), USERS_LIMITED);
	assert_int_equal(f->retry, USERS_EVERY_NS);
	assert_int_equal(ask(f, "192.0.2.1", "nobody", "x"), USERS_LIMITED);
	/* Another asker is not meant. */
	assert_true(try(f, "192.0.2.2", "alice", 0));
	f->now += USERS_EVERY_NS - 1;
	assert_int_equal(ask(f, "192.0.2.1", "alice", "x"), USERS_LIMITED);
	assert_int_equal(f->retry, 1);
	f->now += 1;
	assert_true(try(f, "192.0.2.1", "alice", 0));
	assert_false(try(f, "192.0.2.1", "alice", 0));
	/* All of them are back after a while, and no more than all. */
	f->now += 1000 * S;
	for (int i = 0; i < USERS_TRIES; i++)
		assert_true(try(f, "192.0.2.1", "alice", 0));
	assert_false(try(f, "192.0.2.1", "alice", 0));
}

static void tries_are_taken_before_the_answer(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < USERS_TRIES; i++)
		assert_int_equal(ask(f, "192.0.2.1", "alice", "x"), USERS_CHECK);
	assert_int_equal(ask(f, "192.0.2.1", "alice", "x"), USERS_LIMITED);
	/* Not checked, or right: it is given back. */
	assert_false(users_checked(f->users, &(struct users_check){ .user = 0, .asker = f->check.asker }, -5));
	assert_int_equal(ask(f, "192.0.2.1", "alice", "x"), USERS_CHECK);
	assert_int_equal(ask(f, "192.0.2.1", "alice", "x"), USERS_LIMITED);
}

static void right_costs_no_try(void **state)
{
	struct fixture *f = *state;
	char password[16];

	for (int i = 0; i < 100; i++) {
		snprintf(password, sizeof(password), "p%d", i);
		assert_int_equal(ask(f, "192.0.2.1", "alice", password), USERS_CHECK);
		assert_true(users_checked(f->users, &f->check, 1));
	}
}

static void known_comes_in_whoever_guesses(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ask(f, "192.0.2.1", "alice", "secret"), USERS_CHECK);
	assert_true(users_checked(f->users, &f->check, 1));
	while (try(f, "192.0.2.1", "alice", 0))
		;
	assert_int_equal(ask(f, "192.0.2.1", "alice", "secret"), USERS_RIGHT);
}

static void waiting_ones_are_settled_by_the_first(void **state)
{
	struct fixture *f = *state;
	struct users_check second, other;

	assert_int_equal(ask(f, "192.0.2.1", "alice", "secret"), USERS_CHECK);
	second = f->check;
	assert_int_equal(ask(f, "192.0.2.1", "alice", "other"), USERS_CHECK);
	other = f->check;
	assert_int_equal(ask(f, "192.0.2.1", "alice", "secret"), USERS_CHECK);
	assert_false(users_settled(f->users, &second));
	assert_true(users_checked(f->users, &f->check, 1));
	assert_true(users_settled(f->users, &second));
	assert_false(users_settled(f->users, &other));
	/* Two of three tries are back. */
	for (int i = 0; i < USERS_TRIES - 1; i++)
		assert_true(try(f, "192.0.2.1", "bob", 0));
	assert_false(try(f, "192.0.2.1", "bob", 0));
}

static void a_v6_asker_is_its_prefix(void **state)
{
	struct fixture *f = *state;
	char client[32];

	for (int i = 0; i < USERS_TRIES; i++) {
		snprintf(client, sizeof(client), "2001:db8:0:1::%d", i + 1);
		assert_true(try(f, client, "alice", 0));
	}
	assert_false(try(f, "2001:db8:0:1:ffff::9", "alice", 0));
	assert_true(try(f, "2001:db8:0:2::1", "alice", 0));
	assert_true(try(f, "192.0.2.1", "alice", 0));
}

static void all_together_run_out_too(void **state)
{
	struct fixture *f = *state;
	char client[32];

	for (int i = 0; i < USERS_TRIES_ALL; i++) {
		snprintf(client, sizeof(client), "192.0.2.%d", i + 1);
		assert_true(try(f, client, "alice", 0));
	}
	assert_int_equal(ask(f, "198.51.100.1", "alice", "x"), USERS_LIMITED);
	assert_int_equal(f->retry, USERS_EVERY_ALL_NS);
	f->now += USERS_EVERY_ALL_NS;
	assert_true(try(f, "198.51.100.1", "alice", 0));
	assert_false(try(f, "198.51.100.2", "alice", 0));
}

static void a_thousand_askers_fit(void **state)
{
	struct fixture *f = *state;
	char client[32];

	for (int i = 0; i < 1000; i++) {
		if (i % 4 == 0) {
			f->now += 100 * S; /* all is forgiven */
			while (try(f, "198.51.100.1", "alice", 0))
				;
		}
		f->now += USERS_EVERY_ALL_NS;
		snprintf(client, sizeof(client), "10.0.%d.%d", i / 250, i % 250);
		assert_true(try(f, client, "alice", 0));
		/* However many they are, nobody who has run out is forgotten for another. */
		assert_int_equal(ask(f, "198.51.100.1", "alice", "x"), USERS_LIMITED);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(right_is_known_from_then_on),
		TEST(wrong_is_wrong),
		TEST(a_stranger_is_checked_too_and_fails),
		TEST(an_asker_runs_out_of_tries),
		TEST(tries_are_taken_before_the_answer),
		TEST(right_costs_no_try),
		TEST(known_comes_in_whoever_guesses),
		TEST(waiting_ones_are_settled_by_the_first),
		TEST(a_v6_asker_is_its_prefix),
		TEST(all_together_run_out_too),
		TEST(a_thousand_askers_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
