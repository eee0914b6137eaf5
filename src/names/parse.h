/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names_parse: reads the names of hosts, each with a MAC or an address, from text of these formats:
 *
 *   ethers  ethers(5): "MAC NAME", with or without leading zeros; a line that gives an address for a name is skipped.
 *   leases  dnsmasq: "EXPIRY MAC ADDRESS NAME CLIENT-ID" and, for DHCPv6, "EXPIRY IAID ADDRESS NAME DUID". The name
 *           goes to the MAC; a DHCPv6 lease has none, so it goes to the address, and to the MAC that the DUID was made
 *           of, if it was (RFC 8415, 11.2 and 11.4).
 *   odhcpd  its hosts files, with the leases as comments:
 *           "# INTERFACE DUID|MAC IAID|ipv4 NAME EXPIRY ID LENGTH ADDRESS/LENGTH...".
 *   hosts   hosts(5): "ADDRESS NAME..."; the first name counts.
 *
 * Only the first label of a name is kept. "*" and "-" mean no name. Loopback, multicast and unspecified addresses and
 * invalid lines are skipped. Names are not cleaned.
 */
#pragma once

#include "hostmeter/base/addr.h"

enum names_format { NAMES_FORMAT_ETHERS, NAMES_FORMAT_LEASES, NAMES_FORMAT_ODHCPD, NAMES_FORMAT_HOSTS };

/* Longer lines are cut. */
enum { NAMES_PARSE_LINE = 1023 };

/* One of mac and addr is NULL. All is borrowed for the call. */
typedef void names_parse_each(void *ctx, const struct mac *mac, const struct addr *addr, const char *name);

/* Calls each for every name in the text, in the order of its lines. */
void names_parse(enum names_format format, const char *text, size_t len, names_parse_each *each, void *ctx);
