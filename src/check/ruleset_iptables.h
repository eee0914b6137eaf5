/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ruleset_iptables: what iptables-save(8) and ip6tables-save(8) print, read into a ruleset.
 */
#ifndef HOSTMETER_CHECK_RULESET_IPTABLES_H
#define HOSTMETER_CHECK_RULESET_IPTABLES_H

#include "hostmeter/check/ruleset.h"

/*
 * Adds the chains and rules of one family, RULESET_IPV4 or RULESET_IPV6. tool (static) is the program that changes
 * them: "iptables", "ip6tables-legacy", …: the two kinds of iptables do not see each other's. Lines and options that
 * are not known are passed over, an option makes its rule one with a condition. 0, -ENOMEM, -E2BIG.
 */
int ruleset_iptables(struct ruleset *ruleset, const char *tool, uint8_t family, const char *text, size_t len);

#endif
