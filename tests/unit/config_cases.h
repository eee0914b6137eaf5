/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config_cases: command lines and files in, as tables; out comes what differs from the defaults, as text, or the one
 * line that says what is wrong.
 */
#pragma once

#include "hostmeter/base/addr.h"
#include "hostmeter/base/buf.h"
#include "hostmeter/base/log.h"
#include "hostmeter/config/config.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FILE_NAME "t.conf" /* in a directory of its own, where the tests run: enter(), leave() */
#define ARGS(...)                                                                                                      \
	{                                                                                                              \
		"hostmeter", __VA_ARGS__ __VA_OPT__(, ) NULL                                                           \
	}
#define X10 "xxxxxxxxxx"
#define X50 X10 X10 X10 X10 X10
#define X100 X50 X50

/* The line that refuses something. */
#define LINE(text) "hostmeter: " text "\n"

struct test_case {
	const char *args[10];
	const char *file; /* NULL: no --config */
	const char *expected;
};

/* ---- What a configuration says, as text */

/* usual: with commas between. */
static inline void show_strings(struct buf *b, const char *name, const struct config_strings *strings,
	const char *usual)
{
	struct buf all = BUF_INIT;

	for (size_t i = 0; i < strings->count; i++)
		buf_printf(&all, "%s%s", i ? "," : "", strings->item[i]);
	if (strcmp(buf_text(&all), usual))
		buf_printf(b, "%s=%s ", name, buf_text(&all));
	buf_free(&all);
}

static inline void show_string(struct buf *b, const char *name, const char *value, const char *usual)
{
	if (value && (!usual || strcmp(value, usual)))
		buf_printf(b, "%s=%s ", name, value);
	if (!value && usual)
		buf_printf(b, "%s=NULL ", name);
}

static inline void show_hosts(struct buf *b, const struct config *config)
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

static inline void show(struct buf *b, const struct config *config)
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
	show_strings(b, "names-ethers", &config->names_ethers, "/etc/ethers,/etc/config/dhcp");
	show_strings(b, "names-leases", &config->names_leases,
		"/var/lib/misc/dnsmasq.leases,/tmp/dhcp.leases,/var/lib/dhcp/dhcpd.leases,"
		"/var/lib/kea/kea-leases4.csv,/var/lib/kea/kea-leases6.csv");
	show_strings(b, "names-odhcpd", &config->names_odhcpd, "/tmp/hosts/odhcpd*,/tmp/odhcpd.leases");
	show_strings(b, "names-hosts", &config->names_hosts, "/etc/hosts,/tmp/hosts/dhcp*");
	show_string(b, "socket", config->socket, "/run/hostmeter/hostmeter.sock");
	show_string(b, "runtime-dir", config->runtime_dir, "/run/hostmeter");
	show_string(b, "state-dir", config->state_dir, "/var/lib/hostmeter");
	show_string(b, "replay", config->replay, NULL);
	show_string(b, "record", config->record, NULL);
	show_string(b, "trace", config->trace, NULL);
	show_string(b, "user", config->user, NULL);
	if (!config->seccomp && config->mode != CONFIG_HELP && config->mode != CONFIG_VERSION)
		buf_puts(b, "no-seccomp ");
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
	if (config->watch_unit)
		buf_printf(b, "unit=%d ", config->watch_unit);
	if (config->watch_sort != 4)
		buf_printf(b, "sort=%d ", config->watch_sort);
	if (config->watch_reverse)
		buf_puts(b, "reverse ");
	if (config->watch_average)
		buf_printf(b, "average=%d ", config->watch_average);
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
	if (config->page_memory)
		buf_printf(b, "page-memory=%u ", config->page_memory);
	if (config->forget_after_ns != 90 * 86400 * UINT64_C(1000000000))
		buf_printf(b, "forget-after=%llu ", (unsigned long long)config->forget_after_ns);
	if (config->forget_unanswered_ns != 3600 * UINT64_C(1000000000))
		buf_printf(b, "forget-unanswered=%llu ", (unsigned long long)config->forget_unanswered_ns);
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

static inline void write_file(const char *text, size_t len)
{
	FILE *file = fopen(FILE_NAME, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

/* Loads; out gets the shown configuration, or the lines on err with the return value left out of them. */
static inline int load(const struct test_case *c, struct buf *out)
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

static inline void check(const struct test_case *cases, size_t count, int expected_ret)
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

static inline int enter(void **state)
{
	static char dir[] = "/tmp/test_config.XXXXXX";

	*state = dir;
	return mkdtemp(dir) && !chdir(dir) ? 0 : -1;
}

static inline int leave(void **state)
{
	unlink(FILE_NAME);
	return chdir("/") || rmdir(*state) ? -1 : 0;
}
