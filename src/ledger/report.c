/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "report.h"

#include "report_rows.h"

#include "hostmeter/base/addr.h"
#include "hostmeter/base/json.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { REPORT_SCHEMA = 1, HOUR_S = 3600, LABEL = RANGE_LABEL + 16 };

static const char *const by_names[] = { "device", "group", "hour", "day", "month", "wan" };

int report_parse_by(enum report_by *by, const char *text)
{
	for (size_t i = 0; i < sizeof(by_names) / sizeof(by_names[0]); i++)
		if (!strcmp(by_names[i], text)) {
			*by = (enum report_by)i;
			return 0;
		}
	return -EINVAL;
}

/* Seconds since 1970. What is before, as New Year of 1970 is east of Greenwich, is 0. */
static void put_time(struct buf *out, const char *key, int64_t t)
{
	json_put_u64(out, key, t < 0 ? 0 : (uint64_t)t);
}

/* --- Whether it is complete */

struct gaps {
	struct buf *out;
	int64_t from;
	size_t count;
};

static void on_gap(void *ctx, const struct store_gap *gap)
{
	struct gaps *gaps = ctx;
	char label[RANGE_LABEL];

	if (gap->end <= gaps->from || gaps->count++ >= REPORT_GAPS)
		return;
	json_begin(gaps->out, NULL, '{');
	put_time(gaps->out, "from", gap->start);
	put_time(gaps->out, "to", gap->end);
	json_put_text(gaps->out, "label", range_label((struct range){ gap->start, gap->end }, label));
	json_put_text(gaps->out, "cause", gap->cause);
	json_end(gaps->out, '}');
}

static void put_reason(struct buf *reasons, const char *what, int64_t at)
{
	char time[RANGE_TIME], text[LABEL];

	if (at) {
		snprintf(text, sizeof(text), "%s %s", what, range_time(at, time));
		what = text;
	}
	json_put_text(reasons, NULL, what);
}

/* Appends why something may be missing, in the order of time; and the gaps. */
static int put_completeness(struct buf *out, struct store *store, const struct report_query *query, bool is_cut)
{
	const struct range range = query->range;
	struct buf reasons = BUF_INIT, list = BUF_INIT;
	struct gaps gaps = { .out = &list, .from = range.from };
	int64_t first = store_first(store), last = store_last(store);
	int error = store_walk_gaps(store, range.from, range.to, on_gap, &gaps);

	if (!first)
		put_reason(&reasons, "nothing is recorded yet", 0);
	else if (first > range.from)
		put_reason(&reasons, "the ledger begins", first);
	if (gaps.count)
		put_reason(&reasons, gaps.count == 1 ? "there is a gap" : "there are gaps", 0);
	if (is_cut)
		put_reason(&reasons, "of its beginning or end only the sum of a longer time is kept", 0);
	if (range.to > query->now)
		put_reason(&reasons, "it has not ended yet", 0);
	else if (first && last < range.to)
		put_reason(&reasons, "the latest reading is of", last);
	json_put_bool(out, "complete", !reasons.len);
	json_begin(out, "incomplete", '[');
	buf_add(out, reasons.data, reasons.len);
	json_end(out, ']');
	json_begin(out, "gaps", '[');
	buf_add(out, list.data, list.len);
	json_end(out, ']');
	error = error ? error : buf_error(&reasons) ? buf_error(&reasons) : buf_error(&list);
	buf_free(&reasons);
	buf_free(&list);
	return error;
}

/* --- Rows */

static void put_sums(struct buf *out, const struct report_sums *sums)
{
	static const char *const values[] = { "in_bytes", "out_bytes", "in_packets", "out_packets" };

	for (int i = 0; i < READING_VALUES; i++)
		json_put_u64(out, values[i], sums->value[i]);
	json_put_u64(out, "ipv6_bytes", sums->ipv6_bytes);
	put_time(out, "first_seen", sums->first);
	put_time(out, "last_seen", sums->last);
}

static void put_device(struct buf *out, const struct report_row *row)
{
	const char *first = NULL;
	bool is_random = false;
	struct mac mac;

	json_put_text(out, "device", row->name);
	for (const struct report_key *key = row->keys; key; key = key->next)
		if (!mac_parse(&mac, key->key)) {
			first = first ? first : key->key;
			is_random |= mac_is_random(&mac);
		}
	json_put_text(out, "mac", first);
	json_begin(out, "macs", '[');
	for (const struct report_key *key = row->keys; key; key = key->next)
		if (!mac_parse(&mac, key->key))
			json_put_text(out, NULL, key->key);
	json_end(out, ']');
	json_put_text(out, "group", row->group);
	json_put_bool(out, "random_mac", is_random);
}

/* When clocks are put back an hour is there twice: then the name of the zone tells which one it is. */
static void label_hour(struct range hour, char label[static LABEL])
{
	char before[RANGE_TIME], after[RANGE_TIME], abbreviation[12] = "";
	time_t seconds = (time_t)hour.from;
	struct tm tm = { .tm_mday = 1 };

	range_time(hour.from, label);
	if (strcmp(label, range_time(calendar_hour(hour.from - 1), before)) != 0 &&
		strcmp(label, range_time(hour.to, after)) != 0)
		return;
	localtime_r(&seconds, &tm);
	if (strftime(abbreviation, sizeof(abbreviation), " %Z", &tm))
		strcat(label, abbreviation);
}

static void put_row_time(struct buf *out, const struct report_query *query, struct range time)
{
	char label[LABEL];

	if (query->by == REPORT_BY_HOUR && time.to - time.from <= HOUR_S)
		label_hour(time, label);
	else
		range_label(time, label);
	put_time(out, "start", time.from > query->range.from ? time.from : query->range.from);
	put_time(out, "end", time.to < query->range.to ? time.to : query->range.to);
	json_put_text(out, "label", label);
}

static void put_row(struct buf *out, const struct report_query *query, const struct report_row *row)
{
	json_begin(out, NULL, '{');
	switch (query->by) {
	case REPORT_BY_DEVICE:
		put_device(out, row);
		break;
	case REPORT_BY_GROUP:
		json_put_text(out, "group", row->name);
		break;
	case REPORT_BY_WAN:
		json_put_text(out, "wan", row->name);
		break;
	case REPORT_BY_HOUR:
	case REPORT_BY_DAY:
	case REPORT_BY_MONTH:
		put_row_time(out, query, row->time);
		break;
	}
	put_sums(out, &row->sums);
	json_end(out, '}');
}

static int put_report(struct buf *out, struct store *store, const struct report_query *query,
	const struct report_rows *rows)
{
	char label[RANGE_LABEL];
	int error;

	json_begin(out, NULL, '{');
	json_put_u64(out, "schema", REPORT_SCHEMA);
	json_put_text(out, "period", query->period);
	put_time(out, "from", query->range.from);
	put_time(out, "to", query->range.to);
	json_put_text(out, "label", range_label(query->range, label));
	json_put_text(out, "timezone", query->zone);
	json_put_text(out, "scope", query->local ? "local" : "wan");
	error = put_completeness(out, store, query, rows->is_cut);
	json_put_text(out, "by", by_names[query->by]);
	json_begin(out, "rows", '[');
	for (size_t i = 0; i < rows->rows; i++)
		put_row(out, query, &rows->row[i]);
	json_end(out, ']');
	json_begin(out, "total", '{');
	put_sums(out, &rows->total);
	json_end(out, '}');
	json_begin(out, "wan", '{');
	json_put_u64(out, "in_bytes", rows->wan[READING_IN_BYTES]);
	json_put_u64(out, "out_bytes", rows->wan[READING_OUT_BYTES]);
	json_end(out, '}');
	json_end(out, '}');
	return error ? error : buf_error(out);
}

int report_write(struct buf *out, struct store *store, const struct report_query *query,
	const struct report_mapping *mapping)
{
	struct report_rows rows;
	int error = report_rows_gather(&rows, store, query, mapping);

	if (!error)
		error = put_report(out, store, query, &rows);
	report_rows_free(&rows);
	return error;
}
