/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * metrics: a snapshot as Prometheus' text exposition format 0.0.4.
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */
#ifndef HOSTMETER_METRICS_H
#define HOSTMETER_METRICS_H

#include "hostmeter/buf.h"
#include "hostmeter/snapshot.h"

#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Appends every family, in one order always. What did not fit shows in buf_error(). */
void metrics_render(struct buf *out, const struct snapshot *snapshot);

#endif
