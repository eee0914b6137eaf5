/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/topology.h"

#include "routes.h"
#include "sides.h"

#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum { ELSEWHERE = 4 }; /* a route of so few bits is to the Internet, or to a part of it */

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

struct memory {
	struct topology_memory value;
	UT_hash_handle hh;
};

struct topology {
	struct topology_config config;
	struct link *links;
	struct memory *memories; /* of interfaces that are not there, the oldest first */
	struct own *own;
	struct routes *routes;
	size_t limit; /* of addresses */
	bool is_known;
	uint64_t due; /* the next decision, if no event comes before */
	char pppoe[TOPOLOGY_PPPOE_MOST][IFNAME_LEN];
	size_t pppoes, ppp_links, address_news;
	void (*changed)(void *ctx, const struct topology_link *link, enum side before);
	void *changed_ctx;
};

static struct link *find_link(const struct topology *t, uint32_t ifindex)
{
	struct link *link = NULL;

	HASH_FIND(hh, t->links, &ifindex, sizeof(ifindex), link);
	return link;
}

static bool is_wan(void *ctx, uint32_t ifindex)
{
	const struct link *link = find_link(ctx, ifindex);

	return link && link->sides.side == SIDE_WAN;
}

struct topology *topology_new(const struct topology_config *config, size_t limit)
{
	struct topology *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	*t = (struct topology){ .config = *config, .limit = limit, .due = UINT64_MAX };
	t->routes = routes_new(limit, is_wan, t);
	if (t->routes)
		return t;
	free(t);
	return NULL;
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
	case RTNL_RULE:
		routes_sync(t->routes, type, family, begins);
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
	for (enum rtnl_type type = RTNL_LINK; type <= RTNL_ADDR; type++) {
		sync(topology, type, 0, true);
		sync(topology, type, 0, false);
	}
	routes_free(topology->routes);
	free(topology);
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
static bool memory_of(const struct link *link, uint64_t now, struct topology_memory *memory)
{
	struct sides_link sides = link->sides;

	sides_account(&sides, now);
	*memory = sides.memory;
	memcpy(memory->name, link->state.name, sizeof(memory->name));
	return memory->name[0] && (memory->was_lan || memory->was_wan);
}

void topology_each_memory(const struct topology *topology, uint64_t now,
	void (*each)(void *ctx, const struct topology_memory *memory), void *ctx)
{
	struct topology_memory value;

	for (const struct memory *memory = topology->memories; memory; memory = memory->hh.next)
		each(ctx, &memory->value);
	for (const struct link *link = topology->links; link; link = link->hh.next) {
		if (memory_of(link, now, &value))
			each(ctx, &value);
	}
}

/* The interface has another name from now on: "" if it goes. */
static void change_name(struct topology *t, struct link *link, const char *name, uint64_t now)
{
	struct topology_memory value;
	struct memory *memory = NULL;

	if (memory_of(link, now, &value))
		topology_remember(t, &value);
	link->sides.memory = (struct topology_memory){ .was_lan = false };
	HASH_FIND_STR(t->memories, name, memory);
	if (!memory)
		return;
	link->sides.memory = memory->value;
	FORGET(t->memories, memory);
}

/* --- Links and addresses */

static void take_link(struct topology *t, const struct rtnl_event *event, uint64_t now)
{
	struct link *link = find_link(t, event->ifindex);
	struct rtnl_link state = event->link;

	if (event->gone || !(state.flags & IFF_UP))
		routes_forget_link(t->routes, event->ifindex);
	t->ppp_links += state.arphrd == ARPHRD_PPP && event->gone == !!link;
	if (event->gone) {
		if (!link)
			return;
		change_name(t, link, "", now);
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
		change_name(t, link, state.name, now);
	link->state = state;
	link->listed = true;
}

static void take_addr(struct topology *t, const struct rtnl_event *event)
{
	const struct rtnl_addr *a = &event->addr;
	struct own_key key = { .ifindex = event->ifindex, .family = a->addr.family };
	struct own *own = NULL;

	t->address_news++;
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

/* --- Sides */

/* Whether it is an address that networks of one's own use (RFC 1918). */
static bool is_private(const struct addr *addr)
{
	return addr->b[0] == 10 || (addr->b[0] == 172 && addr->b[1] >> 4 == 1) ||
		(addr->b[0] == 192 && addr->b[1] == 168);
}

/* Whether this unicast route, if it is not short, decides about the side of its interface. */
static bool is_evidence(const struct topology *t, const struct prefix *dst, uint32_t ifindex)
{
	const struct link *link = find_link(t, ifindex);

	return (routes_is_host6(dst) || routes_is_translated(dst) || routes_is_public(dst)) && link &&
		link->state.arphrd == ARPHRD_NONE;
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

/* Whether the router has an address of this prefix on the interface: then it is the network there. */
static bool has_own_within(const struct topology *t, const struct prefix *dst, uint32_t ifindex)
{
	for (const struct own *own = t->own; own; own = own->hh.next) {
		if (own->key.ifindex == ifindex && prefix_contains(dst, &own->subnet.addr))
			return true;
	}
	return false;
}

static void gather_route(void *ctx, const struct routes_hop *hop)
{
	const struct topology *t = ctx;
	struct link *link = find_link(t, hop->ifindex);
	struct sides_link *sides = link ? &link->sides : NULL;
	bool is_short = hop->dst.len <= ROUTES_SHORT;

	if (!link || (!is_short && !is_evidence(t, &hop->dst, hop->ifindex)) ||
		!routes_is_used(t->routes, hop, sides->is_vrf_port))
		return;
	if (is_short)
		sides->has_default[hop->dst.addr.family == 6] |= routes_is_default(t->routes, hop);
	else if (routes_is_public(&hop->dst))
		sides->has_public |= !has_own_within(t, &hop->dst, hop->ifindex);
	else if (routes_is_translated(&hop->dst))
		sides->has_translated = true;
	else
		sides->has_host6 |= !find_own(t, &hop->dst.addr);
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
		sides->has_private = sides->has_translated = sides->has_host6 = sides->has_public = false;
		sides->is_vrf_port = master && master->state.kind == RTNL_KIND_VRF;
		sides->is_pppoe_port = is_pppoe_port(t, link->state.name);
	}
	for (const struct own *own = t->own; own; own = own->hh.next) {
		link = find_link(t, own->key.ifindex);
		if (link)
			gather_address(own, &link->sides);
	}
	routes_each_evidence(t->routes, gather_route, t);
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
	routes_sides_changed(t->routes);
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

void topology_configure(struct topology *topology, const struct topology_config *config, uint64_t now)
{
	topology->config = *config;
	decide(topology, now);
}

bool topology_has(const struct topology *topology, const char *name)
{
	const struct link *link = topology->links;

	while (link && strcmp(link->state.name, name) != 0)
		link = link->hh.next;
	return link;
}

size_t topology_missing(const struct topology *topology)
{
	size_t missing = 0;

	for (const char *const *name = topology->config.lan; name && *name; name++)
		missing += !topology_has(topology, *name);
	for (const char *const *name = topology->config.wan; name && *name; name++)
		missing += !topology_has(topology, *name);
	return missing;
}

size_t topology_address_news(const struct topology *topology)
{
	return topology->address_news;
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
	const struct prefix *dst = &event->route.dst;

	return event->type != RTNL_ROUTE || dst->len <= ROUTES_SHORT || is_evidence(t, dst, event->ifindex) ||
		(event->replaces &&
			(routes_is_host6(dst) || routes_is_translated(dst) ||
				routes_is_public(dst))); /* one of another interface */
}

void topology_rtnl(struct topology *topology, const struct rtnl_event *event, uint64_t now)
{
	switch (event->type) {
	case RTNL_LINK:
		take_link(topology, event, now);
		break;
	case RTNL_ADDR:
		take_addr(topology, event);
		break;
	case RTNL_ROUTE:
	case RTNL_RULE:
		routes_take(topology->routes, event);
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
		[TOPOLOGY_PUBLIC_ROUTE] = "a route to public addresses leads out of it, and it has no MAC addresses",
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
	const struct routes_hop *hop;
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
	hop = routes_find(topology->routes, addr);
	if (!hop)
		return SIDE_WAN;
	*ifindex = hop->ifindex;
	*gateway = hop->gateway;
	side = topology_interface(topology, hop->ifindex);
	/* So short a route says only "elsewhere", also where its interface is a LAN. */
	return side == SIDE_LAN && hop->dst.len <= ELSEWHERE ? SIDE_WAN : side;
}

bool topology_delivers_locally(const struct topology *topology, uint8_t family)
{
	return routes_deliver_locally(topology->routes, family);
}

bool topology_is_vrf(const struct topology *topology, uint32_t ifindex)
{
	const struct link *link = find_link(topology, ifindex);

	return link && link->state.kind == RTNL_KIND_VRF;
}

bool topology_is_on_link(const struct topology *topology, const struct addr *addr, uint32_t ifindex)
{
	for (const struct own *own = topology->own; own; own = own->hh.next) {
		if (own->key.ifindex == ifindex && prefix_contains(&own->subnet, addr))
			return true;
	}
	return false;
}

bool topology_is_on_two_links(const struct topology *topology, const struct addr *addr)
{
	uint32_t first = 0;

	for (const struct own *own = topology->own; own; own = own->hh.next) {
		if (!prefix_contains(&own->subnet, addr) || topology_interface(topology, own->key.ifindex) != SIDE_LAN)
			continue;
		if (first && first != own->key.ifindex)
			return !addr_is_link_local(addr);
		first = own->key.ifindex;
	}
	return false;
}

uint64_t topology_passed_over(const struct topology *topology)
{
	return routes_dropped(topology->routes);
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

void topology_each_address(const struct topology *topology,
	void (*each)(void *ctx, const struct addr *addr, uint32_t ifindex), void *ctx)
{
	for (const struct own *own = topology->own; own; own = own->hh.next) {
		struct addr addr = addr_make(own->key.family, own->key.bytes, own->key.family == 4 ? 4 : 16);

		each(ctx, &addr, own->key.ifindex);
	}
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
