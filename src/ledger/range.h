/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * range: the time that a report is about, from text and to text. Instants and zones: as calendar.h has them; weeks
 * begin on Monday.
 */
#pragma once

#include "period.h"

#include <stddef.h>

enum { RANGE_TIME = 24, RANGE_LABEL = 64, RANGE_ERROR = 160 };

struct range {
	int64_t from, to; /* the first instant, and the first one after it; from is the earlier one */
};

/*
 * Reads one of
 *   today, yesterday, week, month, year    the one that now is in, as a whole
 *   period                                 the billing period of rule; NULL: there is none
 *   month-1, period-2, ...                 so many before that one
 *   2026, 2026-11, 2026-11-03              a year, a month, a day
 *   FROM..TO                               from the first instant of one of these to the last instant of another
 * 0; or -EINVAL: *range is untouched, and error has one line, without an end, that says what is wrong with the text.
 */
int range_parse(struct range *range, const char *text, int64_t now, const struct period_rule *rule,
	char error[static RANGE_ERROR]);

/*
 * Writes it as short as it can be: "2026", "2026-11", "2026-11-03", "2026-11-03..2026-11-09", which range_parse()
 * reads; and where it is not whole days "2026-11-03 06:00 to 2026-12-03 06:00". Returns label.
 */
const char *range_label(struct range range, char label[static RANGE_LABEL]);

/* An instant, to the minute: "2026-11-03 06:00". Returns text. */
const char *range_time(int64_t t, char text[static RANGE_TIME]);
