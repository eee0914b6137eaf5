/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/url.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void addresses_with_ports(void **state)
{
	static const struct {
		const char *text, *addr; /* "": none */
		uint16_t port;
	} cases[] = {
		{ "1", "", 1 },
		{ ":80", "", 80 },
		{ "00080", "", 80 },
		{ ":65535", "", 65535 },
		{ "127.0.0.1:10060", "127.0.0.1", 10060 },
		{ "[::1]:10060", "::1", 10060 },
		{ "[fd00:1:2:3:4:5:6:7]:81", "fd00:1:2:3:4:5:6:7", 81 },
		{ "[::ffff:192.168.100.200]:81", "::ffff:192.168.100.200", 81 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct addr addr, expected = { 0 };
		uint16_t port = 0;

		if (url_read_port(cases[i].text, &addr, &port))
			fail_msg("%s", cases[i].text);
		if (*cases[i].addr)
			assert_int_equal(addr_parse(&expected, cases[i].addr), 0);
		assert_true(addr_equal(&addr, &expected));
		assert_int_equal(port, cases[i].port);
	}
}

static void what_is_no_address_with_a_port(void **state)
{
	static const char *const texts[] = { "", ":", ":0", "0", ":65536", ":000080", "80x", ":-1", ":+1", ": 80",
		"80 ", "127.0.0.1", "127.0.0.1:", "127.0.0:80", "[127.0.0.1]:80", "::1:80", "[::1]", "[::1]80",
		"[::1:80", "::1]:80", "[]:80", "localhost:80", "127.0.0.1:80/metrics", "http://127.0.0.1:80",
		"[1111:2222:3333:4444:5555:6666:7777:88888888888888888888888888]:80" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct addr addr;
		uint16_t port;

		if (url_read_port(texts[i], &addr, &port) != -EINVAL)
			fail_msg("\"%s\" is read", texts[i]);
	}
}

static void values_are_encoded(void **state)
{
	struct buf out = BUF_INIT;

	(void)state;
	buf_puts(&out, "host=");
	url_encode(&out, "azAZ09-._~ :/?&=%+\"\n\xc3\xa9\xff");
	assert_string_equal(buf_text(&out), "host=azAZ09-._~%20%3A%2F%3F%26%3D%25%2B%22%0A%C3%A9%FF");
	buf_reset(&out);
	url_encode(&out, "");
	assert_int_equal(out.len, 0);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_with_ports),
		cmocka_unit_test(what_is_no_address_with_a_port),
		cmocka_unit_test(values_are_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
