/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random links, addresses, routes and rules come and go, and time passes: after each step the topology must agree with
 * a slow, plain model of it, which keeps all that it was told in lists and decides everything from the start.
 *
 * HOSTMETER_SEED and HOSTMETER_STEPS choose another run.
 */
#include "events.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/meter/topology.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { LINKS = 6, ADDRS = 64, ROUTES = 128, RULES = 12, SEQUENCES = 30, STEPS = 400 };

#define SETTLE_NS (5 * CLOCK_NS_PER_S)

struct model_link {
	bool exists, was_lan, was_wan, has_default[2];
	uint32_t lower;
	uint16_t arphrd;
	uint64_t lan_ns, wan_ns, decided_at, address_since;
	enum side side;
};

struct model {
	struct model_link link[LINKS];
	struct rtnl_event addr[ADDRS], route[ROUTES], rule[RULES];
	size_t addrs, routes, rules;
	uint64_t now;
};

static uint32_t state;

static unsigned int any(unsigned int below)
{
	state = state * 1664525 + 1013904223;
	return (unsigned int)(((uint64_t)(state >> 8) * below) >> 24);
}

/* --- Events */

static const char *const prefixes[] = { "0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "0.0.0.0/2", "64.0.0.0/2",
	"128.0.0.0/2", "192.0.0.0/2", "224.0.0.0/4", "::/0", "::/1", "8000::/1", "2000::/3", "2000::/4", "3000::/4",
	"0.0.0.0/5", "8.0.0.0/7", "10.0.0.0/8", "11.0.0.0/8", "12.0.0.0/6", "16.0.0.0/4", "32.0.0.0/3", "160.0.0.0/5",
	"203.0.113.0/24", "203.0.0.0/16", "192.168.0.0/16", "192.168.1.0/24", "2001:db8:1::/64", "64:ff9b::/96",
	"2001:db8:5::464/128" };
static const char *const own[] = { "192.168.1.1", "10.0.0.1", "203.0.113.2", "100.64.0.2", "2001:db8:1::1", "fe80::1",
	"2001:db8:5::464" };
static const char *const asked[] = { "203.0.113.80", "203.0.7.1", "8.8.8.8", "192.168.1.10", "192.168.7.10", "10.1.1.1",
	"2001:db8:1::10", "2001:db8:feed::80", "64:ff9b::808:808" };

static struct rtnl_event random_link(const struct model *m)
{
	static const uint16_t types[] = { ARPHRD_ETHER, ARPHRD_ETHER, ARPHRD_NONE, ARPHRD_PPP };
	uint32_t index = 1 + any(LINKS);
	const struct model_link *link = &m->link[index - 1];
	char name[IFNAME_LEN];
	struct rtnl_event e;

	snprintf(name, sizeof(name), "if%u", index);
	e = event_link(index, name, 0, link->exists ? link->arphrd : types[any(4)]);
	e.gone = link->exists && !any(4);
	e.link.lower = any(3) ? 0 : 1 + any(LINKS);
	if (e.link.lower == index)
		e.link.lower = 0;
	if (!any(5))
		e.link.flags &= ~(uint32_t)IFF_UP;
	return e;
}

static struct rtnl_event random_event(const struct model *m)
{
	struct rtnl_event e;

	switch (any(8)) {
	case 0:
		return random_link(m);
	case 1:
	case 2: {
		const char *text = own[any(sizeof(own) / sizeof(own[0]))];

		e = event_addr(1 + any(LINKS), text, strchr(text, ':') ? 64 : 24);
		e.addr.is_leased = !strchr(text, ':') && !any(4);
		break;
	}
	case 3:
		e = event_rule(any(2) ? 4 : 6, 10 * (1 + any(4)), any(2) ? RT_TABLE_MAIN : 100 + any(2));
		e.rule.is_general = any(3);
		e.rule.suppress = any(4) ? -1 : 0;
		break;
	default:
		e = event_route(1 + any(LINKS), prefixes[any(sizeof(prefixes) / sizeof(prefixes[0]))], NULL);
		e.route.table = any(2) ? RT_TABLE_MAIN : 100 + any(2);
		e.route.metric = any(3);
		e.replaces = !any(4);
		if (!any(20))
			e.route.kind = RTN_THROW;
	}
	e.gone = !any(3);
	return e;
}

/* --- The model: lists of what was told */

static bool same_route(const struct rtnl_event *a, const struct rtnl_event *b)
{
	return a->route.table == b->route.table && a->route.metric == b->route.metric &&
		a->route.dst.len == b->route.dst.len && addr_equal(&a->route.dst.addr, &b->route.dst.addr);
}

static bool same(const struct rtnl_event *a, const struct rtnl_event *b)
{
	switch (a->type) {
	case RTNL_ADDR:
		return a->ifindex == b->ifindex && addr_equal(&a->addr.addr, &b->addr.addr);
	case RTNL_RULE:
		return a->rule.family == b->rule.family && a->rule.priority == b->rule.priority &&
			a->rule.table == b->rule.table && a->rule.suppress == b->rule.suppress &&
			a->rule.is_general == b->rule.is_general;
	default:
		return a->ifindex == b->ifindex && same_route(a, b);
	}
}

static void drop(struct rtnl_event *list, size_t *count, size_t i)
{
	memmove(&list[i], &list[i + 1], (--*count - i) * sizeof(*list));
}

static void take(struct rtnl_event *list, size_t *count, size_t most, const struct rtnl_event *e)
{
	size_t i = 0;

	while (i < *count && !same(&list[i], e))
		i++;
	if (i < *count && e->gone)
		drop(list, count, i);
	else if (i < *count)
		list[i] = *e;
	else if (!e->gone && *count < most)
		list[(*count)++] = *e;
}

static void take_link(struct model *m, const struct rtnl_event *e)
{
	struct model_link *link = &m->link[e->ifindex - 1];

	for (size_t i = m->routes; i-- && (e->gone || !(e->link.flags & IFF_UP));) {
		if (m->route[i].ifindex == e->ifindex)
			drop(m->route, &m->routes, i);
	}
	if (e->gone || !link->exists) {
		link->side = SIDE_UNKNOWN;
		link->decided_at = link->address_since = 0;
	}
	link->exists = !e->gone;
	link->lower = e->link.lower;
	link->arphrd = e->link.arphrd;
}

static void model_take(struct model *m, const struct rtnl_event *e)
{
	switch (e->type) {
	case RTNL_LINK:
		take_link(m, e);
		break;
	case RTNL_ADDR:
		take(m->addr, &m->addrs, ADDRS, e);
		break;
	case RTNL_RULE:
		take(m->rule, &m->rules, RULES, e);
		break;
	default:
		for (size_t i = m->routes; i-- && e->replaces && !e->gone;) {
			if (same_route(&m->route[i], e))
				drop(m->route, &m->routes, i);
		}
		take(m->route, &m->routes, ROUTES, e);
	}
}

/* --- The model: decisions */

static bool is_used(const struct model *m, const struct rtnl_event *route)
{
	for (size_t i = 0; i < m->rules; i++) {
		if (m->rule[i].rule.family == route->route.dst.addr.family &&
			m->rule[i].rule.table == route->route.table)
			return true;
	}
	return !m->rules;
}

/* Whether packets to all addresses that begin with this byte take the route. */
static bool covers(const struct rtnl_event *route, unsigned int byte)
{
	const struct addr addr = { .family = route->route.dst.addr.family, .b = { (uint8_t)byte } };

	return route->route.kind == RTN_UNICAST && route->route.dst.len && route->route.dst.len <= 8 &&
		prefix_contains(&route->route.dst, &addr);
}

static bool is_internet(uint8_t family, unsigned int byte)
{
	if (family == 6)
		return byte >= 0x20 && byte <= 0x3f;
	return byte >= 1 && byte <= 223 && byte != 10 && byte != 127;
}

/* How many of the first bytes of Internet hosts' addresses routes of a table take; ifindex 0: of any interface. */
static unsigned int taken(const struct model *m, uint8_t family, uint32_t table, uint32_t ifindex)
{
	bool covered[256] = { false };
	unsigned int count = 0;

	for (size_t i = 0; i < m->routes; i++) {
		const struct rtnl_event *e = &m->route[i];
		bool counts = e->route.dst.addr.family == family && e->route.table == table && e->route.dst.len <= 8 &&
			(!ifindex || e->ifindex == ifindex);

		for (unsigned int byte = 0; counts && byte < 256; byte++)
			covered[byte] |= covers(e, byte);
	}
	for (unsigned int byte = 0; byte < 256; byte++)
		count += covered[byte] && is_internet(family, byte);
	return count;
}

static bool is_default(const struct model *m, const struct rtnl_event *route)
{
	const uint8_t family = route->route.dst.addr.family;
	unsigned int all, by_this;

	if (route->route.kind != RTN_UNICAST || route->route.dst.len > 8)
		return false;
	if (!route->route.dst.len)
		return true;
	all = taken(m, family, route->route.table, 0);
	by_this = taken(m, family, route->route.table, route->ifindex);
	return family == 4 ? all >= 165 && by_this >= 13 : all >= 24 && by_this >= 2;
}

static bool find_default(const struct model *m, uint32_t ifindex, uint8_t family)
{
	for (size_t i = 0; i < m->routes; i++) {
		const struct rtnl_event *route = &m->route[i];

		if (route->ifindex == ifindex && route->route.dst.addr.family == family && is_used(m, route) &&
			is_default(m, route))
			return true;
	}
	return false;
}

static bool has_default(const struct model *m, uint32_t ifindex, uint8_t family)
{
	return m->link[ifindex - 1].has_default[family == 6];
}

static bool is_own(const struct model *m, const struct addr *addr)
{
	for (size_t i = 0; i < m->addrs; i++) {
		if (addr_equal(&m->addr[i].addr.addr, addr))
			return true;
	}
	return false;
}

static bool has_route(const struct model *m, uint32_t ifindex, bool host)
{
	for (size_t i = 0; i < m->routes; i++) {
		const struct rtnl_event *e = &m->route[i];

		if (e->ifindex == ifindex && e->route.kind == RTN_UNICAST && e->route.dst.len == (host ? 128 : 96) &&
			is_used(m, e) && !(host && is_own(m, &e->route.dst.addr)))
			return true;
	}
	return false;
}

static bool is_transit(const struct model *m, uint32_t ifindex)
{
	bool four = has_default(m, ifindex, 4), six = has_default(m, ifindex, 6), others = false;

	if (m->link[ifindex - 1].arphrd != ARPHRD_NONE || six)
		return false;
	for (uint32_t i = 1; i <= LINKS; i++)
		others |= m->link[i - 1].exists && has_default(m, i, 6);
	return four ? others && has_route(m, ifindex, true) : has_route(m, ifindex, false);
}

static void count_addresses(const struct model *m, uint32_t ifindex, int *all, int *good4, int *bad4)
{
	*all = *good4 = *bad4 = 0;
	for (size_t i = 0; i < m->addrs; i++) {
		const struct rtnl_addr *a = &m->addr[i].addr;
		bool good = !a->is_leased && (a->addr.b[0] == 10 || a->addr.b[0] == 192);

		if (m->addr[i].ifindex != ifindex || addr_is_link_local(&a->addr))
			continue;
		++*all;
		*good4 += a->addr.family == 4 && good;
		*bad4 += a->addr.family == 4 && !good && m->link[ifindex - 1].arphrd != ARPHRD_NONE;
	}
}

static enum side decide_rest(struct model *m, uint32_t ifindex, bool wan_is_known)
{
	struct model_link *link = &m->link[ifindex - 1];
	int all, good4, bad4;

	count_addresses(m, ifindex, &all, &good4, &bad4);
	if (!wan_is_known || !all || (bad4 && !good4) || (!link->was_lan && m->now - link->address_since < SETTLE_NS))
		return SIDE_UNKNOWN;
	link->was_lan = true;
	return SIDE_LAN;
}

/* The only prefixes of that kind here begin with 203. */
static bool has_public(const struct model *m, uint32_t ifindex)
{
	for (size_t i = 0; i < m->routes; i++) {
		const struct rtnl_event *e = &m->route[i];
		bool is_here = false;

		if (e->ifindex != ifindex || m->link[ifindex - 1].arphrd != ARPHRD_NONE ||
			e->route.kind != RTN_UNICAST || e->route.dst.addr.b[0] != 203 || !is_used(m, e))
			continue;
		for (size_t j = 0; j < m->addrs; j++)
			is_here |= m->addr[j].ifindex == ifindex &&
				prefix_contains(&e->route.dst, &m->addr[j].addr.addr);
		if (!is_here)
			return true;
	}
	return false;
}

static void decide_first(struct model *m, uint32_t ifindex)
{
	struct model_link *link = &m->link[ifindex - 1];
	int all, good4, bad4;

	if (link->decided_at && link->side == SIDE_LAN)
		link->lan_ns += m->now - link->decided_at;
	if (link->decided_at && link->side == SIDE_WAN)
		link->wan_ns += m->now - link->decided_at;
	link->decided_at = m->now;
	count_addresses(m, ifindex, &all, &good4, &bad4);
	link->address_since = !all ? 0 : link->address_since ? link->address_since : m->now;
	link->side = SIDE_UNKNOWN;
	if (is_transit(m, ifindex)) {
		link->side = SIDE_TRANSIT;
		return;
	}
	if (has_default(m, ifindex, 4) || has_default(m, ifindex, 6)) {
		link->was_wan = true;
	} else if (has_public(m, ifindex)) {
		link->side = SIDE_WAN;
		return;
	} else if (link->was_lan && link->lan_ns >= link->wan_ns) {
		link->was_wan = false;
	}
	if (link->was_wan)
		link->side = SIDE_WAN;
}

static void model_decide(struct model *m)
{
	bool wan_is_known = false, undecided[LINKS];

	for (uint32_t i = 1; i <= LINKS; i++) {
		m->link[i - 1].has_default[0] = find_default(m, i, 4);
		m->link[i - 1].has_default[1] = find_default(m, i, 6);
	}
	for (uint32_t i = 1; i <= LINKS; i++) {
		if (m->link[i - 1].exists)
			decide_first(m, i);
		wan_is_known |= m->link[i - 1].exists && m->link[i - 1].side == SIDE_WAN;
	}
	for (uint32_t i = 1; i <= LINKS; i++) {
		const struct model_link *upper = &m->link[i - 1];

		if (!upper->exists || upper->side != SIDE_WAN)
			continue;
		for (int depth = 0; depth < 8 && upper && upper->exists && upper->lower; depth++) {
			struct model_link *lower = &m->link[upper->lower - 1];

			if (lower->exists && lower->side == SIDE_UNKNOWN)
				lower->side = SIDE_CARRIER;
			upper = lower;
		}
	}
	for (uint32_t i = 1; i <= LINKS; i++)
		undecided[i - 1] = m->link[i - 1].exists && m->link[i - 1].side == SIDE_UNKNOWN;
	for (uint32_t i = 1; i <= LINKS; i++) {
		if (undecided[i - 1])
			m->link[i - 1].side = decide_rest(m, i, wan_is_known);
	}
}

/* --- The model: the route of an address */

static const struct rtnl_event *best_in(const struct model *m, uint32_t table, const struct addr *addr)
{
	const struct rtnl_event *best = NULL;

	for (size_t i = 0; i < m->routes; i++) {
		const struct rtnl_event *e = &m->route[i];

		if ((table && e->route.table != table) || !prefix_contains(&e->route.dst, addr))
			continue;
		if (!best || e->route.dst.len > best->route.dst.len ||
			(e->route.dst.len == best->route.dst.len && e->route.metric < best->route.metric))
			best = e;
	}
	return best;
}

/* The first of the rules with this priority or a higher number: those that came first go first. */
static const struct rtnl_event *next_rule(const struct model *m, bool done[static RULES], uint8_t family)
{
	size_t best = RULES;

	for (size_t i = 0; i < m->rules; i++) {
		if (!done[i] && m->rule[i].rule.family == family &&
			(best == RULES || m->rule[i].rule.priority < m->rule[best].rule.priority))
			best = i;
	}
	if (best == RULES)
		return NULL;
	done[best] = true;
	return &m->rule[best];
}

static const struct rtnl_event *model_route(const struct model *m, const struct addr *addr)
{
	bool done[RULES] = { false };
	const struct rtnl_event *rule;

	if (!m->rules)
		return best_in(m, 0, addr);
	while ((rule = next_rule(m, done, addr->family))) {
		const struct rtnl_event *route = rule->rule.is_general ? best_in(m, rule->rule.table, addr) : NULL;

		if (route && route->route.kind == RTN_UNICAST && (int)route->route.dst.len > rule->rule.suppress)
			return route;
	}
	return NULL;
}

/* --- The comparison */

static void compare(const struct model *m, const struct topology *t, unsigned int step)
{
	for (uint32_t i = 1; i <= LINKS; i++) {
		enum side got = topology_interface(t, i),
			  want = m->link[i - 1].exists ? m->link[i - 1].side : SIDE_OTHER;

		if (got != want)
			fail_msg("step %u: if%u is %s, not %s", step, i, topology_side_name(got),
				topology_side_name(want));
	}
	/* Without rules, among equally good routes of several tables, any is right. */
	for (size_t i = 0; m->rules && i < sizeof(asked) / sizeof(asked[0]); i++) {
		const struct addr addr = event_ip(asked[i]);
		const struct rtnl_event *route = model_route(m, &addr);
		uint32_t ifindex;
		struct addr gateway;
		enum side side = topology_address(t, &addr, &ifindex, &gateway);

		if (side == SIDE_ROUTER || side == SIDE_GROUP)
			continue;
		if (ifindex != (route ? route->ifindex : 0))
			fail_msg("step %u: %s by %u, not by %u", step, asked[i], ifindex, route ? route->ifindex : 0);
	}
}

static void run(uint32_t seed, unsigned int steps)
{
	struct topology *t = topology_new(&(struct topology_config){ .lan = NULL }, 100);
	struct model *m = calloc(1, sizeof(*m));

	assert_true(t && m);
	state = seed;
	m->now = 1000 * CLOCK_NS_PER_S;
	topology_known(t, m->now);
	for (unsigned int step = 0; step < steps; step++) {
		struct rtnl_event e = random_event(m);

		m->now += any(3) ? any(1000) * CLOCK_NS_PER_MS : any(20) * CLOCK_NS_PER_S;
		topology_tick(t, m->now);
		model_decide(m);
		if ((e.type == RTNL_ROUTE && m->routes == ROUTES) || (e.type == RTNL_RULE && m->rules == RULES) ||
			(e.type == RTNL_ROUTE && !e.gone && !m->link[e.ifindex - 1].exists))
			continue; /* nor does a kernel have routes of an interface that is not there */
		topology_rtnl(t, &e, m->now);
		model_take(m, &e);
		model_decide(m);
		compare(m, t, step);
	}
	topology_free(t);
	free(m);
}

static void the_topology_agrees_with_the_model(void **unused)
{
	const char *seed = getenv("HOSTMETER_SEED"), *steps = getenv("HOSTMETER_STEPS");
	uint32_t first = seed ? (uint32_t)strtoul(seed, NULL, 10) : 1;

	(void)unused;
	for (uint32_t i = 0; i < SEQUENCES; i++) {
		print_message("seed %u\n", first + i);
		run(first + i, steps ? (unsigned int)strtoul(steps, NULL, 10) : STEPS);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_topology_agrees_with_the_model),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
