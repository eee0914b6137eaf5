/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * startup_log: what a meter says on the log when it starts.
 */
#ifndef HOSTMETER_DAEMON_STARTUP_LOG_H
#define HOSTMETER_DAEMON_STARTUP_LOG_H

#include <stdbool.h>

struct config;
struct topology;

/* Which interfaces are metered, and where the metrics are. */
void startup_log_start(const struct config *config, const struct topology *topology, bool has_tls);

/* Warns of the kernel's switches that the meter lives by, where they are off. */
void startup_log_switches(void);

#endif
