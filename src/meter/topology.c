/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/topology.h"

#include "sides.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct link {
	uint32_t ifindex;
	struct rtnl_link state;
	struct sides_link sides;
	bool listed;
	UT_hash_handle hh;
};

/* Keys have no padding: they are hashed as bytes. */
struct own_key {
	uint32_t ifindex;
	uint8_t family;
	uint8_t bytes[16];
	uint8_t zero[3];
};

struct own {
	struct own_key key;
	struct prefix subnet;
	bool is_leased;
	bool listed;
	UT_hash_handle hh;
};

/* Each next hop of a route is a record of its own. */
struct route_key {
	uint32_t table, metric, ifindex;
	uint8_t family, len;
	uint8_t bytes[16];
	uint8_t gateway_family;
	uint8_t gateway[16];
	uint8_t zero;
};

struct route {
	struct route_key key;
	struct prefix dst;
	struct addr gateway;
	uint8_t kind; /* RTN_UNICAST or RTN_THROW: on to the next table */
	bool listed;
	UT_hash_handle hh;
};

struct rule_key {
	uint32_t priority, table;
	int32_t suppress;
	uint8_t family, is_general, is_vrf, zero;
};

struct rule {
	struct rule_key key;
	bool listed;
	UT_hash_handle hh;
};

struct memory {
	struct topology_memory value;
	UT_hash_handle hh;
};

struct topology {
	struct topology_config config;
	struct link *links;
	struct memory *memories; /* of interfaces that are not there, the oldest first */
	struct own *own;
	struct route *routes;
	struct rule *rules; /* in the order of their priority; none: not told, and all tables count */
	size_t limit;
	bool is_packed;       /* full, and no route leads out of a WAN; until the sides change */
	uint64_t passed_over; /* routes for which there was no room, and that do not lead out of a WAN */
	bool is_known;
	uint64_t due; /* the next decision, if no event comes before */
	char pppoe[TOPOLOGY_PPPOE_MOST][IFNAME_LEN];
	size_t pppoes, ppp_links;
	void (*changed)(void *ctx, const struct topology_link *link, enum side before);
	void *changed_ctx;
};

struct topology *topology_new(const struct topology_config *config, size_t limit)
{
	struct topology *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->config = *config;
	t->limit = limit;
	t->due = UINT64_MAX;
	return t;
}

#define FORGET(head, item)                                                                                             \
	do {                                                                                                           \
		HASH_DEL(head, item);                                                                                  \
		free(item);                                                                                            \
	} while (0)

/* Before a dump no item is marked as listed; after it, items that the dump did not list are removed. */
#define SYNC(head, type, of_family)                                                                                    \
	do {                                                                                                           \
		type *item, *item_tmp;                                                                                 \
		HASH_ITER (hh, head, item, item_tmp) {                                                                 \
			if (!(of_family))                                                                              \
				continue;                                                                              \
			if (!begins && !item->listed)                                                                  \
				FORGET(head, item);                                                                    \
			else                                                                                           \
				item->listed = false;                                                                  \
		}                                                                                                      \
	} while (0)

static void sync(struct topology *t, enum rtnl_type type, uint8_t family, bool begins)
{
	switch (type) {
	case RTNL_LINK:
		SYNC(t->links, struct link, true);
		break;
	case RTNL_ADDR:
		SYNC(t->own, struct own, !family || item->key.family == family);
		break;
	case RTNL_ROUTE:
		SYNC(t->routes, struct route, !family || item->key.family == family);
		break;
	case RTNL_RULE:
		SYNC(t->rules, struct rule, !family || item->key.family == family);
		break;
	default:
		break;
	}
}

void topology_sync_begin(struct topology *topology, enum rtnl_type type, uint8_t family)
{
	sync(topology, type, family, true);
}

void topology_free(struct topology *topology)
{
	struct memory *memory, *tmp;

	if (!topology)
		return;
	HASH_ITER (hh, topology->memories, memory, tmp)
		FORGET(topology->memories, memory);
	for (enum rtnl_type type = RTNL_LINK; type <= RTNL_RULE; type++) {
		sync(topology, type, 0, true);
		sync(topology, type, 0, false);
	}
	free(topology);
}

static struct link *find_link(const struct topology *t, uint32_t ifindex)
{
	struct link *link = NULL;

	HASH_FIND(hh, t->links, &ifindex, sizeof(ifindex), link);
	return link;
}

/* --- What is remembered of interfaces by their names */

enum { MEMORIES_MOST = 64 };

void topology_remember(struct topology *topology, const struct topology_memory *value)
{
	struct memory *memory = NULL;

	HASH_FIND_STR(topology->memories, value->name, memory);
	if (memory) {
		memory->value = *value;
		return;
	}
	memory = calloc(1, sizeof(*memory));
	if (!memory)
		return;
	if (HASH_COUNT(topology->memories) >= MEMORIES_MOST) {
		struct memory *oldest = topology->memories;

		FORGET(topology->memories, oldest);
	}
	memory->value = *value;
	HASH_ADD_STR(topology->memories, value.name, memory);
}

/* Whether there is anything to remember. */
static bool memory_of(const struct link *link, struct topology_memory *memory)
{
	*memory = link->sides.memory;
	memcpy(memory->name, link->state.name, sizeof(memory->name));
	return memory->name[0] && (memory->was_lan || memory->was_wan);
}

void topology_each_memory(const struct topology *topology,
	void (*each)(void *ctx, const struct topology_memory *memory), void *ctx)
{
	struct topology_memory value;

	for (const struct memory *memory = topology->memories; memory; memory = memory->hh.next)
		each(ctx, &memory->value);
	for (const struct link *link = topology->links; link; link = link->hh.next) {
		if (memory_of(link, &value))
			each(ctx, &value);
	}
}

/* The interface has another name from now on: "" if it goes. */
static void change_name(struct topology *t, struct link *link, const char *name)
{
	struct topology_memory value;
	struct memory *memory = NULL;

	if (memory_of(link, &value))
		topology_remember(t, &value);
	link->sides.memory = (struct topology_memory){ .was_lan = false };
	HASH_FIND_STR(t->memories, name, memory);
	if (!memory)
		return;
	link->sides.memory = memory->value;
	FORGET(t->memories, memory);
}

/* --- Links and addresses */

/* When a link goes down the kernel removes its IPv4 routes without an event for each. */
static void forget_routes(struct topology *t, uint32_t ifindex)
{
	struct route *route, *tmp;

	HASH_ITER (hh, t->routes, route, tmp) {
		if (route->key.ifindex == ifindex)
			FORGET(t->routes, route);
	}
}

static void take_link(struct topology *t, const struct rtnl_event *event)
{
	struct link *link = find_link(t, event->ifindex);
	struct rtnl_link state = event->link;

	if (event->gone || !(state.flags & IFF_UP))
		forget_routes(t, event->ifindex);
	t->ppp_links += state.arphrd == ARPHRD_PPP && event->gone == !!link;
	if (event->gone) {
		if (!link)
			return;
		change_name(t, link, "");
		FORGET(t->links, link);
		return;
	}
	if (!link) {
		link = calloc(1, sizeof(*link));
		if (!link)
			return;
		link->ifindex = link->sides.ifindex = event->ifindex;
		link->sides.state = &link->state;
		link->sides.side = SIDE_UNKNOWN;
		HASH_ADD(hh, t->links, ifindex, sizeof(link->ifindex), link);
	} else if (!state.has_stats) {
		state.has_stats = link->state.has_stats;
		state.rx_bytes = link->state.rx_bytes;
		state.tx_bytes = link->state.tx_bytes;
		state.rx_packets = link->state.rx_packets;
		state.tx_packets = link->state.tx_packets;
	}
	if (strcmp(link->state.name, state.name) != 0)
		change_name(t, link, state.name);
	link->state = state;
	link->listed = true;
}

static void take_addr(struct topology *t, const struct rtnl_event *event)
{
	const struct rtnl_addr *a = &event->addr;
	struct own_key key = { .ifindex = event->ifindex, .family = a->addr.family };
	struct own *own = NULL;

	memcpy(key.bytes, a->addr.b, sizeof(key.bytes));
	HASH_FIND(hh, t->own, &key, sizeof(key), own);
	if (event->gone) {
		if (own)
			FORGET(t->own, own);
		return;
	}
	if (!own) {
		if (HASH_COUNT(t->own) >= t->limit)
			return;
		own = calloc(1, sizeof(*own));
		if (!own)
			return;
		own->key = key;
		HASH_ADD(hh, t->own, key, sizeof(own->key), own);
	}
	own->subnet = prefix_make(&a->addr, a->prefix_len);
	own->is_leased = a->is_leased;
	own->listed = true;
}

/* --- Routes. Short ones, of at most SHORT_LEN bits, may together be a default route. */

enum { SHORT_LEN = 4, NIBBLES = 1 << SHORT_LEN };

static bool is_short(const struct route *route)
{
	return route->dst.len <= SHORT_LEN && route->kind == RTN_UNICAST;
}

static struct link *find_wan(const struct topology *t, uint32_t ifindex)
{
	struct link *link = find_link(t, ifindex);

	return link && link->sides.side == SIDE_WAN ? link : NULL;
}

/* After `ip route replace` onto another interface there is no event for the route that was replaced. */
static void forget_replaced(struct topology *t, const struct route_key *by)
{
	struct route *route, *tmp;

	HASH_ITER (hh, t->routes, route, tmp) {
		struct route_key key = *by;

		key.ifindex = route->key.ifindex;
		key.gateway_family = route->key.gateway_family;
		memcpy(key.gateway, route->key.gateway, sizeof(key.gateway));
		if (!memcmp(&key, &route->key, sizeof(key)))
			FORGET(t->routes, route);
	}
}

/* Whether there is room for one more route. If need be, routes that lead out of a WAN are dropped. */
static bool make_room(struct topology *t, uint32_t ifindex, bool is_needed)
{
	struct route *route, *tmp;

	if (HASH_COUNT(t->routes) < t->limit)
		return true;
	if (!is_needed && (t->is_packed || find_wan(t, ifindex)))
		return false;
	HASH_ITER (hh, t->routes, route, tmp) {
		if (!is_short(route) && find_wan(t, route->key.ifindex)) {
			FORGET(t->routes, route);
		}
	}
	t->is_packed = HASH_COUNT(t->routes) >= t->limit;
	return !t->is_packed || (is_needed && HASH_COUNT(t->routes) < 2 * t->limit);
}

static struct route *add_route(struct topology *t, const struct route_key *key, const struct rtnl_route *r,
	const struct addr *gateway)
{
	struct route *route = calloc(1, sizeof(*route));

	if (!route)
		return NULL;
	*route = (struct route){ .key = *key, .dst = r->dst, .gateway = *gateway, .kind = r->kind };
	HASH_ADD(hh, t->routes, key, sizeof(route->key), route);
	return route;
}

static void take_hop(struct topology *t, const struct rtnl_event *event, uint32_t ifindex, const struct addr *gateway)
{
	const struct rtnl_route *r = &event->route;
	struct route_key key = { .table = r->table,
		.metric = r->metric,
		.ifindex = ifindex,
		.family = r->dst.addr.family,
		.len = r->dst.len,
		.gateway_family = gateway->family };
	struct route *route = NULL;

	if (r->kind != RTN_THROW && (r->kind != RTN_UNICAST || !ifindex))
		return;
	memcpy(key.bytes, r->dst.addr.b, sizeof(key.bytes));
	memcpy(key.gateway, gateway->b, sizeof(key.gateway));
	HASH_FIND(hh, t->routes, &key, sizeof(key), route);
	if (event->gone) {
		if (route)
			FORGET(t->routes, route);
		return;
	}
	if (!route) {
		if (!make_room(t, ifindex, r->dst.len <= SHORT_LEN) || !(route = add_route(t, &key, r, gateway))) {
			t->passed_over += !find_wan(t, ifindex);
			return;
		}
	}
	route->kind = r->kind;
	route->listed = true;
}

static void take_route(struct topology *t, const struct rtnl_event *event)
{
	const struct rtnl_route *r = &event->route;

	if (event->replaces && !event->gone) {
		struct route_key key = {
			.table = r->table, .metric = r->metric, .family = r->dst.addr.family, .len = r->dst.len
		};

		memcpy(key.bytes, r->dst.addr.b, sizeof(key.bytes));
		forget_replaced(t, &key);
	}
	take_hop(t, event, event->ifindex, &r->gateway);
	for (int i = 0; i < r->others; i++)
		take_hop(t, event, r->other[i].ifindex, &r->other[i].gateway);
}

static int by_priority(const struct rule *a, const struct rule *b)
{
	return (a->key.priority > b->key.priority) - (a->key.priority < b->key.priority);
}

static void take_rule(struct topology *t, const struct rtnl_event *event)
{
	const struct rtnl_rule *r = &event->rule;
	const struct rule_key key = { .priority = r->priority,
		.table = r->table,
		.suppress = r->suppress,
		.family = r->family,
		.is_general = r->is_general,
		.is_vrf = r->is_vrf };
	struct rule *rule = NULL;

	HASH_FIND(hh, t->rules, &key, sizeof(key), rule);
	if (event->gone) {
		if (rule)
			FORGET(t->rules, rule);
		return;
	}
	if (!rule) {
		if (HASH_COUNT(t->rules) >= t->limit || !(rule = calloc(1, sizeof(*rule))))
			return;
		rule->key = key;
		HASH_ADD_INORDER(hh, t->rules, key, sizeof(rule->key), rule, by_priority);
	}
	rule->listed = true;
}

/* --- Sides */

/* Whether a rule looks at the route's table. */
static bool is_used(const struct topology *t, const struct route *route)
{
	const struct link *link = find_link(t, route->key.ifindex);

	for (const struct rule *rule = t->rules; rule; rule = rule->hh.next) {
		if (rule->key.family == route->key.family &&
			(rule->key.is_vrf ? link && link->sides.is_vrf_port : rule->key.table == route->key.table))
			return true;
	}
	return !t->rules;
}

/* Which sixteenths of the address space a short route covers, of those that contain Internet hosts. */
static uint16_t sixteenths(const struct route *route)
{
	/* IPv4: 0.0.0.0 to 223.255.255.255. IPv6: 2000::/3. */
	const uint16_t wanted = route->key.family == 4 ? 0x3fff : 0x000c;
	unsigned int first = route->dst.addr.b[0] >> 4, count = NIBBLES >> route->dst.len;

	return (uint16_t)(((1U << count) - 1) << first) & wanted;
}

/*
 * Whether a short route is a default route, or part of one. A route of length 0 is one. Longer routes are part of one
 * if those of their table cover all addresses of Internet hosts together; a route of length 0 does not help them.
 */
static bool is_default(const struct topology *t, const struct route *route)
{
	const uint16_t wanted = route->key.family == 4 ? 0x3fff : 0x000c;
	uint16_t taken = sixteenths(route);

	if (!taken)
		return false;
	for (const struct route *r = t->routes; r && taken != wanted; r = r->hh.next) {
		if (is_short(r) && r->dst.len && r->key.family == route->key.family && r->key.table == route->key.table)
			taken |= sixteenths(r);
	}
	return taken == wanted;
}

/* Whether it is an address that networks of one's own use (RFC 1918). */
static bool is_private(const struct addr *addr)
{
	return addr->b[0] == 10 || (addr->b[0] == 172 && addr->b[1] >> 4 == 1) ||
		(addr->b[0] == 192 && addr->b[1] == 168);
}

/* Translators' prefixes: of RFC 6052 and RFC 8215, and others of the length that they mostly have. */
static bool is_translated(const struct prefix *dst)
{
	static const uint8_t well_known[] = { 0, 0x64, 0xff, 0x9b };

	return dst->addr.family == 6 &&
		(dst->len == 96 || (dst->len >= 48 && !memcmp(dst->addr.b, well_known, sizeof(well_known))));
}

static bool is_host6(const struct route *route)
{
	return route->key.family == 6 && route->key.len == 128;
}

/* Whether this route, of more than SHORT_LEN bits, decides about the side of its interface. */
static bool is_evidence(const struct topology *t, const struct route *route)
{
	const struct link *link;

	if (route->kind != RTN_UNICAST || (!is_host6(route) && !is_translated(&route->dst)))
		return false;
	link = find_link(t, route->key.ifindex);
	return link && link->state.arphrd == ARPHRD_NONE;
}

static void gather_address(const struct own *own, struct sides_link *sides)
{
	const struct addr *addr = &own->subnet.addr;

	if (addr_is_link_local(addr))
		return;
	/* Without MAC addresses it is a tunnel's end, whose addresses are as its ends agreed. */
	if (addr->family == 4 && sides->state->arphrd != ARPHRD_NONE)
		sides->has_foreign |= !sides->has_private && (own->is_leased || !is_private(addr));
	sides->has_private |= addr->family == 4 && !own->is_leased && is_private(addr);
	sides->has_foreign &= !sides->has_private;
	sides->has_address = true;
}

static bool is_own6(const struct topology *t, const struct route *route)
{
	for (const struct own *own = t->own; own; own = own->hh.next) {
		if (own->key.family == 6 && !memcmp(own->key.bytes, route->key.bytes, sizeof(own->key.bytes)))
			return true;
	}
	return false;
}

static void gather_route(const struct topology *t, const struct route *route, struct sides_link *sides)
{
	bool *has_default = &sides->has_default[route->key.family == 6];

	if (!is_used(t, route))
		return;
	if (is_short(route))
		*has_default = *has_default || is_default(t, route);
	else if (is_translated(&route->dst))
		sides->has_translated = true;
	else
		sides->has_host6 = sides->has_host6 || !is_own6(t, route);
}

static bool is_pppoe_port(const struct topology *t, const char *name)
{
	for (size_t i = 0; i < t->pppoes; i++) {
		if (!strcmp(t->pppoe[i], name))
			return true;
	}
	return false;
}

static void gather(struct topology *t, uint64_t now)
{
	struct link *link;

	for (link = t->links; link; link = link->hh.next) {
		const struct link *master = link->state.master ? find_link(t, link->state.master) : NULL;
		struct sides_link *sides = &link->sides;

		sides->has_default[0] = sides->has_default[1] = sides->has_address = sides->has_foreign = false;
		sides->has_private = sides->has_translated = sides->has_host6 = false;
		sides->is_vrf_port = master && master->state.kind == RTNL_KIND_VRF;
		sides->is_pppoe_port = is_pppoe_port(t, link->state.name);
	}
	for (const struct own *own = t->own; own; own = own->hh.next) {
		link = find_link(t, own->key.ifindex);
		if (link)
			gather_address(own, &link->sides);
	}
	for (const struct route *route = t->routes; route; route = route->hh.next) {
		if (!is_short(route) && !is_evidence(t, route))
			continue;
		link = find_link(t, route->key.ifindex);
		if (link)
			gather_route(t, route, &link->sides);
	}
	for (link = t->links; link; link = link->hh.next) {
		struct sides_link *sides = &link->sides;

		if (!sides->has_address)
			sides->address_since = 0;
		else if (!sides->address_since)
			sides->address_since = now + !now;
		sides->was_there = sides->has_address && (sides->was_there || !t->is_known);
	}
}

static struct topology_link describe(const struct topology *t, const struct link *link)
{
	const struct rtnl_link *state = &link->state;
	struct topology_link view = {
		.ifindex = link->ifindex,
		.side = link->sides.side,
		.reason = link->sides.reason,
		.is_port = state->master && !link->sides.is_vrf_port,
		.is_up = state->flags & IFF_UP,
		.has_stats = state->has_stats,
		.rx_bytes = state->rx_bytes,
		.tx_bytes = state->tx_bytes,
		.rx_packets = state->rx_packets,
		.tx_packets = state->tx_packets,
	};

	memcpy(view.name, state->name, sizeof(view.name));
	if (view.reason == TOPOLOGY_CARRIES)
		snprintf(view.because_of, sizeof(view.because_of), "%s", topology_name(t, link->sides.because_of));
	return view;
}

/* Decides all sides again: one change may affect several interfaces. A new WAN makes others LANs, for example. */
static void decide(struct topology *t, uint64_t now)
{
	size_t count = HASH_COUNT(t->links), i = 0;
	struct sides_link **links = calloc(count + 1, sizeof(struct sides_link *));
	enum side *before = calloc(count + 1, sizeof(*before));

	if (!links || !before)
		goto out;
	gather(t, now);
	for (struct link *link = t->links; link; link = link->hh.next, i++) {
		links[i] = &link->sides;
		before[i] = link->sides.side;
	}
	sides_decide(links, count, &t->config, now);
	t->due = sides_due(links, count);
	t->is_packed = false;
	i = 0;
	for (const struct link *link = t->links; link && t->changed; link = link->hh.next, i++) {
		const struct topology_link view = describe(t, link);

		if (before[i] != view.side)
			t->changed(t->changed_ctx, &view, before[i]);
	}
out:
	free(before);
	free(links);
}

void topology_watch(struct topology *topology,
	void (*changed)(void *ctx, const struct topology_link *link, enum side before), void *ctx)
{
	topology->changed = changed;
	topology->changed_ctx = ctx;
}

void topology_sync_end(struct topology *topology, enum rtnl_type type, uint8_t family, uint64_t now)
{
	sync(topology, type, family, false);
	decide(topology, now);
}

void topology_known(struct topology *topology, uint64_t now)
{
	if (topology->is_known)
		return;
	decide(topology, now);
	topology->is_known = true;
	for (struct link *link = topology->links; link; link = link->hh.next) {
		struct topology_memory *memory = &link->sides.memory;

		if (link->sides.side == SIDE_LAN && memory->lan_ns < SIDES_START_NS)
			memory->lan_ns = SIDES_START_NS;
	}
}

void topology_tick(struct topology *topology, uint64_t now)
{
	if (now >= topology->due)
		decide(topology, now);
}

size_t topology_ppp_links(const struct topology *topology)
{
	return topology->ppp_links;
}

void topology_pppoe(struct topology *topology, const char (*name)[IFNAME_LEN], size_t count, uint64_t now)
{
	topology->pppoes = count < TOPOLOGY_PPPOE_MOST ? count : TOPOLOGY_PPPOE_MOST;
	for (size_t i = 0; i < topology->pppoes; i++)
		memcpy(topology->pppoe[i], name[i], IFNAME_LEN);
	decide(topology, now);
}

/* Whether the event may change a side. */
static bool may_decide(const struct topology *t, const struct rtnl_event *event)
{
	const struct rtnl_route *r = &event->route;
	const struct route route = {
		.key = { .family = r->dst.addr.family, .len = r->dst.len, .ifindex = event->ifindex },
		.dst = r->dst,
		.kind = r->kind
	};

	return event->type != RTNL_ROUTE || r->dst.len <= SHORT_LEN || is_evidence(t, &route);
}

void topology_rtnl(struct topology *topology, const struct rtnl_event *event, uint64_t now)
{
	switch (event->type) {
	case RTNL_LINK:
		take_link(topology, event);
		break;
	case RTNL_ADDR:
		take_addr(topology, event);
		break;
	case RTNL_ROUTE:
		take_route(topology, event);
		break;
	case RTNL_RULE:
		take_rule(topology, event);
		break;
	default:
		return;
	}
	if (may_decide(topology, event))
		decide(topology, now);
}

const char *topology_side_name(enum side side)
{
	static const char *const names[] = {
		[SIDE_NONE] = "none",
		[SIDE_LAN] = "lan",
		[SIDE_WAN] = "wan",
		[SIDE_ROUTER] = "router",
		[SIDE_GROUP] = "group",
		[SIDE_OTHER] = "other",
		[SIDE_CARRIER] = "carrier",
		[SIDE_TRANSIT] = "transit",
		[SIDE_UNKNOWN] = "unknown",
	};

	return names[side];
}

const char *topology_reason_text(enum topology_reason reason)
{
	static const char *const texts[TOPOLOGY_REASONS] = {
		[TOPOLOGY_UNDECIDED] = "nothing is known of it yet",
		[TOPOLOGY_CONFIGURED] = "the configuration says so",
		[TOPOLOGY_LEFT_OUT] = "the configuration lists the LANs, and not this one",
		[TOPOLOGY_LOOPBACK] = "it is the loopback interface",
		[TOPOLOGY_PORT] = "it is a port of a bridge or bond",
		[TOPOLOGY_NO_ENDPOINT] = "it is an ifb or a VRF's device: no host is on it",
		[TOPOLOGY_DEFAULT_ROUTE] = "a default route leads out of it",
		[TOPOLOGY_HAD_DEFAULT] = "a default route led out of it before",
		[TOPOLOGY_CARRIES] = "it carries the WAN",
		[TOPOLOGY_TRANSLATES] = "a translator's routes lead out of it",
		[TOPOLOGY_OWN_SUBNET] = "the router has an address on it, and no default route leads out of it",
		[TOPOLOGY_NO_WAN] = "no WAN is known: it could be one",
		[TOPOLOGY_NO_ADDRESS] = "the router has no address on it",
		[TOPOLOGY_FOREIGN_ADDRESS] = "the router's addresses on it are public or leased: it could be a WAN",
		[TOPOLOGY_SETTLES] = "it came a moment ago: its default route may follow",
	};

	return texts[reason];
}

enum side topology_interface(const struct topology *topology, uint32_t ifindex)
{
	const struct link *link = find_link(topology, ifindex);

	return link ? link->sides.side : SIDE_OTHER;
}

static const struct own *find_own(const struct topology *t, const struct addr *addr)
{
	const struct own *own;

	/* A router has a handful of addresses; one may stand on several interfaces. */
	for (own = t->own; own; own = own->hh.next) {
		if (own->key.family == addr->family && !memcmp(own->key.bytes, addr->b, sizeof(own->key.bytes)))
			return own;
	}
	return NULL;
}

/* The route of a table (0: of all) that an address takes: the longest prefix, then the lowest metric. */
static const struct route *find_in_table(const struct topology *t, uint32_t table, const struct addr *addr)
{
	const struct route *best = NULL;

	for (const struct route *r = t->routes; r; r = r->hh.next) {
		if ((table && r->key.table != table) || !prefix_contains(&r->dst, addr))
			continue;
		if (!best || r->dst.len > best->dst.len ||
			(r->dst.len == best->dst.len && r->key.metric < best->key.metric))
			best = r;
	}
	return best;
}

/*
 * The route of a packet that only general rules match: table by table in the order of the rules. This walks over all
 * routes; it is called only for flows whose first packet was not seen.
 */
static const struct route *find_route(const struct topology *t, const struct addr *addr)
{
	if (!t->rules)
		return find_in_table(t, 0, addr);
	for (const struct rule *rule = t->rules; rule; rule = rule->hh.next) {
		const struct route *route;

		if (rule->key.family != addr->family || !rule->key.is_general || rule->key.table == RT_TABLE_LOCAL)
			continue;
		route = rule->key.table ? find_in_table(t, rule->key.table, addr) : NULL;
		if (route && route->kind == RTN_UNICAST && (int)route->dst.len > rule->key.suppress)
			return route;
	}
	return NULL;
}

static bool is_subnet_broadcast(const struct topology *t, const struct addr *addr)
{
	if (addr->family != 4)
		return false;
	for (const struct own *own = t->own; own; own = own->hh.next) {
		unsigned int len = own->subnet.len;
		bool host_ones = len < 31 && prefix_contains(&own->subnet, addr);

		for (unsigned int bit = len; host_ones && bit < 32; bit++)
			host_ones = addr->b[bit / 8] & (0x80 >> bit % 8);
		if (host_ones)
			return true;
	}
	return false;
}

enum side topology_address(const struct topology *topology, const struct addr *addr, uint32_t *ifindex,
	struct addr *gateway)
{
	const struct own *own = find_own(topology, addr);
	const struct route *route;
	enum side side;

	*ifindex = 0;
	*gateway = (struct addr){ .family = 0 };
	if (own) {
		*ifindex = own->key.ifindex;
		return SIDE_ROUTER;
	}
	if (addr_is_loopback(addr))
		return SIDE_ROUTER;
	if (addr_is_unspecified(addr))
		return SIDE_NONE;
	if (addr_is_multicast(addr) || is_subnet_broadcast(topology, addr))
		return SIDE_GROUP;
	route = find_route(topology, addr);
	if (!route)
		return SIDE_WAN;
	*ifindex = route->key.ifindex;
	*gateway = route->gateway;
	side = topology_interface(topology, route->key.ifindex);
	/* So short a route says only "elsewhere", also where its interface is a LAN. */
	return side == SIDE_LAN && is_short(route) ? SIDE_WAN : side;
}

uint64_t topology_passed_over(const struct topology *topology)
{
	return topology->passed_over;
}

bool topology_has_mac(const struct topology *topology, uint32_t ifindex)
{
	const struct link *link = find_link(topology, ifindex);

	return link && (link->state.arphrd == ARPHRD_ETHER || link->state.arphrd == ARPHRD_IEEE802);
}

static int by_ifindex(const void *a, const void *b)
{
	const struct link *const *x = a, *const *y = b;

	return ((*x)->ifindex > (*y)->ifindex) - ((*x)->ifindex < (*y)->ifindex);
}

void topology_each_link(const struct topology *topology, void (*each)(void *ctx, const struct topology_link *link),
	void *ctx)
{
	size_t count = HASH_COUNT(topology->links), n = 0;
	const struct link **sorted = calloc(count ? count : 1, sizeof(struct link *));

	if (!sorted)
		return;
	for (const struct link *link = topology->links; link; link = link->hh.next)
		sorted[n++] = link;
	qsort(sorted, n, sizeof(struct link *), by_ifindex);
	for (size_t i = 0; i < n; i++) {
		const struct topology_link view = describe(topology, sorted[i]);

		each(ctx, &view);
	}
	free(sorted);
}

const char *topology_name(const struct topology *topology, uint32_t ifindex)
{
	const struct link *link = find_link(topology, ifindex);

	return link ? link->state.name : "";
}

enum side topology_subnet(const struct topology *topology, const struct addr *addr)
{
	enum side side = SIDE_UNKNOWN;
	int len = -1;

	for (const struct own *own = topology->own; own; own = own->hh.next) {
		enum side here = topology_interface(topology, own->key.ifindex);

		if (!prefix_contains(&own->subnet, addr) || own->subnet.len < len ||
			(own->subnet.len == len && here != SIDE_LAN))
			continue;
		side = here;
		len = own->subnet.len;
	}
	return side;
}
