/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where what the running meter reports begins to be bad. test_judge.c has a fault for each judgement. */
#include "hostmeter/check/judge.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* The finding of this name alone; free what is inside. */
static struct finding judge(const struct check_facts *facts, const char *name)
{
	struct finding all[JUDGE_MOST], found = { 0 };
	size_t count = judge_all(facts, all);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(all[i].name, name))
			finding_clear(&all[i], 1);
		else
			found = all[i];
	}
	assert_non_null(found.name);
	return found;
}

static void expect(const char *name, const struct check_meter *meter, enum finding_state state, const char *text)
{
	const struct check_facts facts = { .socket = "/run/s", .nflog_group = 60, .table_limit = 100, .meter = *meter };
	struct finding finding = judge(&facts, name);

	if (finding.state != state || !strstr(buf_text(&finding.text), text))
		fail_msg("%d: %s", finding.state, buf_text(&finding.text));
	finding_clear(&finding, 1);
}

/* One per cent of nobody's bytes, and not of none. */
static void unattributed_bytes(void **state)
{
	struct check_meter meter = { .answers = true, .unknown_bytes = 99, .wan_bytes = 10000 };

	(void)state;
	expect("unattributed", &meter, FINDING_OK, "99 of 10000 bytes");
	meter.unknown_bytes = 100;
	expect("unattributed", &meter, FINDING_BAD, "100 of 10000 bytes");
	meter = (struct check_meter){ .answers = true };
	expect("unattributed", &meter, FINDING_OK, "0 of 0 bytes");
}

static void the_age_of_a_dump(void **state)
{
	struct check_meter meter = { .answers = true, .dump_age = 13, .dump_interval = 1 };

	(void)state;
	expect("dump-age", &meter, FINDING_OK, "13.0 s, every 1.0 s");
	meter.dump_age = 13.1;
	expect("dump-age", &meter, FINDING_BAD, "13 s ago, and should be every 1.0 s");
}

static void numbers_have_their_ending(void **state)
{
	struct check_meter meter = {
		.answers = true, .resets = 1, .damaged = 1, .hosts_folded = 1, .switched_off = 1, .reliable = true
	};

	(void)state;
	expect("zeroing", &meter, FINDING_BAD, "fell 1 time:");
	expect("damaged", &meter, FINDING_BAD, "1 message of");
	expect("hosts", &meter, FINDING_BAD, "1 time a host");
	expect("reliability", &meter, FINDING_BAD, "given up 1 time,");
}

/* An end without counters is one of the ends. A meter that restarted may have counted fewer. */
static void ends(void **state)
{
	struct check_meter meter = { .answers = true, .ends = 10, .ends_uncounted = 4 };

	(void)state;
	expect("lost-ends", &meter, FINDING_BAD, "4 ended without counters, 6 ended as they should");
	meter.ends = 3;
	expect("lost-ends", &meter, FINDING_BAD, "4 ended without counters, 0 ended as they should");
	meter.ends_uncounted = 0;
	expect("lost-ends", &meter, FINDING_OK, "3 ended as they should");
}

/* More than half of a WAN's bytes, more than a few megabytes, and more than overhead can be. */
static void bytes_of_no_connection(void **state)
{
	static const struct {
		uint64_t seen, unseen, packets;
		enum finding_state state;
	} cases[] = {
		{ 0, (8 << 20) + 1, 9000, FINDING_BAD },
		{ 0, 8 << 20, 9000, FINDING_OK },
		{ 10000000, 10000000, 9000, FINDING_OK },
		{ 10000000, 10000001, 9000, FINDING_BAD },
		{ 10000000, 20000000, 20000000 / 64, FINDING_OK }, /* WireGuard with small packets: its own headers */
		{ 10000000, 20000000, 20000000 / 64 - 1, FINDING_BAD },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct check_facts facts = { .socket = "",
			.meter.answers = true,
			.wan = { { "wan", 1000, 10, 9 }, { "ppp0", cases[i].seen, cases[i].unseen, cases[i].packets } },
			.wans = 2 };
		struct finding finding = judge(&facts, "unseen");
		const char *text = buf_text(&finding.text);

		if (finding.state != cases[i].state || (finding.state == FINDING_BAD) != !strncmp(text, "ppp0: ", 6))
			fail_msg("%zu: %s", i, text);
		finding_clear(&finding, 1);
	}
}

/* Bridges of containers and virtual machines are no fault; how to leave them out is said, of LANs only. */
static void interfaces_to_leave_out(void **state)
{
	static const struct {
		const char *name, *side, *guests; /* NULL: nothing is said */
	} cases[] = {
		{ "docker0", "lan", "containers" },
		{ "docker_gwbridge", "lan", "containers" },
		{ "br-0123456789af", "lan", "containers" },
		{ "veth1a2b3c4", "lan", "containers" },
		{ "cni0", "lan", "containers" },
		{ "podman1", "lan", "containers" },
		{ "lxdbr0", "lan", "containers" },
		{ "incusbr0", "lan", "containers" },
		{ "virbr0", "lan", "virtual machines" },
		{ "docker0", "wan", NULL },
		{ "docker0", "other", NULL },
		{ "br-lan", "lan", NULL },
		{ "br-0123456789a", "lan", NULL },
		{ "br-0123456789afb", "lan", NULL },
		{ "br-0123456789ag", "lan", NULL },
		{ "eth1", "lan", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct check_facts facts = { .socket = "", .meter.answers = true, .verdicts = 1 };
		struct check_verdict *verdict = &facts.verdict[0];
		struct finding sides;
		char hint[128] = "why";

		snprintf(verdict->name, sizeof(verdict->name), "%s", cases[i].name);
		snprintf(verdict->side, sizeof(verdict->side), "%s", cases[i].side);
		snprintf(verdict->reason, sizeof(verdict->reason), "why");
		if (cases[i].guests)
			snprintf(hint, sizeof(hint), "why; ignore = {\"%s\"} leaves its %s out", cases[i].name,
				cases[i].guests);
		sides = judge(&facts, "sides");
		assert_int_equal(sides.state, FINDING_OK);
		assert_string_equal(strstr(buf_text(&sides.text), "why"), hint);
		finding_clear(&sides, 1);
	}
}

static void who_does_not_answer(void **state)
{
	static const struct {
		int error;
		enum finding_state state;
		const char *text;
	} cases[] = {
		{ -ENOENT, FINDING_UNKNOWN, "none runs (nobody answers on /run/s)" },
		{ -ECONNREFUSED, FINDING_UNKNOWN, "systemctl start hostmeter" },
		{ -EACCES, FINDING_UNKNOWN, "Permission denied" },
		{ -ETIMEDOUT, FINDING_BAD, "timed out" },
		{ -EPROTO, FINDING_BAD, "/run/s: " },
		{ 503, FINDING_BAD, "HTTP status 503" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct check_meter meter = { .error = cases[i].error };

		expect("meter", &meter, cases[i].state, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unattributed_bytes),
		cmocka_unit_test(the_age_of_a_dump),
		cmocka_unit_test(numbers_have_their_ending),
		cmocka_unit_test(ends),
		cmocka_unit_test(bytes_of_no_connection),
		cmocka_unit_test(interfaces_to_leave_out),
		cmocka_unit_test(who_does_not_answer),
	};

	return cmocka_run_group_tests_name("judge_meter", tests, NULL, NULL);
}
