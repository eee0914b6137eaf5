/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attribute: whose a flow is, and whether it is WAN traffic at all. Laws 6 to 8 live here.
 */
#ifndef HOSTMETER_METER_ATTRIBUTE_H
#define HOSTMETER_METER_ATTRIBUTE_H

#include "hostmeter/meter/flow.h"
#include "hostmeter/meter/hosts.h"
#include "hostmeter/meter/neigh.h"
#include "hostmeter/meter/sightings.h"
#include "hostmeter/meter/topology.h"

/* One end of a flow, and what is known of it. */
struct attribute_end {
	struct addr addr;
	struct addr gateway; /* of the route to it, family 0: it is on the link itself */
	uint32_t ifindex;    /* 0: unknown */
	enum side side;
	bool packet_seen; /* its own packet was seen */
	bool has_mac;
	bool is_group;  /* many, whatever interface its packets leave by */
	struct mac mac; /* of that packet */
};

/* What the answer is drawn from; all borrowed. */
struct attribute_sources {
	const struct hash_key *hash;
	const struct topology *topology;
	const struct neigh *neigh;
	const struct sightings *sightings;
	struct hosts *hosts;       /* a host that is met for the first time is made */
	struct attribute_end *end; /* unless NULL: two of them, filled in with what the answer was drawn from */
};

/* How long to look for an answer. */
enum attribute_evidence {
	ATTRIBUTE_FROM_PACKET, /* only what the first packet told: a sighting may still be on its way */
	ATTRIBUTE_FROM_TABLES, /* then the neighbour table, then the latest sighting of the address */
	ATTRIBUTE_FINAL,       /* then HOST_UNKNOWN */
};

/* Decides. *sighted tells whether the flow's first packet was seen at all: it was born while the meter ran, then. */
struct attribution attribute(const struct attribute_sources *sources, const struct ct_event *event,
	enum attribute_evidence evidence, bool *sighted);

#endif
