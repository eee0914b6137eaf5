/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A flow has two ends: its original source and its reply source (not its destination, which NAT may have changed). Each
 * end gets a side, the two sides give the scope, and the LAN ends get a host:
 *
 *            LAN              WAN              router
 *   LAN      local, both      WAN, the LAN's   local, the LAN's
 *   WAN      WAN, the LAN's   WAN, unknown     WAN, router
 *   router   local, the LAN's WAN, router      ignored
 *
 * Beyond a transit interface is the Internet: for a host or the router it is a WAN. What a translator sends between its
 * interface and a WAN is that traffic again, and has no host (FLOW_TUNNEL), as the outer packets of a tunnel.
 *
 * A group (multicast, broadcast) is no end: who sends decides. From the WAN it is WAN traffic of HOST_OTHER, all else
 * is local.
 *
 * An address that the configuration names is its host's, whatever MAC is seen with it.
 *
 * Sides and MACs come from a sighting if there is one, otherwise from addresses and routes. An interface that is not
 * configured (SIDE_OTHER) is treated as a LAN whose hosts are all HOST_OTHER, so that sums over hosts still match the
 * WAN's counters.
 */
#include "hostmeter/meter/attribute.h"

#include "zones.h"

#include <string.h>

static void locate(const struct attribute_sources *s, struct attribute_end *end)
{
	uint32_t ifindex;
	enum side side = topology_address(s->topology, &end->addr, &ifindex, &end->gateway);
	bool by_vrf = end->ifindex && end->side != SIDE_LAN && end->side != SIDE_WAN &&
		topology_is_vrf(s->topology, end->ifindex);

	if (side == SIDE_GROUP) { /* whatever interface a copy left by */
		end->side = side;
		end->gateway.family = 0;
		return;
	}
	if (end->ifindex && !by_vrf) { /* from a forwarded packet */
		/* The side when the packet passed: now the interface may be gone, or a bridge port. */
		if (end->side != SIDE_LAN && end->side != SIDE_WAN)
			end->side = topology_interface(s->topology, end->ifindex);
		if (end->ifindex != ifindex)
			end->gateway.family = 0; /* the packet took another route */
		if (end->side != SIDE_NONE)
			return;
	}
	end->ifindex = ifindex;
	end->side = side;
	if (addr_is_link_local(&end->addr) && side != SIDE_ROUTER) {
		/* Every link has fe80::/10: only a neighbour shows which link this address is on. */
		struct mac mac;

		end->gateway.family = 0;
		if (neigh_last_seen(s->neigh, &end->addr, &mac, &ifindex)) {
			end->ifindex = ifindex;
			end->side = topology_interface(s->topology, ifindex);
		}
	}
}

/* The side through which the router reaches the other end; a link-local address of the router is on that link. */
static enum side side_beyond(const struct attribute_sources *s, const struct attribute_end *router,
	const struct attribute_end *other)
{
	if (other->side == SIDE_ROUTER)
		return SIDE_ROUTER;
	if (addr_is_link_local(&router->addr))
		return topology_interface(s->topology, router->ifindex);
	return other->side;
}

/*
 * Nothing is forwarded between two ends on the WAN: one of them was a LAN host whose prefix or route is gone. So may be
 * who seems to send to a group from there. The latest sighting of its address shows it.
 */
static void recall(const struct attribute_sources *s, struct attribute_end *end)
{
	struct mac mac;
	uint32_t ifindex;

	if (end->packet_seen || !neigh_last_seen(s->neigh, &end->addr, &mac, &ifindex) ||
		topology_interface(s->topology, ifindex) != SIDE_LAN)
		return;
	end->side = SIDE_LAN;
	end->ifindex = ifindex;
	end->gateway.family = 0;
}

/* Beyond it is the Internet. */
static bool is_outside(enum side side)
{
	return side == SIDE_WAN || side == SIDE_TRANSIT;
}

/* The address was a neighbour's on another link: a LAN that is gone. */
static bool was_elsewhere(const struct attribute_sources *s, const struct attribute_end *end, uint32_t here)
{
	struct mac mac;
	uint32_t ifindex;

	return neigh_last_seen(s->neigh, &end->addr, &mac, &ifindex) && ifindex != here;
}

/*
 * A side router has one link, with its hosts and its gateway on it, so that link is a WAN. What it forwards from there
 * to there has a host at the end that is on the link itself, and the Internet behind the gateway.
 */
static void find_hosts_of_side_router(const struct attribute_sources *s, struct attribute_end end[static 2])
{
	if (end[CT_ORIGINAL].side != SIDE_WAN || end[CT_REPLY].side != SIDE_WAN || !end[CT_ORIGINAL].ifindex ||
		end[CT_ORIGINAL].ifindex != end[CT_REPLY].ifindex)
		return;
	for (enum ct_dir dir = CT_ORIGINAL; dir <= CT_REPLY; dir++) {
		if (!end[dir].gateway.family && topology_is_on_link(s->topology, &end[dir].addr, end[dir].ifindex) &&
			!was_elsewhere(s, &end[!dir], end[dir].ifindex))
			end[dir].side = SIDE_LAN;
	}
}

static bool is_inside(enum side side)
{
	return side == SIDE_LAN || side == SIDE_OTHER || side == SIDE_CARRIER || side == SIDE_UNKNOWN;
}

/*
 * Whether two interfaces may have a host of this address, or of the next hop's. Conntrack zones tell such networks
 * apart, and the routes that are known here do not. Two MACs had the address; or both networks have it, and the router
 * forwarded no answer yet, for which it needs the neighbour.
 */
static bool is_ambiguous(const struct attribute_sources *s, const struct attribute_end *end, bool answered)
{
	const struct addr *hop = end->gateway.family ? &end->gateway : &end->addr;
	uint32_t ifindex[2];

	if (!answered && topology_is_on_two_links(s->topology, hop))
		return true;
	if (!neigh_had_two(s->neigh, &end->addr, ifindex) && !neigh_had_two(s->neigh, hop, ifindex))
		return false;
	return *topology_name(s->topology, ifindex[0]) && *topology_name(s->topology, ifindex[1]);
}

/* A flow began in a network that others have too: its zone may be known to be of one interface. */
static void locate_by_zone(const struct attribute_sources *s, uint16_t zone, struct attribute_end *origin)
{
	uint32_t ifindex = zones_interface(s->zones, zone);

	if (!ifindex || topology_interface(s->topology, ifindex) != SIDE_LAN)
		return;
	origin->ifindex = ifindex; /* a next hop stays: the other network has the same one */
	origin->is_located = true;
}

/* What the zone means, by a flow whose interface is known without it. */
static void learn_zone(const struct attribute_sources *s, uint16_t zone, const struct attribute_end *origin,
	bool answered)
{
	uint32_t ifindex = origin->ifindex;
	struct mac mac;

	if (origin->side != SIDE_LAN)
		return;
	if (origin->packet_seen ||
		(answered && !origin->is_ambiguous && !origin->gateway.family &&
			neigh_last_seen(s->neigh, &origin->addr, &mac, &ifindex)))
		zones_learn(s->zones, zone, ifindex);
}

static void use_zone(const struct attribute_sources *s, const struct ct_event *event,
	struct attribute_end end[static 2])
{
	struct attribute_end *origin = &end[CT_ORIGINAL];
	bool answered = event->has_counters && event->packets[CT_REPLY];

	for (enum ct_dir dir = CT_ORIGINAL; dir <= CT_REPLY; dir++)
		end[dir].is_ambiguous = is_ambiguous(s, &end[dir], answered);
	if (origin->side == SIDE_LAN && origin->is_ambiguous && !origin->is_located)
		locate_by_zone(s, event->zone, origin);
	else
		learn_zone(s, event->zone, origin, answered);
}

/* The MAC of a LAN end; all zero if none is found, or if its link has none: then *by is FLOW_BY_NONE, or not. */
static struct mac mac_of(const struct attribute_sources *s, const struct attribute_end *end,
	enum attribute_evidence evidence, enum flow_by *by)
{
	const struct addr *hop = end->gateway.family ? &end->gateway : &end->addr;
	const struct mac none = { 0 };
	uint32_t ifindex;
	struct mac mac;

	*by = FLOW_BY_NFLOG;
	if (end->packet_seen && end->has_mac && mac_is_host(&end->mac))
		return end->mac;
	if (end->packet_seen && !topology_has_mac(s->topology, end->ifindex))
		return none;
	*by = FLOW_BY_NONE;
	if (evidence == ATTRIBUTE_FROM_PACKET)
		return none;
	*by = FLOW_BY_NEIGHBOUR;
	if (end->ifindex && (end->is_located || !end->is_ambiguous) && neigh_find(s->neigh, end->ifindex, hop, &mac))
		return mac;
	*by = FLOW_BY_NONE;
	if (end->is_ambiguous)
		return none;
	*by = FLOW_BY_ADDRESS;
	if (neigh_last_seen(s->neigh, hop, &mac, &ifindex))
		return mac;
	if (!end->ifindex || topology_has_mac(s->topology, end->ifindex))
		*by = FLOW_BY_NONE;
	return none;
}

static struct hosts_claim claim_of(const struct attribute_sources *s, const struct attribute_end *end, uint32_t partner)
{
	return (struct hosts_claim){ .now = s->now,
		.ifindex = end->ifindex,
		.partner = partner,
		.is_answered = s->is_answered,
		.may_wait = s->may_wait && !s->is_answered };
}

static uint32_t host_by_mac(const struct attribute_sources *s, const struct attribute_end *end, const struct mac *mac,
	uint32_t partner)
{
	uint32_t index = hosts_find_mac(s->hosts, mac);
	struct hosts_claim claim;

	if (index != HOST_NONE)
		return index;
	claim = claim_of(s, end, partner);
	claim.is_configured = s->names && names_configures_mac(s->names, mac);
	return hosts_add_mac(s->hosts, mac, &claim);
}

static uint32_t host_by_address(const struct attribute_sources *s, const struct attribute_end *end, uint32_t partner)
{
	uint32_t index = hosts_find_address(s->hosts, &end->addr);
	struct hosts_claim claim;

	if (index != HOST_NONE)
		return index;
	claim = claim_of(s, end, partner);
	claim.is_configured = s->names && names_configures_address(s->names, &end->addr);
	return hosts_add_address(s->hosts, &end->addr, &claim);
}

/*
 * The host of a LAN end, or HOST_NONE if the evidence is not enough. partner: the host of the other end, which must not
 * lose its place to it, or HOST_NONE.
 */
static uint32_t host_of(const struct attribute_sources *s, const struct attribute_end *end,
	enum attribute_evidence evidence, uint32_t partner, enum flow_by *by)
{
	enum names_owner owner;
	struct mac mac;

	*by = FLOW_BY_NONE;
	if (end->side == SIDE_OTHER || end->side == SIDE_CARRIER)
		return HOST_OTHER;
	if (end->side == SIDE_UNKNOWN)
		return evidence == ATTRIBUTE_FINAL ? HOST_UNKNOWN : HOST_NONE;
	mac = mac_of(s, end, evidence, by);
	if (*by == FLOW_BY_NONE && evidence == ATTRIBUTE_FROM_PACKET)
		return HOST_NONE;
	owner = s->names && !end->is_ambiguous ? names_owner(s->names, &end->addr, &mac) : NAMES_OWNER_NONE;
	if (owner != NAMES_OWNER_NONE && *by == FLOW_BY_NONE)
		*by = FLOW_BY_ADDRESS;
	if (owner == NAMES_OWNER_MAC || (owner == NAMES_OWNER_NONE && !mac_is_zero(&mac)))
		return host_by_mac(s, end, &mac, partner);
	if (*by != FLOW_BY_NONE)
		return host_by_address(s, end, partner);
	return evidence == ATTRIBUTE_FINAL ? HOST_UNKNOWN : HOST_NONE;
}

static struct attribution decide_unknown(const struct attribute_end end[static 2], enum attribute_evidence evidence)
{
	bool wan = is_outside(end[CT_ORIGINAL].side) || is_outside(end[CT_REPLY].side);
	bool transit = end[CT_ORIGINAL].side == SIDE_TRANSIT || end[CT_REPLY].side == SIDE_TRANSIT;
	struct attribution a = { .scope = FLOW_LOCAL, .host = HOST_UNKNOWN, .peer = HOST_NONE };

	if (wan && end[CT_REPLY].side != SIDE_GROUP)
		a.scope = FLOW_WAN;
	if (transit && is_outside(end[CT_ORIGINAL].side) && is_outside(end[CT_REPLY].side))
		a = (struct attribution){ .scope = FLOW_TUNNEL,
			.host = HOST_NONE,
			.peer = HOST_NONE,
			.host_is_reply = end[CT_ORIGINAL].side == SIDE_WAN };
	else if (evidence != ATTRIBUTE_FINAL)
		a.scope = FLOW_UNDECIDED;
	a.wan = end[CT_REPLY].side == SIDE_WAN ? end[CT_REPLY].ifindex : end[CT_ORIGINAL].ifindex;
	return a;
}

/* Whether routers forward packets to this group: those of the link alone (RFC 5771, RFC 4291) and broadcasts are not.
 */
static bool is_routed_group(const struct addr *addr)
{
	if (addr->family == 4)
		return addr->b[0] >> 4 == 14 && (addr->b[0] != 224 || addr->b[1] || addr->b[2]);
	return addr->b[0] == 0xff && (addr->b[1] & 15) > 2;
}

static bool is_wan_multicast(const struct attribute_end end[static 2])
{
	return end[CT_ORIGINAL].side == SIDE_WAN && end[CT_REPLY].side == SIDE_GROUP &&
		is_routed_group(&end[CT_REPLY].addr);
}

/* Multicast from the WAN, such as television, is of all hosts that listen: of no single one. */
static struct attribution decide_multicast(const struct attribute_end *from, enum attribute_evidence evidence)
{
	bool waits = evidence == ATTRIBUTE_FROM_PACKET && !from->packet_seen;

	return (struct attribution){ .scope = waits ? FLOW_UNDECIDED : FLOW_WAN,
		.host = HOST_OTHER,
		.peer = HOST_NONE,
		.host_is_reply = true,
		.wan = from->ifindex };
}

/* A flow with an end on the LAN; near is that end. */
static struct attribution decide_lan(const struct attribute_sources *s, const struct attribute_end end[static 2],
	enum ct_dir near, enum attribute_evidence evidence)
{
	const struct attribute_end *far = &end[!near];
	struct attribution a = { .scope = FLOW_LOCAL, .peer = HOST_NONE, .host_is_reply = near == CT_REPLY };
	enum flow_by by;

	a.host = host_of(s, &end[near], evidence, HOST_NONE, &a.by);
	/* What was not forwarded ended here, in a transparent proxy, whose own flow counts for the router. */
	if (is_outside(far->side) && s->all_is_sighted && !end[near].packet_seen && !far->packet_seen &&
		topology_delivers_locally(s->topology, far->addr.family)) {
		a.scope = a.host == HOST_NONE ? FLOW_UNDECIDED : FLOW_LOCAL;
		return a;
	}
	if (is_outside(far->side)) {
		a.scope = FLOW_WAN;
		a.wan = far->ifindex;
	} else if (is_inside(far->side)) {
		a.peer = host_of(s, far, evidence, a.host, &by);
		if (a.peer == HOST_NONE)
			a.scope = FLOW_UNDECIDED;
	}
	if (a.host == HOST_NONE)
		a.scope = FLOW_UNDECIDED;
	return a;
}

/* The scope of a flow between the router and the WAN. */
static enum flow_scope scope_of_router(const struct attribute_sources *s, uint8_t proto,
	const struct attribute_end *own, const struct attribute_end *other, enum attribute_evidence evidence)
{
	const struct tunnels_flow flow = { proto, own->port, other->port, &other->addr };

	switch (tunnels_carries(s->tunnels, &flow)) {
	case TUNNELS_YES:
		return FLOW_TUNNEL;
	case TUNNELS_MAYBE:
		return evidence == ATTRIBUTE_FINAL ? FLOW_WAN : FLOW_UNDECIDED;
	default:
		return FLOW_WAN;
	}
}

/* A flow of the router itself, which is end number router; false: the other end is a LAN host. */
static bool decide_router(const struct attribute_sources *s, uint8_t proto, const struct attribute_end end[static 2],
	enum ct_dir router, enum attribute_evidence evidence, struct attribution *a)
{
	const struct attribute_end *own = &end[router], *other = &end[!router];
	enum side beyond = side_beyond(s, own, other);

	*a = (struct attribution){ .scope = FLOW_LOCAL,
		.by = FLOW_BY_ROUTER,
		.host = HOST_ROUTER,
		.peer = HOST_NONE,
		.host_is_reply = router == CT_REPLY };
	if (beyond == SIDE_ROUTER) {
		*a = (struct attribution){ .scope = FLOW_IGNORED, .host = HOST_NONE, .peer = HOST_NONE };
		return true;
	}
	if (is_outside(beyond)) {
		a->scope = scope_of_router(s, proto, own, other, evidence);
		a->wan = other->ifindex ? other->ifindex : own->ifindex;
		if (a->scope == FLOW_TUNNEL)
			a->host = HOST_NONE;
		return true;
	}
	return !is_inside(other->side); /* multicast, broadcast, the unspecified address */
}

static struct attribution decide(const struct attribute_sources *s, uint8_t proto, struct attribute_end end[static 2],
	enum attribute_evidence evidence)
{
	struct attribution a;
	enum ct_dir near;

	for (enum ct_dir dir = CT_ORIGINAL; dir <= CT_REPLY; dir++) {
		if (end[dir].side == SIDE_ROUTER && decide_router(s, proto, end, dir, evidence, &a))
			return a;
	}
	if (end[CT_ORIGINAL].side == SIDE_WAN && (end[CT_REPLY].side == SIDE_WAN || end[CT_REPLY].side == SIDE_GROUP)) {
		recall(s, &end[CT_ORIGINAL]);
		recall(s, &end[CT_REPLY]);
		find_hosts_of_side_router(s, end);
	}
	if (is_wan_multicast(end))
		return decide_multicast(&end[CT_ORIGINAL], evidence);
	near = is_inside(end[CT_ORIGINAL].side) ? CT_ORIGINAL : CT_REPLY;
	if (!is_inside(end[near].side))
		return decide_unknown(end, evidence);
	return decide_lan(s, end, near, evidence);
}

/* Only forwarded packets are logged: for others there is nothing to wait for. */
static bool may_be_forwarded(const struct attribute_end end[static 2])
{
	for (enum ct_dir dir = CT_ORIGINAL; dir <= CT_REPLY; dir++) {
		if (end[dir].side == SIDE_ROUTER || (end[dir].side == SIDE_GROUP && !is_wan_multicast(end)))
			return false;
	}
	return true;
}

uint64_t attribute_pair(const struct hash_key *hash, const struct sightings *sightings, const struct ct_event *event,
	bool *swapped)
{
	uint64_t pair = flow_pair_of(hash, event, swapped), plain;
	struct ct_event unzoned;

	if (!event->zone || sightings_is_fresh(sightings, pair))
		return pair;
	unzoned = *event;
	unzoned.zone = 0;
	plain = flow_pair_of(hash, &unzoned, swapped);
	return sightings_is_fresh(sightings, plain) ? plain : pair;
}

struct attribution attribute(const struct attribute_sources *sources, const struct ct_event *event,
	enum attribute_evidence evidence, bool *sighted)
{
	struct attribute_end end[2] = {
		[CT_ORIGINAL] = { .addr = event->tuple[CT_ORIGINAL].src, .port = event->tuple[CT_ORIGINAL].sport },
		[CT_REPLY] = { .addr = event->tuple[CT_REPLY].src, .port = event->tuple[CT_REPLY].sport },
	};
	struct sightings_end seen[2];
	bool swapped;
	uint64_t pair = attribute_pair(sources->hash, sources->sightings, event, &swapped);

	*sighted = sightings_find(sources->sightings, pair, seen);
	for (int i = 0; *sighted && i < 2; i++) {
		const struct sightings_end *from = &seen[swapped ? !i : i];

		end[i].ifindex = from->ifindex;
		end[i].is_located = from->ifindex;
		end[i].side = from->side;
		end[i].packet_seen = from->seen;
		end[i].has_mac = from->has_mac;
		end[i].mac = from->mac;
	}
	locate(sources, &end[CT_ORIGINAL]);
	locate(sources, &end[CT_REPLY]);
	if (sources->zones)
		use_zone(sources, event, end);
	if (evidence == ATTRIBUTE_FROM_PACKET && !may_be_forwarded(end))
		evidence = ATTRIBUTE_FROM_TABLES;

	struct attribution answer = decide(sources, event->proto, end, evidence);

	if (sources->end)
		memcpy(sources->end, end, sizeof(end));
	return answer;
}
