/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * standalone: --watch --standalone: a meter for this view only, as a child process with a socket in a directory of its
 * own. It listens on no port, does not touch the files of a running meter, and ends with the view, however that ends.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct config;
struct watch_sample;

struct standalone {
	pid_t pid; /* 0: has ended */
	int log;   /* a memfd, the child's standard error */
	char directory[96], socket[108];
};

/* Starts it and returns once it answers on socket. 0, or -errno after a line on the log; then nothing is to stop. */
int standalone_start(struct standalone *standalone, const struct config *config);

/* Ends it, waits for its end and removes its files. */
void standalone_stop(struct standalone *standalone);

/* False once it has ended by itself. */
bool standalone_runs(struct standalone *standalone);

/* Adds the errors and warnings on the meter's log to the sample; NULL: puts the errors on our own log. */
void standalone_read_log(const struct standalone *standalone, struct watch_sample *sample);
