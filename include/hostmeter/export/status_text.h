/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state_page: all that there is to know of a running meter on one page of text, for its log (SIGUSR1).
 */
#ifndef HOSTMETER_EXPORT_STATUS_TEXT_H
#define HOSTMETER_EXPORT_STATUS_TEXT_H

#include "hostmeter/base/buf.h"
#include "hostmeter/meter/snapshot.h"

/* The page has no more lines than this, however many hosts, interfaces and warnings there are. */
enum { STATE_PAGE_LINES = 40 };

/* Appends the page. */
void state_page_render(struct buf *out, const struct snapshot *snapshot);

#endif
