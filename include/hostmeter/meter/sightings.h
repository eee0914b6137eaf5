/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sightings: first packets from NFLOG, kept until the flow's first reading (a dump entry or DESTROY). A record is a
 * pair of ends (flow_pair()) with the interface and, if the link has them, the MAC of each.
 */
#pragma once

#include "hostmeter/base/addr.h"

#include <stddef.h>

struct sightings;

/* One end of a flow. */
struct sightings_end {
	uint32_t ifindex; /* 0: unknown */
	uint8_t side;     /* enum side of the interface when the packet passed */
	struct mac mac;
	bool seen; /* a packet from this end was seen */
	bool has_mac;
};

/* At most limit pairs. NULL: out of memory. */
struct sightings *sightings_new(size_t limit);
void sightings_free(struct sightings *sightings);
size_t sightings_count(const struct sightings *sightings);

/*
 * A packet came from end number from (0 or 1), by in, and left by out (ifindex and side only). In a full table one that
 * decided a flow makes room, or one of more than a second ago: the packets of flows that a firewall rejects stay
 * unused. False: there was no room, or a packet that decided no flow made room.
 */
bool sightings_add(struct sightings *sightings, uint64_t pair, int from, const struct sightings_end *in,
	const struct sightings_end *out, uint64_t now);

/*
 * Both ends. False if the pair was not seen, or from two networks: then it is of two flows, and the packets do not tell
 * which one is whose.
 */
bool sightings_find(const struct sightings *sightings, uint64_t pair, struct sightings_end end[static 2]);

/* Whether the pair was seen, and no flow was decided by it yet. */
bool sightings_is_fresh(const struct sightings *sightings, uint64_t pair);

/* The flow is decided: the record is kept only a moment longer, since the next flow may have the same pair. */
void sightings_used(struct sightings *sightings, uint64_t pair);

/* Removes used records after a moment and unused ones after keep_ns, a few shards per call. */
void sightings_expire(struct sightings *sightings, uint64_t keep_ns, uint64_t now);
