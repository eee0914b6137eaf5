/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "routes.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

enum { LENGTHS = 129 };

/* The key has no padding: it is hashed as bytes. */
struct entry_key {
	uint32_t table;
	uint8_t family, len, zero[2];
	uint8_t bytes[16];
};

/* All hops of a prefix in a table. */
struct entry {
	struct entry_key key;
	struct routes_hop *hops;
	UT_hash_handle hh;
};

struct rule_key {
	uint32_t priority, table;
	int32_t suppress;
	uint8_t family, is_general, is_vrf, to_len;
	uint8_t to[16];
};

struct rule {
	struct rule_key key;
	struct prefix to;
	bool listed;
	UT_hash_handle hh;
};

struct routes {
	size_t limit, hops;
	bool (*is_wan)(void *ctx, uint32_t ifindex);
	void *ctx;
	struct entry *entries;
	uint32_t lengths[2][LENGTHS]; /* how many entries of IPv4 and IPv6 have this length */
	struct rule *rules;           /* in the order of their priority; none: not told, and all tables count */
	size_t locals;                /* hops that deliver locally */
	bool is_packed;               /* full, and no hop leads out of a WAN; until the sides change */
	uint64_t dropped;
};

struct routes *routes_new(size_t limit, bool (*is_wan)(void *ctx, uint32_t ifindex), void *ctx)
{
	struct routes *routes = calloc(1, sizeof(*routes));

	if (routes)
		*routes = (struct routes){ .limit = limit, .is_wan = is_wan, .ctx = ctx };
	return routes;
}

/* --- Routes */

static bool is_short(const struct routes_hop *hop)
{
	return hop->dst.len <= ROUTES_SHORT && hop->kind == RTN_UNICAST;
}

static struct entry_key key_of(uint32_t table, const struct prefix *dst)
{
	struct entry_key key = { .table = table, .family = dst->addr.family, .len = dst->len };

	memcpy(key.bytes, dst->addr.b, sizeof(key.bytes));
	return key;
}

static struct entry *find_entry(const struct routes *routes, const struct entry_key *key)
{
	struct entry *entry = NULL;

	HASH_FIND(hh, routes->entries, key, sizeof(*key), entry);
	return entry;
}

static struct entry *add_entry(struct routes *routes, const struct entry_key *key)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->key = *key;
	HASH_ADD(hh, routes->entries, key, sizeof(entry->key), entry);
	routes->lengths[key->family == 6][key->len]++;
	return entry;
}

/* Removes the hops that drop() wants to go, and the entry if none is left. */
static void sift(struct routes *routes, struct entry *entry, bool (*drop)(struct routes_hop *hop, const void *ctx),
	const void *ctx)
{
	struct routes_hop *hop, *tmp;

	LL_FOREACH_SAFE(entry->hops, hop, tmp)
	{
		if (!drop(hop, ctx))
			continue;
		LL_DELETE(entry->hops, hop);
		routes->locals -= hop->kind == RTN_LOCAL;
		routes->hops--;
		free(hop);
	}
	if (entry->hops)
		return;
	routes->lengths[entry->key.family == 6][entry->key.len]--;
	HASH_DEL(routes->entries, entry);
	free(entry);
}

static void sift_all(struct routes *routes, bool (*drop)(struct routes_hop *hop, const void *ctx), const void *ctx)
{
	struct entry *entry, *tmp;

	HASH_ITER (hh, routes->entries, entry, tmp)
		sift(routes, entry, drop, ctx);
}

static bool is_of_link(struct routes_hop *hop, const void *ctx)
{
	return hop->ifindex == *(const uint32_t *)ctx;
}

void routes_forget_link(struct routes *routes, uint32_t ifindex)
{
	sift_all(routes, is_of_link, &ifindex);
}

static bool has_metric(struct routes_hop *hop, const void *ctx)
{
	return hop->metric == *(const uint32_t *)ctx;
}

static bool is_needless(struct routes_hop *hop, const void *ctx)
{
	const struct routes *routes = ctx;

	return !is_short(hop) && routes->is_wan(routes->ctx, hop->ifindex);
}

/* Whether there is room for one more hop. If need be, those that lead out of a WAN are dropped. */
static bool make_room(struct routes *routes, uint32_t ifindex, bool is_needed)
{
	if (routes->hops < routes->limit)
		return true;
	if (!is_needed && (routes->is_packed || routes->is_wan(routes->ctx, ifindex)))
		return false;
	sift_all(routes, is_needless, routes);
	routes->is_packed = routes->hops >= routes->limit;
	return !routes->is_packed || (is_needed && routes->hops < 2 * routes->limit);
}

void routes_sides_changed(struct routes *routes)
{
	routes->is_packed = false;
}

uint64_t routes_dropped(const struct routes *routes)
{
	return routes->dropped;
}

static bool is_same(struct routes_hop *hop, const void *ctx)
{
	const struct routes_hop *other = ctx;

	return hop->ifindex == other->ifindex && hop->metric == other->metric &&
		addr_equal(&hop->gateway, &other->gateway);
}

static void add_hop(struct routes *routes, const struct entry_key *key, const struct routes_hop *hop)
{
	struct routes_hop *added = NULL;
	struct entry *entry;

	if (make_room(routes, hop->ifindex, hop->dst.len <= ROUTES_SHORT))
		added = malloc(sizeof(*added));
	entry = added ? find_entry(routes, key) : NULL;
	if (added && !entry)
		entry = add_entry(routes, key);
	if (!entry) {
		routes->dropped += !routes->is_wan(routes->ctx, hop->ifindex);
		free(added);
		return;
	}
	*added = *hop;
	LL_APPEND(entry->hops, added);
	routes->locals += hop->kind == RTN_LOCAL;
	routes->hops++;
}

static bool is_local_delivery(const struct rtnl_route *r)
{
	return r->kind == RTN_LOCAL && r->dst.len <= ROUTES_SHORT && r->table != RT_TABLE_LOCAL;
}

static void take_hop(struct routes *routes, const struct rtnl_event *event, uint32_t ifindex,
	const struct addr *gateway)
{
	const struct rtnl_route *r = &event->route;
	const struct entry_key key = key_of(r->table, &r->dst);
	const struct routes_hop hop = { .ifindex = ifindex,
		.table = r->table,
		.metric = r->metric,
		.kind = r->kind,
		.listed = true,
		.gateway = *gateway,
		.dst = r->dst };
	struct entry *entry = find_entry(routes, &key);
	struct routes_hop *known = entry ? entry->hops : NULL;

	if (r->kind != RTN_THROW && (r->kind != RTN_UNICAST || !ifindex) && !is_local_delivery(r))
		return;
	while (known && !is_same(known, &hop))
		known = known->next;
	if (event->gone && known) {
		sift(routes, entry, is_same, &hop);
	} else if (known) {
		routes->locals += (hop.kind == RTN_LOCAL) - (known->kind == RTN_LOCAL);
		known->kind = hop.kind;
		known->listed = true;
	} else if (!event->gone) {
		add_hop(routes, &key, &hop);
	}
}

static void take_route(struct routes *routes, const struct rtnl_event *event)
{
	const struct rtnl_route *r = &event->route;

	/* After `ip route replace` onto another interface there is no event for the route that was replaced. */
	if (event->replaces && !event->gone) {
		const struct entry_key key = key_of(r->table, &r->dst);
		struct entry *entry = find_entry(routes, &key);

		if (entry)
			sift(routes, entry, has_metric, &r->metric);
	}
	take_hop(routes, event, event->ifindex, &r->gateway);
	for (int i = 0; i < r->others; i++)
		take_hop(routes, event, r->other[i].ifindex, &r->other[i].gateway);
}

/* --- Rules */

static int by_priority(const struct rule *a, const struct rule *b)
{
	return (a->key.priority > b->key.priority) - (a->key.priority < b->key.priority);
}

static void take_rule(struct routes *routes, const struct rtnl_event *event)
{
	const struct rtnl_rule *r = &event->rule;
	struct rule_key key = { .priority = r->priority,
		.table = r->table,
		.suppress = r->suppress,
		.family = r->family,
		.is_general = r->is_general,
		.is_vrf = r->is_vrf,
		.to_len = r->to.len };
	struct rule *rule = NULL;

	memcpy(key.to, r->to.addr.b, sizeof(key.to));
	HASH_FIND(hh, routes->rules, &key, sizeof(key), rule);
	if (event->gone) {
		if (rule) {
			HASH_DEL(routes->rules, rule);
			free(rule);
		}
		return;
	}
	if (!rule) {
		if (HASH_COUNT(routes->rules) >= routes->limit || !(rule = calloc(1, sizeof(*rule))))
			return;
		rule->key = key;
		rule->to = r->to;
		HASH_ADD_INORDER(hh, routes->rules, key, sizeof(rule->key), rule, by_priority);
	}
	rule->listed = true;
}

void routes_take(struct routes *routes, const struct rtnl_event *event)
{
	if (event->type == RTNL_RULE)
		take_rule(routes, event);
	else
		take_route(routes, event);
}

/* --- Dumps */

struct syncing {
	uint8_t family;
	bool begins;
};

/* Before a dump nothing is marked as listed; after it, what the dump did not list goes. */
static bool is_gone(struct routes_hop *hop, const void *ctx)
{
	const struct syncing *syncing = ctx;
	bool is_listed = hop->listed;

	if (syncing->family && hop->dst.addr.family != syncing->family)
		return false;
	hop->listed = false;
	return !syncing->begins && !is_listed;
}

void routes_sync(struct routes *routes, enum rtnl_type type, uint8_t family, bool begins)
{
	const struct syncing syncing = { family, begins };
	struct rule *rule, *tmp;

	if (type == RTNL_ROUTE)
		sift_all(routes, is_gone, &syncing);
	if (type != RTNL_RULE)
		return;
	HASH_ITER (hh, routes->rules, rule, tmp) {
		if (family && rule->key.family != family)
			continue;
		if (!begins && !rule->listed) {
			HASH_DEL(routes->rules, rule);
			free(rule);
			continue;
		}
		rule->listed = false;
	}
}

void routes_free(struct routes *routes)
{
	if (!routes)
		return;
	for (enum rtnl_type type = RTNL_ROUTE; type <= RTNL_RULE; type++) {
		routes_sync(routes, type, 0, true);
		routes_sync(routes, type, 0, false);
	}
	free(routes);
}

/* --- Lookups */

static const struct routes_hop *best_hop(const struct entry *entry)
{
	const struct routes_hop *best = entry->hops;

	for (const struct routes_hop *hop = best; hop; hop = hop->next) {
		if (hop->metric < best->metric)
			best = hop;
	}
	return best;
}

static const struct routes_hop *find_in_table(const struct routes *routes, uint32_t table, const struct addr *addr)
{
	const uint32_t *lengths = routes->lengths[addr->family == 6];

	for (int len = 8 * (int)addr_len(addr->family); len >= 0; len--) {
		const struct prefix dst = lengths[len] ? prefix_make(addr, (unsigned int)len) : (struct prefix){ 0 };
		const struct entry_key key = key_of(table, &dst);
		const struct entry *entry = lengths[len] ? find_entry(routes, &key) : NULL;

		if (entry)
			return best_hop(entry);
	}
	return NULL;
}

/* In any table that no rule names (a VRF's), or in any at all: the longest prefix, then the lowest metric. */
static const struct routes_hop *find_anywhere(const struct routes *routes, const struct addr *addr, bool in_vrfs)
{
	const struct routes_hop *best = NULL;

	for (const struct entry *entry = routes->entries; entry; entry = entry->hh.next) {
		const struct routes_hop *hop = best_hop(entry);
		const struct rule *rule = in_vrfs ? routes->rules : NULL;

		if (!prefix_contains(&hop->dst, addr))
			continue;
		while (rule && rule->key.table != hop->table)
			rule = rule->hh.next;
		if (!rule &&
			(!best || hop->dst.len > best->dst.len ||
				(hop->dst.len == best->dst.len && hop->metric < best->metric)))
			best = hop;
	}
	return best;
}

const struct routes_hop *routes_find(const struct routes *routes, const struct addr *addr)
{
	if (!routes->rules)
		return find_anywhere(routes, addr, false);
	for (const struct rule *rule = routes->rules; rule; rule = rule->hh.next) {
		const struct routes_hop *hop = NULL;

		if (rule->key.family != addr->family || rule->key.table == RT_TABLE_LOCAL)
			continue;
		if (rule->key.is_vrf)
			hop = find_anywhere(routes, addr, true);
		else if (rule->key.is_general && rule->key.table && (!rule->to.len || prefix_contains(&rule->to, addr)))
			hop = find_in_table(routes, rule->key.table, addr);
		if (hop && hop->kind == RTN_UNICAST && (int)hop->dst.len > rule->key.suppress)
			return hop;
	}
	return NULL;
}

bool routes_deliver_locally(const struct routes *routes, uint8_t family)
{
	for (const struct entry *entry = routes->entries; entry && routes->locals; entry = entry->hh.next) {
		if (entry->key.family == family && entry->hops->kind == RTN_LOCAL &&
			routes_is_used(routes, entry->hops, false))
			return true;
	}
	return false;
}

/* --- Evidence */

bool routes_is_used(const struct routes *routes, const struct routes_hop *hop, bool is_vrf_port)
{
	for (const struct rule *rule = routes->rules; rule; rule = rule->hh.next) {
		if (rule->key.family == hop->dst.addr.family &&
			(rule->key.is_vrf ? is_vrf_port : rule->key.table == hop->table))
			return true;
	}
	return !routes->rules;
}

/* Which first bytes of addresses Internet hosts have: IPv4's unicast without the private and loopback ones, 2000::/3.
 */
static bool is_internet(uint8_t family, unsigned int first)
{
	return family == 4 ? first > 0 && first < 224 && first != 10 && first != 127 : first >> 5 == 1;
}

enum { FIRST_BYTES = 256 };

/* Marks the first bytes that a short route takes. */
static void mark(bool taken[static FIRST_BYTES], const struct prefix *dst)
{
	unsigned int first = dst->addr.b[0], count = FIRST_BYTES >> dst->len;

	for (unsigned int i = first; i < first + count; i++)
		taken[i] |= is_internet(dst->addr.family, i);
}

static unsigned int marked(const bool taken[static FIRST_BYTES])
{
	unsigned int count = 0;

	for (unsigned int i = 0; i < FIRST_BYTES; i++)
		count += taken[i];
	return count;
}

/* A route of length 0 does not help the longer ones: it leads elsewhere. */
bool routes_is_default(const struct routes *routes, const struct routes_hop *hop)
{
	bool all[FIRST_BYTES] = { false }, by_this[FIRST_BYTES] = { false };
	const uint8_t family = hop->dst.addr.family;
	const unsigned int internet = family == 4 ? 221 : 32;

	if (!hop->dst.len)
		return true;
	for (const struct entry *entry = routes->entries; entry; entry = entry->hh.next) {
		if (!entry->key.len || entry->key.len > ROUTES_SHORT || entry->key.family != family ||
			entry->key.table != hop->table)
			continue;
		for (const struct routes_hop *other = entry->hops; other; other = other->next) {
			if (other->kind != RTN_UNICAST)
				continue;
			mark(all, &other->dst);
			if (other->ifindex == hop->ifindex)
				mark(by_this, &other->dst);
		}
	}
	return marked(all) >= internet * 3 / 4 && marked(by_this) >= internet / 16;
}

bool routes_is_host6(const struct prefix *dst)
{
	return dst->addr.family == 6 && dst->len == 128;
}

/* Translators' prefixes: of RFC 6052 and RFC 8215, and others of the length that they mostly have. */
bool routes_is_translated(const struct prefix *dst)
{
	static const uint8_t well_known[] = { 0, 0x64, 0xff, 0x9b };

	return dst->addr.family == 6 &&
		(dst->len == 96 || (dst->len >= 48 && !memcmp(dst->addr.b, well_known, sizeof(well_known))));
}

bool routes_is_public(const struct prefix *dst)
{
	const uint8_t *b = dst->addr.b;

	if (dst->addr.family != 4 || dst->len <= ROUTES_SHORT || dst->len > 24 || !is_internet(4, b[0]))
		return false;
	return !(b[0] == 172 && b[1] >> 4 == 1) && !(b[0] == 192 && b[1] == 168) && !(b[0] == 100 && b[1] >> 6 == 1) &&
		!(b[0] == 169 && b[1] == 254);
}

void routes_each_evidence(const struct routes *routes, void (*each)(void *ctx, const struct routes_hop *hop), void *ctx)
{
	for (const struct entry *entry = routes->entries; entry; entry = entry->hh.next) {
		const struct prefix *dst = &entry->hops->dst;

		if (dst->len > ROUTES_SHORT && !routes_is_host6(dst) && !routes_is_translated(dst) &&
			!routes_is_public(dst))
			continue;
		for (const struct routes_hop *hop = entry->hops; hop; hop = hop->next) {
			if (hop->kind == RTN_UNICAST)
				each(ctx, hop);
		}
	}
}
