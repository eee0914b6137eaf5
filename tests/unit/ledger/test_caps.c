/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "caps.h"

#include "hostmeter/base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 24 * HOUR };

#define GB UINT64_C(1000000000)

/* Of Brussels, which all tests but one have in use. */
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

static struct cap isp(void)
{
	return (struct cap){ .name = "isp",
		.limit = 750 * GB,
		.rule = { .every = PERIOD_MONTH, .day = 12 },
		.basis = CAP_FLOWS,
		.warn = { 75, 90, 100 },
		.thresholds = 3,
		.pace = true };
}

/* The periods that ended. */
struct ended {
	struct cap_state state[200];
	size_t count;
};

static void keep(void *ctx, const struct cap *cap, const struct cap_state *state)
{
	struct ended *ended = ctx;

	(void)cap;
	assert_true(ended->count < 200);
	ended->state[ended->count++] = *state;
}

static void take(const struct cap *cap, struct cap_state *state, uint64_t bytes, int64_t at, struct ended *ended)
{
	const struct reading_entry entry = { .key = "router", .kind = READING_WAN4, .value = { bytes } };

	cap_take(cap, state, &entry, 1, at, ended ? keep : NULL, ended);
}

/* --- Which bytes */

static uint64_t bytes(const struct cap *cap, const char *key, const char *name, enum reading_kind kind)
{
	static const uint64_t value[READING_VALUES] = { 1000, 30, 7, 5 };

	return cap_bytes(cap, key, name, kind, value);
}

static void it_counts_what_it_is_for(void **state)
{
	static const char *const wan[] = { "ppp0" }, *const kids[] = { "tablet", "02:00:00:00:00:AA" };
	struct cap cap = isp();

	(void)state;
	assert_int_equal(bytes(&cap, "other", "", READING_WAN4), 1030);
	assert_int_equal(bytes(&cap, "02:00:00:00:00:01", "tv", READING_WAN6), 1030);
	assert_int_equal(bytes(&cap, "02:00:00:00:00:01", "tv", READING_LOCAL4), 0);
	assert_int_equal(bytes(&cap, "02:00:00:00:00:01", "tv", READING_LOCAL6), 0);
	assert_int_equal(bytes(&cap, "wan ppp0", "", READING_INTERFACE), 0);
	cap.count = CAP_IN;
	assert_int_equal(bytes(&cap, "other", "", READING_WAN4), 1000);
	cap.count = CAP_OUT;
	assert_int_equal(bytes(&cap, "other", "", READING_WAN4), 30);

	cap = (struct cap){ .basis = CAP_INTERFACES };
	assert_int_equal(bytes(&cap, "wan wwan0", "", READING_INTERFACE), 1030);
	cap.wan = (struct cap_list){ wan, 1 };
	assert_int_equal(bytes(&cap, "wan wwan0", "", READING_INTERFACE), 0);
	assert_int_equal(bytes(&cap, "wan ppp0", "", READING_INTERFACE), 1030);
	assert_int_equal(bytes(&cap, "ppp0", "ppp0", READING_WAN4), 0);

	cap = (struct cap){ .basis = CAP_DEVICES, .devices = { kids, 2 } };
	assert_int_equal(bytes(&cap, "02:00:00:00:00:01", "tablet", READING_WAN4), 1030);
	assert_int_equal(bytes(&cap, "02:00:00:00:00:01", "tablet", READING_LOCAL4), 0);
	assert_int_equal(bytes(&cap, "02:00:00:00:00:aa", "", READING_WAN6), 1030);
	assert_int_equal(bytes(&cap, "02:00:00:00:00:01", "Tablet", READING_WAN4), 0);
	assert_int_equal(bytes(&cap, "router", "", READING_WAN4), 0);
}

static void no_sum_wraps(void **state)
{
	static const uint64_t value[READING_VALUES] = { UINT64_MAX, UINT64_MAX };
	const struct cap cap = isp();
	struct cap_state s = { 0 };

	(void)state;
	assert_int_equal(cap_bytes(&cap, "other", "", READING_WAN4, value), CAP_BYTES_MAX);
	take(&cap, &s, UINT64_MAX, when(2026, 5, 1, 0, 0), NULL);
	take(&cap, &s, 5, when(2026, 5, 1, 0, 1), NULL);
	cap_top_up(&s, UINT64_MAX);
	assert_int_equal(s.used, CAP_BYTES_MAX);
	assert_int_equal(cap_limit(&cap, &s), CAP_BYTES_MAX);
	assert_int_equal(cap_left(&cap, &s), 0);
}

/* --- Periods and free hours */

static void a_period_is_cut_at_its_end(void **state)
{
	const struct cap cap = isp();
	struct cap_state s = { 0 };
	struct ended ended = { .count = 0 };
	int64_t end = when(2026, 4, 12, 0, 0);

	(void)state;
	take(&cap, &s, 5, end - 10, &ended);
	assert_int_equal(s.start, when(2026, 3, 12, 0, 0));
	assert_int_equal(s.end, end);
	assert_int_equal(cap_next_cut(&cap, end - 10), end);
	take(&cap, &s, 7, end, &ended);
	assert_int_equal(ended.count, 1);
	assert_int_equal(ended.state[0].used, 12);
	assert_int_equal(ended.state[0].end, end);
	assert_int_equal(s.start, end);
	assert_int_equal(s.used, 0);
	take(&cap, &s, 9, end + 1, &ended);
	assert_int_equal(s.used, 9);

	/* Nothing ran for four months: the periods between are not made up. */
	take(&cap, &s, 100, when(2026, 8, 20, 3, 0), &ended);
	assert_int_equal(ended.count, 2);
	assert_int_equal(ended.state[1].used, 9);
	assert_int_equal(s.start, when(2026, 8, 12, 0, 0));
	assert_int_equal(s.used, 100);
}

static void free_hours_do_not_count(void **state)
{
	struct cap cap = isp();
	struct cap_state s = { 0 };
	int64_t night = when(2026, 5, 3, 23, 30), morning = when(2026, 5, 4, 6, 0);

	(void)state;
	cap.free[0] = (struct cap_range){ 23 * 60 + 30, 6 * 60 };
	cap.free[1] = (struct cap_range){ 720, 720 };
	cap.ranges = 2;
	assert_int_equal(cap_next_cut(&cap, when(2026, 5, 3, 7, 12)), night);
	assert_int_equal(cap_next_cut(&cap, night), morning);
	take(&cap, &s, 5, night, NULL);
	take(&cap, &s, 50, night + 1, NULL);
	take(&cap, &s, 60, morning, NULL);
	take(&cap, &s, 7, morning + 1, NULL);
	assert_int_equal(s.used, 12);
	assert_int_equal(s.free, 110);
	assert_true(cap_is_free(&cap, night) && !cap_is_free(&cap, morning) && !cap_is_free(&cap, morning + 6 * HOUR));

	/* A range that daylight saving leaves out begins late: 02:30 is not there on this day. */
	cap.free[0] = (struct cap_range){ 2 * 60 + 30, 4 * 60 };
	assert_int_equal(cap_next_cut(&cap, when(2026, 3, 29, 1, 30)), when(2026, 3, 29, 3, 0));
	/* And one that is all in the hour that is left out, the next day. */
	cap.free[0] = (struct cap_range){ 2 * 60 + 15, 2 * 60 + 45 };
	assert_int_equal(cap_next_cut(&cap, when(2026, 3, 29, 1, 30)), when(2026, 3, 30, 2, 15));
	/* Always free: no edge but the period's end. */
	cap.free[0] = (struct cap_range){ 0, 720 };
	cap.free[1] = (struct cap_range){ 720, 1440 };
	assert_int_equal(cap_next_cut(&cap, when(2026, 3, 29, 1, 30)), when(2026, 4, 12, 0, 0));
}

static void its_zone_is_its_own(void **state)
{
	struct cap cap = isp();
	struct cap_state s = { 0 };

	(void)state;
	cap.zone = "America/New_York";
	take(&cap, &s, 1, when(2026, 5, 12, 5, 59), NULL);
	assert_int_equal(s.end, when(2026, 5, 12, 6, 0));
	assert_string_equal(getenv("TZ"), "Europe/Brussels");
	assert_int_equal(calendar_hour_of_day(when(2026, 5, 12, 5, 0)), 5);
	assert_int_equal(cap_next_cut(&cap, when(2026, 5, 12, 5, 59)), when(2026, 5, 12, 6, 0));
	assert_int_equal(calendar_hour_of_day(when(2026, 5, 12, 5, 0)), 5);
	cap.zone = "Nowhere/Land";
	assert_int_equal(cap_next_cut(&cap, when(2026, 5, 11, 5, 59)), when(2026, 5, 12, 0, 0));

	/* What the environment had, also what calendar_use() would refuse; and nothing. */
	cap.zone = "America/New_York";
	setenv("TZ", ":Asia/Tokyo", 1);
	cap_is_free(&cap, 0);
	assert_string_equal(getenv("TZ"), ":Asia/Tokyo");
	unsetenv("TZ");
	cap_is_free(&cap, 0);
	assert_null(getenv("TZ"));
	calendar_use("Europe/Brussels");
}

static void another_rule_keeps_what_was_used(void **state)
{
	struct cap cap = isp();
	struct cap_state s = { 0 };
	struct ended ended = { .count = 0 };

	(void)state;
	cap.rule = (struct period_rule){ .every = PERIOD_WEEK, .day = 1 };
	take(&cap, &s, 5, when(2026, 6, 4, 12, 0), &ended);
	assert_int_equal(s.end, when(2026, 6, 8, 0, 0));
	cap.rule = (struct period_rule){ .every = PERIOD_MONTH, .day = 20 };
	take(&cap, &s, 7, when(2026, 6, 5, 12, 0), &ended);
	assert_int_equal(ended.count, 0);
	assert_int_equal(s.start, when(2026, 6, 1, 0, 0));
	assert_int_equal(s.end, when(2026, 6, 20, 0, 0));
	assert_int_equal(s.used, 12);

	/* Changed while nothing ran, and the period ended then: no two states begin at the same time. */
	cap.rule = (struct period_rule){ .every = PERIOD_MONTH, .day = 1 };
	take(&cap, &s, 9, when(2026, 6, 25, 12, 0), &ended);
	assert_int_equal(ended.count, 1);
	assert_int_equal(s.start, when(2026, 6, 20, 0, 0));
	assert_int_equal(s.end, when(2026, 7, 1, 0, 0));
	assert_int_equal(s.used, 9);
}

static void a_clock_that_was_ahead_is_folded_back(void **state)
{
	const struct cap cap = isp();
	struct cap_state s = { 0 };
	struct ended ended = { .count = 0 };
	int64_t now = when(2026, 6, 5, 12, 0);

	(void)state;
	take(&cap, &s, 5, now - HOUR, &ended);
	cap_top_up(&s, 3 * GB);
	assert_false(cap_fold_back(&cap, &s, now));
	take(&cap, &s, 7, when(2027, 6, 5, 12, 0), &ended);
	take(&cap, &s, 9, when(2027, 6, 15, 12, 0), &ended);
	assert_int_equal(ended.count, 2);
	assert_true(cap_fold_back(&cap, &s, now));
	assert_int_equal(s.used, 9);
	assert_int_equal(s.start, when(2026, 5, 12, 0, 0));
	for (size_t i = 0; i < ended.count; i++)
		cap_state_add(&s, &ended.state[i]);
	assert_int_equal(s.start, when(2026, 5, 12, 0, 0));
	assert_int_equal(s.end, when(2026, 6, 12, 0, 0));
	assert_int_equal(s.used, 21);
	assert_int_equal(s.topped_up, 3 * GB);

	/* What was kept of a period that began by another rule has its own start. */
	cap_state_add(&s, &(struct cap_state){ .start = when(2026, 5, 4, 0, 0), .end = when(2026, 6, 12, 0, 0) });
	assert_int_equal(s.start, when(2026, 5, 4, 0, 0));

	/* A clock that is put back by seconds after a cut: nothing is lost, and no period is made twice. */
	ended.count = 0;
	take(&cap, &s, 1, when(2026, 6, 12, 0, 0), &ended);
	take(&cap, &s, 2, when(2026, 6, 12, 0, 0) - 3, &ended);
	take(&cap, &s, 4, when(2026, 6, 12, 0, 0), &ended);
	take(&cap, &s, 8, when(2026, 6, 12, 0, 1), &ended);
	assert_int_equal(ended.count, 1);
	assert_int_equal(ended.state[0].used, 22);
	assert_int_equal(s.used, 14);
	assert_int_equal(s.start, when(2026, 6, 12, 0, 0));
}

/* --- A slow model: each minute has bytes, and is looked at by itself. */

struct world {
	struct cap cap;
	bool free[24 * 60];
	int64_t start;
};

static int64_t days_of(int year, int month, int day)
{
	struct tm tm = { .tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day };

	return timegm(&tm) / DAY;
}

static int64_t floor_of(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* A number that all minutes of a period share, by what the clock on the wall shows. */
static int64_t period_of(const struct period_rule *rule, int64_t t)
{
	time_t seconds = (time_t)t, day_start;
	struct tm tm;
	int most;

	localtime_r(&seconds, &tm);
	day_start = (time_t)((days_of(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday) - (tm.tm_hour < rule->hour)) * DAY);
	gmtime_r(&day_start, &tm);
	switch (rule->every) {
	case PERIOD_MONTH:
		most = calendar_days_in_month(tm.tm_year + 1900, tm.tm_mon + 1);
		most = rule->day < most ? rule->day : most;
		return tm.tm_year * 12 + tm.tm_mon - (tm.tm_mday < most);
	case PERIOD_WEEK:
		return floor_of(day_start / DAY + 4 - rule->day, 7);
	case PERIOD_DAYS:
		return floor_of(day_start / DAY - days_of(rule->from.year, rule->from.month, rule->from.day),
			rule->days);
	}
	return 0;
}

static bool is_free_minute(const struct world *w, int64_t t)
{
	time_t seconds = (time_t)t;
	struct tm tm;

	localtime_r(&seconds, &tm);
	return w->free[tm.tm_hour * 60 + tm.tm_min];
}

static uint64_t bytes_of_minute(int64_t t)
{
	return (uint64_t)(t / MINUTE) * UINT64_C(0x9e3779b97f4a7c15) >> 44;
}

static void make_world(struct world *w, int round)
{
	static const char *const zones[] = { "Europe/Brussels", "Australia/Lord_Howe", "Pacific/Apia",
		"America/Sao_Paulo", "Asia/Kathmandu", "CET-1CEST,M3.5.0,M10.5.0/3" };
	/* Daylight saving, a day that was left out, and the turn of a year. */
	static const int64_t around[] = { 1774746000, 1775314800, 1325239200, 1382842800, 1798758000, 1792890000 };
	struct period_rule *rule = &w->cap.rule;

	memset(w, 0, sizeof(*w));
	w->cap = isp();
	w->cap.zone = zones[round % 6];
	*rule = (struct period_rule){ .every = (enum period_every)(random() % 3), .hour = (int)(random() % 24) };
	rule->day = rule->every == PERIOD_WEEK ? (int)(random() % 7) : 28 + (int)(random() % 4);
	rule->days = 1 + (int)(random() % 40);
	rule->from = (struct calendar_date){ 2015, 5, 17 };
	w->cap.ranges = (size_t)random() % 4;
	for (size_t i = 0; i < w->cap.ranges; i++) {
		struct cap_range *r = &w->cap.free[i];

		*r = (struct cap_range){ (int)(random() % 1440), (int)(random() % 1441) };
		for (int minute = r->from; minute % 1440 != r->to % 1440; minute++)
			w->free[minute % 1440] = true;
		if (r->from % 1440 == r->to % 1440 && r->to == 1440) /* 00:00 to 24:00 */
			memset(w->free, true, sizeof(w->free));
	}
	w->start = around[random() % 6] - (1 + random() % (25 * 24 * 60)) * MINUTE;
	w->start -= w->start % MINUTE;
}

static void again_from_text(struct cap_state *state)
{
	struct buf text = BUF_INIT, again = BUF_INIT;

	cap_state_put(&text, NULL, state);
	assert_int_equal(cap_state_parse(state, buf_text(&text)), 0);
	cap_state_put(&again, NULL, state);
	assert_string_equal(buf_text(&text), buf_text(&again));
	buf_free(&text);
	buf_free(&again);
}

/* Takes readings at all cuts and at other times; the states of all periods, the last one too. */
static void live(const struct world *w, int64_t end, struct ended *ended)
{
	struct cap_state state = { 0 };

	for (int64_t t = w->start, at; t < end; t = at) {
		int64_t cut = cap_next_cut(&w->cap, t);
		uint64_t sum = 0;

		assert_true(cut > t && cut % MINUTE == 0);
		at = t + (1 + random() % (2 * 24 * 60)) * MINUTE;
		at = at < cut ? at : cut;
		at = at < end ? at : end;
		for (int64_t minute = t; minute < at; minute += MINUTE)
			sum += bytes_of_minute(minute);
		take(&w->cap, &state, sum, at, ended);
		again_from_text(&state);
	}
	keep(ended, &w->cap, &state);
}

static void it_is_the_sum_of_its_minutes(void **state)
{
	static struct ended ended;
	struct world w;

	(void)state;
	srandom(15);
	for (int round = 0; round < 60; round++) {
		int64_t end, number = INT64_MIN;
		size_t at = (size_t)-1;
		uint64_t used = 0, free = 0;

		make_world(&w, round);
		end = w.start + 60 * DAY;
		ended.count = 0;
		calendar_use(round % 2 ? "Europe/Brussels" : "America/New_York");
		live(&w, end, &ended);
		calendar_use(w.cap.zone);
		for (int64_t t = w.start; t <= end; t += MINUTE) {
			if (period_of(&w.cap.rule, t) != number || t == end) {
				assert_true(at == (size_t)-1 || at < ended.count);
				if (at < ended.count) {
					assert_int_equal(ended.state[at].used, used);
					assert_int_equal(ended.state[at].free, free);
					assert_true(t == end || ended.state[at].end == t);
				}
				number = period_of(&w.cap.rule, t);
				used = free = 0;
				at++;
			}
			*(is_free_minute(&w, t) ? &free : &used) += bytes_of_minute(t);
		}
		assert_true(at == ended.count || at + 1 == ended.count); /* the last one may have begun at the end */
	}
	calendar_use("Europe/Brussels");
}

/* --- What is told */

static void what_people_say_counts(void **state)
{
	const struct cap cap = isp();
	struct cap_state s = { 0 };
	int64_t now = when(2026, 5, 20, 0, 0);

	(void)state;
	take(&cap, &s, 100 * GB, now, NULL);
	cap_set_used(&s, 140 * GB);
	take(&cap, &s, 10 * GB, now + 1, NULL);
	assert_int_equal(s.used, 150 * GB);
	assert_int_equal(s.counted, 110 * GB);
	assert_int_equal(cap_left(&cap, &s), 600 * GB);
	cap_top_up(&s, 50 * GB);
	cap_top_up(&s, 40 * GB);
	assert_int_equal(cap_limit(&cap, &s), 840 * GB);
	assert_int_equal(cap_allowance(&cap, &s, s.end - 10 * DAY), 69 * GB);
	assert_int_equal(cap_allowance(&cap, &s, s.end - HOUR), 690 * GB);
	take(&cap, &s, 0, s.end, NULL);
	assert_int_equal(cap_limit(&cap, &s), 750 * GB);
	assert_int_equal(s.used, 0);
}

static size_t told(const struct cap *cap, struct cap_state *state, unsigned int *last)
{
	unsigned int percent[CAP_THRESHOLDS] = { 0 };
	size_t count = cap_reached(cap, state, percent);

	again_from_text(state);
	*last = count ? percent[count - 1] : 0;
	return count;
}

static void each_threshold_is_told_once(void **state)
{
	const struct cap cap = isp();
	struct cap_state s = { 0 };
	struct ended ended = { .count = 0 };
	int64_t now = when(2026, 5, 20, 0, 0);
	unsigned int last;

	(void)state;
	take(&cap, &s, 750 * GB / 100 * 75 - 1, now, &ended);
	assert_int_equal(told(&cap, &s, &last), 0);
	take(&cap, &s, 1, now + 1, &ended);
	assert_int_equal(told(&cap, &s, &last), 1);
	assert_int_equal(last, 75);
	assert_int_equal(told(&cap, &s, &last), 0);
	take(&cap, &s, 300 * GB, now + 2, &ended);
	assert_int_equal(told(&cap, &s, &last), 2);
	assert_int_equal(last, 100);
	assert_int_equal(told(&cap, &s, &last), 0);

	/* More is bought: below 90 per cent again, and these two are told once more. */
	cap_top_up(&s, 250 * GB);
	assert_int_equal(told(&cap, &s, &last), 0);
	assert_int_equal(s.limit, 1000 * GB);
	take(&cap, &s, 200 * GB, now + 3, &ended);
	assert_int_equal(told(&cap, &s, &last), 2);
	assert_int_equal(last, 100);

	take(&cap, &s, 0, s.end, &ended);
	assert_int_equal(told(&cap, &s, &last), 0);
	take(&cap, &s, 700 * GB, s.start + 1, &ended);
	assert_int_equal(told(&cap, &s, &last), 2);
	assert_int_equal(last, 90);
}

static void a_threshold_is_reached_to_the_byte(void **state)
{
	const struct cap cap = { .limit = 101, .warn = { 75, 1000 }, .thresholds = 2 };
	const struct cap most = { .limit = CAP_BYTES_MAX, .warn = { 1000 }, .thresholds = 1 };
	struct cap_state s = { .used = 75 };
	unsigned int percent[CAP_THRESHOLDS];

	(void)state;
	s.end = 1;
	assert_int_equal(cap_reached(&cap, &s, percent), 0);
	s.used = 76;
	assert_int_equal(cap_reached(&cap, &s, percent), 1);
	s.used = 1010;
	assert_int_equal(cap_reached(&cap, &s, percent), 1);
	assert_int_equal(percent[0], 1000);
	s.used = CAP_BYTES_MAX;
	assert_int_equal(cap_reached(&most, &s, percent), 0);
}

/* 20 GB a day, evenly. */
static void pace_is_told_with_its_day(void **state)
{
	static struct forecast_hour hours[30 * 24];
	struct cap cap = isp();
	struct cap_state s = { 0 };
	int64_t now = when(2026, 5, 22, 0, 0), since = now - 30 * DAY, over;
	struct forecast f;

	(void)state;
	for (int i = 0; i < 30 * 24; i++)
		hours[i] = (struct forecast_hour){ since + i * HOUR, 20 * GB / 24 };
	take(&cap, &s, 200 * GB, now, NULL);
	cap.limit = 500 * GB;
	f = cap_forecast(&cap, &s, hours, 30 * 24, since, now, &over);
	assert_true(f.known && f.likely > 610 * GB && f.likely < 630 * GB);
	/* 300 GB are left: fifteen days. */
	assert_true(over > when(2026, 6, 5, 12, 0) && over < when(2026, 6, 6, 12, 0));
	assert_true(cap_pace_reached(&cap, &s, over));
	again_from_text(&s);
	assert_false(cap_pace_reached(&cap, &s, over));

	cap_top_up(&s, 200 * GB);
	cap_forecast(&cap, &s, hours, 30 * 24, since, now, &over);
	assert_int_equal(over, 0);
	assert_false(cap_pace_reached(&cap, &s, over));
	cap.limit = 350 * GB;
	cap_forecast(&cap, &s, hours, 30 * 24, since, now, &over);
	assert_true(cap_pace_reached(&cap, &s, over));
	cap_forecast(&cap, &s, hours, 24, now - DAY, now, &over); /* too little is known */
	assert_int_equal(over, 0);
	cap_set_used(&s, 600 * GB); /* it is passed already */
	cap_forecast(&cap, &s, hours, 30 * 24, since, now, &over);
	assert_int_equal(over, 0);
	s.pace_warned = false;
	cap.pace = false;
	assert_false(cap_pace_reached(&cap, &s, now));
}

/* --- Text */

static void damaged_text_is_no_state(void **state)
{
	static const char *const bad[] = { NULL, "", "null", "7", "[]", "{}", "{\"start\":1,\"end\":2}",
		"{\"start\":2,\"end\":2,\"used\":0}", "{\"start\":-1,\"end\":2,\"used\":0}",
		"{\"start\":1,\"end\":2,\"used\":-5}", "{\"start\":1,\"end\":2,\"used\":1.5}",
		"{\"start\":1,\"end\":2,\"used\":1000000000000000001}",
		"{\"start\":1,\"end\":9999999999999,\"used\":0}", "{\"start\":1,\"end\":2,\"used\":0,\"warned\":1001}",
		"{\"start\":1,\"end\":2,\"used\":0,\"free\":\"5\"}",
		"{\"start\":1,\"end\":2,\"used\":0,\"pace_warned\":1}", "{\"start\":1,\"end\":2,\"used\":0,\"used\":1}",
		"{\"start\":1,\"end\":2,\"used\":0} x" };
	struct cap_state s;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		s.end = 5;
		assert_int_equal(cap_state_parse(&s, bad[i]), -EBADMSG);
		assert_int_equal(s.end, 0);
	}
	/* What a later version adds, and what an earlier one did not have. */
	assert_int_equal(cap_state_parse(&s, "{\"start\":1,\"end\":2,\"used\":3,\"new\":[]}"), 0);
	assert_int_equal(s.used, 3);
}

/* Bytes that changed: what is read is sane, and can go on. */
static void any_text_can_go_on(void **state)
{
	const struct cap_state whole = { 1778536800, 1781215200, 5 * GB, 4 * GB, GB, 2 * GB, 750 * GB, 75, true };
	const struct cap cap = isp();
	struct buf text = BUF_INIT;
	char copy[512];

	(void)state;
	srandom(15);
	cap_state_put(&text, NULL, &whole);
	assert_string_equal(buf_text(&text),
		"{\"start\":1778536800,\"end\":1781215200,\"used\":5000000000,\"counted\":4000000000,"
		"\"free\":1000000000,\"topped_up\":2000000000,\"limit\":750000000000,\"warned\":75,"
		"\"pace_warned\":true}");
	again_from_text(&(struct cap_state){ whole.start, whole.end, 1, 2, 3, 4, 5, 6, true });
	assert_true(text.len < sizeof(copy));
	for (int round = 0; round < 20000; round++) {
		struct cap_state s;
		int error;

		memcpy(copy, buf_text(&text), text.len + 1);
		for (long n = 1 + random() % 3; n > 0; n--)
			copy[random() % (long)text.len] = (char)random();
		error = cap_state_parse(&s, copy);
		assert_true(error == (s.end ? 0 : -EBADMSG));
		assert_true(s.used <= CAP_BYTES_MAX && s.start <= s.end);
		take(&cap, &s, 1, 1779000000, &(struct ended){ .count = 0 });
		assert_true(s.used >= 1 && s.end > 1779000000);
	}
	buf_free(&text);
}

static int use_brussels(void **state)
{
	(void)state;
	return calendar_use("Europe/Brussels");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_counts_what_it_is_for),
		cmocka_unit_test(no_sum_wraps),
		cmocka_unit_test(a_period_is_cut_at_its_end),
		cmocka_unit_test(free_hours_do_not_count),
		cmocka_unit_test(its_zone_is_its_own),
		cmocka_unit_test(another_rule_keeps_what_was_used),
		cmocka_unit_test(a_clock_that_was_ahead_is_folded_back),
		cmocka_unit_test(it_is_the_sum_of_its_minutes),
		cmocka_unit_test(what_people_say_counts),
		cmocka_unit_test(each_threshold_is_told_once),
		cmocka_unit_test(a_threshold_is_reached_to_the_byte),
		cmocka_unit_test(pace_is_told_with_its_day),
		cmocka_unit_test(damaged_text_is_no_state),
		cmocka_unit_test(any_text_can_go_on),
	};

	return cmocka_run_group_tests(tests, use_brussels, NULL);
}
