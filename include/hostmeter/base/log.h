/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * log: one line per event on standard error. On a terminal it reads "hostmeter: warning: text"; elsewhere it starts
 * with its priority as in sd-daemon(3), "<4>". A line is one write(2). What is not visible in it is replaced, so a
 * name from the network can neither forge a second line nor control a terminal.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Lines above this level are dropped. Default LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

/* "error", "warning", "info", "debug". 0, or -EINVAL and *level untouched. */
int log_level_parse(enum log_level *level, const char *text);

/* Where lines go; default STDERR_FILENO. Terminal or not is asked of it once. */
void log_set_fd(int fd);

/* Lines have the form for terminals until the next log_set_fd(). */
void log_for_people(void);

void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Each line of text as information, whatever the level. */
void log_text(const char *text);

/*
 * A warning that is written at most once per period for each limit, with the number of those that were suppressed.
 * Zero-initialise the limit.
 */
struct log_limit {
	uint64_t next_ns;
	uint64_t suppressed;
};
#define LOG_PERIOD_NS (UINT64_C(600) * 1000000000)
void log_repeated(struct log_limit *limit, uint64_t period_ns, uint64_t now_ns, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
