/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_header, watch_pages: the live view without its list of hosts: the rows above it (title, WANs, warnings), and
 * the pages that take its place (the keys, one host).
 */
#pragma once

#include "format.h"
#include "hostmeter/watch/frame.h"
#include "hostmeter/watch/view.h"

enum { WATCH_ROOMY = 30 }; /* a screen with so many rows shows as many WANs and warnings as there may be */

static inline int watch_clamp(int value, int least, int most)
{
	return value > most ? (most > least ? most : least) : value < least ? least : value;
}

/* Where is drawn, and what. */
struct watch_screen {
	struct watch_frame *frame;
	const struct watch_history *history;
	struct watch_view *view;
};

/* Each draws from row y on and returns the next free row. The title is row 0. */
int watch_header_title(const struct watch_screen *screen);
int watch_header_links(const struct watch_screen *screen, int y);
int watch_header_warnings(const struct watch_screen *screen, int y);

/* Draws a line of count steps; most is full height. */
void watch_header_spark(struct watch_frame *frame, int x, int y, const float *step, int count, float most);

/* A rate, given in bytes a second, in the view's units; "-" while there is none. Returns text or a constant. */
const char *watch_header_rate(char text[static WATCH_NUMBER], const struct watch_screen *screen, double rate);

/* Draws the page that view->page names (the keys or a host) from row y on, and scrolls it as the view asks. */
void watch_pages_draw(const struct watch_screen *screen, int y);
