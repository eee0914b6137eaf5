/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/protocol.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void conntracks_names_lead_there_and_back(void **state)
{
	static const struct {
		uint8_t number;
		const char *name;
	} cases[] = { { 1, "icmp" }, { 6, "tcp" }, { 17, "udp" }, { 33, "dccp" }, { 47, "gre" }, { 58, "icmpv6" },
		{ 132, "sctp" }, { 136, "udplite" } };
	unsigned int named = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_string_equal(protocol_name(cases[i].number), cases[i].name);
		assert_int_equal(protocol_number(cases[i].name), cases[i].number);
	}
	for (unsigned int number = 0; number < 256; number++)
		named += strcmp(protocol_name((uint8_t)number), "unknown") != 0;
	assert_int_equal(named, sizeof(cases) / sizeof(cases[0]));
	assert_int_equal(protocol_number("ICMPv6"), 58);
	assert_int_equal(protocol_number("unknown"), -ENOENT);
	assert_int_equal(protocol_number(""), -ENOENT);
	/* What the machine's protocols(5) has besides, by name and alias. */
	if (!access("/etc/protocols", R_OK)) {
		assert_int_equal(protocol_number("ospf"), 89);
		assert_int_equal(protocol_number("OSPFIGP"), 89);
		assert_int_equal(protocol_number("89"), -ENOENT);
	}
}

static void short_names_fit_a_column(void **state)
{
	char text[PROTOCOL_TEXT];

	(void)state;
	assert_string_equal(protocol_short_name(6, text), "tcp");
	assert_string_equal(protocol_short_name(58, text), "icmp6");
	assert_string_equal(protocol_short_name(136, text), "udpl");
	assert_string_equal(protocol_short_name(41, text), "6in4");
	assert_string_equal(protocol_short_name(50, text), "esp");
	assert_string_equal(protocol_short_name(254, text), "254");
	assert_string_equal(protocol_short_name(0, text), "0");
	for (unsigned int number = 0; number < 256; number++)
		assert_in_range(strlen(protocol_short_name((uint8_t)number, text)), 1, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(conntracks_names_lead_there_and_back),
		cmocka_unit_test(short_names_fit_a_column),
	};

	return cmocka_run_group_tests_name("protocol", tests, NULL, NULL);
}
