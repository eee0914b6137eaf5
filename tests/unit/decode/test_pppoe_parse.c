/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/decode/pppoe_parse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MOST = 3 };

static void devices_are_read(void **state)
{
	static const struct {
		const char *text;
		size_t count;
		const char *port[MOST];
	} cases[] = {
		{ "", 0, { 0 } },
		{ "Id       Address              Device\n", 0, { 0 } },
		/* As the kernel writes it: pppoe_seq_show(). */
		{ "Id       Address              Device\n0000001A 00:00:5E:00:53:01        eth1\n", 1, { "eth1" } },
		{ "Id\n1 a eth0.35\n2 b br-wan\n3 c x\n4 d y\n", MOST, { "eth0.35", "br-wan", "x" } },
		{ "Id\n1 a eth1", 1, { "eth1" } }, /* cut */
		/* A short line takes nothing from the next one. */
		{ "Id\n1 a\n2 b eth2\n\n \n3\n", 1, { "eth2" } },
		{ "Id\n1 a 123456789012345\n2 b 1234567890123456\n", 1, { "123456789012345" } },
		{ "1 a eth1", 0, { 0 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char port[MOST + 1][IFNAME_LEN] = { { 0 } };

		assert_int_equal(pppoe_parse(cases[i].text, port, MOST), cases[i].count);
		for (size_t p = 0; p < cases[i].count; p++)
			assert_string_equal(port[p], cases[i].port[p]);
		assert_string_equal(port[MOST], "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices_are_read),
	};

	return cmocka_run_group_tests_name("pppoe_parse", tests, NULL, NULL);
}
