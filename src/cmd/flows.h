/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flows: what --flows does with the meter's lines.
 */
#ifndef HOSTMETER_CMD_FLOWS_H
#define HOSTMETER_CMD_FLOWS_H

#include "hostmeter/base/buf.h"

#include <stdint.h>

/* Keeps the top lines with the most bytes (in and out together), most first; 0 keeps all as they are. 0 or -ENOMEM. */
int flows_sort(struct buf *lines, uint32_t top);

#endif
