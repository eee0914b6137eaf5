/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check_line: one line of --check: how a thing is, in words, and what mends it.
 */
#ifndef HOSTMETER_CHECK_FINDING_H
#define HOSTMETER_CHECK_FINDING_H

#include "hostmeter/base/buf.h"

enum check_state { CHECK_OK, CHECK_BAD, CHECK_UNTOLD };

struct check_line {
	const char *name;
	enum check_state state; /* CHECK_UNTOLD: it cannot be told here; text says why */
	struct buf text, mend;  /* mend: commands or lines of configuration, a line each; empty unless it is bad */
};

/* Each sets the state and adds to the text. */
void check_line_good(struct check_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
void check_line_bad(struct check_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
void check_line_untold(struct check_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds a line to what mends it. */
void check_line_mend(struct check_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));

struct check_owner;

/* Adds a process to the text. */
void check_line_owner(struct check_line *line, const struct check_owner *owner);

void check_line_clear(struct check_line *line);

#endif
