/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"

#include "fake_meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define OK "HTTP/1.0 200 OK\r\n\r\n"

/* The exit status of --once with this answer; what it would print is in "printed". */
static int once(void **state, const char *reply, bool cgi, const char *output)
{
	const char *const replies[] = { reply, NULL };
	const struct config config = {
		.socket = (char *)scratch_path(state, "socket"),
		.cgi = cgi,
		.output = output ? (char *)scratch_path(state, output) : NULL,
	};
	pid_t meter = fake_meter_start(state, replies);
	struct buf out = BUF_INIT;
	int status;

	fake_meter_log(state);
	status = cmd_once(&config, &out);
	assert_true(fake_meter_ended(meter));
	unlink(config.socket);
	scratch_write(state, "printed", "w", buf_text(&out));
	buf_free(&out);
	return status;
}

static void the_metrics_are_printed(void **state)
{
	assert_int_equal(once(state, OK "metric 1\n", false, NULL), CMD_OK);
	assert_string_equal(scratch_read(state, "printed"), "metric 1\n");
	assert_string_equal(scratch_read(state, "asked"), "GET /metrics HTTP/1.0\n");
}

static void a_cgi_page_has_its_header(void **state)
{
	assert_int_equal(once(state, OK "metric 1\n", true, NULL), CMD_OK);
	assert_string_equal(scratch_read(state, "printed"),
		"Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n\r\nmetric 1\n");
}

static void a_file_is_replaced(void **state)
{
	scratch_write(state, "page", "w", "an older page that is longer");
	assert_int_equal(once(state, OK "metric 1\n", false, "page"), CMD_OK);
	assert_string_equal(scratch_read(state, "page"), "metric 1\n");
	assert_string_equal(scratch_read(state, "printed"), "");
}

/* Neither half a page nor a header alone is printed, and a file stays as it is. */
static void without_an_answer_nothing_is_printed(void **state)
{
	scratch_write(state, "page", "w", "older");
	assert_int_equal(once(state, "HTTP/1.0 503 Sorry\r\n\r\nbusy\n", true, "page"), CMD_FAILED);
	assert_string_equal(scratch_read(state, "printed"), "");
	assert_string_equal(scratch_read(state, "page"), "older");
	assert_non_null(strstr(scratch_read(state, "log"), "HTTP status 503\n"));
}

static void a_file_that_cannot_be_written_is_a_failure(void **state)
{
	assert_int_equal(once(state, OK "metric 1\n", false, "no/page"), CMD_FAILED);
	assert_string_equal(scratch_read(state, "printed"), "");
	assert_non_null(strstr(scratch_read(state, "log"), "/no/page: No such file or directory\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(the_metrics_are_printed),
		SCRATCH_TEST(a_cgi_page_has_its_header),
		SCRATCH_TEST(a_file_is_replaced),
		SCRATCH_TEST(without_an_answer_nothing_is_printed),
		SCRATCH_TEST(a_file_that_cannot_be_written_is_a_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
