/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every option, every key and every mistake, as tables: command line and file in; out comes what differs from the
 * defaults, as text, or the one line that says what is wrong.
 */
#include "hostmeter/config/config.h"

#include "hostmeter/base/addr.h"
#include "hostmeter/base/buf.h"
#include "hostmeter/base/log.h"
#include "options.h"
#include "values.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FILE_NAME "t.conf" /* in a directory of its own, where the tests run */
#define ARGS(...)                                                                                                      \
	{                                                                                                              \
		"hostmeter", __VA_ARGS__ __VA_OPT__(, ) NULL                                                           \
	}
#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10
#define X100 X50 X50

struct test_case {
	const char *args[10];
	const char *file; /* NULL: no --config */
	const char *expected;
};

/* ---- What a configuration says, as text */

/* usual: with commas between. */
static void show_strings(struct buf *b, const char *name, const struct config_strings *strings, const char *usual)
{
	struct buf all = BUF_INIT;

	for (size_t i = 0; i < strings->count; i++)
		buf_printf(&all, "%s%s", i ? "," : "", strings->item[i]);
	if (strcmp(buf_text(&all), usual))
		buf_printf(b, "%s=%s ", name, buf_text(&all));
	buf_free(&all);
}

static void show_string(struct buf *b, const char *name, const char *value, const char *usual)
{
	if (value && (!usual || strcmp(value, usual)))
		buf_printf(b, "%s=%s ", name, value);
	if (!value && usual)
		buf_printf(b, "%s=NULL ", name);
}

static void show_hosts(struct buf *b, const struct config *config)
{
	for (size_t i = 0; i < config->hosts; i++) {
		const struct config_host *host = &config->host[i];
		char text[ADDR_TEXT];

		buf_printf(b, "host[%s", host->name);
		for (size_t j = 0; j < host->macs; j++)
			buf_printf(b, " %s", mac_format(&host->mac[j], text));
		for (size_t j = 0; j < host->addresses; j++)
			buf_printf(b, " %s", addr_format(&host->address[j], text));
		buf_puts(b, "] ");
	}
}

static void show(struct buf *b, const struct config *config)
{
	static const char *const modes[] = { [CONFIG_ONCE] = "once",
		[CONFIG_PRINT_RULES] = "print-rules",
		[CONFIG_REPLAY] = "replay",
		[CONFIG_RECORD] = "record",
		[CONFIG_WATCH] = "watch",
		[CONFIG_FLOWS] = "flows",
		[CONFIG_CHECK] = "check",
		[CONFIG_AUDIT] = "audit",
		[CONFIG_HELP] = "help",
		[CONFIG_VERSION] = "version" };

	show_string(b, "mode", modes[config->mode], NULL);
	show_strings(b, "lan", &config->lan, "");
	show_strings(b, "wan", &config->wan, "");
	show_strings(b, "listen", &config->listen, ":10060");
	show_strings(b, "allow", &config->allow, "");
	show_strings(b, "server-name", &config->server_names, "");
	show_strings(b, "names-ethers", &config->names_ethers, "/etc/ethers");
	show_strings(b, "names-leases", &config->names_leases, "/var/lib/misc/dnsmasq.leases,/tmp/dhcp.leases");
	show_strings(b, "names-odhcpd", &config->names_odhcpd, "/tmp/hosts/odhcpd*");
	show_strings(b, "names-hosts", &config->names_hosts, "/etc/hosts");
	show_string(b, "socket", config->socket, "/run/hostmeter/hostmeter.sock");
	show_string(b, "runtime-dir", config->runtime_dir, "/run/hostmeter");
	show_string(b, "state-dir", config->state_dir, "/var/lib/hostmeter");
	show_string(b, "replay", config->replay, NULL);
	show_string(b, "record", config->record, NULL);
	show_string(b, "trace", config->trace, NULL);
	show_string(b, "explain", config->explain, NULL);
	if (config->anonymize)
		buf_puts(b, "anonymize ");
	if (config->record_ns)
		buf_printf(b, "seconds=%llu ", (unsigned long long)config->record_ns);
	if (config->record_limit != 64)
		buf_printf(b, "record-limit=%u ", config->record_limit);
	show_string(b, "output", config->output, NULL);
	show_string(b, "rules", config->rules, NULL);
	if (config->watch_interval_ns != UINT64_C(1000000000))
		buf_printf(b, "watch-interval=%llu ", (unsigned long long)config->watch_interval_ns);
	if (config->audit_interval_ns != UINT64_C(30000000000))
		buf_printf(b, "audit-interval=%llu ", (unsigned long long)config->audit_interval_ns);
	if (config->count)
		buf_printf(b, "count=%u ", config->count);
	if (config->color)
		buf_printf(b, "color=%d ", config->color);
	if (config->json)
		buf_puts(b, "json ");
	if (config->cgi)
		buf_puts(b, "cgi ");
	if (config->once_given)
		buf_puts(b, "once ");
	if (config->nflog_group != 60)
		buf_printf(b, "nflog-group=%u ", config->nflog_group);
	if (config->dump_interval_ns != UINT64_C(10000000000))
		buf_printf(b, "dump-interval=%llu ", (unsigned long long)config->dump_interval_ns);
	if (config->dump_share < 5 || config->dump_share > 5)
		buf_printf(b, "dump-share=%g ", config->dump_share);
	if (config->max_hosts != 4096)
		buf_printf(b, "max-hosts=%u ", config->max_hosts);
	if (config->forget_after_ns)
		buf_printf(b, "forget-after=%llu ", (unsigned long long)config->forget_after_ns);
	if (config->event_buffer != 8388608)
		buf_printf(b, "event-buffer=%u ", config->event_buffer);
	if (config->reliable_fill != 90)
		buf_printf(b, "reliable-fill=%g ", config->reliable_fill);
	if (config->log_level != LOG_LEVEL_INFO)
		buf_printf(b, "log-level=%d ", config->log_level);
	show_hosts(b, config);
	for (size_t i = 0; i < config->interfaces; i++)
		buf_printf(b, "interface[%s %s] ", config->interface[i].interface, config->interface[i].name);
}

/* ---- The runner */

static void write_file(const char *text, size_t len)
{
	FILE *file = fopen(FILE_NAME, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* Loads; out gets the shown configuration, or the lines on err with the return value left out of them. */
static int load(const struct test_case *c, struct buf *out)
{
	const char *argv[16];
	struct config config;
	size_t err_len = 0;
	char *err_text = NULL;
	int argc = 0;
	FILE *err = open_memstream(&err_text, &err_len);

	assert_non_null(err);
	while (c->args[argc]) {
		argv[argc] = c->args[argc];
		argc++;
	}
	if (c->file) {
		write_file(c->file, strlen(c->file));
		memmove(&argv[3], &argv[1], sizeof(argv[0]) * (size_t)(argc - 1));
		argv[1] = "--config";
		argv[2] = FILE_NAME;
		argc += 2;
	}
	argv[argc] = NULL;

	int ret = config_load(&config, argc, (char *const *)argv, err);

	assert_int_equal(fclose(err), 0);
	if (!ret)
		show(out, &config);
	config_free(&config);
	buf_add(out, err_text, err_len);
	free(err_text);
	return ret;
}

static void check(const struct test_case *cases, size_t count, int expected_ret)
{
	size_t wrong = 0;

	for (size_t i = 0; i < count; i++) {
		struct buf out = BUF_INIT;
		int ret = load(&cases[i], &out);

		if (ret != expected_ret || strcmp(buf_text(&out), cases[i].expected)) {
			print_error("case %zu (%s; %s) gave %d\n  is:     %s\n  should: %s\n", i,
				cases[i].args[1] ? cases[i].args[1] : "", cases[i].file ? cases[i].file : "no file",
				ret, buf_text(&out), cases[i].expected);
			wrong++;
		}
		buf_free(&out);
	}
	assert_int_equal(wrong, 0);
}

#define CHECK(cases, ret) check(cases, sizeof(cases) / sizeof(cases[0]), ret)

/* ---- What is right */

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
		{ ARGS("--trace", "f"), "", "trace=f " },
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

static void keys_are_taken(void **state)
{
	static const struct test_case cases[] = {
		{ ARGS(), "lan = {\"br-lan\", 'br-guest'}", "lan=br-lan,br-guest " },
		{ ARGS(), "lan = br-lan\nlan += {br-guest}\n", "lan=br-lan,br-guest " },
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
		{ ARGS(), "forget-after = 86400", "forget-after=86400000000000 " },
		{ ARGS(), "event-buffer = 8192", "event-buffer=8192 " },
		{ ARGS(), "reliable-fill = 75.5", "reliable-fill=75.5 " },
		{ ARGS(), "log-level = warning", "log-level=1 " },
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

static void bad_command_lines_are_refused(void **state)
{
#define LINE(text) "hostmeter: " text "\n"
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
		{ ARGS("--seconds", "1"), "", LINE("--seconds, --record-limit and --anonymize go with --record FILE") },
		{ ARGS("--replay", "f", "--anonymize"), "",
			LINE("--anonymize goes with --record FILE, which is what is written") },
		{ ARGS("--explain", "all"), "", LINE("--explain goes with --replay FILE") },
		{ ARGS("--explain", "all", "--replay", "f", "--record", "g"), "",
			LINE("--record writes the trace, --explain reads it: one after the other") },
		{ ARGS("--record", "f", "--seconds", "0"), "",
			LINE("--seconds: \"0\" is not a number from 0.1 to 1e+06") },
		{ ARGS("--output", ""), "", LINE("--output: the path is empty") },
		{ ARGS("--replay", "f", "--output", "g"), "", LINE("--output: cannot be used together with --replay") },
		{ ARGS("--record", "f", "--once"), "", LINE("--once: cannot be used together with --record") },
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
		{ ARGS("--audit", "--once"), "", LINE("--once: cannot be used together with --audit") },
		{ ARGS("--audit", "--flows"), "", LINE("--flows: cannot be used together with --audit") },
		{ ARGS("--audit", "--count", "3"), "", LINE("--count: cannot be used together with --audit") },
		{ ARGS("--watch", "5"), "", LINE("unexpected argument \"5\": write --watch=5") },
		{ ARGS("--flows", "desktop"), "", LINE("unexpected argument \"desktop\": write --flows=desktop") },
		{ ARGS("--count", "0"), "", LINE("--count: \"0\" is not a number from 1 to 1e+09") },
		{ ARGS("--color", "red"), "", LINE("--color: \"red\" is not auto, never or always") },
		{ ARGS("--watch", "--once"), "", LINE("--once: cannot be used together with --watch") },
		{ ARGS("--once", "--json"), "", LINE("--json: cannot be used together with --once") },
		{ ARGS("--log-level", "loud"), "", LINE("--log-level: \"loud\" is not error, warning, info or debug") },
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
		{ ARGS("-c", "nowhere.conf"), NULL, LINE("nowhere.conf: No such file or directory") },
		{ ARGS("-c", "/"), NULL, LINE("/: Is a directory") },
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
		{ ARGS(), "max-hosts = 65001", AT(1, "max-hosts: \"65001\" is not a number from 1 to 65000") },
		{ ARGS(), "log-level = \"\"", AT(1, "log-level: \"\" is not error, warning, info or debug") },
		{ ARGS(), "lan = { a,\n b,\n c/d }", AT(3, "lan: \"c/d\" is not an interface name") },
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

static int enter(void **state)
{
	static char dir[] = "/tmp/test_config.XXXXXX";

	*state = dir;
	return mkdtemp(dir) && !chdir(dir) ? 0 : -1;
}

static int leave(void **state)
{
	unlink(FILE_NAME);
	return chdir("/") || rmdir(*state) ? -1 : 0;
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_taken),
		cmocka_unit_test(help_and_version_win),
		cmocka_unit_test(keys_are_taken),
		cmocka_unit_test(command_line_wins),
		cmocka_unit_test(bad_command_lines_are_refused),
		cmocka_unit_test(bad_listen_addresses_are_refused),
		cmocka_unit_test(bad_files_are_refused),
		cmocka_unit_test(names_are_utf8),
		cmocka_unit_test(strange_files_are_refused),
		cmocka_unit_test(missing_default_file_is_fine),
		cmocka_unit_test(mistakes_leave_nothing_behind),
		cmocka_unit_test(only_keys_are_set_as_keys),
		cmocka_unit_test(help_and_version_print),
	};

	return cmocka_run_group_tests_name("config", tests, enter, leave);
}
