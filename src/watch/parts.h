/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_header, watch_pages: the live view besides its list of hosts: the rows above it (what is shown and how, each
 * WAN, what to be warned of), and the pages that take its place: the keys, and one host.
 */
#pragma once

#include "format.h"
#include "hostmeter/watch/frame.h"
#include "hostmeter/watch/view.h"

enum { WATCH_ROOMY = 30 }; /* rows of a screen from which on nothing here is left out but by its own bound */

/* Each draws from row y on and returns the next free row. The title is row 0. */
int watch_header_title(struct watch_frame *frame, const struct watch_history *history, const struct watch_view *view);
int watch_header_links(struct watch_frame *frame, int y, const struct watch_history *history,
	const struct watch_view *view);
int watch_header_warnings(struct watch_frame *frame, int y, const struct watch_history *history,
	const struct watch_view *view);

/* How many rows they take together. */
int watch_header_rows(const struct watch_history *history, const struct watch_view *view);

/* A line of count steps, the tallest of which is most. */
void watch_header_spark(struct watch_frame *frame, int x, int y, const float *step, int count, float most);

/* A rate in the view's units; "-" while there is none. Returns text or a constant. */
const char *watch_header_rate(char text[static WATCH_NUMBER], const struct watch_history *history,
	const struct watch_view *view, double rate);

/* Draws the help or a host, as view->page says, from row y on; settles in the view what is scrolled to. */
void watch_pages_draw(struct watch_frame *frame, int y, const struct watch_history *history, struct watch_view *view);
