/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * standalone: --watch --standalone: a meter of this view's own, as a child process on a socket in a directory of its
 * own. It listens on no port and leaves the files of a running meter alone; it ends with the view, however that ends.
 */
#ifndef HOSTMETER_CMD_STANDALONE_H
#define HOSTMETER_CMD_STANDALONE_H

#include <stdbool.h>

struct config;
struct standalone;
struct watch_sample;

/*
 * Starts it and returns once it answers. 0 and what standalone_stop() ends; or -errno: why it could not has been said.
 */
int standalone_start(struct standalone **standalone, const struct config *config);

/* Ends it, waits for that, and removes its files. NULL is fine. */
void standalone_stop(struct standalone *standalone);

/* False once it has ended by itself. */
bool standalone_runs(struct standalone *standalone);

const char *standalone_socket(const struct standalone *standalone);

/* Adds to a sample what the meter has warned of on its log: switches of the kernel, a source that another one has. */
void standalone_add_warnings(const struct standalone *standalone, struct watch_sample *sample);

#endif
