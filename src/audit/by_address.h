/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * by_address: the host of a flow by its addresses alone, for flows that began and ended between two listings of the
 * meter. The table of docs/attribution.md, with what the meter says of its hosts' addresses and the router's own.
 */
#pragma once

#include "readings.h"

struct by_address;

/* NULL: out of memory. */
struct by_address *by_address_new(void);
void by_address_free(struct by_address *addresses);

enum by_address_kind {
	ADDRESS_HOST,   /* seen with this host; an address of two hosts is unclear */
	ADDRESS_ROUTER, /* of the router, whatever hosts it was seen with */
	ADDRESS_GROUP,  /* multicast or broadcast */
	ADDRESS_UNCLEAR,
	ADDRESS_OUTSIDE,
};

/* An address and what it is; host: AUDIT_NOBODY if it is not a host's. 0 or -ENOMEM. */
int by_address_add(struct by_address *addresses, const struct addr *addr, enum by_address_kind kind, uint32_t host);

/* A prefix that is directly on a LAN. 0 or -ENOMEM. */
int by_address_add_lan(struct by_address *addresses, const struct prefix *prefix);

/* The host with this address, AUDIT_NOBODY if there is no single one. */
uint32_t by_address_find(const struct by_address *addresses, const struct addr *addr);

/* Whose the flow is, where router is the number of the router. given is false where addresses do not tell. */
struct audit_owner by_address_flow(const struct by_address *addresses, const struct ct_event *flow, uint32_t router);
