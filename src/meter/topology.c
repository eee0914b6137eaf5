/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/topology.h"

#include "sides.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
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

struct topology {
	struct sides_config config;
	struct link *links;
	struct own *own;
	struct route *routes;
	struct rule *rules; /* in the order of their priority; none: not told, and all tables count */
	size_t limit;
	bool is_packed;       /* full, and no route leads out of a WAN; until the sides change */
	uint64_t passed_over; /* routes for which there was no room */
};

struct topology *topology_new(const char *const *lan, const char *const *wan, size_t limit)
{
	struct topology *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->config = (struct sides_config){ .lan = lan, .wan = wan };
	t->limit = limit;
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

static void decide(struct topology *t);

void topology_sync_begin(struct topology *topology, enum rtnl_type type, uint8_t family)
{
	sync(topology, type, family, true);
}

void topology_sync_end(struct topology *topology, enum rtnl_type type, uint8_t family)
{
	sync(topology, type, family, false);
	decide(topology);
}

void topology_free(struct topology *topology)
{
	if (!topology)
		return;
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
	if (event->gone) {
		if (link)
			FORGET(t->links, link);
		return;
	}
	if (!link) {
		link = calloc(1, sizeof(*link));
		if (!link)
			return;
		link->ifindex = link->sides.ifindex = event->ifindex;
		link->sides.state = &link->state;
		HASH_ADD(hh, t->links, ifindex, sizeof(link->ifindex), link);
	} else if (!state.has_stats) {
		state.has_stats = link->state.has_stats;
		state.rx_bytes = link->state.rx_bytes;
		state.tx_bytes = link->state.tx_bytes;
		state.rx_packets = link->state.rx_packets;
		state.tx_packets = link->state.tx_packets;
	}
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
			t->passed_over++;
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
			t->passed_over++;
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

static void gather(struct topology *t)
{
	struct link *link;

	for (link = t->links; link; link = link->hh.next) {
		const struct link *master = link->state.master ? find_link(t, link->state.master) : NULL;

		link->sides.has_default = link->sides.has_address = false;
		link->sides.is_vrf_port = master && master->state.kind == RTNL_KIND_VRF;
	}
	for (const struct own *own = t->own; own; own = own->hh.next) {
		link = find_link(t, own->key.ifindex);
		if (link && !addr_is_link_local(&own->subnet.addr))
			link->sides.has_address = true;
	}
	for (const struct route *route = t->routes; route; route = route->hh.next) {
		if (!is_short(route))
			continue;
		link = find_link(t, route->key.ifindex);
		if (link && !link->sides.has_default)
			link->sides.has_default = is_used(t, route) && is_default(t, route);
	}
}

/* Decides all sides again: one change may affect several interfaces. A new WAN makes others LANs, for example. */
static void decide(struct topology *t)
{
	size_t count = 0;
	struct sides_link **links = calloc(HASH_COUNT(t->links) + 1, sizeof(struct sides_link *));

	if (!links)
		return;
	gather(t);
	for (struct link *link = t->links; link; link = link->hh.next)
		links[count++] = &link->sides;
	sides_decide(links, count, &t->config);
	t->is_packed = false;
	free(links);
}

void topology_rtnl(struct topology *topology, const struct rtnl_event *event)
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
		if (event->route.dst.len > SHORT_LEN)
			return;
		break;
	case RTNL_RULE:
		take_rule(topology, event);
		break;
	default:
		return;
	}
	decide(topology);
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
		const struct rtnl_link *state = &sorted[i]->state;
		struct topology_link view = {
			.ifindex = sorted[i]->ifindex,
			.side = sorted[i]->sides.side,
			.reason = sorted[i]->sides.reason,
			.because_of = sorted[i]->sides.because_of,
			.is_port = state->master && !sorted[i]->sides.is_vrf_port,
			.is_up = state->flags & IFF_UP,
			.has_stats = state->has_stats,
			.rx_bytes = state->rx_bytes,
			.tx_bytes = state->tx_bytes,
			.rx_packets = state->rx_packets,
			.tx_packets = state->tx_packets,
		};

		memcpy(view.name, state->name, sizeof(view.name));
		each(ctx, &view);
	}
	free(sorted);
}

const char *topology_name(const struct topology *topology, uint32_t ifindex)
{
	const struct link *link = find_link(topology, ifindex);

	return link ? link->state.name : "";
}

void topology_each_lan_prefix(const struct topology *topology, void (*each)(void *ctx, const struct prefix *prefix),
	void *ctx)
{
	for (const struct own *own = topology->own; own; own = own->hh.next) {
		if (topology_interface(topology, own->key.ifindex) == SIDE_LAN)
			each(ctx, &own->subnet);
	}
}
