/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check_print: what --check found, as text for people and as one JSON object.
 */
#ifndef HOSTMETER_CHECK_PRINT_H
#define HOSTMETER_CHECK_PRINT_H

#include "hostmeter/check/finding.h"

/* Raised when a field changes its meaning or goes. docs/api.md describes each. */
enum { CHECK_SCHEMA = 1 };

/* "ok", "bad" or "unknown". */
const char *check_print_state(enum finding_state state);

/* A line each, aligned, and below a bad one its fix. Control bytes are replaced. */
void check_print_text(struct buf *out, const struct finding *finding, size_t count);

/* One object and a newline; real_ns: the time of the check, since 1970. What did not fit shows in buf_error(). */
void check_print_json(struct buf *out, const struct finding *finding, size_t count, uint64_t real_ns);

#endif
