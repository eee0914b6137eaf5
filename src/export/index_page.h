/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * index_page: the page at "/": what runs here, what it meters, and where its figures are.
 */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/meter/snapshot.h"

/* Appends one HTML document, without script and without anything from elsewhere. */
void index_page_render(struct buf *out, const struct snapshot *snapshot);
