/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_view: what the user has chosen to see, and the keys that choose. One table of keys drives both what a key does
 * and what the help page says of it.
 */
#pragma once

#include "hostmeter/watch/history.h"

enum watch_column {
	WATCH_COL_NAME, /* the first seven are sorted by with keys 1 to 7 */
	WATCH_COL_DOWN,
	WATCH_COL_UP,
	WATCH_COL_TOTAL,
	WATCH_COL_SHARE,
	WATCH_COL_IPV6,
	WATCH_COL_CONNECTIONS,
	WATCH_COL_SEEN,
	WATCH_SORTS,
	WATCH_COL_SPARK = WATCH_SORTS, /* not to be sorted by */
	WATCH_COL_MAC,
	WATCH_COLUMNS,
};

enum watch_page { WATCH_PAGE_LIST, WATCH_PAGE_HELP, WATCH_PAGE_HOST };

/* What the caller has to do after a key besides drawing. */
enum watch_action { WATCH_NOTHING, WATCH_QUIT, WATCH_ZERO, WATCH_INTERVAL };

struct watch_view {
	int width, height;
	bool utf8;
	bool plain; /* no keys: a title, all hosts and the totals, as high as it takes */
	uint64_t interval_ns;
	enum watch_column sort;
	bool reverse;
	bool bytes;  /* rates in bytes, not bits */
	bool binary; /* powers of 1024 */
	bool totals; /* of the session, not rates */
	int family;  /* 0: both, 4, 6 */
	int window;  /* index into watch_windows */
	bool paused;
	enum watch_page page;
	bool typing; /* keys go into the filter */
	char filter[WATCH_LABEL];
	char source[128];             /* where the samples come from */
	char notice[128];             /* what is wrong with getting them, "": nothing */
	char connections_notice[128]; /* why there are no connections of a host to be seen; "": they are on their way */

	/* What follows is settled by watch_render(). */
	bool selecting;                         /* a host has been chosen; it stays chosen wherever it moves */
	char label[WATCH_LABEL], mac[MAC_TEXT]; /* the host chosen, and the one of WATCH_PAGE_HOST */
	int move;                               /* rows that the keys ask to go down, not done yet */
	int top;                                /* the first host shown */
	int page_top;                           /* the first line of another page shown */
	struct watch_span {
		int x, width;
	} header[WATCH_COLUMNS];         /* where the columns are; width 0: not shown */
	int header_row, first_row, rows; /* of the screen, and how many hosts it shows */
	int click;                       /* a row of the screen that was clicked at, -1: none */
};

/* A view as it is at first. */
struct watch_view watch_view_default(void);

/* Does what a key of term.h asks for. */
enum watch_action watch_view_key(struct watch_view *view, int key);

/* A click into the cell. */
void watch_view_click(struct watch_view *view, int x, int y);

/* The n-th line of the help page, or hint at the foot of the list: keys and what they do. False behind the last. */
bool watch_view_keys(bool foot, size_t n, const char **keys, const char **what);

/* What rates are averaged over: the window chosen; 0, between the latest two readings, in a plain view. */
double watch_view_seconds(const struct watch_view *view);

/* The set of families that is shown, as bits. */
unsigned int watch_view_families(const struct watch_view *view);
