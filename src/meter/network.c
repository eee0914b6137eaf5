/* SPDX-License-Identifier: GPL-2.0-or-later */
/* First packets and the network's shape on their way into the tables that tell whose a flow is. */
#include "state.h"

/*
 * NFLOG comes in batches, so a first packet may be read of after its interface went or became a bridge's port: then it
 * counts what the interface was.
 */
static void remember_side(struct meter *m, uint32_t ifindex, enum side before)
{
	if (before != SIDE_LAN && before != SIDE_WAN)
		return;
	if (topology_interface(m->topology, ifindex) == before)
		return;
	m->left_until = m->now + METER_FLUSH_NS;
	m->left[m->left_next++ % METER_LEFT] = (struct meter_left){ ifindex, before, m->left_until };
}

static enum side side_of_packet(const struct meter *m, uint32_t ifindex)
{
	for (int i = 0; i < METER_LEFT && m->now < m->left_until; i++) {
		if (m->left[i].ifindex == ifindex && ifindex && m->now < m->left[i].until)
			return m->left[i].side;
	}
	return topology_interface(m->topology, ifindex);
}

void meter_sighting(struct meter *meter, const struct sighting *sighting, uint64_t now)
{
	meter->now = now;

	struct sightings_end from = {
		.ifindex = sighting->indev,
		.side = side_of_packet(meter, sighting->indev),
		.mac = sighting->mac,
		.has_mac = sighting->has_mac,
	};
	struct sightings_end to = {
		.ifindex = sighting->outdev,
		.side = side_of_packet(meter, sighting->outdev),
	};
	bool swapped;
	uint64_t pair = flow_pair(&meter->options.hash, sighting->proto, &sighting->src, sighting->sport,
		&sighting->dst, sighting->dport, &swapped);

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
	topology_rtnl(meter->topology, event);
	if (event->type == RTNL_LINK)
		remember_side(meter, event->ifindex, before);
}

void meter_rtnl_sync_begin(struct meter *meter, enum rtnl_type type, uint8_t family)
{
	if (type == RTNL_NEIGH)
		neigh_sync_begin(meter->neigh);
	topology_sync_begin(meter->topology, type, family);
}

void meter_rtnl_sync_end(struct meter *meter, enum rtnl_type type, uint8_t family)
{
	if (type == RTNL_NEIGH)
		neigh_sync_end(meter->neigh);
	topology_sync_end(meter->topology, type, family);
}

const struct topology *meter_topology(const struct meter *meter)
{
	return meter->topology;
}
