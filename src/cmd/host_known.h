/* SPDX-License-Identifier: GPL-2.0-or-later */
/* host_known: whether there is a host of a name, and which names are like it. */
#pragma once

#include "hostmeter/base/buf.h"

#include <stdbool.h>

struct config;

/*
 * Whether the configuration or the running meter has a host of this name or MAC address; the case of letters does not
 * matter. False: similar has the names that are like it, '"tv", "tv2"', or nothing. True also where the meter does not
 * say which hosts it has.
 */
bool host_known(const struct config *config, const char *name, struct buf *similar);
