/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calendar.h"

#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { MINUTE_S = 60, HOUR_S = 60 * MINUTE_S, DAY_S = 24 * HOUR_S, MOST_OFFSET_S = 26 * HOUR_S };

/* --- Zones */

static bool is_in_database(const char *zone)
{
	const char *directory = getenv("TZDIR");
	struct stat file;
	char path[256];

	if (strstr(zone, "..") || *zone == '/')
		return false;
	return (size_t)snprintf(path, sizeof(path), "%s/%s", directory ? directory : "/usr/share/zoneinfo", zone) <
		sizeof(path) &&
		!stat(path, &file) && S_ISREG(file.st_mode);
}

#define NAME "(<[A-Za-z0-9+-]{3,}>|[A-Za-z]{3,})"
#define OFFSET "[+-]?[0-9]{1,3}(:[0-9]{2}(:00)?)?"

/* POSIX.1, Base Definitions, 8.3, TZ. libc takes anything, and what it cannot read as UTC. */
static bool is_rule(const char *zone)
{
	regex_t rule;
	bool matches;

	if (regcomp(&rule, "^" NAME OFFSET "(" NAME "(" OFFSET ")?(,[MJ0-9][0-9./:+-]*,[MJ0-9][0-9./:+-]*)?)?$",
		    REG_EXTENDED | REG_NOSUB))
		return false;
	matches = !regexec(&rule, zone, 0, NULL, 0);
	regfree(&rule);
	return matches;
}

int calendar_use(const char *zone)
{
	if (!zone || !*zone)
		unsetenv("TZ");
	else if (!is_in_database(zone) && !is_rule(zone))
		return -ENOENT;
	else if (setenv("TZ", zone, 1))
		return -errno;
	tzset();
	return 0;
}

static struct tm local(int64_t t)
{
	time_t seconds = (time_t)t;
	struct tm tm = { .tm_mday = 1 };

	localtime_r(&seconds, &tm);
	return tm;
}

/* --- Hours */

/* The first instant in (low, high] with the offset that high has; low has another one. */
static int64_t change_of_offset(int64_t low, int64_t high)
{
	long offset = local(high).tm_gmtoff;

	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;

		if (local(middle).tm_gmtoff == offset)
			high = middle;
		else
			low = middle;
	}
	return high;
}

int64_t calendar_hour(int64_t t)
{
	struct tm now = local(t);
	int64_t start = t - now.tm_min * MINUTE_S - now.tm_sec;

	return local(start).tm_gmtoff == now.tm_gmtoff ? start : change_of_offset(start, t);
}

int64_t calendar_next_hour(int64_t t)
{
	struct tm now = local(t);
	int64_t next = t + HOUR_S - now.tm_min * MINUTE_S - now.tm_sec;

	return local(next).tm_gmtoff == now.tm_gmtoff ? next : change_of_offset(t, next);
}

int calendar_hour_of_day(int64_t t)
{
	return local(t).tm_hour;
}

/* --- Dates */

struct calendar_date calendar_date_of(int64_t t)
{
	struct tm now = local(t);

	return (struct calendar_date){ now.tm_year + 1900, now.tm_mon + 1, now.tm_mday };
}

int calendar_compare(struct calendar_date a, struct calendar_date b)
{
	if (a.year != b.year)
		return a.year < b.year ? -1 : 1;
	if (a.month != b.month)
		return a.month < b.month ? -1 : 1;
	return (a.day > b.day) - (a.day < b.day);
}

/* Days since 1970-01-01, as if each had 24 hours: for arithmetic with dates, which knows no zone. */
static int64_t days_of(struct calendar_date date)
{
	struct tm tm = { .tm_year = date.year - 1900, .tm_mon = date.month - 1, .tm_mday = date.day };

	return timegm(&tm) / DAY_S;
}

static struct calendar_date date_of_days(int64_t days)
{
	time_t seconds = (time_t)(days * DAY_S);
	struct tm tm = { .tm_mday = 1 };

	gmtime_r(&seconds, &tm);
	return (struct calendar_date){ tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday };
}

static bool is_reached(int64_t t, struct calendar_date date, int hour)
{
	int order = calendar_compare(calendar_date_of(t), date);

	return order > 0 || (!order && calendar_hour_of_day(t) >= hour);
}

int64_t calendar_instant(struct calendar_date date, int hour)
{
	int64_t high = days_of(date) * DAY_S + hour * HOUR_S + MOST_OFFSET_S, low = high - 2 * MOST_OFFSET_S;

	while (high - low > 1) {
		int64_t middle = low + (high - low) / 2;

		if (is_reached(middle, date, hour))
			high = middle;
		else
			low = middle;
	}
	return high;
}

struct calendar_date calendar_add_days(struct calendar_date date, int days)
{
	return date_of_days(days_of(date) + days);
}

int calendar_days_between(struct calendar_date a, struct calendar_date b)
{
	return (int)(days_of(b) - days_of(a));
}

int calendar_days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

struct calendar_date calendar_add_months(struct calendar_date date, int months)
{
	int count = date.year * 12 + date.month - 1 + months;
	struct calendar_date later = { count / 12, count % 12 + 1, date.day };
	int most = calendar_days_in_month(later.year, later.month);

	if (later.day > most)
		later.day = most;
	return later;
}

int calendar_weekday(struct calendar_date date)
{
	int64_t day = (days_of(date) + 4) % 7; /* 1970-01-01 was a Thursday */

	return (int)(day < 0 ? day + 7 : day);
}

bool calendar_is_date(struct calendar_date date)
{
	return date.year >= 1970 && date.year <= 9999 && date.month >= 1 && date.month <= 12 && date.day >= 1 &&
		date.day <= calendar_days_in_month(date.year, date.month);
}
