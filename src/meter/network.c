/* SPDX-License-Identifier: GPL-2.0-or-later */
/* First packets and rtnetlink events on their way into the tables by which flows are attributed. */
#include "state.h"
#include "zones.h"

/*
 * NFLOG sends packets in batches. A first packet may be read after its interface was removed, became a bridge port or
 * lost its addresses; the side that the interface had before is the right one.
 */
static void remember_side(struct meter *m, uint32_t ifindex, enum side before)
{
	struct network *network = &m->network;
	unsigned int i = network->next % NETWORK_LEFT;

	if ((before != SIDE_LAN && before != SIDE_WAN) || topology_interface(m->topology, ifindex) == before)
		return;
	network->next++;
	network->until = network->left[i].until = m->now + METER_FLUSH_NS;
	network->left[i].ifindex = ifindex;
	network->left[i].side = before;
}

static uint8_t side_of_packet(const struct meter *m, uint32_t ifindex)
{
	const struct network *network = &m->network;

	for (int i = 0; i < NETWORK_LEFT && m->now < network->until; i++) {
		if (network->left[i].ifindex == ifindex && ifindex && m->now < network->left[i].until)
			return network->left[i].side;
	}
	return topology_interface(m->topology, ifindex);
}

void meter_sighting(struct meter *meter, const struct sighting *sighting, uint64_t now)
{
	struct sightings_end from = { .ifindex = sighting->indev, .mac = sighting->mac, .has_mac = sighting->has_mac };
	struct sightings_end to = { .ifindex = sighting->outdev };
	bool swapped;
	uint64_t pair = flow_pair(&meter->options.hash, sighting->proto, sighting->zone, &sighting->src,
		sighting->sport, &sighting->dst, sighting->dport, &swapped);

	meter->now = now;
	from.side = side_of_packet(meter, sighting->indev);
	to.side = side_of_packet(meter, sighting->outdev);
	meter->stats.sightings++;
	meter->stats.unsighted = 0;
	if (!sightings_add(meter->sightings, pair, swapped, &from, &to, now))
		meter->stats.sightings_lost++;
	if (sighting->has_mac && mac_is_host(&sighting->mac) && from.side == SIDE_LAN)
		neigh_saw(meter->neigh, sighting->indev, &sighting->src, &sighting->mac, now);
}

void meter_rtnl(struct meter *meter, const struct rtnl_event *event, uint64_t now)
{
	enum side before = topology_interface(meter->topology, event->ifindex);

	meter->now = now;
	neigh_rtnl(meter->neigh, event, now);
	topology_rtnl(meter->topology, event, now);
	tunnels_rtnl(meter->tunnels, event);
	if (event->type == RTNL_LINK && event->gone)
		zones_forget(meter->zones, event->ifindex);
	if (event->type == RTNL_LINK || event->type == RTNL_ADDR)
		remember_side(meter, event->ifindex, before);
}

void meter_rtnl_sync_begin(struct meter *meter, enum rtnl_type type, uint8_t family)
{
	if (type == RTNL_NEIGH)
		neigh_sync_begin(meter->neigh);
	if (type == RTNL_LINK)
		tunnels_sync_begin(meter->tunnels);
	topology_sync_begin(meter->topology, type, family);
}

void meter_rtnl_sync_end(struct meter *meter, enum rtnl_type type, uint8_t family, uint64_t now)
{
	if (type == RTNL_NEIGH)
		neigh_sync_end(meter->neigh);
	if (type == RTNL_LINK)
		tunnels_sync_end(meter->tunnels);
	topology_sync_end(meter->topology, type, family, now);
	if (type == RTNL_LINK && meter->dumps.ready && !meter->dumps.since)
		wan_read(meter->wan, meter->topology);
	if (type == RTNL_NEIGH) /* the last of the dumps */
		topology_known(meter->topology, now);
}

void meter_configure(struct meter *meter, const struct meter_options *options, uint64_t now)
{
	meter->now = now;
	meter->options.sides = options->sides;
	meter->options.tunnels = options->tunnels;
	meter->options.forget_after_ns = options->forget_after_ns;
	meter->options.forget_unanswered_ns = options->forget_unanswered_ns;
	tunnels_configure(meter->tunnels, &options->tunnels);
	topology_configure(meter->topology, &options->sides, now);
}

void meter_pppoe(struct meter *meter, const char (*name)[IFNAME_LEN], size_t count, uint64_t now)
{
	topology_pppoe(meter->topology, name, count, now);
}

void meter_watch_sides(struct meter *meter,
	void (*changed)(void *ctx, const struct topology_link *link, enum side before), void *ctx)
{
	topology_watch(meter->topology, changed, ctx);
}

void meter_tunnel_port(struct meter *meter, uint32_t ifindex, uint16_t port)
{
	tunnels_port(meter->tunnels, ifindex, port);
}

size_t meter_wireguards(const struct meter *meter, uint32_t *ifindex, size_t size)
{
	return tunnels_wireguards(meter->tunnels, ifindex, size);
}

const struct topology *meter_topology(const struct meter *meter)
{
	return meter->topology;
}
