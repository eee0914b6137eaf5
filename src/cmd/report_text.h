/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report_text: a report of the ledger (its JSON) for people and as CSV. Pure; what the JSON lacks is 0 or "". */
#pragma once

#include "hostmeter/base/json.h"

struct report_style {
	int width; /* cells of a line */
	bool utf8; /* LC_CTYPE is of a UTF-8 locale; else names have '?' for what is not ASCII */
};

/* Appends a table as wide as its line at most, unless that is below 40; and below it what is missing. */
void report_text(struct buf *out, const json_t *report, const struct report_style *style);

/* Appends a line of titles and a line for each row (RFC 4180, but lines end with "\n"). Times: seconds since 1970. */
void report_csv(struct buf *out, const json_t *report);
