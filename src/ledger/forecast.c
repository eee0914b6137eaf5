/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "forecast.h"

#include <math.h>
#include <string.h>

enum { WEEKDAYS = 7, HOURS = 24, LEAST_DAYS = 3, MOST_DAYS = 92, HALF_LIFE_DAYS = 21 };

/* How many days of its own a weekday needs to count as much as the mean of all days. */
#define WEEKDAY_PRIOR 1.5
/* A share of the day's hours that is spread evenly, since what is seldom is not never. */
#define EVEN_SHARE 0.05
/* Four of five normal values are within so many standard deviations. Days resemble the day before: a little more. */
#define RANGE (1.2816 * 1.25)

struct history {
	double day[MOST_DAYS]; /* bytes of each whole day; 0 is the youngest */
	int weekday[MOST_DAYS];
	int days;
	double hour[2][HOURS]; /* of workdays and of weekends */
};

struct profile {
	double weekday[WEEKDAYS]; /* bytes expected of a whole day */
	double later[2][HOURS];   /* the share of a day that comes after this hour has begun */
	double deviation, error;  /* of a day from what is expected of it; of that expectation */
};

static bool is_weekend(int weekday)
{
	return weekday == 0 || weekday == 6;
}

/* The first instant of whole days that are known, at most so many. */
static int64_t first_day(int64_t since, struct calendar_date today)
{
	struct calendar_date first = calendar_date_of(since), oldest = calendar_add_days(today, -MOST_DAYS);

	if (calendar_instant(first, 0) < since)
		first = calendar_add_days(first, 1);
	return calendar_instant(calendar_compare(first, oldest) < 0 ? oldest : first, 0);
}

static void gather(struct history *history, const struct forecast_hour *hours, size_t count, int64_t since, int64_t now)
{
	struct calendar_date today = calendar_date_of(now);
	int64_t start = first_day(since, today);

	memset(history, 0, sizeof(*history));
	history->days = calendar_days_between(calendar_date_of(start), today);
	if (history->days < 0)
		history->days = 0;
	for (int i = 0; i < history->days; i++)
		history->weekday[i] = calendar_weekday(calendar_add_days(today, -1 - i));
	for (size_t i = 0; i < count; i++) {
		int age;

		if (hours[i].start < start)
			continue;
		age = calendar_days_between(calendar_date_of(hours[i].start), today) - 1;
		if (age < 0 || age >= history->days)
			continue;
		history->day[age] += (double)hours[i].bytes;
		history->hour[is_weekend(history->weekday[age])][calendar_hour_of_day(hours[i].start)] +=
			(double)hours[i].bytes;
	}
}

static double weight_of(int age)
{
	return exp2(-(double)age / HALF_LIFE_DAYS);
}

static void learn_weekdays(struct profile *profile, const struct history *history)
{
	double sum[WEEKDAYS] = { 0 }, weights[WEEKDAYS] = { 0 }, all = 0, total = 0, squares = 0, off = 0;

	for (int i = 0; i < history->days; i++) {
		double weight = weight_of(i);

		sum[history->weekday[i]] += weight * history->day[i];
		weights[history->weekday[i]] += weight;
		all += weight * history->day[i];
		total += weight;
		squares += weight * weight;
	}
	for (int i = 0; i < WEEKDAYS; i++)
		profile->weekday[i] = (sum[i] + WEEKDAY_PRIOR * all / total) / (weights[i] + WEEKDAY_PRIOR);
	for (int i = 0; i < history->days; i++) {
		double difference = history->day[i] - profile->weekday[history->weekday[i]];

		off += weight_of(i) * difference * difference;
	}
	profile->deviation = sqrt(off / total);
	profile->error = profile->deviation * sqrt(squares) / total;
}

static void learn_hours(struct profile *profile, const struct history *history)
{
	for (int kind = 0; kind < 2; kind++) {
		/* Where no weekend was seen yet, its hours are those of other days. */
		double total[2] = { 0 }, later = 1;
		int from = kind;

		for (int k = 0; k < 2; k++)
			for (int hour = 0; hour < HOURS; hour++)
				total[k] += history->hour[k][hour];
		if (total[from] <= 0)
			from = !from;
		for (int hour = 0; hour < HOURS; hour++) {
			double own = total[from] > 0 ? history->hour[from][hour] / total[from] : 1.0 / HOURS;

			profile->later[kind][hour] = later;
			later -= (1 - EVEN_SHARE) * own + EVEN_SHARE / HOURS;
		}
	}
}

/* The share of the day that is still to come. */
static double left_of_day(const struct profile *profile, int weekday, int64_t now)
{
	int hour = calendar_hour_of_day(now);
	const double *later = profile->later[is_weekend(weekday)];
	double next = hour + 1 < HOURS ? later[hour + 1] : 0;
	double into = (double)(now - calendar_hour(now)) / (double)(calendar_next_hour(now) - calendar_hour(now));

	return later[hour] + (next - later[hour]) * into;
}

static uint64_t bytes_of(double bytes, uint64_t least)
{
	if (!(bytes > (double)least))
		return least;
	return bytes < 1e18 ? (uint64_t)bytes : UINT64_C(1000000000000000000);
}

struct forecast forecast_make(const struct forecast_hour *hours, size_t count, int64_t since,
	const struct period *period, int64_t now, uint64_t used)
{
	struct calendar_date date = calendar_date_of(now);
	struct history history;
	struct profile profile;
	double rest = 0, days = 0, range;

	gather(&history, hours, count, since, now);
	if (history.days < LEAST_DAYS || now >= period->end)
		return (struct forecast){ .known = now >= period->end, .low = used, .likely = used, .high = used };
	learn_weekdays(&profile, &history);
	learn_hours(&profile, &history);
	for (bool is_today = true;; is_today = false, date = calendar_add_days(date, 1)) {
		int64_t start = calendar_instant(date, 0), end = calendar_instant(calendar_add_days(date, 1), 0);
		int weekday = calendar_weekday(date);
		double share = is_today ? left_of_day(&profile, weekday, now) : 1;

		if (start >= period->end)
			break;
		if (period->end < end) /* the period ends within this day */
			share -= left_of_day(&profile, weekday, period->end);
		rest += share * profile.weekday[weekday];
		days += share;
	}
	range = RANGE *
		sqrt(days * profile.deviation * profile.deviation + days * days * profile.error * profile.error);
	return (struct forecast){ .known = true,
		.low = bytes_of((double)used + rest - range, used),
		.likely = bytes_of((double)used + rest, used),
		.high = bytes_of((double)used + rest + range, used) };
}
