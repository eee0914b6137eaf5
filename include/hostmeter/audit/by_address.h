/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * audit_guess: whose a flow is by its addresses alone, for flows that began and ended between two listings of the
 * meter. The table of docs/attribution.md, with what the meter says of its hosts' addresses and the router's own.
 */
#ifndef HOSTMETER_AUDIT_BY_ADDRESS_H
#define HOSTMETER_AUDIT_BY_ADDRESS_H

#include "hostmeter/audit/readings.h"

struct audit_guess;

/* NULL: out of memory. */
struct audit_guess *audit_guess_new(void);
void audit_guess_free(struct audit_guess *guess);

/* This address was seen with this host; one of two hosts is nobody's. 0 or -ENOMEM. */
int audit_guess_host(struct audit_guess *guess, const struct addr *addr, uint32_t host);

/* An address of the router; a broadcast address; a prefix that is directly on a LAN. 0 or -ENOMEM. */
int audit_guess_router(struct audit_guess *guess, const struct addr *addr);
int audit_guess_group(struct audit_guess *guess, const struct addr *addr);
int audit_guess_lan(struct audit_guess *guess, const struct prefix *prefix);

/* The host with this address, AUDIT_NOBODY if there is no single one. */
uint32_t audit_guess_find(const struct audit_guess *guess, const struct addr *addr);

/* Whose the flow is, where router is the number of the router. given is false where addresses do not tell. */
struct audit_told audit_guess_flow(const struct audit_guess *guess, const struct ct_event *flow, uint32_t router);

#endif
