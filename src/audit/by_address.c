/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/audit/by_address.h"

#include <errno.h>
#include <stdlib.h>
#include <uthash.h>

enum { LANS = 256 };

enum where { OUTSIDE, HOST, ROUTER, GROUP, UNCLEAR };

struct known {
	struct addr addr; /* bytes without padding */
	enum where where;
	uint32_t host;
	UT_hash_handle hh;
};

struct by_address {
	struct known *table;
	struct prefix lan[LANS];
	size_t lans;
};

struct by_address *by_address_new(void)
{
	return calloc(1, sizeof(struct by_address));
}

void by_address_free(struct by_address *addresses)
{
	struct known *known, *next;

	if (!addresses)
		return;
	HASH_ITER (hh, addresses->table, known, next) {
		HASH_DEL(addresses->table, known);
		free(known);
	}
	free(addresses);
}

static struct known *find(const struct by_address *addresses, const struct addr *addr)
{
	struct known *known;

	HASH_FIND(hh, addresses->table, addr, sizeof(*addr), known);
	return known;
}

/* What is said of the router wins over what is said of hosts. */
static int add(struct by_address *addresses, const struct addr *addr, enum where where, uint32_t host)
{
	struct known *known = find(addresses, addr);

	if (!known) {
		known = calloc(1, sizeof(*known));
		if (!known)
			return -ENOMEM;
		*known = (struct known){ .addr = *addr, .where = where, .host = host };
		HASH_ADD(hh, addresses->table, addr, sizeof(known->addr), known);
	} else if (where != HOST) {
		known->where = where;
	} else if (known->where == HOST && known->host != host) {
		known->where = UNCLEAR;
	}
	return 0;
}

int by_address_add_host(struct by_address *addresses, const struct addr *addr, uint32_t host)
{
	return add(addresses, addr, HOST, host);
}

int by_address_add_router(struct by_address *addresses, const struct addr *addr)
{
	return add(addresses, addr, ROUTER, AUDIT_NOBODY);
}

int by_address_add_group(struct by_address *addresses, const struct addr *addr)
{
	return add(addresses, addr, GROUP, AUDIT_NOBODY);
}

int by_address_add_lan(struct by_address *addresses, const struct prefix *prefix)
{
	if (addresses->lans == LANS)
		return -ENOMEM;
	addresses->lan[addresses->lans++] = *prefix;
	return 0;
}

uint32_t by_address_find(const struct by_address *addresses, const struct addr *addr)
{
	const struct known *known = find(addresses, addr);

	return known && known->where == HOST ? known->host : AUDIT_NOBODY;
}

static enum where where_is(const struct by_address *addresses, const struct addr *addr, uint32_t *host)
{
	const struct known *known = find(addresses, addr);

	*host = AUDIT_NOBODY;
	if (known) {
		*host = known->where == HOST ? known->host : AUDIT_NOBODY;
		return known->where;
	}
	if (addr_is_loopback(addr))
		return ROUTER;
	if (addr_is_multicast(addr) || addr_is_unspecified(addr))
		return GROUP;
	/* Of these only the interface would tell; of a LAN's host that the meter does not know, nobody. */
	if (addr_is_link_local(addr))
		return UNCLEAR;
	for (size_t i = 0; i < addresses->lans; i++)
		if (prefix_contains(&addresses->lan[i], addr))
			return UNCLEAR;
	return OUTSIDE;
}

struct audit_owner by_address_flow(const struct by_address *addresses, const struct ct_event *flow, uint32_t router)
{
	const struct addr *original = &flow->tuple[CT_ORIGINAL].src, *reply = &flow->tuple[CT_REPLY].src;
	struct audit_owner owner = { .given = true, .host = AUDIT_NOBODY, .peer = AUDIT_NOBODY };
	uint32_t from_host, to_host;
	enum where from = where_is(addresses, original, &from_host), to = where_is(addresses, reply, &to_host);

	owner.began = from == HOST || (from == ROUTER && to != HOST);
	owner.scope = from == OUTSIDE || to == OUTSIDE ? AUDIT_WAN : AUDIT_LOCAL;
	if (from == ROUTER && to == ROUTER)
		owner.scope = AUDIT_IGNORED;
	else if (from == UNCLEAR || to == UNCLEAR || (addr_is_link_local(original) && from == ROUTER) ||
		(from == OUTSIDE && to != HOST && to != ROUTER) || (from == GROUP && to == GROUP))
		owner.given = false;
	else if (from == HOST || to == HOST)
		owner.host = from == HOST ? from_host : to_host;
	else
		owner.host = router;
	if (from == HOST && to == HOST)
		owner.peer = to_host;
	return owner;
}
