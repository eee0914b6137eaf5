/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * replay: what --replay shares with --record.
 */
#ifndef HOSTMETER_CMD_REPLAY_H
#define HOSTMETER_CMD_REPLAY_H

/* What trace_open() or trace_read() complains of, in words. */
const char *replay_reason(int error);

#endif
