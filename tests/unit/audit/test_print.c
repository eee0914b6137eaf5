/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/audit/audit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct audit_line lines[] = {
	{ .kind = AUDIT_HOST,
		.host = "desk\x1b[31m",
		.mac = "00:00:5e:00:53:01",
		.scope = AUDIT_WAN,
		.family = AUDIT_IPV6,
		.direction = AUDIT_IN,
		.meter = 130,
		.kernel = 100,
		.reason[AUDIT_NOT_READ] = 20,
		.reason[AUDIT_PENDING] = 3,
		.unexplained = 7 },
	{ .kind = AUDIT_SUM, .scope = AUDIT_WAN, .direction = AUDIT_OUT, .meter = 5, .kernel = 5 },
	{ .kind = AUDIT_SUM, .scope = AUDIT_WAN, .direction = AUDIT_IN },
	{ .kind = AUDIT_LINK, .direction = AUDIT_OUT, .meter = 5, .kernel = 33, .reason[AUDIT_LINK_HEADERS] = 28 },
};

static const struct audit_report report = {
	.line = lines, .lines = 4, .unexplained = 1, .flows = 9, .ended = 2, .uncounted = 4
};
static const struct audit_times times = { .took_ns = { 12000000, 34000000 }, .between_ns = 30000000000 };

static void the_table(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	audit_print_text(&out, &report, &times);
	assert_string_equal(buf_text(&out),
		"30.0 s; the meter and the kernel were read within 12 ms at the begin and 34 ms at the end. Bytes:\n"
		"host               scope                   meter         kernel   difference  reason\n"
		"desk?[31m          wan   IPv6 in             130            100          +30  20 passed between two "
		"readings; "
		"3 not counted yet: their host is not known yet; 7 NOT EXPLAINED\n"
		"all hosts          wan   IPv4 out              5              5            0  the same\n"
		"WAN interfaces     -       - tx               5             33          -28  28 link headers\n"
		"9 connections, 2 of them ended\n"
		"4 connections without counters: nobody counts them (nf_conntrack_acct=1 was set later)\n"
		"NOT EXPLAINED: 1 of these lines\n");
	buf_free(&out);
}

static void offloaded_connections(void **state)
{
	struct audit_report offloaded = { .offloaded = 3 };
	struct buf out = BUF_INIT;

	(void)state;
	audit_print_text(&out, &offloaded, &times);
	assert_non_null(strstr(buf_text(&out),
		"3 connections are offloaded: without counter in their flowtable, or in hardware, they are not all "
		"counted\n"));
	buf_reset(&out);
	offloaded.flowtables_count = true;
	audit_print_text(&out, &offloaded, &times);
	assert_non_null(strstr(buf_text(&out), "3 connections are offloaded, and their flowtables count them\n"));
	buf_free(&out);
}

static void one_connection(void **state)
{
	static const char *const lines_of_one[] = {
		"1 connection, 0 of them ended\n",
		"1 connection without counters: nobody counts it (nf_conntrack_acct=1 was set later)\n",
		"1 connection is offloaded: without counter in its flowtable, or in hardware, it is not all counted\n",
		"1 connection came and went, and neither the meter nor its addresses say whose it was\n",
		"1 connection had its counters zeroed by another program\n",
		"1 connection vanished without an event (nf_conntrack_events=1 was set later)\n",
		"1 connection found no room: NOT EXPLAINED\n",
	};
	const struct audit_report one = {
		.flows = 1, .uncounted = 1, .offloaded = 1, .unknown = 1, .zeroed = 1, .vanished = 1, .refused = 1
	};
	struct buf out = BUF_INIT;

	(void)state;
	audit_print_text(&out, &one, &times);
	for (size_t i = 0; i < sizeof(lines_of_one) / sizeof(lines_of_one[0]); i++)
		if (!strstr(buf_text(&out), lines_of_one[i]))
			fail_msg("no \"%s\" in:\n%s", lines_of_one[i], buf_text(&out));
	assert_null(strstr(buf_text(&out), "1 connections"));
	buf_free(&out);
}

static void one_object(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	audit_print_json(&out, &report, &times);
	assert_non_null(strstr(buf_text(&out), "\"host\":\"desk\\u001B[31m\""));
	assert_non_null(strstr(buf_text(&out),
		"{\"reason\":\"not-read\",\"bytes\":20},{\"reason\":\"pending\",\"bytes\":3}"));
	assert_non_null(strstr(buf_text(&out), "\"unexplained\":1"));
	assert_int_equal(buf_text(&out)[out.len - 1], '\n');
	buf_free(&out);
}

static void no_memory_is_told(void **state)
{
	struct buf out = { .error = -12 };

	(void)state;
	audit_print_json(&out, &report, &times);
	assert_int_equal(buf_error(&out), -12);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table),
		cmocka_unit_test(offloaded_connections),
		cmocka_unit_test(one_connection),
		cmocka_unit_test(one_object),
		cmocka_unit_test(no_memory_is_told),
	};

	return cmocka_run_group_tests_name("audit_print", tests, NULL, NULL);
}
