/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check_show: what --check found, as text for people and as one JSON object.
 */
#ifndef HOSTMETER_CHECK_PRINT_H
#define HOSTMETER_CHECK_PRINT_H

#include "hostmeter/check/judge.h"

/* Raised when a field changes its meaning or goes. docs/api.md describes each. */
enum { CHECK_SCHEMA = 1 };

/* "ok", "bad" or "untold". */
const char *check_show_state(enum check_state state);

/* A line each, aligned, and below a bad one what mends it. Control bytes are replaced. */
void check_show_text(struct buf *out, const struct check_line *line, size_t count);

/* One object and a newline; real_ns: the time of the check, since 1970. What did not fit shows in buf_error(). */
void check_show_json(struct buf *out, const struct check_line *line, size_t count, uint64_t real_ns);

#endif
