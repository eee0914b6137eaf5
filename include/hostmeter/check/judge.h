/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * judge: what a router needs for complete numbers: each thing judged by the facts, with the command or the line of
 * configuration that fixes it. A finding is the result for one thing: its state, a text that says how it is, and what
 * fixes it. All findings are printed as text or JSON.
 */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/check/facts.h"

/* Of the JSON object; raised when a field changes its meaning or goes. docs/api.md describes each. */
enum { CHECK_SCHEMA = 1 };

enum finding_state { FINDING_OK, FINDING_BAD, FINDING_UNKNOWN };

struct finding {
	const char *name;
	enum finding_state state; /* FINDING_UNKNOWN: this check cannot know; text says why */
	struct buf text;
	struct buf fix; /* commands or lines of configuration, one a line; empty unless the state is FINDING_BAD */
};

enum { JUDGE_MOST = 32 };

/* Judges everything. Returns the number of findings; finding_clear() frees what is inside them. */
size_t judge_all(const struct check_facts *facts, struct finding finding[static JUDGE_MOST]);

/* Sets the state and appends to the text. */
void finding_set(struct finding *finding, enum finding_state state, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define finding_good(finding, ...) finding_set(finding, FINDING_OK, __VA_ARGS__)
#define finding_bad(finding, ...) finding_set(finding, FINDING_BAD, __VA_ARGS__)
#define finding_unknown(finding, ...) finding_set(finding, FINDING_UNKNOWN, __VA_ARGS__)

/* Appends a line to the fix. */
void finding_fix(struct finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The ending of a noun behind this number. */
static inline const char *finding_plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* Appends a process, by its name and id, to the text. */
void finding_put_owner(struct finding *finding, const struct socket_owner *owner);

/* Whether none of these is bad. */
bool finding_none_bad(const struct finding *finding, size_t count);

/* A line each, and below a bad one its fix. Control bytes are replaced. */
void finding_print_text(struct buf *out, const struct finding *finding, size_t count);

/* One object and a newline; real_ns: the time of the check, since 1970, 0: unknown. What did not fit shows in
 * buf_error(). */
void finding_print_json(struct buf *out, const struct finding *finding, size_t count, uint64_t real_ns);

/* Frees what is inside each. */
void finding_clear(struct finding *finding, size_t count);
