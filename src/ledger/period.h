/* SPDX-License-Identifier: GPL-2.0-or-later */
/* period: the billing periods of a cap. Instants and zones: as calendar.h has them. */
#pragma once

#include "calendar.h"

enum period_every { PERIOD_MONTH, PERIOD_WEEK, PERIOD_DAYS };

/* When periods begin. Each begins at an hour of its first day, 0 to 23. */
struct period_rule {
	enum period_every every;
	int day;  /* PERIOD_MONTH: 1 to 31, the last day of a shorter month; PERIOD_WEEK: 0, Sunday, to 6 */
	int days; /* PERIOD_DAYS: how many, at least 1 */
	struct calendar_date from; /* PERIOD_DAYS: the first day of one of the periods */
	int hour;
};

struct period {
	int64_t start, end; /* the first instant, and the first one of the next period */
};

/* The period that t is in. */
struct period period_at(const struct period_rule *rule, int64_t t);

/* The period so many before (negative: after) the one that t is in. */
struct period period_before(const struct period_rule *rule, int64_t t, int count);
