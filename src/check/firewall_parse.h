/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * firewall_parse: what the firewall's programs print. Each function takes the whole output.
 */
#ifndef HOSTMETER_CHECK_FIREWALL_PARSE_H
#define HOSTMETER_CHECK_FIREWALL_PARSE_H

#include "hostmeter/check/firewall.h"

/* Whether `nft list table inet hostmeter` shows the rules of both directions that log to the group. */
bool firewall_parse_nft(const char *text, uint16_t nflog_group);

/* The same of iptables-save and ip6tables-save; there a jump to our chain must be among them. */
bool firewall_parse_iptables(const char *text, uint16_t nflog_group);

/* Adds the flowtables of `nft list flowtables`: the plain form, since nft's JSON lacks their flags in all versions. */
void firewall_parse_flowtables(const char *text, struct firewall *firewall);

#endif
