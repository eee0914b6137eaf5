/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * api: a snapshot as JSON, for --watch, pages and scripts. docs/api.md describes each field.
 */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/meter/snapshot.h"

#define API_CONTENT_TYPE "application/json"

/* Appends one JSON object and a newline. What did not fit shows in buf_error(). */
void api_status(struct buf *out, const struct snapshot *snapshot);

/* The same of the hosts, in pieces as prometheus_render_some() does it; local: with the counts of local traffic. */
bool api_hosts_some(struct buf *out, const struct snapshot *snapshot, bool local, struct cursor *cursor, size_t enough);
