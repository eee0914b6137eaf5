/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/topology.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct link {
	uint32_t ifindex;
	struct rtnl_link state;
	bool had_default; /* a default route led out here */
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

struct route_key {
	uint32_t table, metric, ifindex;
	uint8_t family, len;
	uint8_t bytes[16];
	uint8_t zero[2];
};

struct route {
	struct route_key key;
	struct prefix dst;
	struct addr gateway;
	uint32_t ifindex, metric;
	bool listed;
	UT_hash_handle hh;
};

struct topology {
	const char *const *lan, *const *wan;
	struct link *links;
	struct own *own;
	struct route *routes;
	size_t limit;
};

static bool named(const char *const *list, const char *name)
{
	for (; list && *list; list++) {
		if (!strcmp(*list, name))
			return true;
	}
	return false;
}

static bool is_given(const char *const *list)
{
	return list && *list;
}

struct topology *topology_new(const char *const *lan, const char *const *wan, size_t limit)
{
	struct topology *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->lan = lan;
	t->wan = wan;
	t->limit = limit;
	return t;
}

#define FORGET(head, item)                                                                                             \
	do {                                                                                                           \
		HASH_DEL(head, item);                                                                                  \
		free(item);                                                                                            \
	} while (0)

/* Before a dump nothing is listed; after it, what still is not listed goes. */
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
	default:
		break;
	}
}

void topology_sync_begin(struct topology *topology, enum rtnl_type type, uint8_t family)
{
	sync(topology, type, family, true);
}

void topology_sync_end(struct topology *topology, enum rtnl_type type, uint8_t family)
{
	sync(topology, type, family, false);
}

void topology_free(struct topology *topology)
{
	if (!topology)
		return;
	for (enum rtnl_type type = RTNL_LINK; type <= RTNL_ROUTE; type++) {
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

/* The kernel takes the IPv4 routes of a link that goes down, and tells nobody. */
static void forget_routes(struct topology *t, uint32_t ifindex)
{
	struct route *route, *tmp;

	HASH_ITER (hh, t->routes, route, tmp) {
		if (route->ifindex == ifindex)
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
		link->ifindex = event->ifindex;
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

/* `ip route replace` onto another interface: no event tells that the old one went. */
static void forget_replaced(struct topology *t, const struct route_key *by)
{
	struct route *route, *tmp;

	HASH_ITER (hh, t->routes, route, tmp) {
		struct route_key key = route->key;

		key.ifindex = by->ifindex;
		if (route->key.ifindex != by->ifindex && !memcmp(&key, by, sizeof(key)))
			FORGET(t->routes, route);
	}
}

static void take_route(struct topology *t, const struct rtnl_event *event)
{
	const struct rtnl_route *r = &event->route;
	struct route_key key = { .table = r->table,
		.metric = r->metric,
		.ifindex = event->ifindex,
		.family = r->dst.addr.family,
		.len = r->dst.len };
	struct route *route = NULL;
	struct link *link;

	if (r->kind != RTN_UNICAST || !event->ifindex)
		return;
	memcpy(key.bytes, r->dst.addr.b, sizeof(key.bytes));
	HASH_FIND(hh, t->routes, &key, sizeof(key), route);
	if (event->gone) {
		if (route)
			FORGET(t->routes, route);
		return;
	}
	if (event->replaces)
		forget_replaced(t, &key);
	if (!route) {
		if (HASH_COUNT(t->routes) >= t->limit)
			return;
		route = calloc(1, sizeof(*route));
		if (!route)
			return;
		route->key = key;
		HASH_ADD(hh, t->routes, key, sizeof(route->key), route);
	}
	route->dst = r->dst;
	route->gateway = r->gateway;
	route->ifindex = event->ifindex;
	route->metric = r->metric;
	route->listed = true;
	link = find_link(t, event->ifindex);
	if (link && !r->dst.len)
		link->had_default = true;
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
		break;
	default:
		break;
	}
}

static enum side side_of_link(const struct topology *t, const struct link *link)
{
	if (!link)
		return SIDE_OTHER;
	if (link->state.flags & IFF_LOOPBACK)
		return SIDE_NONE;
	if (is_given(t->wan) ? named(t->wan, link->state.name) : link->had_default && !named(t->lan, link->state.name))
		return SIDE_WAN;
	if (is_given(t->lan))
		return named(t->lan, link->state.name) ? SIDE_LAN : SIDE_OTHER;
	return link->state.master ? SIDE_OTHER : SIDE_LAN;
}

enum side topology_interface(const struct topology *topology, uint32_t ifindex)
{
	return side_of_link(topology, find_link(topology, ifindex));
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

/* Longest prefix wins, then the lowest metric. A walk over all: asked only for flows that no sighting explains. */
static const struct route *find_route(const struct topology *t, const struct addr *addr)
{
	const struct route *best = NULL;

	for (const struct route *r = t->routes; r; r = r->hh.next) {
		if (!prefix_contains(&r->dst, addr))
			continue;
		if (!best || r->dst.len > best->dst.len || (r->dst.len == best->dst.len && r->metric < best->metric))
			best = r;
	}
	return best;
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
	*ifindex = route->ifindex;
	*gateway = route->gateway;
	side = topology_interface(topology, route->ifindex);
	/* A default route says only "elsewhere", also where the configuration calls its interface a LAN. */
	return side == SIDE_LAN && !route->dst.len ? SIDE_WAN : side;
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
			.side = side_of_link(topology, sorted[i]),
			.is_port = state->master,
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
