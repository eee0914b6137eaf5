/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sides.h"

#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>

enum { DEPTH_MOST = 8 }; /* interfaces that run over one another */

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

static void put(struct sides_link *link, enum side side, enum topology_reason reason)
{
	link->side = side;
	link->reason = reason;
}

/* Decides by the configuration and the kind of the interface, before any route. False: they do not decide. */
static bool decide_by_name(struct sides_link *link, const struct topology_config *config)
{
	const char *name = link->state->name;

	if (link->state->flags & IFF_LOOPBACK)
		put(link, SIDE_NONE, TOPOLOGY_LOOPBACK);
	else if (named(config->ignore, name))
		put(link, SIDE_OTHER, TOPOLOGY_CONFIGURED);
	else if (named(config->carrier, name))
		put(link, SIDE_CARRIER, TOPOLOGY_CONFIGURED);
	else if (named(config->transit, name))
		put(link, SIDE_TRANSIT, TOPOLOGY_CONFIGURED);
	else if (named(config->wan, name))
		put(link, SIDE_WAN, TOPOLOGY_CONFIGURED);
	else if (named(config->lan, name))
		put(link, SIDE_LAN, TOPOLOGY_CONFIGURED);
	else if (link->state->kind == RTNL_KIND_IFB || link->state->kind == RTNL_KIND_VRF)
		put(link, SIDE_OTHER, TOPOLOGY_NO_ENDPOINT);
	else if (link->state->master && !link->is_vrf_port)
		put(link, SIDE_OTHER, TOPOLOGY_PORT);
	else
		return false;
	return true;
}

/*
 * A translator has an interface of its own. What translates IPv6 to IPv4 (NAT64, RFC 6146) gets the routes of its
 * prefix; the one on the customer's side (464XLAT, RFC 6877) gets IPv4's default route, and a route of the IPv6 address
 * that it sends from.
 */
static bool decide_transit(struct sides_link *link, bool ipv6_has_default)
{
	const bool *has_default = link->has_default;
	bool by_host = has_default[0] && !has_default[1] && link->has_host6 && ipv6_has_default;

	if (link->state->arphrd != ARPHRD_NONE || link->state->kind == RTNL_KIND_WIREGUARD || has_default[1])
		return false;
	if (!by_host && (has_default[0] || !link->has_translated))
		return false;
	put(link, SIDE_TRANSIT, TOPOLOGY_TRANSLATES);
	return true;
}

/* Whether it is a WAN: by its default route, or because it had one and was not a LAN before for longer. */
static bool decide_wan(struct sides_link *link)
{
	struct topology_memory *memory = &link->memory;

	if (link->has_default[0] || link->has_default[1]) {
		memory->was_wan = true;
		put(link, SIDE_WAN, TOPOLOGY_DEFAULT_ROUTE);
		return true;
	}
	/* A tunnel through which only some servers are reached. */
	if (link->has_public && link->state->arphrd == ARPHRD_NONE) {
		put(link, SIDE_WAN, TOPOLOGY_PUBLIC_ROUTE);
		return true;
	}
	if (memory->was_lan && memory->lan_ns >= memory->wan_ns)
		memory->was_wan = false;
	if (!memory->was_wan)
		return false;
	put(link, SIDE_WAN, TOPOLOGY_HAD_DEFAULT);
	return true;
}

static struct sides_link *find(struct sides_link *const *links, size_t count, uint32_t ifindex)
{
	for (size_t i = 0; i < count; i++) {
		if (links[i]->ifindex == ifindex)
			return links[i];
	}
	return NULL;
}

/* What this link runs over is the carrier of the WAN, and what that runs over, down to the port. */
static void decide_carriers(struct sides_link *const *links, size_t count, const struct sides_link *upper, uint32_t wan)
{
	for (int depth = 0; upper && upper->state->lower && depth < DEPTH_MOST; depth++) {
		struct sides_link *lower = find(links, count, upper->state->lower);

		if (lower && lower->side == SIDE_UNKNOWN) {
			put(lower, SIDE_CARRIER, TOPOLOGY_CARRIES);
			lower->because_of = wan;
		}
		upper = lower;
	}
}

/* rtnetlink does not say what a PPPoE session runs over: where there is one and a WAN of PPP, they belong together. */
static void decide_pppoe_ports(struct sides_link *const *links, size_t count)
{
	uint32_t wan = 0;

	for (size_t i = 0; i < count && !wan; i++) {
		if (links[i]->side == SIDE_WAN && links[i]->state->arphrd == ARPHRD_PPP)
			wan = links[i]->ifindex;
	}
	for (size_t i = 0; wan && i < count; i++) {
		if (links[i]->side != SIDE_UNKNOWN || !links[i]->is_pppoe_port)
			continue;
		put(links[i], SIDE_CARRIER, TOPOLOGY_CARRIES);
		links[i]->because_of = wan;
		decide_carriers(links, count, links[i], wan);
	}
}

static bool is_settled(const struct sides_link *link, uint64_t now)
{
	return link->was_there || link->memory.was_lan || now - link->address_since >= SIDES_SETTLE_NS;
}

static void decide_lan(struct sides_link *link, const struct topology_config *config, bool wan_is_known, uint64_t now)
{
	if (is_given(config->lan))
		put(link, SIDE_OTHER, TOPOLOGY_LEFT_OUT);
	else if (!wan_is_known)
		put(link, SIDE_UNKNOWN, TOPOLOGY_NO_WAN);
	else if (!link->has_address)
		put(link, SIDE_UNKNOWN, TOPOLOGY_NO_ADDRESS);
	else if (is_given(config->wan)) /* all WANs are known */
		put(link, SIDE_LAN, TOPOLOGY_OWN_SUBNET);
	else if (link->has_foreign)
		put(link, SIDE_UNKNOWN, TOPOLOGY_FOREIGN_ADDRESS);
	else if (!is_settled(link, now))
		put(link, SIDE_UNKNOWN, TOPOLOGY_SETTLES);
	else
		put(link, SIDE_LAN, TOPOLOGY_OWN_SUBNET);
	link->memory.was_lan |= link->side == SIDE_LAN;
}

void sides_account(struct sides_link *link, uint64_t now)
{
	uint64_t lasted = link->decided_at && now > link->decided_at ? now - link->decided_at : 0;

	if (link->side == SIDE_LAN)
		link->memory.lan_ns += lasted;
	else if (link->side == SIDE_WAN)
		link->memory.wan_ns += lasted;
	link->decided_at = now;
}

void sides_decide(struct sides_link *const *links, size_t count, const struct topology_config *config, uint64_t now)
{
	bool wan_is_known = is_given(config->wan), ipv6_has_default = false;

	for (size_t i = 0; i < count; i++) {
		sides_account(links[i], now);
		ipv6_has_default |= links[i]->has_default[1];
	}
	for (size_t i = 0; i < count; i++) {
		struct sides_link *link = links[i];

		if (!decide_by_name(link, config) && !decide_transit(link, ipv6_has_default) &&
			(is_given(config->wan) || !decide_wan(link)))
			put(link, SIDE_UNKNOWN, TOPOLOGY_UNDECIDED);
		wan_is_known |= link->side == SIDE_WAN;
	}
	for (size_t i = 0; i < count; i++) {
		if (links[i]->side == SIDE_WAN)
			decide_carriers(links, count, links[i], links[i]->ifindex);
	}
	decide_pppoe_ports(links, count);
	for (size_t i = 0; i < count; i++) {
		if (links[i]->reason == TOPOLOGY_UNDECIDED)
			decide_lan(links[i], config, wan_is_known, now);
	}
}

uint64_t sides_due(struct sides_link *const *links, size_t count)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < count; i++) {
		if (links[i]->reason == TOPOLOGY_SETTLES && links[i]->address_since + SIDES_SETTLE_NS < due)
			due = links[i]->address_since + SIDES_SETTLE_NS;
	}
	return due;
}
