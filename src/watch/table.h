/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_table: the hosts that a view shows, in its order, each with the numbers that stand in its line.
 */
#pragma once

#include "hostmeter/watch/view.h"

/* The columns from left to right. The name takes what the others leave. */
extern const struct watch_table_column {
	enum watch_column id;
	const char *title;
	int width;                     /* with the gap before it */
	int from;                      /* the screen's width from which on it is shown */
	const char *help_title, *help; /* the line of the help page; NULL: that of another column says it */
} watch_table_columns[WATCH_COLUMNS];

struct watch_row {
	const struct watch_sample_host *host; /* NULL: the sum of all */
	const struct watch_track *track;
	double rate[WATCH_DIRECTIONS];    /* bytes a second over the view's window */
	uint64_t total[WATCH_DIRECTIONS]; /* bytes of the session */
	double both[WATCH_FAMILIES];      /* of each family, rate or total as the view has it */
	double amount;                    /* of the families shown, rate or total as the view has it */
	double order;                     /* what it is sorted by */
	uint32_t connections;
};

struct watch_table {
	struct watch_row *row;
	size_t rows, hosts;   /* shown, and known */
	struct watch_row sum; /* of all that are known */
};

/* Filters and sorts. 0 or -ENOMEM. All borrowed from history; freed by watch_table_free(). */
int watch_table_build(struct watch_table *table, const struct watch_history *history, const struct watch_view *view);
void watch_table_free(struct watch_table *table);

/* part of all: 0 to 1, or -1 where all is nothing. */
double watch_table_share(double part, double all);

/* The share of IPv6 in what the host moved, and its bytes of the session in both directions. */
double watch_table_ipv6(const struct watch_row *row);
double watch_table_total(const struct watch_row *row);
