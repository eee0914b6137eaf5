/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch_render: the live view as a frame of text or as JSON. It uses no terminal, no sockets and no clock. */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/watch/frame.h"
#include "hostmeter/watch/view.h"

enum { WATCH_MIN_WIDTH = 20, WATCH_MIN_HEIGHT = 4, WATCH_PLAIN_WIDTH = 80 };

/* Draws the view's page; updates in the view the chosen host and the scroll position. 0 or -ENOMEM. */
int watch_render(struct watch_frame *frame, const struct watch_history *history, struct watch_view *view);

/* Raised when a field changes its meaning or is removed, not when one is added. */
enum { WATCH_SCHEMA = 1 };

/* Appends a line of JSON: the meter's counters, and rates in bytes a second between the latest two dump_time. */
void watch_json(struct buf *out, const struct watch_history *history);
