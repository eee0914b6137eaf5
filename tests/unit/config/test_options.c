/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every option of the command line, and what is refused before its value is looked at. */
#include "options.h"

#include "config_cases.h"
#include "values.h"

static void options_are_taken(void **state)
{
	static const struct test_case cases[] = {
		{ ARGS(), "", "" },
		{ ARGS("--lan", "br-lan", "--lan=br-guest", "--lan", "br-lan"), "", "lan=br-lan,br-guest " },
		{ ARGS("--wan", "eth0.7", "--wan", "123456789012345"), "", "wan=eth0.7,123456789012345 " },
		{ ARGS("--listen", "127.0.0.1:9", "--listen", "[::1]:10", "--listen", ":65535", "--listen=80"), "",
			"listen=127.0.0.1:9,[::1]:10,:65535,80 " },
		{ ARGS("--socket", "s"), "", "socket=s " },
		{ ARGS("--runtime-dir", "r"), "", "socket=r/hostmeter.sock runtime-dir=r " },
		{ ARGS("--runtime-dir", "/r", "--socket", "/s"), "", "socket=/s runtime-dir=/r " },
		{ ARGS("--state-dir", "/s"), "", "state-dir=/s " },
		{ ARGS("--nflog-group", "0"), "", "nflog-group=0 " },
		{ ARGS("--nflog-group", "1", "--nflog-group", "65535"), "", "nflog-group=65535 " },
		{ ARGS("--dump-interval", "0.1"), "", "dump-interval=100000000 " },
		{ ARGS("--dump-interval", "3600"), "", "dump-interval=3600000000000 " },
		{ ARGS("--dump-interval", "2.25"), "", "dump-interval=2250000000 " },
		{ ARGS("--dump-share", "0.1"), "", "dump-share=0.1 " },
		{ ARGS("--dump-share", "100"), "", "dump-share=100 " },
		{ ARGS("--once"), "", "mode=once once " },
		{ ARGS("--cgi"), "", "mode=once cgi " },
		{ ARGS("--once", "--cgi"), "", "mode=once cgi once " },
		{ ARGS("--once", "--output", "f"), "", "mode=once output=f once " },
		{ ARGS("--output", "f"), "", "mode=once output=f " },
		{ ARGS("--print-rules"), "", "mode=print-rules rules=nft " },
		{ ARGS("--print-rules=nft"), "", "mode=print-rules rules=nft " },
		{ ARGS("--print-rules=iptables"), "", "mode=print-rules rules=iptables " },
		{ ARGS("--replay", "a b"), "", "mode=replay replay=a b " },
		{ ARGS("--watch"), "", "mode=watch " },
		{ ARGS("--watch=0.2"), "", "mode=watch watch-interval=200000000 " },
		{ ARGS("--watch=3600"), "", "mode=watch watch-interval=3600000000000 " },
		{ ARGS("--watch=5", "--count", "3", "--json"), "",
			"mode=watch watch-interval=5000000000 count=3 json " },
		{ ARGS("--json"), "", "mode=watch json " },
		{ ARGS("--watch", "--color", "never"), "", "mode=watch color=1 " },
		{ ARGS("--watch", "--color=always"), "", "mode=watch color=2 " },
		{ ARGS("--watch", "--color=always", "--color=auto"), "", "mode=watch " },
		{ ARGS("--watch", "--unit", "bytes"), "", "mode=watch unit=1 " },
		{ ARGS("--watch", "--unit=bits-1024"), "", "mode=watch unit=2 " },
		{ ARGS("--unit=bytes-1024"), "", "mode=watch unit=3 " },
		{ ARGS("--watch", "--sort", "name"), "", "mode=watch sort=0 " },
		{ ARGS("--watch", "--sort", "-seen"), "", "mode=watch sort=7 reverse " },
		{ ARGS("--watch", "--sort=-up", "--sort=up"), "", "mode=watch sort=2 " },
		{ ARGS("--watch", "--average", "40"), "", "mode=watch average=3 " },
		{ ARGS("--watch", "--average=2"), "", "mode=watch average=1 " },
		{ ARGS("--trace", "f"), "", "trace=f " },
		{ ARGS("--user", "u"), "", "user=u " },
		{ ARGS("--seccomp", "false"), "", "no-seccomp " },
		{ ARGS("--seccomp=off"), "seccomp = true", "no-seccomp " },
		{ ARGS("--seccomp=yes"), "seccomp = no", "" },
		{ ARGS("--json", "--flows=desktop", "--top", "3"), "", "mode=flows json " },
		{ ARGS("--audit"), "", "mode=audit " },
		{ ARGS("--audit=2.5", "--json"), "", "mode=audit audit-interval=2500000000 json " },
		{ ARGS("--json", "--audit"), "", "mode=audit json " },
		{ ARGS("--record", "f"), "", "mode=record record=f " },
		{ ARGS("--seconds", "1.5", "--record", "f", "--record-limit", "5", "--anonymize"), "",
			"mode=record record=f anonymize seconds=1500000000 record-limit=5 " },
		{ ARGS("--replay", "f", "--record", "g", "--anonymize"), "",
			"mode=replay replay=f record=g anonymize " },
		{ ARGS("--anonymize", "--record", "g", "--replay", "f"), "",
			"mode=replay replay=f record=g anonymize " },
		{ ARGS("--replay", "f", "--explain", "all"), "", "mode=replay replay=f explain=all " },
		{ ARGS("--log-level", "error"), "", "log-level=0 " },
		{ ARGS("--log-level", "debug"), "", "log-level=3 " },
		{ ARGS("--once", "--"), "", "mode=once once " },
	};
	(void)state;
	CHECK(cases, 0);
}

/* These two read no file and mind nothing else that was said; so what they leave is not even the defaults. */
static void help_and_version_win(void **state)
{
	static const char *const words[][4] = {
		{ "hostmeter", "--help" },
		{ "hostmeter", "-h" },
		{ "hostmeter", "--once", "--help" },
		{ "hostmeter", "-c", "/nowhere", "-h" },
		{ "hostmeter", "-h", "--nonsense" },
		{ "hostmeter", "--version" },
		{ "hostmeter", "-V" },
		{ "hostmeter", "-hV" },
		{ "hostmeter", "-Vh" },
	};
	static const enum config_mode modes[] = {
		CONFIG_HELP,
		CONFIG_HELP,
		CONFIG_HELP,
		CONFIG_HELP,
		CONFIG_HELP,
		CONFIG_VERSION,
		CONFIG_VERSION,
		CONFIG_HELP,
		CONFIG_VERSION,
	};
	(void)state;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct config config;
		int argc = 0;

		while (argc < 4 && words[i][argc])
			argc++;
		assert_int_equal(config_load(&config, argc, (char *const *)words[i], stderr), 0);
		assert_int_equal(config.mode, modes[i]);
		config_free(&config);
	}
}

static void bad_command_lines_are_refused(void **state)
{
	static const struct test_case cases[] = {
		{ ARGS("--nonsense"), "", LINE("unknown option \"--nonsense\"; see --help") },
		{ ARGS("--max-hosts=3"), "", LINE("unknown option \"--max-hosts=3\"; see --help") },
		{ ARGS("-x"), "", LINE("unknown option \"-x\"; see --help") },
		{ ARGS("--l", "a"), "", LINE("option \"--l\" is ambiguous; see --help") },
		{ ARGS("--lan"), "", LINE("--lan needs an argument (IF); see --help") },
		{ ARGS("-c"), "", LINE("--config needs an argument (FILE); see --help") },
		{ ARGS("--once=1"), "", LINE("--once takes no argument; see --help") },
		{ ARGS("now"), "", LINE("unexpected argument \"now\"; see --help") },
		{ ARGS("now", "--nonsense"), "", LINE("unexpected argument \"now\"; see --help") },
		{ ARGS("--once", "now", "--cgi"), "", LINE("unexpected argument \"now\"; see --help") },
		{ ARGS("--once", "--print-rules"), "", LINE("--print-rules: cannot be used together with --once") },
		{ ARGS("--replay", "f", "--cgi"), "", LINE("--cgi: cannot be used together with --replay") },
		{ ARGS("--once", "--record", "f"), "", LINE("--record: cannot be used together with --once") },
		{ ARGS("--once", "--trace", "f"), "", LINE("--trace: cannot be used together with --once") },
		{ ARGS("--record", "f", "--trace", "g"), "", LINE("--trace: cannot be used together with --record") },
		{ ARGS("--replay", "f", "--seconds", "1"), "",
			LINE("--seconds: cannot be used together with --replay") },
		{ ARGS("--replay", "f", "--output", "g"), "", LINE("--output: cannot be used together with --replay") },
		{ ARGS("--record", "f", "--once"), "", LINE("--once: cannot be used together with --record") },
		{ ARGS("--audit", "--once"), "", LINE("--once: cannot be used together with --audit") },
		{ ARGS("--audit", "--flows"), "", LINE("--flows: cannot be used together with --audit") },
		{ ARGS("--audit", "--count", "3"), "", LINE("--count: cannot be used together with --audit") },
		{ ARGS("--watch", "5"), "", LINE("unexpected argument \"5\": write --watch=5") },
		{ ARGS("--flows", "desktop"), "", LINE("unexpected argument \"desktop\": write --flows=desktop") },
		{ ARGS("--watch", "--once"), "", LINE("--once: cannot be used together with --watch") },
		{ ARGS("--once", "--json"), "", LINE("--json: cannot be used together with --once") },
	};
	(void)state;
	CHECK(cases, -EINVAL);
}

static void only_keys_are_set_as_keys(void **state)
{
	static const char *const no_keys[] = { "once", "config", "replay", "help", "nonsense", "" };
	FILE *err = tmpfile();
	struct config_origin origin = { .err = err };
	struct config config = { 0 };
	(void)state;

	assert_non_null(err);
	for (size_t i = 0; i < sizeof(no_keys) / sizeof(no_keys[0]); i++) {
		assert_int_equal(options_set(&config, no_keys[i], "1", &origin), -EINVAL);
		assert_true(options_bit(no_keys[i]) == 0);
	}
	assert_true(options_bit("lan") != 0 && options_bit("lan") != options_bit("wan"));
	fclose(err);
	config_free(&config);
}

static char *printed(void (*print)(FILE *))
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	print(out);
	assert_int_equal(fclose(out), 0);
	return text;
}

static void help_and_version_print(void **state)
{
	char *help = printed(config_help), *version = printed(config_version);
	(void)state;

	assert_string_equal(version, "hostmeter " HOSTMETER_VERSION "\n");
	assert_ptr_equal(strstr(help, "Usage: hostmeter [OPTION]...\n"), help);
	assert_non_null(strstr(help,
		"\n      --nflog-group N          the NFLOG group that the rules log to (default: 60)\n"));
	assert_non_null(strstr(help, "\n  -c, --config FILE            "));
	assert_non_null(strstr(help, "\n      --print-rules[=WHAT]     "));
	assert_null(strstr(help, "max-hosts"));
	for (char *line = strtok(help, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) <= 100);
	free(help);
	free(version);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_taken),
		cmocka_unit_test(help_and_version_win),
		cmocka_unit_test(bad_command_lines_are_refused),
		cmocka_unit_test(only_keys_are_set_as_keys),
		cmocka_unit_test(help_and_version_print),
	};

	return cmocka_run_group_tests_name("options", tests, enter, leave);
}
