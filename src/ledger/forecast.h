/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * forecast: what a period will have used at its end, from what this household used before, by weekday and hour.
 *
 * The rest of the period is expected to be like the same weekdays of the weeks before, the newest counting most; the
 * rest of today like the same hours. Households differ from day to day far more than from week to week, so a straight
 * line through a few days is mostly the noise of those days, and wrong wherever weekends are not like workdays. The
 * range is where four of five such periods end, if days vary as they did.
 */
#pragma once

#include "period.h"

#include <stdbool.h>
#include <stddef.h>

/* What was used in a local hour. Hours that used nothing may be left out. */
struct forecast_hour {
	int64_t start;
	uint64_t bytes;
};

struct forecast {
	bool known; /* false: there is too little history: less than three whole days */
	uint64_t low, likely, high;
};

/*
 * hours: in the order of time, at least the last weeks before now; nothing is known of what was before since. used: of
 * the period until now. The zone is that of calendar_use().
 */
struct forecast forecast_make(const struct forecast_hour *hours, size_t count, int64_t since,
	const struct period *period, int64_t now, uint64_t used);
