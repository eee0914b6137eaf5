/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "no_answer.h"

#include "fake_meter.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void each_result_has_its_cause(void **state)
{
	static const struct {
		int result;
		const char *cause;
	} cases[] = {
		{ 503, "HTTP status 503" },
		{ 202, "the meter did not list its connections in time" },
		{ -EBADMSG, "the answer makes no sense" },
		{ -EPROTO, "the meter is of another version" },
		{ -ECONNREFUSED, "nobody answers" },
		{ -ENOENT, "nobody answers" },
		{ -EACCES, "permission denied: only root and the socket's group may ask" },
		{ -ETIMEDOUT, "the meter does not answer in time" },
		{ -EMFILE, "Too many open files" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(no_answer_cause(cases[i].result, text), cases[i].cause);
}

static const char *logged(void **state, int result, const char *hint)
{
	fake_meter_log(state);
	no_answer_log("/run/m.sock", result, hint);
	return scratch_read(state, "log");
}

static void the_log_says_what_to_do(void **state)
{
	assert_string_equal(logged(state, -ENOENT, NULL),
		"hostmeter: error: no meter runs here (nobody answers on /run/m.sock): start it with hostmeter, as "
		"root\n");
	assert_string_equal(logged(state, -ECONNREFUSED, "or wait"),
		"hostmeter: error: no meter runs here (nobody answers on /run/m.sock): start it with hostmeter, as "
		"root; "
		"or wait\n");
	assert_string_equal(logged(state, -EACCES, "or wait"),
		"hostmeter: error: /run/m.sock: permission denied: only root and the socket's group may ask\n");
	assert_string_equal(logged(state, 500, NULL), "hostmeter: error: /run/m.sock: HTTP status 500\n");
}

static const char *refused(void **state, int result, const char *body)
{
	fake_meter_log(state);
	no_answer_log_refusal("/run/m.sock", result, "--flows", body);
	return scratch_read(state, "log");
}

static void a_refusal_is_in_the_words_of_the_meter(void **state)
{
	assert_string_equal(refused(state, 400, "there is no such host\nbut others\n"),
		"hostmeter: error: --flows: there is no such host\n");
	assert_string_equal(refused(state, 400, "\n"), "hostmeter: error: /run/m.sock: HTTP status 400\n");
	assert_string_equal(refused(state, -EPROTO, "text"),
		"hostmeter: error: /run/m.sock: the meter is of another version\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_result_has_its_cause),
		SCRATCH_TEST(the_log_says_what_to_do),
		SCRATCH_TEST(a_refusal_is_in_the_words_of_the_meter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
