/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const struct watch_table_column watch_table_columns[WATCH_COLUMNS] = {
	{ WATCH_COL_NAME, "NAME", 0, 0, NULL, NULL },
	{ WATCH_COL_DOWN, "DOWN", 9, 0, "DOWN, UP", "from and to the Internet, seen from the host; b bits, B bytes" },
	{ WATCH_COL_UP, "UP", 9, 0, NULL, NULL },
	{ WATCH_COL_SPARK, "LAST MIN", 11, 60, "LAST MIN", "both, on one scale for all hosts; on wide screens 5 MIN" },
	{ WATCH_COL_TOTAL, "TOTAL", 8, 48, "TOTAL", "bytes both ways since this view began, or since z" },
	{ WATCH_COL_SHARE, "SHARE", 7, 40, "SHARE", "of what all hosts move now, or have moved with t" },
	{ WATCH_COL_IPV6, "IPv6", 6, 74, "IPv6", "how much of the host's own goes over IPv6" },
	{ WATCH_COL_CONNECTIONS, "CONN", 6, 67, "CONN, SEEN", "connections that live, and when bytes came last" },
	{ WATCH_COL_SEEN, "SEEN", 6, 80, NULL, NULL },
	{ WATCH_COL_MAC, "MAC", 19, 120, NULL, NULL },
};

double watch_table_share(double part, double all)
{
	return all > 0 ? part / all : -1;
}

double watch_table_ipv6(const struct watch_row *row)
{
	return watch_table_share(row->both[WATCH_IPV6], row->both[WATCH_IPV4] + row->both[WATCH_IPV6]);
}

double watch_table_total(const struct watch_row *row)
{
	return (double)row->total[WATCH_DOWN] + (double)row->total[WATCH_UP];
}

/* The numbers of one host. */
static struct watch_row row_of(const struct watch_history *history, const struct watch_view *view, size_t host)
{
	const struct watch_track *track = watch_history_track(history, host, view->local);
	struct watch_row row = { .host = &history->sample.host[host], .track = track };
	unsigned int families = watch_view_families(view);
	double seconds = watch_view_seconds(view);

	for (int family = 0; family < WATCH_FAMILIES; family++) {
		bool shown = families & 1u << family;

		if (shown)
			row.connections += row.host->connections[family];
		for (int direction = 0; direction < WATCH_DIRECTIONS; direction++) {
			uint64_t total = track->session[family][direction];
			double rate = watch_history_rate(history, track, 1u << family, direction, seconds);

			row.both[family] += view->totals ? (double)total : rate;
			if (!shown)
				continue;
			row.rate[direction] += rate;
			row.total[direction] += total;
			row.amount += view->totals ? (double)total : rate;
		}
	}
	return row;
}

/* What a row is sorted by. Rates are averages of at least ten seconds: rows that move all the time cannot be read. */
static double order_of(const struct watch_history *history, const struct watch_view *view, const struct watch_row *row)
{
	unsigned int families = watch_view_families(view);
	double seconds = watch_view_seconds(view), rate[WATCH_DIRECTIONS];

	if (seconds < watch_windows[1] && !view->plain)
		seconds = watch_windows[1];
	for (int direction = 0; direction < WATCH_DIRECTIONS; direction++)
		rate[direction] = view->totals ? (double)row->total[direction] :
						 watch_history_rate(history, row->track, families, direction, seconds);
	switch (view->sort) {
	case WATCH_COL_DOWN:
		return rate[WATCH_DOWN];
	case WATCH_COL_UP:
		return rate[WATCH_UP];
	case WATCH_COL_TOTAL:
		return watch_table_total(row);
	case WATCH_COL_IPV6:
		return watch_table_ipv6(row);
	case WATCH_COL_CONNECTIONS:
		return row->connections;
	case WATCH_COL_SEEN:
		return (double)row->host->last_seen;
	default:
		return rate[WATCH_DOWN] + rate[WATCH_UP];
	}
}

/* ---- The filter */

/* What the meter lists beside the hosts: names that no host without MAC address has. */
static bool is_host(const struct watch_sample_host *host)
{
	static const char *const others[] = { "router", "unknown", "other" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!host->mac[0] && !strcmp(host->label, others[i]))
			return false;
	return true;
}

/* Upper and lower case are the same for ASCII letters only. */
static bool is_shown(const struct watch_history *history, const struct watch_view *view,
	const struct watch_sample_host *host)
{
	if (!view->filter[0] || strcasestr(host->label, view->filter) || strcasestr(host->mac, view->filter))
		return true;
	for (size_t i = 0; i < host->addresses; i++)
		if (strcasestr(history->sample.address[host->address + i], view->filter))
			return true;
	return false;
}

/* ---- The order */

static int descending(double a, double b)
{
	return (a < b) - (a > b);
}

static int compare(const void *a, const void *b, void *arg)
{
	const struct watch_row *one = a, *other = b;
	const struct watch_view *view = arg;
	int order;

	if (view->sort == WATCH_COL_NAME) {
		order = strcasecmp(one->host->label, other->host->label);
	} else {
		order = descending(one->order, other->order);
		/* Idle hosts are ordered by their total, so that they keep their places. */
		order = order ? order : descending(watch_table_total(one), watch_table_total(other));
		order = order ? order : strcmp(one->host->label, other->host->label);
	}
	order = order ? order : strcmp(one->host->mac, other->host->mac);
	return view->reverse ? -order : order;
}

static void add_to_sum(struct watch_row *sum, const struct watch_row *row)
{
	for (int i = 0; i < WATCH_DIRECTIONS; i++) {
		sum->rate[i] += row->rate[i];
		sum->total[i] += row->total[i];
	}
	for (int i = 0; i < WATCH_FAMILIES; i++)
		sum->both[i] += row->both[i];
	sum->amount += row->amount;
	sum->connections += row->connections;
}

int watch_table_build(struct watch_table *table, const struct watch_history *history, const struct watch_view *view)
{
	*table = (struct watch_table){ .hosts = history->tracks };
	table->row = calloc(history->tracks + 1, sizeof(*table->row));
	if (!table->row)
		return -ENOMEM;
	for (size_t i = 0; i < history->tracks; i++) {
		struct watch_row row = row_of(history, view, i);

		row.order = order_of(history, view, &row);
		add_to_sum(&table->sum, &row);
		table->real += is_host(row.host);
		if (!is_shown(history, view, row.host))
			continue;
		table->shown += is_host(row.host);
		table->row[table->rows++] = row;
	}
	qsort_r(table->row, table->rows, sizeof(*table->row), compare, (void *)view);
	return 0;
}

void watch_table_free(struct watch_table *table)
{
	free(table->row);
	*table = (struct watch_table){ 0 };
}
