/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * prometheus: a snapshot as a page for Prometheus, in either of its formats, from one table of families.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 * https://github.com/OpenObservability/OpenMetrics/blob/main/specification/OpenMetrics.md
 */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/meter/snapshot.h"

enum prometheus_format {
	PROMETHEUS_TEXT,        /* text format 0.0.4 */
	PROMETHEUS_OPENMETRICS, /* OpenMetrics 1.0.0 */
	PROMETHEUS_FORMATS,
};

/* The value of Content-Type. */
const char *prometheus_content_type(enum prometheus_format format);

/* Appends every family, in one order always. What did not fit shows in buf_error(). */
void prometheus_render(struct buf *out, const struct snapshot *snapshot, enum prometheus_format format);

/* The same in pieces of one snapshot: until out has enough bytes or all; moves cursor on. True: there is more. */
bool prometheus_render_some(struct buf *out, const struct snapshot *snapshot, enum prometheus_format format,
	struct cursor *cursor, size_t enough);
