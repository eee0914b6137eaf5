/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recording: --record: a trace from the running meter, or from an older trace, into a file.
 */
#ifndef HOSTMETER_CMD_RECORD_H
#define HOSTMETER_CMD_RECORD_H

struct config;

/*
 * Writes config->record from config->replay or, without one, from the running meter until it is told to end: by a
 * signal, or after config->record_ns or record_limit megabytes. The exit status; what went wrong is told on the log.
 */
int recording_run(const struct config *config);

#endif
