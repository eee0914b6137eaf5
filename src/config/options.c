/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "options.h"

#include "hostmeter/base/buf.h"
#include "hostmeter/config/config.h"
#include "values.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum group { METERING, SERVING, MODES, OTHERS, GROUPS };

static const char *const group_titles[GROUPS] = {
	[METERING] = "What is metered, and how",
	[SERVING] = "Files, and where the metrics are served",
	[MODES] = "Instead of running the meter, one of",
	[OTHERS] = "Others",
};

#define BIT(mode) (1u << (mode))

/* ---- The table. Its rows keep one line for what they are and one for what --help says. */

static const struct setting_row rows[] = {
	{ "lan", 0, "IF", METERING, KEY | LIVE | LIST, value_interface, SETTING_FIELD(lan),
		.help = "a LAN interface (default: those with a private address)" },
	{ "wan", 0, "IF", METERING, KEY | LIVE | LIST, value_interface, SETTING_FIELD(wan),
		.help = "a WAN interface (default: those of the default routes)" },
	{ "carrier", 0, "IF", METERING, KEY | LIVE | HIDDEN | LIST, value_interface, SETTING_FIELD(carrier),
		.help = "an interface that only carries a WAN, and has no hosts" },
	{ "transit", 0, "IF", METERING, KEY | LIVE | HIDDEN | LIST, value_interface, SETTING_FIELD(transit),
		.help = "an interface of a translator, such as NAT64" },
	{ "ignore", 0, "IF", METERING, KEY | LIVE | HIDDEN | LIST, value_interface, SETTING_FIELD(ignore),
		.help = "an interface whose hosts are not metered" },
	{ "tunnel", 0, "[ADDR]:PORT", METERING, KEY | LIVE | HIDDEN | LIST, value_tunnel, SETTING_FIELD(tunnel),
		.help = "the other end of a tunnel, whose outer packets are not the router's own traffic" },
	{ "nflog-group", 0, "N", METERING, KEY | WHOLE, value_number, SETTING_FIELD(nflog_group),
		.help = "the NFLOG group that the rules log to", .preset = "60", .min = 0, .max = 65535 },
	{ "dump-interval", 0, "SECONDS", METERING, KEY | LIVE | TIME, value_number, SETTING_FIELD(dump_interval_ns),
		.help = "time between dumps of all flows", .preset = "10", .min = 0.1, .max = 3600 },
	{ "dump-share", 0, "PERCENT", METERING, KEY | LIVE, value_number, SETTING_FIELD(dump_share),
		.help = "share of one core for dumps", .preset = "5", .min = 0.1, .max = 100 },
	{ "event-buffer", 0, "BYTES", METERING, KEY | HIDDEN | WHOLE, value_number, SETTING_FIELD(event_buffer),
		.help = "receive buffer of the event socket", .preset = "8388608", .min = 4096, .max = 1 << 30 },
	{ "reliable-fill", 0, "PERCENT", METERING, KEY | HIDDEN, value_number, SETTING_FIELD(reliable_fill),
		.help = "fill of the conntrack table above which events are not delivered reliably", .preset = "90",
		.min = 1, .max = 100 },
	{ "max-hosts", 0, "N", METERING, KEY | HIDDEN | WHOLE, value_number, SETTING_FIELD(max_hosts),
		.help = "hosts with series of their own", .preset = "4096", .min = 1, .max = 65000 },
	{ "forget-after", 0, "SECONDS", METERING, KEY | LIVE | HIDDEN | TIME, value_number,
		SETTING_FIELD(forget_after_ns),
		.help = "after this a host without traffic is counted as other; 0: never", .preset = "7776000",
		.min = 0, .max = 31622400 },
	{ "forget-unanswered", 0, "SECONDS", METERING, KEY | LIVE | HIDDEN | TIME, value_number,
		SETTING_FIELD(forget_unanswered_ns), .help = "the same for a host that never got a reply; 0: never",
		.preset = "3600", .min = 0, .max = 31622400 },
	{ "names-ethers", 0, "FILE", METERING, KEY | LIVE | HIDDEN | LIST, value_pattern, SETTING_FIELD(names_ethers),
		.help = "names that the administrator gave, as ethers(5)", .preset = "/etc/ethers /etc/config/dhcp" },
	{ "names-leases", 0, "FILE", METERING, KEY | LIVE | HIDDEN | LIST, value_pattern, SETTING_FIELD(names_leases),
		.help = "leases of dnsmasq, dhcpd and Kea",
		.preset = "/var/lib/misc/dnsmasq.leases /tmp/dhcp.leases /var/lib/dhcp/dhcpd.leases "
			  "/var/lib/kea/kea-leases4.csv /var/lib/kea/kea-leases6.csv" },
	{ "names-odhcpd", 0, "FILE", METERING, KEY | LIVE | HIDDEN | LIST, value_pattern, SETTING_FIELD(names_odhcpd),
		.help = "hosts files and leases of odhcpd", .preset = "/tmp/hosts/odhcpd* /tmp/odhcpd.leases" },
	{ "names-hosts", 0, "FILE", METERING, KEY | LIVE | HIDDEN | LIST, value_pattern, SETTING_FIELD(names_hosts),
		.help = "names by address, as hosts(5)", .preset = "/etc/hosts /tmp/hosts/dhcp*" },
	{ "config", 'c', "FILE", SERVING, TEXT, value_path, SETTING_FIELD(file),
		.help = "the configuration file (default: /etc/hostmeter/hostmeter.conf)" },
	{ "listen", 0, "[ADDR]:PORT", SERVING, KEY | LIVE | LIST, value_listen, SETTING_FIELD(listen),
		.help = "where to serve the metrics", .preset = ":10060" },
	{ "allow", 0, "PREFIX", SERVING, KEY | LIVE | HIDDEN | LIST, value_allow, SETTING_FIELD(allow),
		.help = "clients that are answered besides this machine and its LANs" },
	{ "server-name", 0, "NAME", SERVING, KEY | LIVE | HIDDEN | LIST, value_server_name, SETTING_FIELD(server_names),
		.help = "a name of this machine that browsers may use" },
	{ "web.config.file", 0, "FILE", SERVING, KEY | LIVE | TEXT, value_path, SETTING_FIELD(web_config),
		.help = "TLS and passwords, in the format of other exporters" },
	{ "page-memory", 0, "MB", SERVING, KEY | LIVE | HIDDEN | WHOLE, value_number, SETTING_FIELD(page_memory),
		.help = "memory for the pages that are being sent (default: 32, more for over 10,000 hosts)", .min = 8,
		.max = 4000 },
	{ "socket", 0, "PATH", SERVING, KEY | TEXT, value_path, SETTING_FIELD(socket),
		.help = "socket for local clients (default: hostmeter.sock in --runtime-dir)" },
	{ "runtime-dir", 0, "DIR", SERVING, KEY | TEXT, value_path, SETTING_FIELD(runtime_dir),
		.help = "files that are kept until the next boot", .preset = "/run/hostmeter" },
	{ "state-dir", 0, "DIR", SERVING, KEY | TEXT, value_path, SETTING_FIELD(state_dir),
		.help = "files that are kept across boots", .preset = "/var/lib/hostmeter" },
	{ "user", 0, "NAME", SERVING, KEY | TEXT, value_string, SETTING_FIELD(user),
		.help = "the user to become as root (default: hostmeter, if it exists)" },
	{ "seccomp", 0, "true|false", SERVING, KEY, value_bool, SETTING_FIELD(seccomp),
		.help = "whether system calls are filtered", .preset = "true" },
	{ "trace", 0, "FILE", SERVING, TEXT, value_path, SETTING_FIELD(trace),
		.help = "write the kernel's messages to FILE from the start, for --replay" },
	{ "once", 0, NULL, MODES, 0, value_flag, SETTING_FIELD(once_given), .help = "print the running meter's metrics",
		.mode = CONFIG_ONCE },
	{ "cgi", 0, NULL, MODES, 0, value_flag, SETTING_FIELD(cgi),
		.help = "the same with the HTTP header of a CGI program", .mode = CONFIG_ONCE },
	{ "output", 0, "FILE", MODES, TEXT, value_path, SETTING_FIELD(output),
		.help = "write --once to FILE, which is replaced as a whole", .mode = CONFIG_ONCE },
	{ "watch", 0, "SECONDS", MODES, TIME, value_number, SETTING_FIELD(watch_interval_ns),
		.help = "show the rates of all hosts, from the running meter", .preset = "1", .min = 0.2, .max = 3600,
		.bare = "1", .mode = CONFIG_WATCH },
	{ "count", 0, "N", MODES, WHOLE, value_number, SETTING_FIELD(count), .help = "--watch as plain text, N times",
		.min = 1, .max = 1e9, .mode = CONFIG_WATCH },
	{ "json", 0, NULL, MODES, 0, value_flag, SETTING_FIELD(json),
		.help = "--watch, --flows, --check or --audit as JSON, one object a line", .mode = CONFIG_WATCH,
		.also = BIT(CONFIG_FLOWS) | BIT(CONFIG_CHECK) | BIT(CONFIG_AUDIT) },
	{ "flows", 0, "HOST", MODES, TEXT, value_string, SETTING_FIELD(flows_host),
		.help = "list live flows as conntrack -L does, each with its host", .bare = "", .mode = CONFIG_FLOWS },
	{ "ipv", 0, "4|6", MODES, TEXT, value_string, SETTING_FIELD(flows_ipv), .help = "--flows of one family",
		.mode = CONFIG_FLOWS },
	{ "proto", 0, "PROTOCOL", MODES, TEXT, value_string, SETTING_FIELD(flows_proto),
		.help = "--flows of one protocol, by name or number", .mode = CONFIG_FLOWS },
	{ "port", 0, "PORT", MODES, TEXT, value_string, SETTING_FIELD(flows_port),
		.help = "--flows from or to this port", .mode = CONFIG_FLOWS },
	{ "top", 0, "N", MODES, WHOLE, value_number, SETTING_FIELD(flows_top),
		.help = "--flows with the most bytes, sorted", .min = 1, .max = 1e9, .mode = CONFIG_FLOWS },
	{ "audit", 0, "SECONDS", MODES, TIME, value_number, SETTING_FIELD(audit_interval_ns),
		.help = "compare the running meter with the kernel for so long", .preset = "30", .min = 1, .max = 86400,
		.bare = "30", .mode = CONFIG_AUDIT },
	{ "standalone", 0, NULL, MODES, 0, value_flag, SETTING_FIELD(standalone),
		.help = "--watch with its own meter, none running (root)", .mode = CONFIG_WATCH },
	{ "color", 0, "WHEN", MODES, 0, value_word, SETTING_FIELD(color),
		.help = "--watch in colours: auto, never, always", .preset = "auto", .words = "auto never always",
		.mode = CONFIG_WATCH },
	{ "unit", 0, "UNIT", MODES, 0, value_word, SETTING_FIELD(watch_unit),
		.help = "--watch in bits, bytes, bits-1024 or bytes-1024", .preset = "bits",
		.words = "bits bytes bits-1024 bytes-1024", .mode = CONFIG_WATCH },
	{ "sort", 0, "COLUMN", MODES, 0, value_sort, SETTING_FIELD(watch_sort),
		.help = "--watch sorted by a column: total; reversed: -total", .preset = "share",
		.words = "name down up total share ipv6 connections seen", .mode = CONFIG_WATCH },
	{ "average", 0, "SECONDS", MODES, 0, value_word, SETTING_FIELD(watch_average),
		.help = "--watch with averages over 2, 10 or 40 seconds", .preset = "auto", .words = "auto 2 10 40",
		.mode = CONFIG_WATCH },
	{ "check", 0, NULL, MODES, 0, NULL, 0, .help = "check for problems and print how to fix them",
		.mode = CONFIG_CHECK },
	{ "print-rules", 0, "WHAT", MODES, TEXT, value_rules, SETTING_FIELD(rules),
		.help = "print the rules to load, nft or iptables (default: nft)", .bare = "nft",
		.mode = CONFIG_PRINT_RULES },
	{ "record", 0, "FILE", MODES, TEXT, value_path, SETTING_FIELD(record),
		.help = "write the kernel's messages to the running meter to FILE", .mode = CONFIG_RECORD,
		.also = BIT(CONFIG_REPLAY) },
	{ "seconds", 0, "N", MODES, TIME, value_number, SETTING_FIELD(record_ns), .help = "--record for so long",
		.min = 0.1, .max = 1e6, .mode = CONFIG_RECORD },
	{ "record-limit", 0, "MB", MODES, WHOLE, value_number, SETTING_FIELD(record_limit),
		.help = "--record at most this much", .preset = "64", .min = 1, .max = 1e6, .mode = CONFIG_RECORD },
	{ "anonymize", 0, NULL, MODES, 0, value_flag, SETTING_FIELD(anonymize),
		.help = "--record with pseudonyms (with --replay: from a trace)", .mode = CONFIG_RECORD,
		.also = BIT(CONFIG_REPLAY) },
	{ "replay", 0, "FILE", MODES, TEXT, value_path, SETTING_FIELD(replay),
		.help = "meter a file of --record, then print the metrics", .mode = CONFIG_REPLAY },
	{ "explain", 0, "HOST", MODES, TEXT, value_string, SETTING_FIELD(explain),
		.help = "print each decision on a host, or on all, of --replay", .mode = CONFIG_REPLAY },
	{ "log-level", 0, "LEVEL", OTHERS, KEY | LIVE, value_log_level, SETTING_FIELD(log_level),
		.help = "error, warning, info or debug", .preset = "info" },
	{ "help", 'h', NULL, OTHERS, 0, NULL, 0, .help = "print this and exit", .mode = CONFIG_HELP },
	{ "version", 'V', NULL, OTHERS, 0, NULL, 0, .help = "print the version and exit", .mode = CONFIG_VERSION },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), LONG_BASE = 256 };
_Static_assert(ROWS <= 64, "a set of rows is a word of 64 bits");

static const struct setting_row *find_row(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (!strcmp(rows[i].name, name))
			return &rows[i];
	return NULL;
}

static uint64_t row_bit(const struct setting_row *row)
{
	return UINT64_C(1) << (row - rows);
}

uint64_t options_bit(const char *key)
{
	const struct setting_row *row = find_row(key);

	return row && row->flags & KEY ? row_bit(row) : 0;
}

const char *options_next_key(size_t *i, bool *list)
{
	while (*i < ROWS) {
		const struct setting_row *row = &rows[(*i)++];

		if (row->flags & KEY) {
			*list = row->flags & LIST;
			return row->name;
		}
	}
	return NULL;
}

int options_set(struct config *config, const char *key, const char *value, const struct config_origin *origin)
{
	const struct setting_row *row = find_row(key);

	if (!row || !(row->flags & KEY))
		return config_error(origin, "no such key");
	return row->set(&(struct setting){ config, row, value, origin });
}

static int set_preset(const struct setting *s)
{
	char values[256], *save = NULL;
	struct setting one = *s;
	int ret = 0;

	if (!(s->row->flags & LIST))
		return s->row->set(s);
	snprintf(values, sizeof(values), "%s", s->row->preset);
	for (one.value = strtok_r(values, " ", &save); one.value && !ret; one.value = strtok_r(NULL, " ", &save))
		ret = s->row->set(&one);
	return ret;
}

int options_preset(struct config *config, uint64_t given, FILE *err)
{
	int ret = 0;

	for (const struct setting_row *row = rows; !ret && row < rows + ROWS; row++) {
		struct config_origin origin = { .err = err };

		snprintf(origin.what, sizeof(origin.what), "default of %s", row->name);
		if (row->preset && !(given & row_bit(row)))
			ret = set_preset(&(struct setting){ config, row, row->preset, &origin });
	}
	return ret;
}

/* ---- Two configurations */

uint64_t options_compare(const struct config *a, const struct config *b)
{
	uint64_t differ = 0;

	for (const struct setting_row *row = rows; row < rows + ROWS; row++)
		if (row->flags & KEY && !value_equal(a, b, row))
			differ |= row_bit(row);
	return differ;
}

uint64_t options_live(void)
{
	uint64_t live = 0;

	for (const struct setting_row *row = rows; row < rows + ROWS; row++)
		if (row->flags & LIVE)
			live |= row_bit(row);
	return live;
}

void options_exchange(struct config *a, struct config *b, uint64_t keys)
{
	for (const struct setting_row *row = rows; row < rows + ROWS; row++)
		if (keys & row_bit(row))
			value_exchange(a, b, row);
}

void options_put_names(struct buf *out, uint64_t keys)
{
	for (const struct setting_row *row = rows; row < rows + ROWS; row++)
		if (keys & row_bit(row))
			buf_printf(out, "%s%s", out->len ? ", " : "", row->name);
}

void options_free(struct config *config)
{
	for (size_t i = 0; i < ROWS; i++)
		value_free(config, &rows[i]);
}

/* ---- The command line */

struct getopt_tables {
	struct option longs[ROWS + 1];
	char shorts[2 * ROWS + 3];
};

static void make_tables(struct getopt_tables *tables)
{
	/* '+': stop at the first word that is no option; ':': the messages are ours. */
	char *s = stpcpy(tables->shorts, "+:");
	struct option *o = tables->longs;

	for (size_t i = 0; i < ROWS; i++) {
		const struct setting_row *row = &rows[i];

		if (row->flags & HIDDEN)
			continue;
		*o++ = (struct option){
			.name = row->name,
			.has_arg = !row->argument ? no_argument :
				row->bare         ? optional_argument :
						    required_argument,
			.val = LONG_BASE + (int)i,
		};
		if (!row->letter)
			continue;
		*s++ = row->letter;
		if (row->argument)
			*s++ = ':';
	}
	*o = (struct option){ 0 };
	*s = '\0';
}

static const struct setting_row *row_of(int val)
{
	if (val >= LONG_BASE && val < LONG_BASE + ROWS)
		return &rows[val - LONG_BASE];
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].letter && rows[i].letter == val)
			return &rows[i];
	return NULL;
}

/* getopt_long() found fault with a word: say which and why. */
static int refuse_word(const struct config_origin *origin, int code, const char *word)
{
	const struct setting_row *row = row_of(optopt);

	if (row && code == ':')
		return config_error(origin, "--%s needs an argument (%s); see --help", row->name, row->argument);
	if (row)
		return config_error(origin, "--%s takes no argument; see --help", row->name);
	if (optopt)
		return config_error(origin, "unknown option \"-%c\"; see --help", optopt);
	for (size_t i = 0; i < ROWS; i++)
		if (!strncmp(rows[i].name, word + 2, strcspn(word + 2, "=")) && !(rows[i].flags & HIDDEN))
			return config_error(origin, "option \"%s\" is ambiguous; see --help", word);
	return config_error(origin, "unknown option \"%s\"; see --help", word);
}

/* A word too many; behind an option whose argument may be left out it was meant for that. */
static int refuse_argument(const struct config_origin *origin, const struct setting_row *mode, const char *word)
{
	if (mode && mode->bare)
		return config_error(origin, "unexpected argument \"%s\": write --%s=%s", word, mode->name, word);
	return config_error(origin, "unexpected argument \"%s\"; see --help", word);
}

/* At most one mode, and --trace only with the meter itself. */
static int check_modes(struct config *config, const struct setting_row *row, const struct setting_row **mode,
	const struct config_origin *origin)
{
	if (row->mode == CONFIG_METER && row->field != SETTING_FIELD(trace))
		return 0;
	if (*mode && row->also & BIT((*mode)->mode))
		return 0;
	if (*mode && (*mode)->mode != row->mode && !((*mode)->also & BIT(row->mode)))
		return config_error(origin, "cannot be used together with --%s", (*mode)->name);
	*mode = row;
	config->mode = row->mode;
	return 0;
}

int options_parse(struct config *config, uint64_t *given, int argc, char *const argv[], FILE *err)
{
	struct config_origin plain = { .err = err }, origin = plain;
	const struct setting_row *mode = NULL;
	struct getopt_tables tables;
	int code, ret;

	make_tables(&tables);
	optind = 0; /* glibc and musl: begin afresh */
	while ((code = getopt_long(argc, argv, tables.shorts, tables.longs, NULL)) != -1) {
		const struct setting_row *row = code == '?' || code == ':' ? NULL : row_of(code);

		if (!row)
			return refuse_word(&plain, code, argv[optind - 1]);
		if (row->mode == CONFIG_HELP || row->mode == CONFIG_VERSION) {
			config->mode = row->mode;
			return 0;
		}
		snprintf(origin.what, sizeof(origin.what), "--%s", row->name);
		ret = check_modes(config, row, &mode, &origin);
		if (!ret && row->set)
			ret = row->set(&(struct setting){ config, row, optarg ? optarg : row->bare, &origin });
		if (ret)
			return ret;
		*given |= row_bit(row);
	}
	if (optind < argc)
		return refuse_argument(&plain, mode, argv[optind]);
	return 0;
}

static void help_row(const struct setting_row *row, FILE *out)
{
	char left[64];

	snprintf(left, sizeof(left), "%c%c%c --%s%s%s%s", row->letter ? '-' : ' ', row->letter ? row->letter : ' ',
		row->letter ? ',' : ' ', row->name,
		!row->argument    ? "" :
			row->bare ? "[=" :
				    " ",
		row->argument ? row->argument : "", row->bare ? "]" : "");
	fprintf(out, "  %-28s %s", left, row->help);
	if (row->preset)
		fprintf(out, " (default: %s)", row->preset);
	fputc('\n', out);
}

void options_help(FILE *out)
{
	for (int group = 0; group < GROUPS; group++) {
		fprintf(out, "\n%s:\n", group_titles[group]);
		for (size_t i = 0; i < ROWS; i++)
			if ((int)rows[i].group == group && !(rows[i].flags & HIDDEN))
				help_row(&rows[i], out);
	}
}
