/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_pages: the pages of the live view besides the list of hosts: the keys, and one host.
 */
#pragma once

#include "hostmeter/watch/frame.h"
#include "hostmeter/watch/view.h"

/* Draws the help or a host, as view->page says, from row y on; settles in the view what is scrolled to. */
void watch_pages_draw(struct watch_frame *frame, int y, const struct watch_history *history, struct watch_view *view);
