/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The parts that render.c draws a screen from: numbers as text (format.c), the list of hosts (table.c), the rows above
 * it (header.c), and the pages that take its place (pages.c).
 */
#pragma once

#include "hostmeter/watch/frame.h"
#include "hostmeter/watch/view.h"

/* ---- Numbers as short as a column needs them. Each writes to text and returns it. */

enum { WATCH_NUMBER = 16 };

/* Three digits and a power: "0", "999", "1.23k", "12.3M", "123G"; of 1024: "1023", "1.23Ki", "1023Mi". */
const char *watch_format_amount(char text[static WATCH_NUMBER], double amount, bool binary);

/* The same with the unit, as the view has it: "1.23MB", "1023KiB"; "12.3Mb/s", "1.23kB/s". rate: bytes a second. */
const char *watch_format_bytes(char text[static WATCH_NUMBER], double bytes, const struct watch_view *view);
const char *watch_format_rate(char text[static WATCH_NUMBER], double rate, const struct watch_view *view);

/* The most cells that a rate takes. */
int watch_format_rate_width(const struct watch_view *view);

/* A share of 0 to 1: "37%", "0%" only for nothing, else "<1%"; "-" below 0. */
const char *watch_format_percent(char text[static WATCH_NUMBER], double share);

/* How long ago it was: "now", "12s", "5m", "3h", "12d". */
const char *watch_format_age(char text[static WATCH_NUMBER], uint64_t now_ns, uint64_t when_ns);

/* "0.2 s", "1 s", "5 min", "1 h". */
const char *watch_format_interval(char text[static WATCH_NUMBER], uint64_t ns);

/* ---- The list of hosts */

/* The columns from left to right. The name takes what the others leave. */
extern const struct watch_table_column {
	enum watch_column id;
	const char *title;
	int width;                     /* with the gap before it */
	int from;                      /* it is shown on screens at least this wide */
	const char *help_title, *help; /* its line of the help page; NULL: another column's line covers it */
} watch_table_columns[WATCH_COLUMNS];

struct watch_row {
	const struct watch_sample_host *host; /* NULL: the sum of all */
	const struct watch_track *track;
	double rate[WATCH_DIRECTIONS];    /* bytes a second over the view's window */
	uint64_t total[WATCH_DIRECTIONS]; /* bytes of the session */
	double both[WATCH_FAMILIES];      /* of each family in both directions: rate or total, as the view says */
	double amount;                    /* the same of the families shown together */
	double order;                     /* what it is sorted by */
	uint32_t connections;
};

struct watch_table {
	struct watch_row *row;
	size_t rows, hosts;   /* shown, and known; with what is none: the router, unknown, other */
	size_t shown, real;   /* those of them that are hosts */
	struct watch_row sum; /* of all that are known */
};

/* Filters and sorts as the view says. 0 or -ENOMEM. Borrows from history; freed by watch_table_free(). */
int watch_table_build(struct watch_table *table, const struct watch_history *history, const struct watch_view *view);
void watch_table_free(struct watch_table *table);

/* part of all: 0 to 1; -1 if all is 0. */
double watch_table_share(double part, double all);

/* The share of IPv6 in what the host moved, and its bytes of the session in both directions. */
double watch_table_ipv6(const struct watch_row *row);
double watch_table_total(const struct watch_row *row);

/* ---- The rows above the list, and the pages */

enum { WATCH_ROOMY = 30 }; /* rows of a screen that shows as many WANs as there may be */

/* Where to draw, and what. */
struct watch_screen {
	struct watch_frame *frame;
	const struct watch_history *history;
	struct watch_view *view;
};

static inline int watch_clamp(int value, int least, int most)
{
	return value > most ? (most > least ? most : least) : value < least ? least : value;
}

/* Each draws from row y on and returns the next free row. The title is row 0. */
int watch_header_title(const struct watch_screen *screen);
int watch_header_links(const struct watch_screen *screen, int y);
int watch_header_warnings(const struct watch_screen *screen, int y);

/* Draws a line of count steps; most is full height. */
void watch_header_spark(struct watch_frame *frame, int x, int y, const float *step, int count, float most);

/* The steps of such a line: of the last minute, or on a wide screen of five. Returns the highest. */
bool watch_header_is_wide(const struct watch_screen *screen);
float watch_header_steps(const struct watch_screen *screen, const struct watch_track *track, unsigned int families,
	float *step, int count);

/* The filter of the page, typed or in force: true if there is one. */
bool watch_header_filter(const struct watch_screen *screen, int y);

/* A host's rate of bytes a second in the view's units; "-" while none are known. Returns text or a constant. */
const char *watch_header_rate(char text[static WATCH_NUMBER], const struct watch_screen *screen, double rate);

/* Draws the page of view->page (help or host) from row y on, scrolled by view->move. */
void watch_pages_draw(const struct watch_screen *screen, int y);
