/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Real hashes in a real child, of the lowest cost, as other programs made them. */
#include "bcrypt_worker.h"

#include "child_of_ours.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/os/loop.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Of "secret". */
#define HASH_2B "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"

struct fixture {
	struct loop *loop;
	struct loop_timer *deadline;
	struct bcrypt_worker *worker;
	int calls, outcome;
	const char *next; /* to be checked from within done */
};

static void done(void *ctx, int matches)
{
	struct fixture *f = ctx;

	f->calls++;
	f->outcome = matches;
	if (!f->next) {
		loop_stop(f->loop);
		return;
	}
	/* It is not busy any more. */
	assert_int_equal(bcrypt_worker_check(f->worker, f->next, HASH_2B), 0);
	f->next = NULL;
}

static void too_late(void *ctx)
{
	(void)ctx;
	fail_msg("nothing happened before the deadline");
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->loop = loop_new();
	f->deadline = loop_timer_add(f->loop, too_late, f);
	f->worker = bcrypt_worker_new(f->loop, done, f);
	*state = f;
	return f->worker ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	bcrypt_worker_free(f->worker);
	loop_free(f->loop);
	free(f);
	return 0;
}

static int wait_for(struct fixture *f)
{
	f->outcome = -1000;
	loop_timer_set(f->deadline, 20 * CLOCK_NS_PER_S);
	loop_run(f->loop);
	loop_timer_stop(f->deadline);
	return f->outcome;
}

static int check(struct fixture *f, const char *password, const char *hash)
{
	assert_int_equal(bcrypt_worker_check(f->worker, password, hash), 0);
	return wait_for(f);
}

static void right_and_wrong(void **state)
{
	static const struct {
		const char *password, *hash;
		int matches;
	} cases[] = {
		{ "secret", HASH_2B, 1 },
		{ "secre", HASH_2B, 0 },
		{ "Secret", HASH_2B, 0 },
		{ "", HASH_2B, 0 },
		/* crypt_blowfish's and the toolkit's own vectors */
		{ "U*U", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", 1 },
		{ "\xff\xff\xa3", "$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e", 1 },
		{ "U*V", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", 0 },
		/* what is no hash matches nothing */
		{ "*0", "*0", 0 },
		{ "", "", 0 },
		{ "x", "$2b$99$abcdefghijklmnopqrstuuN1g9XZ3CnUYRT2H6xUVnDNuzZVR6OaW", 0 },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (check(f, cases[i].password, cases[i].hash) != cases[i].matches)
			fail_msg("%s %s", cases[i].password, cases[i].hash);
}

static void one_child_one_check(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	assert_int_equal(child_of_ours(), -1);
	assert_int_equal(bcrypt_worker_start(f->worker), 0);
	pid = child_of_ours();
	assert_true(pid > 0);
	assert_int_equal(bcrypt_worker_check(f->worker, "wrong", HASH_2B), 0);
	assert_int_equal(bcrypt_worker_check(f->worker, "secret", HASH_2B), -EBUSY);
	f->next = "secret";
	assert_int_equal(wait_for(f), 1);
	assert_int_equal(f->calls, 2);
	assert_int_equal(child_of_ours(), pid);
}

static void a_child_that_dies_is_replaced(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	assert_int_equal(check(f, "secret", HASH_2B), 1);
	pid = child_of_ours();
	/* Stopped first, so that it does not answer before it dies. */
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_int_equal(bcrypt_worker_check(f->worker, "secret", HASH_2B), 0);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(wait_for(f), -ECHILD);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(child_of_ours(), -1);
	assert_int_equal(check(f, "secret", HASH_2B), 1);
	assert_int_not_equal(child_of_ours(), pid);
}

static void it_ends_with_its_owner(void **state)
{
	struct fixture *f = *state;
	pid_t pid;

	assert_int_equal(bcrypt_worker_start(f->worker), 0);
	pid = child_of_ours();
	assert_int_equal(kill(pid, SIGTERM), 0); /* is not for it */
	assert_int_equal(check(f, "secret", HASH_2B), 1);
	assert_int_equal(bcrypt_worker_check(f->worker, "secret", HASH_2B), 0);
	bcrypt_worker_free(f->worker);
	f->worker = NULL;
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(f->calls, 1);
}

static void it_is_nice_and_has_no_capability(void **state)
{
	struct fixture *f = *state;
	char path[64], line[256];
	int found = 0;
	FILE *file;

	assert_int_equal(check(f, "secret", HASH_2B), 1);
	snprintf(path, sizeof(path), "/proc/%d/status", child_of_ours());
	file = fopen(path, "r");
	while (fgets(line, sizeof(line), file)) {
		found += !strcmp(line, "CapEff:\t0000000000000000\n");
		found += !strcmp(line, "CapPrm:\t0000000000000000\n");
		found += !strcmp(line, "NoNewPrivs:\t1\n");
		found += !strcmp(line, "Name:\thostmeter-check\n");
	}
	fclose(file);
	assert_int_equal(found, 4);
	snprintf(path, sizeof(path), "/proc/%d/stat", child_of_ours());
	file = fopen(path, "r");
	assert_int_equal(fscanf(file, "%*d %*s %*s %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %d",
				 &found),
		1);
	fclose(file);
	assert_true(found >= BCRYPT_WORKER_NICE);
}

static void what_is_too_long_is_not_checked(void **state)
{
	struct fixture *f = *state;
	char text[BCRYPT_WORKER_PASSWORD + 2];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	assert_int_equal(bcrypt_worker_check(f->worker, text, HASH_2B), -EMSGSIZE);
	text[BCRYPT_WORKER_PASSWORD] = 0;
	assert_int_equal(check(f, text, HASH_2B), 0);
	assert_int_equal(bcrypt_worker_check(f->worker, "a", text), -EMSGSIZE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(right_and_wrong),
		TEST(one_child_one_check),
		TEST(a_child_that_dies_is_replaced),
		TEST(it_ends_with_its_owner),
		TEST(it_is_nice_and_has_no_capability),
		TEST(what_is_too_long_is_not_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
