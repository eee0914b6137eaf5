/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Made-up households, and how far the forecast and a straight line are from what their months used in the end. */
#include "forecast.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { HOUR = 3600, DAYS = 400, MOST_HOURS = DAYS * 25 };

#define GB 1e9

struct household {
	const char *name;
	double workday, weekend; /* GB of a day */
	double varies;           /* of a day: standard deviation of its logarithm */
	double bursts, burst;    /* chance of a large download on a day, and its GB */
	double growth;           /* per day */
	bool away;               /* a fortnight away in summer */
	int evening;             /* the hour around which it uses most */
};

static const struct household households[] = {
	{ .name = "a couple at work", .workday = 6, .weekend = 22, .varies = 0.3, .evening = 20 },
	{ .name = "a family",
		.workday = 18,
		.weekend = 35,
		.varies = 0.35,
		.growth = 0.001,
		.away = true,
		.evening = 18 },
	{ .name = "a player", .workday = 9, .weekend = 14, .varies = 0.5, .bursts = 0.07, .burst = 80, .evening = 22 },
	{ .name = "work at home", .workday = 25, .weekend = 10, .varies = 0.25, .evening = 13 },
	{ .name = "retired", .workday = 8, .weekend = 8, .varies = 0.4, .evening = 15 },
};

static double uniform(void)
{
	return ((double)random() + 0.5) / ((double)RAND_MAX + 1);
}

static double normal(void)
{
	return sqrt(-2 * log(uniform())) * cos(2 * M_PI * uniform());
}

static double use_of_day(const struct household *h, int weekday, int day)
{
	double bytes = (weekday == 0 || weekday == 6 ? h->weekend : h->workday) * GB;

	bytes *= exp(h->varies * normal() - h->varies * h->varies / 2) * (1 + h->growth * day);
	if (h->away && day % 365 > 200 && day % 365 < 214)
		bytes *= 0.1;
	return uniform() < h->bursts ? bytes + h->burst * GB : bytes;
}

/* The hours of more than a year. How many. */
static size_t live(const struct household *h, struct forecast_hour *hours, int64_t start)
{
	int64_t t = start;
	size_t count = 0;

	for (int day = 0; day < DAYS; day++) {
		struct calendar_date date = calendar_date_of(t);
		double bytes = use_of_day(h, calendar_weekday(date), day), share[25], sum = 0;
		int n = 0;

		for (; !calendar_compare(calendar_date_of(t), date); t = calendar_next_hour(t), n++) {
			double away = calendar_hour_of_day(t) - h->evening;

			hours[count + (size_t)n].start = t;
			share[n] = (0.05 + exp(-away * away / 12)) * (0.5 + uniform());
			sum += share[n];
		}
		for (int i = 0; i < n; i++)
			hours[count + (size_t)i].bytes = (uint64_t)(bytes * share[i] / sum);
		count += (size_t)n;
	}
	return count;
}

static uint64_t used_in(const struct forecast_hour *hours, size_t count, int64_t from, int64_t to)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		if (hours[i].start >= from && hours[i].start < to)
			sum += hours[i].bytes;
	return sum;
}

struct errors {
	double forecast, line; /* mean of the relative errors */
	double within;         /* share of ends that were in the range */
	int count;
};

/* Each day of each month after the first two, at noon. */
static struct errors judge(const struct forecast_hour *hours, size_t count)
{
	const struct period_rule rule = { .every = PERIOD_MONTH, .day = 12 };
	struct errors e = { 0 };

	for (int day = 62; day < DAYS - 31; day++) {
		int64_t now = calendar_instant(calendar_add_days(calendar_date_of(hours[0].start), day), 12);
		struct period p = period_at(&rule, now);
		double truth = (double)used_in(hours, count, p.start, p.end);
		uint64_t used = used_in(hours, count, p.start, now);
		size_t known = 0;
		struct forecast f;

		while (hours[known].start < now)
			known++;
		if (now - p.start < 3 * 24 * HOUR)
			continue; /* a straight line through less is no peer */
		f = forecast_make(hours, known, hours[0].start, &p, now, used);
		assert_true(f.known && f.low <= f.likely && f.likely <= f.high && f.low >= used);
		e.forecast += fabs((double)f.likely - truth) / truth;
		e.line += fabs((double)used * (double)(p.end - p.start) / (double)(now - p.start) - truth) / truth;
		e.within += (double)f.low <= truth && truth <= (double)f.high;
		e.count++;
	}
	e.forecast /= e.count;
	e.line /= e.count;
	e.within /= e.count;
	return e;
}

static void it_beats_a_straight_line(void **state)
{
	static struct forecast_hour hours[MOST_HOURS];

	(void)state;
	srandom(15);
	calendar_use("Europe/Brussels");
	for (size_t i = 0; i < sizeof(households) / sizeof(households[0]); i++) {
		size_t count = live(&households[i], hours, calendar_instant((struct calendar_date){ 2025, 1, 1 }, 0));
		struct errors e = judge(hours, count);

		print_message("%-16s error %4.1f %%, of a straight line %4.1f %%, in the range %2.0f %%\n",
			households[i].name, 100 * e.forecast, 100 * e.line, 100 * e.within);
		assert_true(e.forecast < e.line);
		assert_true(e.within > 0.65);
	}
}

static void nothing_is_said_too_early(void **state)
{
	const struct period_rule rule = { .every = PERIOD_MONTH, .day = 1 };
	struct forecast_hour hours[24 * 4];
	int64_t start, now;
	struct period p;
	struct forecast f;

	(void)state;
	calendar_use("Europe/Brussels");
	start = calendar_instant((struct calendar_date){ 2026, 6, 2 }, 0);
	for (int i = 0; i < 24 * 4; i++)
		hours[i] = (struct forecast_hour){ start + i * HOUR, 1000000 };
	p = period_at(&rule, start);
	f = forecast_make(hours, 0, start, &p, start, 0);
	assert_false(f.known);
	f = forecast_make(hours, 71, start, &p, start + 71 * HOUR, 71000000);
	assert_false(f.known);
	assert_int_equal(f.likely, 71000000);
	/* Half of a day is not known: it is not taken for a quiet one. */
	f = forecast_make(hours, 72, start + HOUR, &p, start + 72 * HOUR, 72000000);
	assert_false(f.known);
	/* The same each hour: 26 more days of 24. */
	now = start + 72 * HOUR;
	f = forecast_make(hours, 72, start, &p, now, 72000000);
	assert_true(f.known);
	assert_in_range(f.likely, 72000000 + 26 * 24 * 1000000 - 1000, 72000000 + 26 * 24 * 1000000 + 1000);
	assert_in_range(f.high - f.low, 0, 1000);
	/* At six in the evening a quarter of today is left. */
	f = forecast_make(hours, 90, start, &p, now + 18 * HOUR, 90000000);
	assert_in_range(f.likely, 72000000 + 26 * 24 * 1000000 - 1000, 72000000 + 26 * 24 * 1000000 + 1000);
	/* When it is over, it is what was used. */
	f = forecast_make(hours, 90, start, &p, p.end, 12345);
	assert_true(f.known);
	assert_int_equal(f.likely, 12345);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_beats_a_straight_line),
		cmocka_unit_test(nothing_is_said_too_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
