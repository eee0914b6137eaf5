/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * calendar: local hours, days and dates. Instants are seconds since 1970 UTC. All calls are of the zone that
 * calendar_use() chose last for this process.
 *
 * Local time is not a line: an hour is there twice or not at all when daylight saving begins or ends, midnight too in
 * some zones, and offsets change by half an hour (Lord Howe) or a whole day (Samoa in 2011). So an hour is known by the
 * instant at which it starts: a full local hour, or a change of the offset within one. Then hours have no gaps, never
 * overlap, and none has two offsets.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* month: 1 to 12; day: from 1. */
struct calendar_date {
	int year, month, day;
};

/*
 * Chooses the zone of all later calls and of localtime(): a name in the zone database ("Europe/Brussels"), or a rule as
 * POSIX has it for TZ ("CET-1CEST,M3.5.0,M10.5.0/3"); NULL or "": the machine's. -ENOENT, and nothing is changed, if
 * there is no such zone.
 */
int calendar_use(const char *zone);

/* The start of the hour that t is in, and of the one after it. */
int64_t calendar_hour(int64_t t);
int64_t calendar_next_hour(int64_t t);

struct calendar_date calendar_date_of(int64_t t);

/* 0: Sunday, to 6. */
int calendar_weekday(struct calendar_date date);

/* 0 to 23, as a clock on the wall shows it. */
int calendar_hour_of_day(int64_t t);

/* The first instant at which the clock shows this hour (0 to 23) of the date, or a later time where that is left out.
 */
int64_t calendar_instant(struct calendar_date date, int hour);

/* The date so many days later, or earlier. */
struct calendar_date calendar_add_days(struct calendar_date date, int days);

/* How many days b is after a. */
int calendar_days_between(struct calendar_date a, struct calendar_date b);

/* The date so many months later, or earlier. A day that the month does not have becomes its last one. */
struct calendar_date calendar_add_months(struct calendar_date date, int months);

int calendar_days_in_month(int year, int month);

/* Whether there is such a date. */
bool calendar_is_date(struct calendar_date date);

/* Negative, 0 or positive: a is earlier, the same, later. */
int calendar_compare(struct calendar_date a, struct calendar_date b);
