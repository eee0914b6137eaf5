/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Values that are refused, by the bounds of each. What is taken is in test_options.c. */
#include "values.h"

#include "config_cases.h"

static void bad_values_are_refused(void **state)
{
	static const struct test_case cases[] = {
		{ ARGS("--record", "f", "--seconds", "0"), "",
			LINE("--seconds: \"0\" is not a number from 0.1 to 1e+06") },
		{ ARGS("--output", ""), "", LINE("--output: the path is empty") },
		{ ARGS("--print-rules=ipfw"), "", LINE("--print-rules: \"ipfw\" is not nft or iptables") },
		{ ARGS("--nflog-group", "70000"), "",
			LINE("--nflog-group: \"70000\" is not a number from 0 to 65535") },
		{ ARGS("--nflog-group", "65536"), "",
			LINE("--nflog-group: \"65536\" is not a number from 0 to 65535") },
		{ ARGS("--nflog-group", "-1"), "", LINE("--nflog-group: \"-1\" is not a number from 0 to 65535") },
		{ ARGS("--nflog-group", "1.5"), "",
			LINE("--nflog-group: \"1.5\" is not a whole number from 0 to 65535") },
		{ ARGS("--nflog-group", "0x10"), "", LINE("--nflog-group: \"0x10\" is not a number from 0 to 65535") },
		{ ARGS("--nflog-group", " 1"), "", LINE("--nflog-group: \" 1\" is not a number from 0 to 65535") },
		{ ARGS("--nflog-group="), "", LINE("--nflog-group: \"\" is not a number from 0 to 65535") },
		{ ARGS("--dump-interval", "0.09"), "",
			LINE("--dump-interval: \"0.09\" is not a number from 0.1 to 3600") },
		{ ARGS("--dump-interval", "3600.1"), "",
			LINE("--dump-interval: \"3600.1\" is not a number from 0.1 to 3600") },
		{ ARGS("--dump-interval", "1e2"), "",
			LINE("--dump-interval: \"1e2\" is not a number from 0.1 to 3600") },
		{ ARGS("--dump-interval", "nan"), "",
			LINE("--dump-interval: \"nan\" is not a number from 0.1 to 3600") },
		{ ARGS("--dump-interval", "1."), "", LINE("--dump-interval: \"1.\" is not a number from 0.1 to 3600") },
		{ ARGS("--dump-share", "0"), "", LINE("--dump-share: \"0\" is not a number from 0.1 to 100") },
		{ ARGS("--dump-share", "101"), "", LINE("--dump-share: \"101\" is not a number from 0.1 to 100") },
		{ ARGS("--watch=0.1"), "", LINE("--watch: \"0.1\" is not a number from 0.2 to 3600") },
		{ ARGS("--watch=3601"), "", LINE("--watch: \"3601\" is not a number from 0.2 to 3600") },
		{ ARGS("--watch="), "", LINE("--watch: \"\" is not a number from 0.2 to 3600") },
		{ ARGS("--audit=0"), "", LINE("--audit: \"0\" is not a number from 1 to 86400") },
		{ ARGS("--count", "0"), "", LINE("--count: \"0\" is not a number from 1 to 1e+09") },
		{ ARGS("--color", "red"), "", LINE("--color: \"red\" is not auto, never or always") },
		{ ARGS("--unit", "bit"), "", LINE("--unit: \"bit\" is not bits, bytes, bits-1024 or bytes-1024") },
		{ ARGS("--sort", "-size"), "",
			LINE("--sort: \"size\" is not name, down, up, total, share, ipv6, connections or seen") },
		{ ARGS("--sort", "-"), "",
			LINE("--sort: \"\" is not name, down, up, total, share, ipv6, connections or seen") },
		{ ARGS("--average", "5"), "", LINE("--average: \"5\" is not auto, 2, 10 or 40") },
		{ ARGS("--log-level", "loud"), "", LINE("--log-level: \"loud\" is not error, warning, info or debug") },
		{ ARGS("--seccomp", "maybe"), "", LINE("--seccomp: \"maybe\" is not true or false") },
		{ ARGS("--lan="), "", LINE("--lan: \"\" is not an interface name") },
		{ ARGS("--lan", "1234567890123456"), "", LINE("--lan: \"1234567890123456\" is not an interface name") },
		{ ARGS("--lan", "a/b"), "", LINE("--lan: \"a/b\" is not an interface name") },
		{ ARGS("--lan", "a b"), "", LINE("--lan: \"a b\" is not an interface name") },
		{ ARGS("--lan", "eth0:1"), "", LINE("--lan: \"eth0:1\" is not an interface name") },
		{ ARGS("--wan", ".."), "", LINE("--wan: \"..\" is not an interface name") },
		{ ARGS("--wan", "a\nb"), "", LINE("--wan: \"a?b\" is not an interface name") },
		{ ARGS("--lan", "a", "--wan", "a"), "", LINE("--wan: interface \"a\" cannot be both LAN and WAN") },
		{ ARGS("--wan", "a", "--lan", "a"), "", LINE("--lan: interface \"a\" cannot be both LAN and WAN") },
		{ ARGS("--socket="), "", LINE("--socket: the path is empty") },
		{ ARGS("--runtime-dir", ""), "", LINE("--runtime-dir: the path is empty") },
		{ ARGS("--record", ""), "", LINE("--record: the path is empty") },
		{ ARGS("--config="), NULL, LINE("--config: the path is empty") },
		{ ARGS("--socket", "/" X100 "xxxxxxx"), "", LINE("--socket: the path is longer than 107 bytes") },
		{ ARGS("--runtime-dir", "/" X100), "", LINE("default of socket: the path is longer than 107 bytes") },
	};
	(void)state;
	CHECK(cases, -EINVAL);
}

static void bad_listen_addresses_are_refused(void **state)
{
	static const char *const bad[] = { "", ":", "0", ":0", ":65536", ":x", "a:1", "::1:80", "[::1]", "[::1]80",
		"[]:80", "[127.0.0.1]:80", "[::1:80", "::1]:80", "127.0.0.1", "127.0.0.1:", "127.1:80", "localhost:80",
		"[fe80::1%lo]:80", ":80 ", X100 ":1" };
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf out = BUF_INIT;
		char expected[256];

		snprintf(expected, sizeof(expected),
			LINE("--listen: \"%s\" is not ADDRESS:PORT, [IPV6ADDRESS]:PORT, :PORT or PORT"), bad[i]);
		assert_int_equal(load(&(struct test_case){ ARGS("--listen", bad[i]), "", "" }, &out), -EINVAL);
		assert_string_equal(buf_text(&out), expected);
		buf_free(&out);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_values_are_refused),
		cmocka_unit_test(bad_listen_addresses_are_refused),
	};

	return cmocka_run_group_tests_name("values", tests, enter, leave);
}
