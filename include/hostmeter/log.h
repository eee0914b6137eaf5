/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log: one line per event on standard error, for people and for systemd's journal.
 *
 * On a terminal a line reads "hostmeter: warning: text"; elsewhere it starts with sd-daemon(3)'s "<4>" so that the
 * journal knows its priority. A line is one write(2). Control bytes in it are replaced, so a name from the network
 * cannot forge a second line.
 */
#ifndef HOSTMETER_LOG_H
#define HOSTMETER_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above this level are dropped. Default LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/* "error", "warning", "info", "debug". 0, or -EINVAL and *level untouched. */
int log_level_parse(enum log_level *level, const char *text);

/* Where lines go; default STDERR_FILENO. Terminal or not is asked of it once. */
void log_set_fd(int fd);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/*
 * A warning that repeats: true at most once per period_ns for each limiter, so that a cause is named once, never per
 * packet. After a true, suppressed says how many calls were swallowed before it. Zero-initialise it.
 */
struct log_limit {
	uint64_t next_ns;
	uint64_t suppressed;
	bool told; /* the last call gave true */
};
bool log_allowed(struct log_limit *limit, uint64_t period_ns, uint64_t now_ns);

#endif
