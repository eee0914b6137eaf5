/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon: the running meter: opens the edges, wires them to the meter, and decides what happens when.
 */
#ifndef HOSTMETER_DAEMON_DAEMON_H
#define HOSTMETER_DAEMON_DAEMON_H

struct config;

/*
 * Meters until SIGINT or SIGTERM. The exit status: 0; 1 for a failure, 2 for a configuration that does not fit this
 * machine; told on the log.
 */
int daemon_run(const struct config *config);

#endif
