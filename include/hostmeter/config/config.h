/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * config: the command line and the configuration file, checked, in one plain struct.
 *
 * One static table of options drives parsing, --help and the test that holds the manual pages to it. The command line
 * wins over the file. Every mistake gives one line that says what is wrong and where (option, or file and line).
 */
#pragma once

#include "hostmeter/base/addr.h"
#include "hostmeter/base/version.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum config_mode {
	CONFIG_METER,       /* run the daemon */
	CONFIG_ONCE,        /* --once, --cgi */
	CONFIG_PRINT_RULES, /* --print-rules */
	CONFIG_REPLAY,      /* --replay FILE, with or without --explain */
	CONFIG_RECORD,      /* --record FILE */
	CONFIG_WATCH,       /* --watch */
	CONFIG_FLOWS,       /* --flows */
	CONFIG_CHECK,       /* --check */
	CONFIG_AUDIT,       /* --audit */
	CONFIG_HELP,
	CONFIG_VERSION,
};

/* host "NAME" { mac = {…} address = {…} } */
struct config_host {
	char *name;
	struct mac *mac;
	size_t macs;
	struct addr *address;
	size_t addresses;
};

/* interface "INTERFACE" { name = "NAME" } */
struct config_interface {
	char *interface, *name;
};

struct config_strings {
	char **item; /* NULL: none; a NULL follows the last */
	size_t count;
};

struct config {
	enum config_mode mode;
	int argc; /* the command line, borrowed for config_load_again(); argv NULL: there is none */
	char *const *argv;
	char *file; /* --config FILE, NULL: the default one, if there */
	struct config_strings lan, wan, carrier, transit, ignore, listen;
	struct config_strings tunnel; /* addresses and ports of the other ends, as text */
	struct config_strings names_ethers, names_leases, names_odhcpd, names_hosts; /* paths, the last part a glob */
	struct config_strings allow, server_names; /* prefixes as text; names of this server */
	char *socket, *runtime_dir, *state_dir;
	char *user;       /* --user NAME; NULL: the default one, if there is such a user */
	bool seccomp;     /* system calls are filtered */
	char *web_config; /* --web.config.file FILE; NULL: neither TLS nor passwords */
	char *replay;     /* --replay FILE */
	char *record;     /* --record FILE: from the running meter, or from replay */
	char *trace;      /* --trace FILE: of the meter itself */
	char *explain;    /* --explain HOST */
	bool anonymize;
	uint64_t record_ns;    /* --seconds; 0: until it is stopped */
	uint32_t record_limit; /* megabytes */
	char *output;          /* --output FILE */
	char *rules;           /* --print-rules=WHAT: "nft" or "iptables" */
	bool standalone;       /* --standalone */
	uint64_t watch_interval_ns;
	uint32_t count; /* --count N; 0: without end */
	int color;      /* --color: 0 as the terminal is, 1 never, 2 always */
	int watch_unit; /* --unit: 1 bytes, not bits; 2 of 1024 */
	int watch_sort; /* --sort: in the order of the columns of --watch, the name first */
	bool watch_reverse;
	int watch_average; /* --average: 0 as the view likes it, else which of its averages, from 1 */
	uint64_t audit_interval_ns;
	bool json;
	char *flows_host, *flows_ipv, *flows_proto, *flows_port; /* as given; NULL or "": all */
	uint32_t flows_top;                                      /* 0: all, in the kernel's order */
	bool cgi;
	bool once_given;
	uint32_t nflog_group; /* at most 65535 */
	uint64_t dump_interval_ns;
	double dump_share;     /* per cent of one core */
	uint32_t event_buffer; /* bytes */
	double reliable_fill;  /* per cent of nf_conntrack_max */
	uint32_t max_hosts;
	uint32_t page_memory;                           /* MiB; 0: the default */
	uint64_t forget_after_ns, forget_unanswered_ns; /* 0: never */
	int log_level;                                  /* enum log_level */
	struct config_host *host;
	size_t hosts;
	struct config_interface *interface;
	size_t interfaces;
};

/*
 * Parses the command line, then the file it names (or the default one, if there). Returns 0 and *config, which
 * config_free() frees; or -EINVAL after one line on err that says what and where.
 */
int config_load(struct config *config, int argc, char *const argv[], FILE *err);
void config_free(struct config *config);

/* --- A reload */

/* The same command line, and the file as it is now. As config_load(). */
int config_load_again(struct config *fresh, const struct config *running, FILE *err);

/* In what two configurations differ: sets of keys, and sections. */
struct config_change {
	uint64_t live;    /* a running meter can take these */
	uint64_t restart; /* these take effect with the next start */
	bool hosts, interfaces;
};

/* Whether a running meter can take another value of this key. */
bool config_changed(const struct config_change *change, const char *key);

struct config_change config_compare(const struct config *running, const struct config *fresh);

/*
 * Exchanges what changed and a running meter can take. All else stays where it is, so that what borrowed it need not
 * know. Called again with the same change: everything is as before.
 */
void config_exchange(struct config *running, struct config *fresh, const struct config_change *change);

/* One line: "changed: lan, host; needs a restart: socket", or "nothing changed". */
struct buf;
void config_put_change(struct buf *out, const struct config_change *change);

/* The path of the file that is read. */
const char *config_path(const struct config *config);

/* What --help and --version print. */
void config_help(FILE *out);
void config_version(FILE *out);
