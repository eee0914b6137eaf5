/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pppoe_parse: /proc/net/pppoe, which tells what PPPoE runs over. */
#pragma once

#include "hostmeter/decode/rtnl_event.h"

#include <stddef.h>

/*
 * Reads the device of each line "ID ADDRESS DEVICE" below a line with titles, at most most of them; lines of another
 * form are passed over. Returns how many there are.
 */
size_t pppoe_parse(const char *text, char (*port)[IFNAME_LEN], size_t most);
