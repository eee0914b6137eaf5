/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon: the running meter: makes its parts, connects them and runs the loop.
 */
#pragma once

struct config;

/*
 * Meters until SIGINT or SIGTERM. Returns the exit status: 0; 1 for a failure, 2 for a configuration that does not fit
 * this machine, both logged. SIGHUP is a reload, which changes *config.
 */
int daemon_run(struct config *config);
