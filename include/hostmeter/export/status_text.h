/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * status_text: all that there is to know of a running meter on one page of text, for its log (SIGUSR1).
 */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/meter/snapshot.h"

/* The page has no more lines than this, however many hosts, interfaces and warnings there are. */
enum { STATUS_TEXT_LINES = 40 };

/* Appends the page. */
void status_text_render(struct buf *out, const struct snapshot *snapshot);
