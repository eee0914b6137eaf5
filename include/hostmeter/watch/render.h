/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_render: the live view as a frame of text: a pure function of what was measured and of what the user has chosen
 * to see. No terminal, no sockets, no clock.
 */
#pragma once

#include "hostmeter/watch/frame.h"
#include "hostmeter/watch/view.h"

enum { WATCH_MIN_WIDTH = 20, WATCH_MIN_HEIGHT = 4, WATCH_PLAIN_WIDTH = 80 };

/* Draws the view's page, and settles in the view which host is chosen and what is scrolled to. 0 or -ENOMEM. */
int watch_render(struct watch_frame *frame, const struct watch_history *history, struct watch_view *view);
