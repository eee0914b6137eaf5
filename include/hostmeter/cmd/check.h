/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * checking: --check: collects the facts that check judges by, from the running meter if there is one, else from the
 * kernel, and prints the judgements. It changes nothing on the machine.
 */
#ifndef HOSTMETER_CMD_CHECK_H
#define HOSTMETER_CMD_CHECK_H

#include "hostmeter/base/buf.h"

struct config;

/* Appends what is to be printed. The exit status: 0 if nothing is bad, else 1. */
int checking_run(const struct config *config, struct buf *out);

#endif
