/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * auditing: --audit: holds the running meter against the kernel over an interval, and prints what differs and why.
 */
#ifndef HOSTMETER_CMD_AUDIT_H
#define HOSTMETER_CMD_AUDIT_H

#include "hostmeter/base/buf.h"

struct config;

/*
 * Appends what is to be printed. The exit status: 0, or 1 if a difference is unexplained or something failed, told on
 * the log.
 */
int auditing_run(const struct config *config, struct buf *out);

#endif
