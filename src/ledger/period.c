/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "period.h"

static int day_in_month(const struct period_rule *rule, struct calendar_date date)
{
	int most = calendar_days_in_month(date.year, date.month);

	return rule->day < most ? rule->day : most;
}

/* The first day of the period so many after the one that begins on or before this date. */
static struct calendar_date first_day(const struct period_rule *rule, struct calendar_date date, int after)
{
	struct calendar_date first = { date.year, date.month, 1 };
	int since = 0;

	switch (rule->every) {
	case PERIOD_MONTH:
		/* From the month's first day, so that a day that one month lacks is there again in the next. */
		first = calendar_add_months(first, after - (date.day < day_in_month(rule, date)));
		first.day = day_in_month(rule, first);
		return first;
	case PERIOD_WEEK:
		since = (calendar_weekday(date) - rule->day + 7) % 7;
		return calendar_add_days(date, 7 * after - since);
	case PERIOD_DAYS:
		since = calendar_days_between(rule->from, date) % rule->days;
		since += since < 0 ? rule->days : 0;
		return calendar_add_days(date, rule->days * after - since);
	}
	return date;
}

struct period period_before(const struct period_rule *rule, int64_t t, int count)
{
	struct calendar_date today = calendar_date_of(t);

	/* On the first day, before the hour: it is the period before still. */
	if (t < calendar_instant(first_day(rule, today, 0), rule->hour))
		count++;
	return (struct period){ .start = calendar_instant(first_day(rule, today, -count), rule->hour),
		.end = calendar_instant(first_day(rule, today, 1 - count), rule->hour) };
}

struct period period_at(const struct period_rule *rule, int64_t t)
{
	return period_before(rule, t, 0);
}
