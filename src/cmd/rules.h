/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rules: the firewall rules of rules/, carried inside the program so that --print-rules needs no file.
 */
#ifndef HOSTMETER_CMD_RULES_H
#define HOSTMETER_CMD_RULES_H

#include "hostmeter/base/buf.h"

#include <stdint.h>

/*
 * Appends the rules for "nft" or "iptables" (one text for iptables-restore and ip6tables-restore), with this NFLOG
 * group. 0, or -EINVAL for another kind.
 */
int rules_render(struct buf *out, const char *kind, uint16_t group);

#endif
