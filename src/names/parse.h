/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * names_parser: reads the names of hosts, each with a MAC or an address, from text. Each line tells its own format:
 *
 *   ethers     ethers(5): "MAC NAME"; a line that gives an address for a name is skipped.
 *   hosts      hosts(5): "ADDRESS NAME..."; the first usable name counts.
 *   leases     dnsmasq: "EXPIRY MAC ADDRESS NAME CLIENT-ID" and, for DHCPv6, "EXPIRY IAID ADDRESS NAME DUID".
 *   odhcpd     its leases: "# INTERFACE DUID|MAC IAID|ipv4 NAME EXPIRY ID LENGTH ADDRESS/LENGTH...". "\xNN" is a byte
 *              of the name; "broken " before it marks a name that is invalid in DNS.
 *   dhcp-host  dnsmasq's dhcp-hostsfile: "[MAC][,id:DUID][,set:TAG][,ADDRESS][,NAME][,TIME]", also as "dhcp-host=...".
 *   kea        its memfile: a line of titles, then a line for each lease. "&#xNN" is a byte.
 *   uci        /etc/config/dhcp of OpenWrt: the sections "host" and "domain".
 *   isc        dhcpd.leases and dhcpd.conf: the blocks "lease ADDRESS { }" and "host NAME { }".
 *
 * A MAC is six numbers of up to two hex digits with ':', '-' or '.' between, three of four digits, or 12 digits. A name
 * goes to the MAC if there is one, else to the address. The MAC in a DUID (RFC 8415, 11.2 and 11.4) may be another
 * card's: then the name goes to both. In kea and isc a later line replaces an earlier one.
 *
 * Only the first label of a name is kept. "*", "-" and what begins as an IPv4 address does mean no name. Loopback,
 * multicast and unspecified addresses and invalid lines are skipped. Names are not cleaned.
 */
#pragma once

#include "hostmeter/base/addr.h"

#include <stdbool.h>
#include <stddef.h>

/* Longer lines are cut. */
enum { NAMES_PARSE_LINE = 1023 };

/* One of mac and addr is NULL. All is borrowed for the call. newer: this replaces an earlier name of the same host. */
typedef void names_parse_each(void *ctx, const struct mac *mac, const struct addr *addr, const char *name, bool newer);

struct names_parser;

/* Calls each for every name in the text that it is fed, in the order of its lines. NULL: out of memory. */
struct names_parser *names_parser_new(names_parse_each *each, void *ctx);

/* The next piece of the text, which may be cut anywhere. */
void names_parser_feed(struct names_parser *parser, const char *text, size_t len);

/*
 * The end of the text; frees the parser. is_cut: the last line is not whole, and does not count. False if the text had
 * lines that are neither empty nor comments, and none of them was of a known format.
 */
bool names_parser_end(struct names_parser *parser, bool is_cut);
