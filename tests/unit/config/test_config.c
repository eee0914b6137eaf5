/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every key of the file and every mistake in it; the command line before the file, the file before the defaults. */
#include "hostmeter/config/config.h"

#include "config_cases.h"

/* ---- What is right */

static void keys_are_taken(void **state)
{
	static const struct test_case cases[] = {
		{ ARGS(), "lan = {\"br-lan\", 'br-guest'}", "lan=br-lan,br-guest " },
		{ ARGS(), "lan = br-lan\nlan += {br-guest}\n", "lan=br-lan,br-guest " },
		{ ARGS(), "lan = {\"br-\303\244\"}", "lan=br-\303\244 " },
		{ ARGS(), "lan = {}", "" },
		{ ARGS(), "wan = \"wan\"", "wan=wan " },
		{ ARGS(), "listen = {\":80\", \"[fd00::1]:81\"}", "listen=:80,[fd00::1]:81 " },
		{ ARGS(), "listen = {}", "listen= " },
		{ ARGS("--listen", ":80"), "listen = {}", "listen=:80 " },
		{ ARGS(), "names-ethers = /a", "names-ethers=/a " },
		{ ARGS(), "names-ethers = {}", "names-ethers= " },
		{ ARGS(), "names-leases = {\"/a b\", /c}", "names-leases=/a b,/c " },
		{ ARGS(), "names-leases = {}\nnames-leases += {/c}", "names-leases=/c " },
		{ ARGS(), "names-odhcpd = \"/a/b*\"", "names-odhcpd=/a/b* " },
		{ ARGS(), "names-odhcpd = {}\nnames-leases = {}", "names-leases= names-odhcpd= " },
		{ ARGS(), "names-hosts = {\"/etc/hosts\", \"/tmp/hosts/dhcp.cfg[0-9]*\"}",
			"names-hosts=/etc/hosts,/tmp/hosts/dhcp.cfg[0-9]* " },
		{ ARGS(), "socket = /run//s.sock", "socket=/run//s.sock " },
		{ ARGS(), "runtime-dir = \"/r\"", "socket=/r/hostmeter.sock runtime-dir=/r " },
		{ ARGS(), "state-dir = \"/s\"", "state-dir=/s " },
		{ ARGS(), "nflog-group = 7", "nflog-group=7 " },
		{ ARGS(), "dump-interval = 0.5", "dump-interval=500000000 " },
		{ ARGS(), "dump-share = \"2.5\"", "dump-share=2.5 " },
		{ ARGS(), "max-hosts = 1", "max-hosts=1 " },
		{ ARGS(), "max-hosts = 65000", "max-hosts=65000 " },
		{ ARGS(), "page-memory = 8", "page-memory=8 " },
		{ ARGS(), "forget-after = 86400", "forget-after=86400000000000 " },
		{ ARGS(), "forget-after = 0", "forget-after=0 " },
		{ ARGS(), "forget-unanswered = 60", "forget-unanswered=60000000000 " },
		{ ARGS(), "event-buffer = 8192", "event-buffer=8192 " },
		{ ARGS(), "reliable-fill = 75.5", "reliable-fill=75.5 " },
		{ ARGS(), "log-level = warning", "log-level=1 " },
		{ ARGS(), "user = nobody\nseccomp = false", "user=nobody no-seccomp " },
		{ ARGS(), "allow = {10.9.0.0/16, \"2001:db8::/32\", 192.0.2.1}",
			"allow=10.9.0.0/16,2001:db8::/32,192.0.2.1 " },
		{ ARGS(), "server-name = meter.example.net\nserver-name += {a-b_c}",
			"server-name=meter.example.net,a-b_c " },
		{ ARGS(), "interface pppoe-wan { name = wan }\ninterface \"eth0.2\" {\n\tname = \"wan2\"\n}",
			"interface[pppoe-wan wan] interface[eth0.2 wan2] " },
		{ ARGS(), "interface a { name = b }\ninterface b { name = a }", "interface[a b] interface[b a] " },
		{ ARGS(), "host \"desktop\" { mac = {\"00:00:5e:01:02:03\", \"00-00-5E-01-02-04\"} }",
			"host[desktop 00:00:5e:01:02:03 00:00:5e:01:02:04] " },
		{ ARGS(), "host a { address = {10.0.0.1, fd00::1} }\nhost b { mac = 02:00:00:00:00:01 }",
			"host[a 10.0.0.1 fd00::1] host[b 02:00:00:00:00:01] " },
		{ ARGS(), "host \"Gro\303\237e K\303\274che\" {\n\taddress = 10.0.0.2\n\tmac = 02:00:00:00:00:01\n}",
			"host[Gro\303\237e K\303\274che 02:00:00:00:00:01 10.0.0.2] " },
		{ ARGS(), "host " X50 X10 "xxx { address = 10.0.0.1 }", "host[" X50 X10 "xxx 10.0.0.1] " },
		{ ARGS(), "host Router { address = 10.0.0.1 }", "host[Router 10.0.0.1] " },
		{ ARGS(), "# a\n#\n// b\n/* c\n * \"d\n { */ lan = { # e\n a, /* f */ b // g\n}\r\n", "lan=a,b " },
		{ ARGS(), "state-dir = \"/a#b//c/*d\"", "state-dir=/a#b//c/*d " },
	};
	(void)state;
	CHECK(cases, 0);
}

static void command_line_wins(void **state)
{
	static const struct test_case cases[] = {
		{ ARGS("--lan", "a"), "lan = {b, c}", "lan=a " },
		{ ARGS("--wan", "a", "--wan", "b"), "wan = c\nlan = d", "lan=d wan=a,b " },
		{ ARGS("--listen", ":1"), "listen = :2", "listen=:1 " },
		{ ARGS("--socket", "/a"), "socket = /b", "socket=/a " },
		{ ARGS("--runtime-dir", "/a"), "runtime-dir = /b", "socket=/a/hostmeter.sock runtime-dir=/a " },
		{ ARGS("--state-dir", "/a"), "state-dir = /b", "state-dir=/a " },
		{ ARGS("--nflog-group", "1"), "nflog-group = 2", "nflog-group=1 " },
		{ ARGS("--dump-interval", "10"), "dump-interval = 2", "" },
		{ ARGS("--dump-share", "5"), "dump-share = 2", "" },
		{ ARGS("--log-level", "error"), "log-level = debug", "log-level=0 " },
	};
	(void)state;
	CHECK(cases, 0);
}

/* ---- What is wrong */

static void options_that_do_not_go_together_are_refused(void **state)
{
	static const struct test_case cases[] = {
		{ ARGS("--seconds", "1"), "", LINE("--seconds, --record-limit and --anonymize go with --record FILE") },
		{ ARGS("--replay", "f", "--anonymize"), "",
			LINE("--anonymize goes with --record FILE, which is what is written") },
		{ ARGS("--explain", "all"), "", LINE("--explain goes with --replay FILE") },
		{ ARGS("--explain", "all", "--replay", "f", "--record", "g"), "",
			LINE("--record writes the trace, --explain reads it: one after the other") },
	};
	(void)state;
	CHECK(cases, -EINVAL);
}

static void missing_files_are_refused(void **state)
{
	static const struct test_case cases[] = {
		{ ARGS("-c", "nowhere.conf"), NULL, LINE("nowhere.conf: No such file or directory") },
		{ ARGS("-c", "/"), NULL, LINE("/: Is a directory") },
	};
	(void)state;
	CHECK(cases, -EINVAL);
}

static void bad_files_are_refused(void **state)
{
#define AT(line, text) LINE(FILE_NAME ":" #line ": " text)
#define HOST_A "host a { mac = 02:00:00:00:00:01 address = 10.0.0.1 }\n"
	static const struct test_case cases[] = {
		{ ARGS(), "\n\nnonsense = 3", AT(3, "unknown key \"nonsense\"") },
		{ ARGS(), "# one\n/* two\nthree */ // still three\nnonsense {", AT(4, "this \"{\" has no \"}\"") },
		{ ARGS(), "# one\n/* two\nthree */ // still three\nnonsense {}", AT(4, "unknown key \"nonsense\"") },
		{ ARGS(), "config = /x", AT(1, "unknown key \"config\"") },
		{ ARGS(), "once = 1", AT(1, "unknown key \"once\"") },
		{ ARGS(), "mac = {02:00:00:00:00:01}", AT(1, "unknown key \"mac\"") },
		{ ARGS(), "host a {\n\tname = b\n}", AT(2, "unknown key \"name\"") },
		{ ARGS(), "lan = a\nlan = b", AT(2, "lan: given twice") },
		{ ARGS(), "lan = a\nlan = {}", LINE(FILE_NAME ": lan: given twice") },
		{ ARGS(), "names-hosts = hosts", AT(1, "names-hosts: \"hosts\" is not an absolute path") },
		{ ARGS(), "names-hosts = \"\"", AT(1, "names-hosts: \"\" is not an absolute path") },
		{ ARGS(), "\nnames-leases = {/a, /b/}", AT(2, "names-leases: \"/b/\" is not the path of a file") },
		{ ARGS(), "names-odhcpd = \"/tmp/*/odhcpd\"",
			AT(1, "names-odhcpd: \"/tmp/*/odhcpd\" has wildcards in a directory") },
		{ ARGS(), "nflog-group = 1 nflog-group = 1", AT(1, "nflog-group: given twice") },
		{ ARGS(), "nflog-group += 1", AT(1, "\"+=\" is for lists, \"nflog-group\" is none") },
		{ ARGS(), "nflog-group = 60x", AT(1, "nflog-group: \"60x\" is not a number from 0 to 65535") },
		{ ARGS("--nflog-group", "3"), "\nnflog-group = x",
			AT(2, "nflog-group: \"x\" is not a number from 0 to 65535") },
		{ ARGS(), "\ndump-interval = 0", AT(2, "dump-interval: \"0\" is not a number from 0.1 to 3600") },
		{ ARGS(), "dump-share = -5", AT(1, "dump-share: \"-5\" is not a number from 0.1 to 100") },
		{ ARGS(), "max-hosts = 0", AT(1, "max-hosts: \"0\" is not a number from 1 to 65000") },
		{ ARGS(), "page-memory = 7", AT(1, "page-memory: \"7\" is not a number from 8 to 4000") },
		{ ARGS(), "max-hosts = 65001", AT(1, "max-hosts: \"65001\" is not a number from 1 to 65000") },
		{ ARGS(), "log-level = \"\"", AT(1, "log-level: \"\" is not error, warning, info or debug") },
		{ ARGS(), "lan = { a,\n b,\n c/d }", AT(3, "lan: \"c/d\" is not an interface name") },
		{ ARGS(), "lan = \"a\\xff\"", AT(1, "lan: \"a?\" is not an interface name") },
		{ ARGS(), "lan = \"a\342\200\213\"", AT(1, "lan: \"a?\" is not an interface name") },
		{ ARGS("--lan", "a"), "\nwan = a", AT(2, "wan: interface \"a\" cannot be both LAN and WAN") },
		{ ARGS(), "\nallow = {10.0.0.0/8, 10.0.0.0/33}",
			AT(2, "allow: \"10.0.0.0/33\" is not an address or ADDRESS/LENGTH") },
		{ ARGS(), "allow = lan", AT(1, "allow: \"lan\" is not an address or ADDRESS/LENGTH") },
		{ ARGS(), "server-name = \"a b\"", AT(1, "server-name: \"a b\" is not a host name") },
		{ ARGS(), "server-name = \"a:80\"", AT(1, "server-name: \"a:80\" is not a host name") },
		{ ARGS(), "server-name = \"\"", AT(1, "server-name: \"\" is not a host name") },
		{ ARGS(), "listen = here",
			AT(1, "listen: \"here\" is not ADDRESS:PORT, [IPV6ADDRESS]:PORT, :PORT or PORT") },
		{ ARGS(), "socket = \"\"", AT(1, "socket: the path is empty") },
		{ ARGS(), "\nstate-dir = var", AT(2, "state-dir: \"var\" is not an absolute path") },
		{ ARGS(), "runtime-dir = ~/x", AT(1, "runtime-dir: \"~/x\" is not an absolute path") },
		{ ARGS(), "socket = /" X100 "xxxxxxx", AT(1, "socket: the path is longer than 107 bytes") },
		/* syntax */
		{ ARGS(), "lan = {a b}", AT(1, "unexpected \"b\"") },
		{ ARGS(), "lan = {\n\ta\n\nwan = b\n", AT(1, "this \"{\" has no \"}\"") },
		{ ARGS(), "\n}", AT(2, "unexpected closing brace") },
		{ ARGS(), "\nlan", AT(2, "the file ends where a value is expected") },
		{ ARGS(), "\nlan a", AT(2, "\"=\" is missing after \"lan\"") },
		{ ARGS(), "socket = {/a}", AT(1, "unexpected \"{\"") },
		{ ARGS(), "\nsocket = \"/a\n\n", AT(2, "this string has no end") },
		{ ARGS(), "\n\n'", AT(3, "this string has no end") },
		{ ARGS(), "\n/* *", AT(2, "this comment has no end") },
		{ ARGS(), "\n/*/", AT(2, "this comment has no end") },
		{ ARGS(), "\nsocket = ${HOME}", AT(2, "\"${\" is not supported: the environment does not configure") },
		{ ARGS(), "socket = \"${HOME}\"",
			AT(1, "\"${\" is not supported: the environment does not configure") },
		{ ARGS(), "socket = \"/\\400\"", AT(1, "bad escape \"\\400\" in a string") },
		/* interfaces */
		{ ARGS(), "interface {}", AT(1, "the name is missing after \"interface\"") },
		{ ARGS(), "interface a {\n}", AT(2, "interface \"a\": has no name") },
		{ ARGS(), "interface a/b {\n name = c }",
			AT(2, "interface \"a/b\": \"a/b\" is not an interface name") },
		{ ARGS(), "interface a {\n\n name = \"1234567890123456\" }",
			AT(3, "interface \"a\": \"1234567890123456\" is not an interface name") },
		{ ARGS(), "interface a { name = x }\ninterface a { name = y }",
			AT(2, "interface \"a\": has two names") },
		{ ARGS(), "interface a { name = x name = y }", AT(1, "interface \"a\": has two names") },
		{ ARGS(), "interface a { name = x }\ninterface b { name = x }",
			AT(2, "interface \"b\": name \"x\" is already given to interface \"a\"") },
		{ ARGS(), "interface a { mac = x }", AT(1, "unknown key \"mac\"") },
		{ ARGS(), "name = x", AT(1, "unknown key \"name\"") },
		/* hosts */
		{ ARGS(), "host {}", AT(1, "the name is missing after \"host\"") },
		{ ARGS(), "host a b {}", AT(1, "\"{\" is missing after the name of a \"host\"") },
		{ ARGS(), "host a {\n}", AT(2, "host \"a\": has no mac and no address") },
		{ ARGS(), "\nhost \"\" {\n\n mac = x }", AT(2, "host \"\": the name is empty") },
		{ ARGS(), "\nhost \"\" {}", AT(2, "host \"\": the name is empty") },
		{ ARGS(), "\nhost router {\n address = 10.0.0.1 }", AT(2, "host \"router\": the name is reserved") },
		{ ARGS(), "host unknown { address = 10.0.0.1 }", AT(1, "host \"unknown\": the name is reserved") },
		{ ARGS(), "host other { address = 10.0.0.1 }", AT(1, "host \"other\": the name is reserved") },
		{ ARGS(), "host " X50 X10 "xxxx { address = 10.0.0.1 }",
			AT(1, "host \"" X50 X10 "xxxx\": the name is longer than 63 bytes") },
		{ ARGS(), "host \"a\\nb\" { address = 10.0.0.1 }",
			AT(1, "host \"a?b\": the name has control characters or is not UTF-8") },
		{ ARGS(), "host \"a\\x7f\" { address = 10.0.0.1 }",
			AT(1, "host \"a?\": the name has control characters or is not UTF-8") },
		{ ARGS(), "host \"a\\xc2\\x9b\" { address = 10.0.0.1 }",
			AT(1, "host \"a?\": the name has control characters or is not UTF-8") },
		{ ARGS(), "host \"a\xe2\x80\xae\" { address = 10.0.0.1 }",
			AT(1, "host \"a?\": the name has control characters or is not UTF-8") },
		{ ARGS(), "host a { address = \"\xff\" }", AT(1, "host \"a\": bad address \"?\"") },
		{ ARGS(), "\n" HOST_A "\nhost desktop {\n mac = {\n 02:00:00:00:00:02,\n zz }\n}",
			AT(7, "host \"desktop\": bad MAC address \"zz\"") },
		{ ARGS(), "host a { mac = 00:00:00:00:00:00 }",
			AT(1, "host \"a\": MAC address \"00:00:00:00:00:00\" cannot be a host's") },
		{ ARGS(), "host a { mac = ff:ff:ff:ff:ff:ff }",
			AT(1, "host \"a\": MAC address \"ff:ff:ff:ff:ff:ff\" cannot be a host's") },
		{ ARGS(), "host a {\n address = 10.0.0.300 }", AT(2, "host \"a\": bad address \"10.0.0.300\"") },
		{ ARGS(), "host a { address = \"10.0.0.0/8\" }", AT(1, "host \"a\": bad address \"10.0.0.0/8\"") },
		{ ARGS(), "host a { address = 224.0.0.1 }",
			AT(1, "host \"a\": address \"224.0.0.1\" cannot be a host's") },
		{ ARGS(), "host a { address = :: }", AT(1, "host \"a\": address \"::\" cannot be a host's") },
		{ ARGS(), "host a { address = 127.0.0.1 }",
			AT(1, "host \"a\": address \"127.0.0.1\" cannot be a host's") },
		{ ARGS(), HOST_A "host b {\n mac = \"02-00-00-00-00-01\" }",
			AT(3, "host \"b\": MAC address \"02-00-00-00-00-01\" is already given to host \"a\"") },
		{ ARGS(), HOST_A "host b {\n address = 10.0.0.1 }",
			AT(3, "host \"b\": address \"10.0.0.1\" is already given to host \"a\"") },
		{ ARGS(), "host a { mac = {02:00:00:00:00:01, 02:00:00:00:00:01} }",
			AT(1, "host \"a\": MAC address \"02:00:00:00:00:01\" is already given to host \"a\"") },
		{ ARGS(), HOST_A "\nhost a { mac = 02:00:00:00:00:03 }", AT(3, "host \"a\" is given twice") },
		{ ARGS(), HOST_A "host|mac = {02:00:00:00:00:03}", AT(2, "mac: belongs into a host section") },
		{ ARGS(), "host|mac = {02:00:00:00:00:03}", AT(1, "unknown key \"host|\"") },
	};
	(void)state;
	CHECK(cases, -EINVAL);
}

/* Host names that are no UTF-8: cut, overlong, a surrogate, beyond U+10FFFF, a C1 control character, Latin-1. */
static void names_are_utf8(void **state)
{
	static const char *const bad[] = { "\303", "\300\200", "\340\200\200", "\355\240\200", "\364\220\200\200",
		"\302\205", "\342\200\256", "k\374che", "\200", "\370\210\200\200\200", "\360\237\230" };
	static const char *const good[] = { "\302\240", "\337\277", "\340\240\200", "\355\237\277",
		"\360\237\230\200" };
	char file[128];
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct buf out = BUF_INIT;

		snprintf(file, sizeof(file), "host \"%s\" { address = 10.0.0.1 }", bad[i]);
		assert_int_equal(load(&(struct test_case){ ARGS(), file, "" }, &out), -EINVAL);
		assert_non_null(strstr(buf_text(&out), "is not UTF-8"));
		buf_free(&out);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct buf out = BUF_INIT;

		snprintf(file, sizeof(file), "host \"%s\" { address = 10.0.0.1 }", good[i]);
		assert_int_equal(load(&(struct test_case){ ARGS(), file, "" }, &out), 0);
		buf_free(&out);
	}
}

static void strange_files_are_refused(void **state)
{
	static const struct test_case named = { ARGS("-c", FILE_NAME), NULL, "" };
	struct buf out = BUF_INIT;
	char *big = malloc((1 << 20) + 2);
	(void)state;

	assert_non_null(big);
	write_file("lan = a\0\n", 9);
	assert_int_equal(load(&named, &out), -EINVAL);
	assert_string_equal(buf_text(&out), LINE(FILE_NAME ": is not a text file"));

	memset(big, '\n', (1 << 20) + 2);
	write_file(big, 1 << 20);
	buf_reset(&out);
	assert_int_equal(load(&named, &out), 0);
	write_file(big, (1 << 20) + 1);
	buf_reset(&out);
	assert_int_equal(load(&named, &out), -EINVAL);
	assert_string_equal(buf_text(&out), LINE(FILE_NAME ": File too large"));
	buf_free(&out);
	free(big);
}

/* A machine that has the default file may have anything in it. */
static void missing_default_file_is_fine(void **state)
{
	struct buf out = BUF_INIT;
	(void)state;

	if (access("/etc/hostmeter/hostmeter.conf", F_OK)) {
		assert_int_equal(load(&(struct test_case){ ARGS(), NULL, "" }, &out), 0);
		assert_string_equal(buf_text(&out), "");
	}
	buf_free(&out);
}

/* After a mistake, of libconfuse's lexer or ours, the next file is read as if nothing had been. */
static void mistakes_leave_nothing_behind(void **state)
{
	static const char *const broken[] = { "socket = \"/\\400", "socket = \"/\\400\"",
		"host a { mac = ", "lan = {a b}" };
	(void)state;

	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct buf out = BUF_INIT;

		assert_int_equal(load(&(struct test_case){ ARGS(), broken[i], "" }, &out), -EINVAL);
		buf_reset(&out);
		assert_int_equal(load(&(struct test_case){ ARGS(), "wan = a", "" }, &out), 0);
		assert_string_equal(buf_text(&out), "wan=a ");
		buf_free(&out);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_taken),
		cmocka_unit_test(command_line_wins),
		cmocka_unit_test(options_that_do_not_go_together_are_refused),
		cmocka_unit_test(missing_files_are_refused),
		cmocka_unit_test(bad_files_are_refused),
		cmocka_unit_test(names_are_utf8),
		cmocka_unit_test(strange_files_are_refused),
		cmocka_unit_test(missing_default_file_is_fine),
		cmocka_unit_test(mistakes_leave_nothing_behind),
	};

	return cmocka_run_group_tests_name("config", tests, enter, leave);
}
