/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * attribute: decides the host and the scope of a flow (laws 6 to 8).
 */
#pragma once

#include "hostmeter/meter/flow.h"
#include "hostmeter/meter/hosts.h"
#include "hostmeter/meter/names.h"
#include "hostmeter/meter/neigh.h"
#include "hostmeter/meter/sightings.h"
#include "hostmeter/meter/topology.h"
#include "hostmeter/meter/tunnels.h"

/* One end of a flow. */
struct attribute_end {
	struct addr addr;
	uint16_t port;
	struct addr gateway; /* of the route to it; family 0: it is on the link */
	uint32_t ifindex;    /* 0: unknown */
	enum side side;
	bool packet_seen; /* its own packet was seen */
	bool has_mac;
	bool is_located;   /* ifindex is of a packet or of the zone, not of the routes */
	bool is_ambiguous; /* networks told apart by zones both have this address */
	struct mac mac;    /* of that packet */
};

/* The tables that decide; all borrowed. */
struct attribute_sources {
	const struct hash_key *hash;
	const struct topology *topology;
	const struct tunnels *tunnels;
	const struct neigh *neigh;
	const struct sightings *sightings;
	const struct names *names; /* whose addresses are configured; NULL: nobody's */
	struct hosts *hosts;       /* new hosts are added */
	bool all_is_sighted;       /* each forwarded packet that begins a flow was logged, as far as is known */
	struct zones *zones;       /* what they mean is learned; NULL: no flow is in a conntrack zone */
	struct attribute_end *end; /* unless NULL: gets the two ends */
	uint64_t now;
	bool is_answered; /* the flow had bytes in the direction of replies */
	bool may_wait;    /* it is read again: a host that finds no place may get a reply until then */
};

/* How much evidence to use. */
enum attribute_evidence {
	ATTRIBUTE_FROM_PACKET, /* only the first packet, which may still come */
	ATTRIBUTE_FROM_TABLES, /* then the neighbour table, then the latest sighting of the address */
	ATTRIBUTE_FINAL,       /* then HOST_UNKNOWN */
};

/*
 * The pair by which the first packet of a flow is looked up. The packet's zone is known only if the kernel adds the
 * connection to it; else it is looked up as one without, as long as it decided no other flow. *swapped: as flow_pair().
 */
uint64_t attribute_pair(const struct hash_key *hash, const struct sightings *sightings, const struct ct_event *event,
	bool *swapped);

/* Decides. *sighted: a first packet of the flow was seen. */
struct attribution attribute(const struct attribute_sources *sources, const struct ct_event *event,
	enum attribute_evidence evidence, bool *sighted);
