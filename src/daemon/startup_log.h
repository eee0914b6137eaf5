/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * startup_log: what the meter logs when it starts.
 */
#ifndef HOSTMETER_DAEMON_STARTUP_LOG_H
#define HOSTMETER_DAEMON_STARTUP_LOG_H

#include <stdbool.h>

struct config;
struct ifnames;
struct topology;

/* Which interfaces are metered, and where the metrics are. */
void startup_log_start(const struct config *config, const struct topology *topology, const struct ifnames *names,
	bool has_tls);

/* Warns of each sysctl of the kernel that the meter needs and that is off. */
void startup_log_switches(void);

#endif
