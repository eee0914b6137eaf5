/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "period.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static int64_t when(int year, int month, int day, int hour, int minute)
{
	struct tm tm = { .tm_year = year - 1900,
		.tm_mon = month - 1,
		.tm_mday = day,
		.tm_hour = hour,
		.tm_min = minute,
		.tm_isdst = -1 };

	return mktime(&tm);
}

static void check(struct period period, int64_t start, int64_t end)
{
	assert_int_equal(period.start, start);
	assert_int_equal(period.end, end);
}

static void months_begin_on_a_day(void **state)
{
	const struct period_rule rule = { .every = PERIOD_MONTH, .day = 12 };

	(void)state;
	calendar_use("Europe/Brussels");
	check(period_at(&rule, when(2026, 3, 12, 0, 0)), when(2026, 3, 12, 0, 0), when(2026, 4, 12, 0, 0));
	check(period_at(&rule, when(2026, 3, 12, 0, 0) - 1), when(2026, 2, 12, 0, 0), when(2026, 3, 12, 0, 0));
	check(period_at(&rule, when(2026, 1, 3, 9, 0)), when(2025, 12, 12, 0, 0), when(2026, 1, 12, 0, 0));
	check(period_before(&rule, when(2026, 1, 3, 9, 0), 2), when(2025, 10, 12, 0, 0), when(2025, 11, 12, 0, 0));
	check(period_before(&rule, when(2026, 1, 3, 9, 0), -1), when(2026, 1, 12, 0, 0), when(2026, 2, 12, 0, 0));
}

static void a_day_that_a_month_lacks_is_its_last(void **state)
{
	const struct period_rule rule = { .every = PERIOD_MONTH, .day = 31, .hour = 6 };

	(void)state;
	calendar_use("Europe/Brussels");
	check(period_at(&rule, when(2028, 2, 29, 5, 59)), when(2028, 1, 31, 6, 0), when(2028, 2, 29, 6, 0));
	check(period_at(&rule, when(2028, 2, 29, 6, 0)), when(2028, 2, 29, 6, 0), when(2028, 3, 31, 6, 0));
	check(period_before(&rule, when(2028, 3, 31, 6, 0), 1), when(2028, 2, 29, 6, 0), when(2028, 3, 31, 6, 0));
	check(period_at(&rule, when(2028, 4, 30, 7, 0)), when(2028, 4, 30, 6, 0), when(2028, 5, 31, 6, 0));
}

static void weeks_and_days(void **state)
{
	struct period_rule week = { .every = PERIOD_WEEK, .day = 1 },
			   days = { .every = PERIOD_DAYS, .days = 28, .from = { 2026, 3, 2 } };

	(void)state;
	calendar_use("Europe/Brussels");
	check(period_at(&week, when(2026, 11, 28, 12, 0)), when(2026, 11, 23, 0, 0), when(2026, 11, 30, 0, 0));
	check(period_at(&week, when(2026, 11, 23, 0, 0)), when(2026, 11, 23, 0, 0), when(2026, 11, 30, 0, 0));
	check(period_at(&week, when(2026, 11, 23, 0, 0) - 1), when(2026, 11, 16, 0, 0), when(2026, 11, 23, 0, 0));
	/* A week in which the clocks change has 167 hours. */
	check(period_at(&week, when(2026, 3, 25, 0, 0)), when(2026, 3, 23, 0, 0), when(2026, 3, 23, 0, 0) + 167 * 3600);
	check(period_at(&days, when(2026, 3, 29, 23, 0)), when(2026, 3, 2, 0, 0), when(2026, 3, 30, 0, 0));
	check(period_at(&days, when(2026, 2, 1, 0, 0)), when(2026, 1, 5, 0, 0), when(2026, 2, 2, 0, 0));
	days.days = 1;
	days.hour = 4;
	check(period_at(&days, when(2026, 3, 29, 3, 59)), when(2026, 3, 28, 4, 0), when(2026, 3, 29, 4, 0));
}

/* Periods of any rule follow each other without a gap, and each holds what it says. */
static void periods_are_a_partition(void **state)
{
	static const char *const zones[] = { "Europe/Brussels", "Australia/Lord_Howe", "Pacific/Apia",
		"America/Sao_Paulo" };

	(void)state;
	srandom(15);
	for (int round = 0; round < 4000; round++) {
		struct period_rule rule = { .every = (enum period_every)(random() % 3),
			.hour = (int)(random() % 24),
			.from = { 2015, 5, 17 } };
		int64_t t = 1262304000 + random() % (20LL * 365 * 86400);
		struct period now, next;

		rule.day = rule.every == PERIOD_WEEK ? (int)(random() % 7) : 1 + (int)(random() % 31);
		rule.days = 1 + (int)(random() % 100);
		calendar_use(zones[round % 4]);
		now = period_at(&rule, t);
		assert_true(now.start <= t && t < now.end);
		next = period_at(&rule, now.end);
		assert_int_equal(next.start, now.end);
		check(period_at(&rule, now.end - 1), now.start, now.end);
		check(period_before(&rule, next.start, 1), now.start, now.end);
		check(period_before(&rule, t, -1), next.start, next.end);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(months_begin_on_a_day),
		cmocka_unit_test(a_day_that_a_month_lacks_is_its_last),
		cmocka_unit_test(weeks_and_days),
		cmocka_unit_test(periods_are_a_partition),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
