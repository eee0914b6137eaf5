/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "sides.h"

#include <net/if.h>
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
static bool decide_by_name(struct sides_link *link, const struct sides_config *config)
{
	const char *name = link->state->name;

	if (link->state->flags & IFF_LOOPBACK)
		put(link, SIDE_NONE, TOPOLOGY_LOOPBACK);
	else if (named(config->ignore, name))
		put(link, SIDE_OTHER, TOPOLOGY_CONFIGURED);
	else if (named(config->carrier, name))
		put(link, SIDE_CARRIER, TOPOLOGY_CONFIGURED);
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

/* Decides whether it is a WAN: by its default route, or because it had one and was not a LAN before. */
static bool decide_wan(struct sides_link *link, const struct sides_config *config)
{
	if (is_given(config->wan))
		return false;
	if (link->has_default) {
		link->was_lan |= link->side == SIDE_LAN;
		link->was_wan = true;
		put(link, SIDE_WAN, TOPOLOGY_DEFAULT_ROUTE);
		return true;
	}
	if (!link->was_wan || link->was_lan)
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

/* What a WAN runs over is its carrier, and what that runs over, down to the port. */
static void decide_carriers(struct sides_link *const *links, size_t count, const struct sides_link *wan)
{
	const struct sides_link *upper = wan;

	for (int depth = 0; upper && upper->state->lower && depth < DEPTH_MOST; depth++) {
		struct sides_link *lower = find(links, count, upper->state->lower);

		if (lower && lower->side == SIDE_UNKNOWN) {
			put(lower, SIDE_CARRIER, TOPOLOGY_CARRIES);
			lower->because_of = wan->ifindex;
		}
		upper = lower;
	}
}

static void decide_lan(struct sides_link *link, const struct sides_config *config, bool wan_is_known)
{
	if (is_given(config->lan))
		put(link, SIDE_OTHER, TOPOLOGY_LEFT_OUT);
	else if (!wan_is_known)
		put(link, SIDE_UNKNOWN, TOPOLOGY_NO_WAN);
	else if (!link->has_address)
		put(link, SIDE_UNKNOWN, TOPOLOGY_NO_ADDRESS);
	else
		put(link, SIDE_LAN, TOPOLOGY_OWN_SUBNET);
}

void sides_decide(struct sides_link *const *links, size_t count, const struct sides_config *config)
{
	bool wan_is_known = is_given(config->wan);

	for (size_t i = 0; i < count; i++) {
		struct sides_link *link = links[i];

		if (!decide_by_name(link, config) && !decide_wan(link, config))
			put(link, SIDE_UNKNOWN, TOPOLOGY_UNDECIDED);
		wan_is_known |= link->side == SIDE_WAN;
	}
	for (size_t i = 0; i < count; i++) {
		if (links[i]->side == SIDE_WAN)
			decide_carriers(links, count, links[i]);
	}
	for (size_t i = 0; i < count; i++) {
		if (links[i]->reason == TOPOLOGY_UNDECIDED)
			decide_lan(links[i], config, wan_is_known);
	}
}
