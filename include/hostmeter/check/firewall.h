/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * firewall: the rules of this network namespace, as the firewall's own programs list them.
 */
#ifndef HOSTMETER_CHECK_FIREWALL_H
#define HOSTMETER_CHECK_FIREWALL_H

#include "hostmeter/check/ruleset.h"

struct firewall {
	struct ruleset rules;
	unsigned int read; /* listings of rules that were had */
	bool flowtables_read;
	const char *failed; /* a program that is there and did not list, NULL: none */
};

/* Asks nft, iptables-save and ip6tables-save, whichever are there. firewall_clear() frees what is inside. */
void firewall_read(struct firewall *firewall);
void firewall_clear(struct firewall *firewall);

#endif
