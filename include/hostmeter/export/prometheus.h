/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics: a snapshot as a page for Prometheus, in either of its formats, from one table of families.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 * https://github.com/OpenObservability/OpenMetrics/blob/main/specification/OpenMetrics.md
 */
#ifndef HOSTMETER_EXPORT_PROMETHEUS_H
#define HOSTMETER_EXPORT_PROMETHEUS_H

#include "hostmeter/base/buf.h"
#include "hostmeter/export/cursor.h"
#include "hostmeter/meter/snapshot.h"

enum metrics_format {
	METRICS_TEXT,        /* text format 0.0.4 */
	METRICS_OPENMETRICS, /* OpenMetrics 1.0.0 */
	METRICS_FORMATS,
};

/* The value of Content-Type. */
const char *metrics_content_type(enum metrics_format format);

/* Appends every family, in one order always. What did not fit shows in buf_error(). */
void metrics_render(struct buf *out, const struct snapshot *snapshot, enum metrics_format format);

/*
 * The same in pieces: appends until out holds enough bytes or the page is whole, and moves place on. True: there is
 * more. The snapshot must be the same each time.
 */
bool metrics_render_some(struct buf *out, const struct snapshot *snapshot, enum metrics_format format,
	struct place *place, size_t enough);

#endif
