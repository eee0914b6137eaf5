/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * firewall: whether the rules of rules/ are loaded in this network namespace, and its flowtables, as the firewall's own
 * programs list them. Our rules are found by the names of their table and chains; those of others are not judged.
 */
#pragma once

#include "hostmeter/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum firewall_family { FIREWALL_IPV4, FIREWALL_IPV6, FIREWALL_FAMILIES };

struct firewall {
	bool has_nft;                         /* nft is there and lists */
	bool read;                            /* at least one program listed its rules */
	const char *failed;                   /* a program that is there and did not list; NULL: none */
	const char *rules[FIREWALL_FAMILIES]; /* those of ours that log to the group: "nft inet hostmeter"; or NULL */
	size_t flowtables;
	struct buf uncounted, hardware; /* names of flowtables without the flag counter; with the flag offload */
};

/*
 * Asks nft, iptables-save and ip6tables-save, whichever are there, for rules that log to this NFLOG group.
 * firewall_clear() frees what is inside.
 */
void firewall_read(struct firewall *firewall, uint16_t nflog_group);

/* Asks nft for the flowtables alone. */
void firewall_read_flowtables(struct firewall *firewall);

/* Whether there are flowtables, all of them count, and none is in hardware. */
bool firewall_counts_offloaded(const struct firewall *firewall);

void firewall_clear(struct firewall *firewall);

/*
 * What the programs print; each takes the whole output. Whether `nft list table inet hostmeter`, or iptables-save and
 * ip6tables-save with a jump to our chain, show the rules of both directions that log to the group.
 */
bool firewall_parse_nft(const char *text, uint16_t nflog_group);
bool firewall_parse_iptables(const char *text, uint16_t nflog_group);

/* Adds the flowtables of `nft list flowtables`: the plain form, since nft's JSON lacks their flags in all versions. */
void firewall_parse_flowtables(const char *text, struct firewall *firewall);
