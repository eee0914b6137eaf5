/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_json: what --watch --json prints: one object a line for each interval, for scripts.
 */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/watch/view.h"

/* Raised when a field changes its meaning or goes; a new field is no change. */
enum { WATCH_SCHEMA = 1 };

/*
 * Appends one line: counters as the meter has them, and between the latest two readings the rates in bytes a second:
 * the difference of session from one dump_time to the next, over the time between.
 */
void watch_json(struct buf *out, const struct watch_history *history);
