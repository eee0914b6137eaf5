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

/* Of a stranger's answer nothing reaches the terminal, the web server or the file that could control a terminal. */
static void what_a_stranger_answers_is_disarmed(void **state)
{
	static const char evil[] = OK "# \xc2\x9b"
				      "2J\x1b[2J\tt\nm{host=\"\xe2\x80\xae\xff\x7f\"} 1\r2\r\n";
	static const char fine[] = "# ?2J?[2J\tt\nm{host=\"???\"} 1?2\r\n";
	struct buf out = BUF_INIT;
	char text[200] = "";
	int to[2], saved;

	assert_int_equal(once(state, evil, false, "page"), CMD_OK);
	assert_string_equal(scratch_read(state, "page"), fine);
	buf_puts(&out, evil + strlen(OK));
	assert_int_equal(pipe(to), 0);
	fflush(stdout);
	saved = dup(1);
	dup2(to[1], 1);
	assert_int_equal(cmd_print(&out), CMD_OK);
	dup2(saved, 1);
	assert_int_equal(read(to[0], text, sizeof(text) - 1), (int)strlen(fine));
	assert_string_equal(text, fine);
	close(saved), close(to[0]), close(to[1]);
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

static void what_is_no_file_is_not_replaced(void **state)
{
	struct stat st;

	assert_int_equal(symlink("/dev/full", scratch_path(state, "link")), 0);
	assert_int_equal(once(state, OK "metric 1\n", false, "link"), CMD_FAILED);
	assert_non_null(strstr(scratch_read(state, "log"), "/link: is a symbolic link"));
	assert_int_equal(lstat(scratch_path(state, "link"), &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(mkfifo(scratch_path(state, "fifo"), 0600), 0);
	assert_int_equal(once(state, OK "metric 1\n", false, "fifo"), CMD_FAILED);
	assert_non_null(strstr(scratch_read(state, "log"), "/fifo: is a FIFO that nobody reads\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(the_metrics_are_printed),
		SCRATCH_TEST(what_a_stranger_answers_is_disarmed),
		SCRATCH_TEST(a_cgi_page_has_its_header),
		SCRATCH_TEST(a_file_is_replaced),
		SCRATCH_TEST(without_an_answer_nothing_is_printed),
		SCRATCH_TEST(a_file_that_cannot_be_written_is_a_failure),
		SCRATCH_TEST(what_is_no_file_is_not_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
