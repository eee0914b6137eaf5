/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listings as nft 1.0 and iptables 1.8 print them, and such that lack a part. */
#include "hostmeter/check/firewall.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char nft[] =
	"table inet hostmeter {\n"
	"\tchain forward {\n"
	"\t\ttype filter hook forward priority mangle; policy accept;\n"
	"\t\tct status assured return\n"
	"\t\tct direction original ct original packets 1 log group 60 snaplen 128 queue-threshold 100\n"
	"\t\tct direction reply ct reply packets 1 counter packets 9 bytes 9 log group 60\n"
	"\t}\n"
	"}\n";

static void our_table(void **state)
{
	char changed[sizeof(nft)];

	(void)state;
	assert_true(firewall_parse_nft(nft, 60));
	assert_false(firewall_parse_nft(nft, 6));
	assert_false(firewall_parse_nft(nft, 61));
	assert_false(firewall_parse_nft("", 60));
	memcpy(changed, nft, sizeof(nft));
	memcpy(strrchr(changed, 'g') - 4, "log group 61", 12); /* the reply's */
	assert_false(firewall_parse_nft(changed, 60));
}

#define RULE(dir, group)                                                                                               \
	"-A HOSTMETER -m conntrack --ctdir " dir " -j NFLOG" group " --nflog-size 128 --nflog-threshold 100\n"
#define CHAIN(group) RULE("ORIGINAL", group) RULE("REPLY", group)
#define MANGLE "# Generated\n*mangle\n:FORWARD ACCEPT [0:0]\n:HOSTMETER - [0:0]\n"
#define JUMP "-A FORWARD -j HOSTMETER\n"

static void our_chain(void **state)
{
	(void)state;
	assert_true(firewall_parse_iptables(MANGLE JUMP CHAIN(" --nflog-group 60") "COMMIT\n", 60));
	assert_false(firewall_parse_iptables(MANGLE JUMP CHAIN(" --nflog-group 60") "COMMIT\n", 61));
	assert_false(firewall_parse_iptables(MANGLE JUMP CHAIN(" --nflog-group 600") "COMMIT\n", 60));
	assert_false(firewall_parse_iptables(MANGLE CHAIN(" --nflog-group 60") "COMMIT\n", 60));
	assert_false(firewall_parse_iptables(MANGLE JUMP RULE("REPLY", " --nflog-group 60") "COMMIT\n", 60));
	assert_false(firewall_parse_iptables(MANGLE JUMP "COMMIT\n", 60));
	assert_true(firewall_parse_iptables(MANGLE JUMP CHAIN("") "COMMIT\n", 0));
	assert_false(firewall_parse_iptables(MANGLE JUMP CHAIN(" --nflog-group 60") "COMMIT\n", 0));
}

static void flowtables(void **state)
{
	struct firewall firewall = { 0 };

	(void)state;
	firewall_parse_flowtables("table inet fw4 {\n"
				  "\tflowtable ft {\n"
				  "\t\thook ingress priority filter\n"
				  "\t\tdevices = { eth0,\n\t\t\t    eth1 }\n"
				  "\t\tcounter\n"
				  "\t}\n"
				  "\tflowtable fast {\n"
				  "\t\thook ingress priority filter\n"
				  "\t\tflags offload\n"
				  "\t}\n"
				  "}\n"
				  "table ip other {\n"
				  "\tcounter c {\n\t}\n"
				  "\tflowtable plain {\n"
				  "\t}\n"
				  "}",
		&firewall);
	assert_int_equal(firewall.flowtables, 3);
	assert_string_equal(buf_text(&firewall.uncounted), "inet fw4 fast, ip other plain");
	assert_string_equal(buf_text(&firewall.hardware), "inet fw4 fast");
	assert_false(firewall_counts_offloaded(&firewall));
	firewall_clear(&firewall);
}

static void all_offloaded_are_counted(void **state)
{
	static const struct {
		const char *text;
		bool count;
	} cases[] = {
		{ "", false },
		{ "table inet a {\n\tflowtable f {\n\t\tcounter\n\t}\n}\n", true },
		{ "table inet a {\n\tflowtable f {\n\t}\n}\n", false },
		{ "table inet a {\n\tflowtable f {\n\t\tflags offload\n\t\tcounter\n\t}\n}\n", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct firewall firewall = { 0 };

		firewall_parse_flowtables(cases[i].text, &firewall);
		assert_int_equal(firewall_counts_offloaded(&firewall), cases[i].count);
		firewall_clear(&firewall);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(our_table),
		cmocka_unit_test(our_chain),
		cmocka_unit_test(flowtables),
		cmocka_unit_test(all_offloaded_are_counted),
	};

	return cmocka_run_group_tests_name("firewall", tests, NULL, NULL);
}
