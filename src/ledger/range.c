/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "range.h"

#include "hostmeter/base/utf8.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* More than a hundred years of days, and far from where numbers end. */
enum { MOST_BEFORE = 40000, QUOTED = 40, DAY_S = 86400 };

struct parser {
	int64_t now;
	const struct period_rule *rule;
	const char *problem; /* NULL: none that is known better than that it cannot be read */
};

static int64_t midnight(struct calendar_date date)
{
	return calendar_instant(date, 0);
}

static struct calendar_date first_of_month(struct calendar_date date)
{
	return (struct calendar_date){ date.year, date.month, 1 };
}

static struct calendar_date first_of_year(struct calendar_date date)
{
	return (struct calendar_date){ date.year, 1, 1 };
}

/* --- Names: each gives the range that is so many before the one that now is in. */

static struct range whole_days(struct calendar_date first, struct calendar_date next)
{
	return (struct range){ midnight(first), midnight(next) };
}

static struct range day_before(const struct parser *p, int before)
{
	struct calendar_date date = calendar_add_days(calendar_date_of(p->now), -before);

	return whole_days(date, calendar_add_days(date, 1));
}

static struct range day_before_that(const struct parser *p, int before)
{
	return day_before(p, before + 1);
}

static struct range week_before(const struct parser *p, int before)
{
	struct calendar_date date = calendar_date_of(p->now);

	date = calendar_add_days(date, -(calendar_weekday(date) + 6) % 7 - 7 * before);
	return whole_days(date, calendar_add_days(date, 7));
}

static struct range month_before(const struct parser *p, int before)
{
	struct calendar_date date = calendar_add_months(first_of_month(calendar_date_of(p->now)), -before);

	return whole_days(date, calendar_add_months(date, 1));
}

static struct range year_before(const struct parser *p, int before)
{
	struct calendar_date date = calendar_add_months(first_of_year(calendar_date_of(p->now)), -12 * before);

	return whole_days(date, calendar_add_months(date, 12));
}

static struct range billing_period_before(const struct parser *p, int before)
{
	struct period period = period_before(p->rule, p->now, before);

	return (struct range){ period.start, period.end };
}

static const struct name {
	const char *name;
	struct range (*before)(const struct parser *p, int before);
	int days; /* how many are in one, at least; 0: the rule says it */
} names[] = {
	{ "today", day_before, 1 },
	{ "yesterday", day_before_that, 1 },
	{ "week", week_before, 7 },
	{ "month", month_before, 28 },
	{ "period", billing_period_before, 0 },
	{ "year", year_before, 365 },
};

/* Digits only, which strtol() is not content with. -1: it is no such number, or a larger one. */
static int number(const char *text, size_t len, int most)
{
	int value = 0;

	if (!len)
		return -1;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)text[i]))
			return -1;
		value = value * 10 + text[i] - '0';
		if (value > most)
			return -1;
	}
	return value;
}

/* Whether so many before now are surely too many: then nothing is computed that dates are too small for. */
static bool is_too_long_ago(const struct parser *p, const struct name *name, int before)
{
	int days = name->days;

	if (!days)
		days = p->rule->every == PERIOD_MONTH ? 28 : p->rule->every == PERIOD_WEEK ? 7 : p->rule->days;
	return p->now < (int64_t)before * days * DAY_S;
}

static int parse_name(struct parser *p, struct range *range, const char *text, size_t len)
{
	const char *dash = memchr(text, '-', len);
	size_t word = dash ? (size_t)(dash - text) : len;
	int before = dash ? number(dash + 1, len - word - 1, MOST_BEFORE) : 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i].name) != word || memcmp(names[i].name, text, word) != 0)
			continue;
		if (before < 0) {
			p->problem = "after the \"-\" a number up to 40000 is needed: how many before";
			return -EINVAL;
		}
		if (names[i].before == billing_period_before && !p->rule) {
			p->problem = "no cap is configured, so there is no billing period";
			return -EINVAL;
		}
		if (!is_too_long_ago(p, &names[i], before)) {
			*range = names[i].before(p, before);
			if (calendar_date_of(range->from).year >= 1970)
				return 0;
		}
		p->problem = "it is before 1970";
		return -EINVAL;
	}
	return -EINVAL;
}

/* --- Dates */

/* 4, 7 or 10 characters: a year, a month, a day; anything else is none of them. */
static int parse_date(struct parser *p, struct range *range, const char *text, size_t len)
{
	struct calendar_date date = { 0, 1, 1 }, next;

	if ((len != 4 && len != 7 && len != 10) || (len > 4 && text[4] != '-') || (len > 7 && text[7] != '-'))
		return -EINVAL;
	date.year = number(text, 4, 9999);
	date.month = len > 4 ? number(text + 5, 2, 99) : 1;
	date.day = len > 7 ? number(text + 8, 2, 99) : 1;
	if (date.year < 0 || date.month < 0 || date.day < 0)
		return -EINVAL;
	if (!calendar_is_date(date)) {
		p->problem = date.year < 1970 ? "it is before 1970" : "there is no such date";
		return -EINVAL;
	}
	next = len == 4  ? calendar_add_months(date, 12) :
		len == 7 ? calendar_add_months(date, 1) :
			   calendar_add_days(date, 1);
	*range = whole_days(date, next);
	/* Samoa had no 2011-12-30. */
	if (range->from < range->to)
		return 0;
	p->problem = "this time zone left that day out";
	return -EINVAL;
}

static int parse_one(struct parser *p, struct range *range, const char *text, size_t len)
{
	if (len && isdigit((unsigned char)*text))
		return parse_date(p, range, text, len);
	return parse_name(p, range, text, len);
}

static int parse(struct parser *p, struct range *range, const char *text)
{
	const char *dots = strstr(text, "..");
	struct range first, last;
	int error;

	error = parse_one(p, &first, text, dots ? (size_t)(dots - text) : strlen(text));
	last = first;
	if (!error && dots)
		error = parse_one(p, &last, dots + 2, strlen(dots + 2));
	if (error)
		return error;
	if (first.from >= last.to) {
		p->problem = dots ? "it ends before it begins" : "it is empty";
		return -EINVAL;
	}
	*range = (struct range){ first.from, last.to };
	return 0;
}

int range_parse(struct range *range, const char *text, int64_t now, const struct period_rule *rule,
	char error[static RANGE_ERROR])
{
	struct parser parser = { .now = now, .rule = rule };
	char quoted[QUOTED];

	if (!parse(&parser, range, text))
		return 0;
	utf8_clean(quoted, sizeof(quoted), text, strlen(text), "\"");
	if (parser.problem)
		snprintf(error, RANGE_ERROR, "period \"%s\": %s", quoted, parser.problem);
	else
		snprintf(error, RANGE_ERROR,
			"period \"%s\": wanted is today, yesterday, week, month, period, year, month-1, "
			"2026-11, 2026-11-03 or FROM..TO",
			quoted);
	return -EINVAL;
}

/* --- To text */

const char *range_time(int64_t t, char text[static RANGE_TIME])
{
	time_t seconds = (time_t)t;
	struct tm tm = { .tm_mday = 1 };

	localtime_r(&seconds, &tm);
	return strftime(text, RANGE_TIME, "%Y-%m-%d %H:%M", &tm) ? text : "?";
}

static bool is_whole(struct range range, struct range unit)
{
	return range.from == unit.from && range.to == unit.to;
}

const char *range_label(struct range range, char label[static RANGE_LABEL])
{
	struct calendar_date first = calendar_date_of(range.from), next = calendar_date_of(range.to);
	struct calendar_date last = calendar_add_days(next, -1);
	char from[RANGE_TIME], to[RANGE_TIME];
	int len;

	if (range.from != midnight(first) || range.to != midnight(next)) {
		snprintf(label, RANGE_LABEL, "%s to %s", range_time(range.from, from), range_time(range.to, to));
		return label;
	}
	if (midnight(last) == range.to)
		last = calendar_add_days(last, -1); /* it was left out */
	if (is_whole(range, whole_days(first_of_year(first), calendar_add_months(first_of_year(first), 12))))
		len = snprintf(label, RANGE_LABEL, "%04d", first.year);
	else if (is_whole(range, whole_days(first_of_month(first), calendar_add_months(first_of_month(first), 1))))
		len = snprintf(label, RANGE_LABEL, "%04d-%02d", first.year, first.month);
	else
		len = snprintf(label, RANGE_LABEL, "%04d-%02d-%02d", first.year, first.month, first.day);
	if (len == 10 && calendar_compare(first, last))
		snprintf(label + len, RANGE_LABEL - (size_t)len, "..%04d-%02d-%02d", last.year, last.month, last.day);
	return label;
}
