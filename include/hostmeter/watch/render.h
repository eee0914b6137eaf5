/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_render: the live view as a frame of text, or as JSON: a pure function of what was measured and of what the user
 * has chosen to see. No terminal, no sockets, no clock.
 */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/watch/frame.h"
#include "hostmeter/watch/view.h"

enum { WATCH_MIN_WIDTH = 20, WATCH_MIN_HEIGHT = 4, WATCH_PLAIN_WIDTH = 80 };

/* Draws the view's page, and settles in the view which host is chosen and what is scrolled to. 0 or -ENOMEM. */
int watch_render(struct watch_frame *frame, const struct watch_history *history, struct watch_view *view);

/* Raised when a field changes its meaning or goes; a new field is no change. */
enum { WATCH_SCHEMA = 1 };

/*
 * Appends a line for scripts: counters as the meter has them, and the rates in bytes a second: the difference of
 * session from one dump_time to the next, over the time between.
 */
void watch_json(struct buf *out, const struct watch_history *history);
