/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"

#include "fake_meter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define OK "HTTP/1.0 200 OK\r\n\r\n"

struct answer {
	struct buf out;
	int status;
};

static struct answer flows(void **state, struct config config, const char *const *replies)
{
	struct answer answer = { BUF_INIT, -1 };
	pid_t meter;

	config.socket = (char *)scratch_path(state, "socket");
	meter = fake_meter_start(state, replies);
	fake_meter_log(state);
	answer.status = cmd_flows(&config, &answer.out);
	assert_true(fake_meter_ended(meter));
	return answer;
}

static void check_sort(void **state, const char *lines, uint32_t top, const char *expected)
{
	struct buf reply = BUF_INIT;
	struct answer answer;

	buf_printf(&reply, OK "%s", lines);
	answer = flows(state, (struct config){ .flows_top = top }, (const char *const[]){ buf_text(&reply), NULL });
	assert_int_equal(answer.status, CMD_OK);
	assert_string_equal(buf_text(&answer.out), expected);
	buf_free(&answer.out);
	buf_free(&reply);
	unlink(scratch_path(state, "socket"));
}

static void the_top_lines_come_first(void **state)
{
	static const char lines[] = "a in=1 out=2\nb in=9 out=0\nc in=0 out=3\nd in=20 out=20\n";

	check_sort(state, lines, 0, lines);
	check_sort(state, lines, 2, "d in=20 out=20\nb in=9 out=0\n");
	/* Equal ones stay in their order. */
	check_sort(state, lines, 9, "d in=20 out=20\nb in=9 out=0\na in=1 out=2\nc in=0 out=3\n");
	check_sort(state, "", 3, "");
}

/* The last pair counts, whatever a host's name says before. */
static void bytes_are_those_at_the_end(void **state)
{
	check_sort(state, "host=\"x in=999 out=999\" in=1 out=1\nb in=5 out=5\n", 1, "b in=5 out=5\n");
	check_sort(state, "{\"host\":\"a\",\"in\":1,\"out\":1}\n{\"host\":\"b\",\"in\":1,\"out\":2}\n", 1,
		"{\"host\":\"b\",\"in\":1,\"out\":2}\n");
}

static void it_asks_until_the_listing_is_there(void **state)
{
	static const char *const replies[] = { "HTTP/1.0 202 Accepted\r\n\r\nlater\n", OK "a in=1 out=2\n", NULL };
	const struct config config = { .json = true, .flows_host = "a b", .flows_ipv = "4", .flows_port = "" };
	struct answer answer = flows(state, config, replies);

	assert_int_equal(answer.status, CMD_OK);
	assert_string_equal(buf_text(&answer.out), "a in=1 out=2\n");
	assert_string_equal(scratch_read(state, "asked"),
		"GET /api/v1/flows?json=1&host=a%20b&ipv=4 HTTP/1.0\n"
		"GET /api/v1/flows?json=1&host=a%20b&ipv=4 HTTP/1.0\n");
	buf_free(&answer.out);
}

static void a_refusal_is_logged_and_nothing_is_printed(void **state)
{
	static const char *const replies[] = { "HTTP/1.0 400 Bad Request\r\n\r\nthere is no such ipv: \"5\"\n", NULL };
	struct answer answer = flows(state, (struct config){ .flows_ipv = "5" }, replies);

	assert_int_equal(answer.status, CMD_USAGE);
	assert_int_equal(answer.out.len, 0);
	assert_string_equal(scratch_read(state, "log"), "hostmeter: error: --flows: there is no such ipv: \"5\"\n");
	buf_free(&answer.out);
}

static void a_host_without_connections_is_told(void **state)
{
	static const char *const replies[] = { OK, NULL };
	struct answer answer = flows(state, (struct config){ .flows_host = "tablet" }, replies);

	assert_int_equal(answer.status, CMD_OK);
	assert_non_null(strstr(scratch_read(state, "log"), "tablet has no such connection now\n"));
	buf_free(&answer.out);
}

/* The meter is asked for its hosts; one that only the configuration has is known too. */
static void a_host_that_is_none_is_told(void **state)
{
	static const char hosts[] = OK "{\"schema\":1,\"hosts\":[{\"host\":\"desktop\",\"mac\":\"00:00:5e:00:53:0b\"},"
				       "{\"host\":\"tv\"},{\"host\":\"tv-kitchen\"},{\"host\":5},{}]}";
	static const struct {
		const char *name, *log;
		int status;
	} cases[] = {
		{ "destop", "error: --flows: the meter knows no host \"destop\"; similar: \"desktop\"\n", CMD_FAILED },
		{ "TX", "error: --flows: the meter knows no host \"TX\"; similar: \"tv\"\n", CMD_FAILED },
		{ "tv-", "error: --flows: the meter knows no host \"tv-\"; similar: \"tv\", \"tv-kitchen\"\n",
			CMD_FAILED },
		{ "phone", "error: --flows: the meter knows no host \"phone\"\n", CMD_FAILED },
		{ "00:00:5e:00:53:0c", "error: --flows: the meter knows no host \"00:00:5e:00:53:0c\"\n", CMD_FAILED },
		{ "Desktop", "Desktop has no such connection now\n", CMD_OK },
		{ "00:00:5E:00:53:0B", "00:00:5E:00:53:0B has no such connection now\n", CMD_OK },
	};
	struct config_host silent = { .name = (char *)"printer" };
	struct answer answer;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		answer = flows(state, (struct config){ .flows_host = (char *)cases[i].name },
			(const char *const[]){ OK, hosts, NULL });

		assert_int_equal(answer.status, cases[i].status);
		assert_int_equal(answer.out.len, 0);
		if (!strstr(scratch_read(state, "log"), cases[i].log))
			fail_msg("%s: %s", cases[i].name, scratch_read(state, "log"));
		unlink(scratch_path(state, "socket"));
		buf_free(&answer.out);
	}
	answer = flows(state, (struct config){ .flows_host = (char *)"printer", .host = &silent, .hosts = 1 },
		(const char *const[]){ OK, NULL });
	assert_int_equal(answer.status, CMD_OK);
	unlink(scratch_path(state, "socket"));
	buf_free(&answer.out);
	/* An address may be anybody's. */
	answer = flows(state, (struct config){ .flows_host = (char *)"192.0.2.7" }, (const char *const[]){ OK, NULL });
	assert_int_equal(answer.status, CMD_OK);
	buf_free(&answer.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SCRATCH_TEST(the_top_lines_come_first),
		SCRATCH_TEST(bytes_are_those_at_the_end),
		SCRATCH_TEST(it_asks_until_the_listing_is_there),
		SCRATCH_TEST(a_refusal_is_logged_and_nothing_is_printed),
		SCRATCH_TEST(a_host_without_connections_is_told),
		SCRATCH_TEST(a_host_that_is_none_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
