/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay: meters a recorded trace instead of the kernel, under the trace's own clock.
 */
#ifndef HOSTMETER_CMD_REPLAY_H
#define HOSTMETER_CMD_REPLAY_H

#include "hostmeter/base/buf.h"

struct config;

/*
 * Feeds config->replay to a meter of its own and appends its metrics to out, or with config->explain its decisions. 0
 * or -errno, told on the log.
 */
int replay_run(const struct config *config, struct buf *out);

/* What trace_open() or trace_read() complains of, in words. */
const char *replay_reason(int error);

#endif
