/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether first packets are logged: every case of what the meter and the firewall's programs may say. */
#include "hostmeter/check/judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const struct fact {
	const char *name;
	bool forwards_ipv4, forwards_ipv6;
	const char *ipv4, *ipv6; /* rules that are loaded */
	bool read;
	const char *failed;
	uint64_t sighted, unsighted; /* 0: also where no meter runs */
	enum finding_state state;    /* of IPv4 */
	const char *text;
} facts[] = {
	{ "loaded, nobody has used them", true, true, "A", "A", true, NULL, 0, 0, FINDING_OK, "NFLOG group 60: A" },
	{ "loaded and used", true, true, "A", "A", true, NULL, 9, 0, FINDING_OK, "NFLOG group 60: A" },
	{ "loaded without effect", true, true, "A", "B", true, NULL, 9, 5, FINDING_BAD,
		"A is loaded, but of the last 5" },
	{ "those without first packets may be IPv6", true, true, "A", NULL, true, NULL, 9, 5, FINDING_OK, "A" },
	{ "there is no IPv6", true, false, "A", NULL, true, NULL, 9, 5, FINDING_BAD, "A is loaded, but" },
	{ "not loaded", true, true, NULL, NULL, true, NULL, 0, 0, FINDING_BAD, "for IPv4 and NFLOG group 60 are not" },
	{ "not loaded, and missed", true, true, NULL, NULL, true, NULL, 9, 5, FINDING_BAD, "are not loaded" },
	{ "IPv6 alone is loaded", true, true, NULL, "B", true, NULL, 9, 0, FINDING_BAD, "are not loaded" },
	{ "others log them", true, true, NULL, NULL, true, NULL, 9, 0, FINDING_UNKNOWN, "first packets arrived" },
	{ "nobody lists, they arrive", true, true, NULL, NULL, false, NULL, 9, 0, FINDING_OK, "of 9 connections" },
	{ "nobody lists, one arrives", true, true, NULL, NULL, false, NULL, 1, 0, FINDING_OK, "of 1 connection since" },
	{ "nobody lists, they are missed", true, true, NULL, NULL, false, NULL, 9, 5, FINDING_BAD, "are not loaded" },
	{ "nobody lists, nobody knows", true, true, NULL, NULL, false, NULL, 0, 0, FINDING_UNKNOWN, "neither nft nor" },
	{ "one does not list", true, true, NULL, NULL, true, "nft", 0, 0, FINDING_UNKNOWN,
		"nft did not list its rules" },
	{ "one does not list, another has them", true, true, "A", NULL, true, "nft", 0, 0, FINDING_OK, "group 60: A" },
	{ "nothing is forwarded", false, true, NULL, NULL, true, NULL, 0, 5, FINDING_OK, "forwarding is off" },
};

/* The finding of this name alone; free what is inside. */
static struct finding judge(const struct check_facts *f, const char *name)
{
	struct finding all[JUDGE_MOST], found = { 0 };
	size_t count = judge_all(f, all);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(all[i].name, name))
			finding_clear(&all[i], 1);
		else
			found = all[i];
	}
	return found;
}

static void each_case(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		const struct fact *fact = &facts[i];
		const struct check_facts f = {
			.socket = "",
			.nflog_group = 60,
			.privileged = true,
			.forwards = { fact->forwards_ipv4, fact->forwards_ipv6 },
			.firewall = { .has_nft = true,
				.read = fact->read,
				.failed = fact->failed,
				.rules = { fact->ipv4, fact->ipv6 } },
			.meter = { .sighted = fact->sighted, .unsighted = fact->unsighted },
		};
		struct finding finding = judge(&f, "rules-ipv4");

		if (finding.state != fact->state || !strstr(buf_text(&finding.text), fact->text))
			fail_msg("%s: %d %s", fact->name, finding.state, buf_text(&finding.text));
		assert_int_equal(finding.fix.len > 0, fact->state == FINDING_BAD);
		finding_clear(&finding, 1);
	}
}

/* What IPv6 is told stands on its own. */
static void ipv6_alone(void **state)
{
	const struct check_facts f = { .socket = "",
		.nflog_group = 61,
		.forwards = { true, true },
		.firewall = { .read = true, .rules = { "A", NULL } } };
	struct finding finding = judge(&f, "rules-ipv6");

	(void)state;
	assert_int_equal(finding.state, FINDING_BAD);
	assert_string_equal(buf_text(&finding.text), "hostmeter's rules for IPv6 and NFLOG group 61 are not loaded");
	assert_string_equal(buf_text(&finding.fix),
		"hostmeter --nflog-group 61 --print-rules=iptables | iptables-restore -w --noflush\n"
		"hostmeter --nflog-group 61 --print-rules=iptables | ip6tables-restore -w --noflush");
	finding_clear(&finding, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_case),
		cmocka_unit_test(ipv6_alone),
	};

	return cmocka_run_group_tests_name("judge_rules", tests, NULL, NULL);
}
