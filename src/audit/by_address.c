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

struct audit_guess {
	struct known *table;
	struct prefix lan[LANS];
	size_t lans;
};

struct audit_guess *audit_guess_new(void)
{
	return calloc(1, sizeof(struct audit_guess));
}

void audit_guess_free(struct audit_guess *guess)
{
	struct known *known, *next;

	if (!guess)
		return;
	HASH_ITER (hh, guess->table, known, next) {
		HASH_DEL(guess->table, known);
		free(known);
	}
	free(guess);
}

static struct known *find(const struct audit_guess *guess, const struct addr *addr)
{
	struct known *known;

	HASH_FIND(hh, guess->table, addr, sizeof(*addr), known);
	return known;
}

/* What is said of the router wins over what is said of hosts. */
static int add(struct audit_guess *guess, const struct addr *addr, enum where where, uint32_t host)
{
	struct known *known = find(guess, addr);

	if (!known) {
		known = calloc(1, sizeof(*known));
		if (!known)
			return -ENOMEM;
		*known = (struct known){ .addr = *addr, .where = where, .host = host };
		HASH_ADD(hh, guess->table, addr, sizeof(known->addr), known);
	} else if (where != HOST) {
		known->where = where;
	} else if (known->where == HOST && known->host != host) {
		known->where = UNCLEAR;
	}
	return 0;
}

int audit_guess_host(struct audit_guess *guess, const struct addr *addr, uint32_t host)
{
	return add(guess, addr, HOST, host);
}

int audit_guess_router(struct audit_guess *guess, const struct addr *addr)
{
	return add(guess, addr, ROUTER, AUDIT_NOBODY);
}

int audit_guess_group(struct audit_guess *guess, const struct addr *addr)
{
	return add(guess, addr, GROUP, AUDIT_NOBODY);
}

int audit_guess_lan(struct audit_guess *guess, const struct prefix *prefix)
{
	if (guess->lans == LANS)
		return -ENOMEM;
	guess->lan[guess->lans++] = *prefix;
	return 0;
}

uint32_t audit_guess_find(const struct audit_guess *guess, const struct addr *addr)
{
	const struct known *known = find(guess, addr);

	return known && known->where == HOST ? known->host : AUDIT_NOBODY;
}

static enum where where_is(const struct audit_guess *guess, const struct addr *addr, uint32_t *host)
{
	const struct known *known = find(guess, addr);

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
	for (size_t i = 0; i < guess->lans; i++)
		if (prefix_contains(&guess->lan[i], addr))
			return UNCLEAR;
	return OUTSIDE;
}

struct audit_told audit_guess_flow(const struct audit_guess *guess, const struct ct_event *flow, uint32_t router)
{
	const struct addr *original = &flow->tuple[CT_ORIGINAL].src, *reply = &flow->tuple[CT_REPLY].src;
	struct audit_told told = { .given = true, .host = AUDIT_NOBODY, .peer = AUDIT_NOBODY };
	uint32_t from_host, to_host;
	enum where from = where_is(guess, original, &from_host), to = where_is(guess, reply, &to_host);

	told.began = from == HOST || (from == ROUTER && to != HOST);
	told.scope = from == OUTSIDE || to == OUTSIDE ? AUDIT_WAN : AUDIT_LOCAL;
	if (from == ROUTER && to == ROUTER)
		told.scope = AUDIT_IGNORED;
	else if (from == UNCLEAR || to == UNCLEAR || (addr_is_link_local(original) && from == ROUTER) ||
		(from == OUTSIDE && to != HOST && to != ROUTER) || (from == GROUP && to == GROUP))
		told.given = false;
	else if (from == HOST || to == HOST)
		told.host = from == HOST ? from_host : to_host;
	else
		told.host = router;
	if (from == HOST && to == HOST)
		told.peer = to_host;
	return told;
}
