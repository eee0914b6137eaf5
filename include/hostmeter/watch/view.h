/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch_view: what the user has chosen to see, and the keys. One table has what a key does and what help says of it. */
#pragma once

#include "hostmeter/watch/history.h"

enum watch_column {
	WATCH_COL_NAME, /* keys 1 to 7 sort by the first seven */
	WATCH_COL_DOWN,
	WATCH_COL_UP,
	WATCH_COL_TOTAL,
	WATCH_COL_SHARE,
	WATCH_COL_IPV6,
	WATCH_COL_CONNECTIONS,
	WATCH_COL_SEEN,
	WATCH_SORTS,
	WATCH_COL_SPARK = WATCH_SORTS, /* from here on there is no sorting */
	WATCH_COL_MAC,
	WATCH_COLUMNS,
};

enum watch_page { WATCH_PAGE_LIST, WATCH_PAGE_HELP, WATCH_PAGE_HOST };

/* What else than drawing the caller has to do after a key. */
enum watch_action { WATCH_NOTHING, WATCH_QUIT, WATCH_ZERO, WATCH_INTERVAL };

struct watch_view {
	int width, height;
	bool utf8;
	bool plain; /* text without keys: a title, all hosts and the totals, as high as needed */
	uint64_t interval_ns;
	enum watch_column sort;
	bool reverse;
	bool bytes;    /* rates in bytes, not bits */
	bool binary;   /* powers of 1024 */
	bool local;    /* traffic within the LAN and with the router, not the Internet */
	bool totals;   /* bytes of the session, not rates */
	int family;    /* 0: both, 4, 6 */
	int window;    /* index into watch_windows */
	bool averaged; /* a plain view too shows averages, not what was between two readings */
	bool paused;
	enum watch_page page;
	bool typing; /* keys go into the filter of the page */
	char filter[WATCH_LABEL];
	struct watch_choice connections; /* of WATCH_PAGE_HOST; family and totals are those above */
	char source[128];                /* where the samples come from */
	char notice[128];                /* why no samples come; "": they come */
	char connections_notice[128];    /* why a host's connections cannot be shown; "": no reason */

	/* Updated by watch_render(). */
	bool selecting;                         /* a host is chosen, and stays so when its row moves */
	char label[WATCH_LABEL], mac[MAC_TEXT]; /* the host chosen, and the one of WATCH_PAGE_HOST */
	int move;                               /* rows to scroll down, as the keys ask */
	int top;                                /* the first host shown */
	int page_top;                           /* the first line of another page shown */
	struct watch_span {
		int x, width;
	} header[WATCH_COLUMNS];         /* where the columns are; width 0: not shown */
	int header_row, first_row, rows; /* rows of the screen; how many hosts it shows */
	int click;                       /* a row of the screen that was clicked, -1: none */
};

/* The view at the start. */
struct watch_view watch_view_default(void);

/* Does what a key (of term.h) is bound to. */
enum watch_action watch_view_key(struct watch_view *view, int key);

/* A click on a cell: on a column's title it sorts, on a host it chooses. */
void watch_view_click(struct watch_view *view, int x, int y);

/* Line n of the help page, or hint n at the foot of the list: keys and what they do. False: there is no such. */
bool watch_view_keys(bool foot, size_t n, const char **keys, const char **what);

/* What of a host's connections is shown. */
struct watch_choice watch_view_connections(const struct watch_view *view);

/* The filter that keys go into, of the list or of the host's page. */
const char *watch_view_filter(const struct watch_view *view);

/* Seconds that rates are averaged over; 0 in a plain view: between the latest two readings. */
double watch_view_seconds(const struct watch_view *view);

/* The families that are shown, as bits 1 << family. */
unsigned int watch_view_families(const struct watch_view *view);
