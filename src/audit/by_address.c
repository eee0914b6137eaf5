/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "by_address.h"

#include <errno.h>
#include <stdlib.h>
#include <uthash.h>

enum { LANS = 256 };

struct known {
	struct addr addr; /* bytes without padding */
	enum by_address_kind kind;
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

int by_address_add(struct by_address *addresses, const struct addr *addr, enum by_address_kind kind, uint32_t host)
{
	struct known *known = find(addresses, addr);

	if (!known) {
		known = calloc(1, sizeof(*known));
		if (!known)
			return -ENOMEM;
		*known = (struct known){ .addr = *addr, .kind = kind, .host = host };
		HASH_ADD(hh, addresses->table, addr, sizeof(known->addr), known);
	} else if (kind != ADDRESS_HOST) {
		known->kind = kind;
	} else if (known->kind == ADDRESS_HOST && known->host != host) {
		known->kind = ADDRESS_UNCLEAR;
	}
	return 0;
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

	return known && known->kind == ADDRESS_HOST ? known->host : AUDIT_NOBODY;
}

static enum by_address_kind kind_of(const struct by_address *addresses, const struct addr *addr, uint32_t *host)
{
	const struct known *known = find(addresses, addr);

	*host = by_address_find(addresses, addr);
	if (known)
		return known->kind;
	if (addr_is_loopback(addr))
		return ADDRESS_ROUTER;
	if (addr_is_multicast(addr) || addr_is_unspecified(addr))
		return ADDRESS_GROUP;
	/* Of these only the interface would tell; of a LAN's host that the meter does not know, nobody. */
	if (addr_is_link_local(addr))
		return ADDRESS_UNCLEAR;
	for (size_t i = 0; i < addresses->lans; i++)
		if (prefix_contains(&addresses->lan[i], addr))
			return ADDRESS_UNCLEAR;
	return ADDRESS_OUTSIDE;
}

struct audit_owner by_address_flow(const struct by_address *addresses, const struct ct_event *flow, uint32_t router)
{
	const struct addr *original = &flow->tuple[CT_ORIGINAL].src, *reply = &flow->tuple[CT_REPLY].src;
	struct audit_owner owner = { .given = true, .host = AUDIT_NOBODY, .peer = AUDIT_NOBODY };
	uint32_t from_host, to_host;
	enum by_address_kind from = kind_of(addresses, original, &from_host), to = kind_of(addresses, reply, &to_host);

	owner.began = from == ADDRESS_HOST || (from == ADDRESS_ROUTER && to != ADDRESS_HOST);
	owner.scope = from == ADDRESS_OUTSIDE || to == ADDRESS_OUTSIDE ? AUDIT_WAN : AUDIT_LOCAL;
	if (from == ADDRESS_ROUTER && to == ADDRESS_ROUTER)
		owner.scope = AUDIT_IGNORED;
	else if (from == ADDRESS_UNCLEAR || to == ADDRESS_UNCLEAR ||
		(addr_is_link_local(original) && from == ADDRESS_ROUTER) ||
		(from == ADDRESS_OUTSIDE && to != ADDRESS_HOST && to != ADDRESS_ROUTER) ||
		(from == ADDRESS_GROUP && to == ADDRESS_GROUP))
		owner.given = false;
	else if (from == ADDRESS_HOST || to == ADDRESS_HOST)
		owner.host = from == ADDRESS_HOST ? from_host : to_host;
	else
		owner.host = router;
	if (from == ADDRESS_HOST && to == ADDRESS_HOST)
		owner.peer = to_host;
	return owner;
}
