/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cmd: the modes of the program, one function each. main() calls the one that the command line asks for and prints
 * what it appended to out. A function returns the exit status. What went wrong is on the log by then.
 */
#pragma once

#include "hostmeter/base/buf.h"

struct config;

/* The exit statuses. */
enum { CMD_OK, CMD_FAILED, CMD_USAGE };

/* --once, --cgi: the metrics of the running meter; with --output into that file, which is replaced as a whole. */
int cmd_once(const struct config *config, struct buf *out);

/* --print-rules: the firewall rules, with the configured NFLOG group. */
int cmd_print_rules(const struct config *config, struct buf *out);

/*
 * --replay FILE: meters a recorded trace under the trace's own clock, and appends the metrics; with --explain HOST the
 * decisions instead; with --record FILE it copies the trace.
 */
int cmd_replay(const struct config *config, struct buf *out);

/*
 * --record FILE: writes a trace of the running meter into config->record, until a signal, config->record_ns or
 * config->record_limit ends it.
 */
int cmd_record(const struct config *config, struct buf *out);

/* --watch: shows the hosts of the running meter at an interval, on a terminal or as lines that it prints itself. */
int cmd_watch(const struct config *config, struct buf *out);

/* --flows: the live connections of the running meter. */
int cmd_flows(const struct config *config, struct buf *out);

/* --check: judges this machine and the running meter. It changes nothing. CMD_FAILED if something is bad. */
int cmd_check(const struct config *config, struct buf *out);

/* --audit: compares the running meter with the kernel over an interval. CMD_FAILED if a difference is unexplained. */
int cmd_audit(const struct config *config, struct buf *out);

/*
 * Writes out to standard output and empties it. CMD_FAILED if not all of it arrived, after a line on the log unless the
 * reader has closed.
 */
int cmd_print(struct buf *out);
