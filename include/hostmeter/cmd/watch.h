/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watching: --watch: asks the meter at an interval and shows what it answers, on a terminal or line by line.
 */
#ifndef HOSTMETER_CMD_WATCH_H
#define HOSTMETER_CMD_WATCH_H

struct config;

/* Until the user quits, or as often as was asked for. The exit status; what went wrong has been said. */
int watching_run(const struct config *config);

#endif
