/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "range.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* Instants as the C library has them, not the calendar: "2026-11-03 06:00" in the zone in use. */
static int64_t when(const char *text)
{
	struct tm tm = { .tm_isdst = -1 };

	assert_non_null(strptime(text, "%Y-%m-%d %H:%M", &tm));
	return mktime(&tm);
}

static int64_t now;
static const struct period_rule *rule;

static void check(const char *text, const char *from, const char *to)
{
	char error[RANGE_ERROR] = "";
	struct range range = { 0, 0 };

	if (range_parse(&range, text, now, rule, error))
		fail_msg("%s", error);
	if (range.from != when(from) || range.to != when(to))
		fail_msg("%s: %jd..%jd instead of %s..%s", text, (intmax_t)range.from, (intmax_t)range.to, from, to);
}

static void refuse(const char *text, const char *want)
{
	char error[RANGE_ERROR] = "";
	struct range range = { 7, 8 };

	assert_int_equal(range_parse(&range, text, now, rule, error), -EINVAL);
	assert_string_equal(error, want);
	assert_true(range.from == 7 && range.to == 8);
}

static int begin(void **state)
{
	(void)state;
	calendar_use("Europe/Brussels");
	now = when("2026-11-28 23:30"); /* a Saturday */
	rule = NULL;
	return 0;
}

static void names_are_of_now(void **state)
{
	(void)state;
	check("today", "2026-11-28 00:00", "2026-11-29 00:00");
	check("yesterday", "2026-11-27 00:00", "2026-11-28 00:00");
	check("week", "2026-11-23 00:00", "2026-11-30 00:00");
	check("month", "2026-11-01 00:00", "2026-12-01 00:00");
	check("year", "2026-01-01 00:00", "2027-01-01 00:00");
}

static void so_many_before(void **state)
{
	(void)state;
	check("today-0", "2026-11-28 00:00", "2026-11-29 00:00");
	check("today-28", "2026-10-31 00:00", "2026-11-01 00:00");
	check("yesterday-1", "2026-11-26 00:00", "2026-11-27 00:00");
	check("week-1", "2026-11-16 00:00", "2026-11-23 00:00");
	check("month-1", "2026-10-01 00:00", "2026-11-01 00:00");
	check("month-11", "2025-12-01 00:00", "2026-01-01 00:00");
	check("year-2", "2024-01-01 00:00", "2025-01-01 00:00");
	check("year-56", "1970-01-01 00:00", "1971-01-01 00:00");
}

static void weeks_begin_on_monday(void **state)
{
	(void)state;
	now = when("2026-11-23 00:00");
	check("week", "2026-11-23 00:00", "2026-11-30 00:00");
	now = when("2026-11-22 23:59");
	check("week", "2026-11-16 00:00", "2026-11-23 00:00");
	check("week-1", "2026-11-09 00:00", "2026-11-16 00:00");
}

static void the_billing_period(void **state)
{
	const struct period_rule twelfth = { .every = PERIOD_MONTH, .day = 12, .hour = 6 },
				 days = { .every = PERIOD_DAYS, .days = 28, .from = { 2026, 3, 2 } };

	(void)state;
	rule = &twelfth;
	check("period", "2026-11-12 06:00", "2026-12-12 06:00");
	check("period-1", "2026-10-12 06:00", "2026-11-12 06:00");
	check("period-1..period", "2026-10-12 06:00", "2026-12-12 06:00");
	rule = &days;
	check("period", "2026-11-09 00:00", "2026-12-07 00:00");
	check("period-100", "2019-03-11 00:00", "2019-04-08 00:00");
	rule = NULL;
	refuse("period-1", "period \"period-1\": no cap is configured, so there is no billing period");
}

static void dates(void **state)
{
	(void)state;
	check("2026", "2026-01-01 00:00", "2027-01-01 00:00");
	check("2026-02", "2026-02-01 00:00", "2026-03-01 00:00");
	check("2026-12", "2026-12-01 00:00", "2027-01-01 00:00");
	check("2028-02-29", "2028-02-29 00:00", "2028-03-01 00:00");
	check("2026-11-03..2026-11-05", "2026-11-03 00:00", "2026-11-06 00:00");
	check("2026-11-03..2026-11-03", "2026-11-03 00:00", "2026-11-04 00:00");
	check("2025-12..2026-02", "2025-12-01 00:00", "2026-03-01 00:00");
	check("2026-11-03..yesterday", "2026-11-03 00:00", "2026-11-28 00:00");
	check("today..month", "2026-11-28 00:00", "2026-12-01 00:00");
	check("month..2026-11-03", "2026-11-01 00:00", "2026-11-04 00:00");
}

static void days_that_have_other_than_24_hours(void **state)
{
	struct range range;
	char error[RANGE_ERROR];

	(void)state;
	assert_int_equal(range_parse(&range, "2026-03-29", now, NULL, error), 0);
	assert_int_equal(range.to - range.from, 23 * 3600);
	assert_int_equal(range_parse(&range, "2026-10-25", now, NULL, error), 0);
	assert_int_equal(range.to - range.from, 25 * 3600);
	/* Midnight is left out. */
	calendar_use("America/Sao_Paulo");
	assert_int_equal(range_parse(&range, "2018-11-04", now, NULL, error), 0);
	assert_int_equal(range.from, when("2018-11-04 01:00"));
	assert_int_equal(range.to, when("2018-11-05 00:00"));
	calendar_use("Pacific/Apia");
	refuse("2011-12-30", "period \"2011-12-30\": this time zone left that day out");
	check("2011-12-29..2011-12-31", "2011-12-29 00:00", "2012-01-01 00:00");
}

static void what_cannot_be_read(void **state)
{
	static const char *const unknown[] = { "", "-", "..", "moth", "months", "Month", "month-", "month--1",
		"month-+1", "month- 1", "today..", "..today", "2026-1", "2026-11-3", "2026/11/03", "2026-11-",
		"20261103", "026-", "2026-11-03T00", "2026-11..2026-12..2027", "1e3", "-1", " 2026", "2026 ", "+026",
		"month-1-1" };
	char error[RANGE_ERROR];
	struct range range;

	(void)state;
	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++)
		if (!range_parse(&range, unknown[i], now, NULL, error))
			fail_msg("\"%s\" was taken", unknown[i]);
	refuse("moth",
		"period \"moth\": wanted is today, yesterday, week, month, period, year, month-1, 2026-11, 2026-11-03 "
		"or "
		"FROM..TO");
	refuse("month-x", "period \"month-x\": after the \"-\" a number up to 40000 is needed: how many before");
	refuse("month-40001",
		"period \"month-40001\": after the \"-\" a number up to 40000 is needed: how many before");
	refuse("2026-13", "period \"2026-13\": there is no such date");
	refuse("2026-02-29", "period \"2026-02-29\": there is no such date");
	refuse("2026-00-01", "period \"2026-00-01\": there is no such date");
	refuse("1969-12-31", "period \"1969-12-31\": it is before 1970");
	refuse("year-57", "period \"year-57\": it is before 1970");
	refuse("month-683", "period \"month-683\": it is before 1970");
	refuse("week-40000", "period \"week-40000\": it is before 1970");
	refuse("month-1..2026-02-30", "period \"month-1..2026-02-30\": there is no such date");
	refuse("month-1..x",
		"period \"month-1..x\": wanted is today, yesterday, week, month, period, year, month-1, 2026-11, "
		"2026-11-03 "
		"or FROM..TO");
	refuse("2026-11..2026-10", "period \"2026-11..2026-10\": it ends before it begins");
	refuse("today..yesterday", "period \"today..yesterday\": it ends before it begins");
	refuse("\033[2J\"\xff 0123456789012345678901234567890123456789",
		"period \"_[2J__ 01234567890123456789012345678901\": wanted is today, yesterday, week, month, period, "
		"year, "
		"month-1, 2026-11, 2026-11-03 or FROM..TO");
}

static void check_label(const char *from, const char *to, const char *want)
{
	char label[RANGE_LABEL];

	assert_string_equal(range_label((struct range){ when(from), when(to) }, label), want);
}

static void labels(void **state)
{
	(void)state;
	check_label("2026-01-01 00:00", "2027-01-01 00:00", "2026");
	check_label("2026-11-01 00:00", "2026-12-01 00:00", "2026-11");
	check_label("2026-11-03 00:00", "2026-11-04 00:00", "2026-11-03");
	check_label("2026-11-03 00:00", "2026-11-10 00:00", "2026-11-03..2026-11-09");
	check_label("2026-11-01 00:00", "2027-01-01 00:00", "2026-11-01..2026-12-31");
	check_label("2026-11-12 06:00", "2026-12-12 06:00", "2026-11-12 06:00 to 2026-12-12 06:00");
	check_label("2026-11-12 00:00", "2026-11-12 06:30", "2026-11-12 00:00 to 2026-11-12 06:30");
	calendar_use("Pacific/Apia");
	check_label("2011-12-29 00:00", "2011-12-31 00:00", "2011-12-29");
}

/* Any range of days, in zones that have days without midnight, without an hour, and not at all. */
static void labels_are_read_again(void **state)
{
	static const char *const zones[] = { "Europe/Brussels", "Australia/Lord_Howe", "Pacific/Apia",
		"America/Sao_Paulo", "America/St_Johns" };

	(void)state;
	srandom(15);
	for (int i = 0; i < 5000; i++) {
		struct calendar_date first = { 2000 + (int)(random() % 30), 1 + (int)(random() % 12),
			1 + (int)(random() % 28) };
		struct calendar_date next = calendar_add_days(first, 1 + (int)(random() % (i % 2 ? 3 : 800)));
		char label[RANGE_LABEL], error[RANGE_ERROR] = "";
		struct range range, again = { 0, 0 };

		calendar_use(zones[random() % 5]);
		range = (struct range){ calendar_instant(first, 0), calendar_instant(next, 0) };
		if (range.from == range.to)
			continue; /* Samoa's day */
		if (range_parse(&again, range_label(range, label), now, NULL, error))
			fail_msg("%s", error);
		assert_true(again.from == range.from && again.to == range.to);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(names_are_of_now, begin),
		cmocka_unit_test_setup(so_many_before, begin),
		cmocka_unit_test_setup(weeks_begin_on_monday, begin),
		cmocka_unit_test_setup(the_billing_period, begin),
		cmocka_unit_test_setup(dates, begin),
		cmocka_unit_test_setup(days_that_have_other_than_24_hours, begin),
		cmocka_unit_test_setup(what_cannot_be_read, begin),
		cmocka_unit_test_setup(labels, begin),
		cmocka_unit_test_setup(labels_are_read_again, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
