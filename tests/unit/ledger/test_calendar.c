/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "calendar.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

enum { HOUR = 3600, DAY = 86400 };

static int64_t utc(int year, int month, int day, int hour, int minute)
{
	struct tm tm = {
		.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day, .tm_hour = hour, .tm_min = minute
	};

	return timegm(&tm);
}

static void zones_are_known_or_not(void **state)
{
	static const char *const good[] = { "Europe/Brussels", "UTC", "Australia/Lord_Howe",
		"CET-1CEST,M3.5.0,M10.5.0/3", "<+0545>-5:45", "EST5EDT", "EST5", "IST-1GMT0,M10.5.0,M3.5.0/1" };
	static const char *const bad[] = { "Europe/Nowhere", "Europe", "../../etc/passwd", "/etc/localtime", "nonsense",
		"5", "CET-", "CET-1CEST,M3.5.0", "CET-1;reboot", "Europe/Brussels " };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(calendar_use(good[i]), 0);
	assert_int_equal(calendar_use("<+0545>-5:45"), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(calendar_use(bad[i]), -ENOENT);
	assert_int_equal(calendar_hour(utc(2026, 7, 1, 12, 20)), utc(2026, 7, 1, 12, 15)); /* the last good one */
}

/* When hours start around a change, one after the other. */
static const struct change {
	const char *zone;
	int64_t hours[6]; /* 0: no more */
} changes[] = {
	/* 02:00 becomes 03:00 at 01:00 UTC. */
	{ "Europe/Brussels", { 1774738800, 1774742400, 1774746000, 1774749600 } },
	/* 03:00 becomes 02:00: two hours that a clock calls 02. */
	{ "Europe/Brussels", { 1792882800, 1792886400, 1792890000, 1792893600, 1792897200 } },
	/* 02:00 becomes 01:30 on 2026-04-04 15:00 UTC: an hour of which half is there twice. */
	{ "Australia/Lord_Howe", { 1775311200, 1775314800, 1775316600, 1775320200 } },
	/* 02:00 becomes 02:30 on 2026-10-03 15:30 UTC. */
	{ "Australia/Lord_Howe", { 1791037800, 1791041400, 1791043200, 1791046800 } },
	/* No change, and no full hour of UTC. */
	{ "Asia/Kathmandu", { 1782864900, 1782868500, 1782872100 } },
};

static void hours_have_no_gaps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const int64_t *hours = changes[i].hours;

		assert_int_equal(calendar_use(changes[i].zone), 0);
		for (int n = 0; n < 5 && hours[n + 1]; n++) {
			assert_int_equal(calendar_hour(hours[n]), hours[n]);
			assert_int_equal(calendar_hour(hours[n + 1] - 1), hours[n]);
			assert_int_equal(calendar_next_hour(hours[n]), hours[n + 1]);
			assert_int_equal(calendar_next_hour(hours[n + 1] - 1), hours[n + 1]);
		}
	}
}

/* A slow look at what the two calls promise, through years of zones that do strange things. */
static void hours_are_a_partition(void **state)
{
	static const char *const zones[] = { "Europe/Brussels", "America/St_Johns", "Australia/Lord_Howe",
		"Pacific/Apia", "Asia/Kathmandu", "America/Sao_Paulo", "Africa/Casablanca", "Antarctica/Troll", "UTC" };

	(void)state;
	for (size_t i = 0; i < sizeof(zones) / sizeof(zones[0]); i++) {
		int64_t t = utc(2009, 12, 31, 17, 7), end = t + 4 * 365 * DAY;

		assert_int_equal(calendar_use(zones[i]), 0);
		t = calendar_hour(t);
		while (t < end) {
			int64_t next = calendar_next_hour(t);

			assert_true(next > t && next - t <= HOUR);
			assert_int_equal(calendar_hour(t), t);
			assert_int_equal(calendar_hour(next), next);
			assert_int_equal(calendar_hour(next - 1), t);
			assert_int_equal(calendar_hour_of_day(next - 1), calendar_hour_of_day(t));
			t = next;
		}
	}
}

static void days_begin_when_the_date_does(void **state)
{
	(void)state;
	calendar_use("Europe/Brussels");
	assert_int_equal(calendar_instant((struct calendar_date){ 2026, 3, 29 }, 0), utc(2026, 3, 28, 23, 0));
	assert_int_equal(calendar_instant((struct calendar_date){ 2026, 3, 30 }, 0), utc(2026, 3, 29, 22, 0));
	/* 02:00 is left out, so 03:00; and what is there twice is the first one. */
	assert_int_equal(calendar_instant((struct calendar_date){ 2026, 3, 29 }, 2), utc(2026, 3, 29, 1, 0));
	assert_int_equal(calendar_instant((struct calendar_date){ 2026, 10, 25 }, 2), utc(2026, 10, 25, 0, 0));
	assert_int_equal(calendar_instant((struct calendar_date){ 2026, 10, 25 }, 3), utc(2026, 10, 25, 2, 0));
	/* Midnight is left out. */
	calendar_use("America/Sao_Paulo");
	assert_int_equal(calendar_instant((struct calendar_date){ 2018, 11, 4 }, 0), utc(2018, 11, 4, 3, 0));
	/* A date is left out. */
	calendar_use("Pacific/Apia");
	assert_int_equal(calendar_instant((struct calendar_date){ 2011, 12, 30 }, 0), utc(2011, 12, 30, 10, 0));
	assert_int_equal(calendar_instant((struct calendar_date){ 2011, 12, 31 }, 0), utc(2011, 12, 30, 10, 0));
}

static void dates_are_counted(void **state)
{
	struct calendar_date end_of_january = { 2028, 1, 31 }, d;

	(void)state;
	d = calendar_add_months(end_of_january, 1);
	assert_int_equal(calendar_compare(d, (struct calendar_date){ 2028, 2, 29 }), 0);
	d = calendar_add_months(end_of_january, -2);
	assert_int_equal(calendar_compare(d, (struct calendar_date){ 2027, 11, 30 }), 0);
	d = calendar_add_months(end_of_january, 13);
	assert_int_equal(calendar_compare(d, (struct calendar_date){ 2029, 2, 28 }), 0);
	d = calendar_add_days((struct calendar_date){ 2027, 12, 31 }, 60);
	assert_int_equal(calendar_compare(d, (struct calendar_date){ 2028, 2, 29 }), 0);
	assert_int_equal(calendar_weekday((struct calendar_date){ 2026, 11, 28 }), 6);
	assert_int_equal(calendar_weekday((struct calendar_date){ 1970, 1, 1 }), 4);
	assert_true(calendar_is_date((struct calendar_date){ 2028, 2, 29 }));
	assert_false(calendar_is_date((struct calendar_date){ 2027, 2, 29 }));
	assert_false(calendar_is_date((struct calendar_date){ 2027, 13, 1 }));
	assert_false(calendar_is_date((struct calendar_date){ 2027, 0, 1 }));
	assert_int_equal(calendar_days_in_month(2100, 2), 28);
	assert_int_equal(calendar_days_in_month(2000, 2), 29);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zones_are_known_or_not),
		cmocka_unit_test(hours_have_no_gaps),
		cmocka_unit_test(hours_are_a_partition),
		cmocka_unit_test(days_begin_when_the_date_does),
		cmocka_unit_test(dates_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
