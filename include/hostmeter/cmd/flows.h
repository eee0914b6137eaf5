/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flows: --flows: asks the running meter for its live connections and prints them.
 */
#ifndef HOSTMETER_CMD_FLOWS_H
#define HOSTMETER_CMD_FLOWS_H

#include "hostmeter/base/buf.h"

struct config;

/* Appends what is to be printed. The exit status; what is wrong is told on the log. */
int flows_run(const struct config *config, struct buf *out);

/* Keeps the top lines with the most bytes (in and out together), most first; 0 keeps all as they are. 0 or -ENOMEM. */
int flows_sort(struct buf *lines, uint32_t top);

#endif
