/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sightings: the first packets that NFLOG showed, waiting for the flow that they began.
 *
 * A flow's counts come later than its first packet: with the next dump, or with DESTROY. Each record is one pair of
 * ends (flow_pair()) and says for either end by which interface its packets come in and, on a link that has them, from
 * which MAC.
 */
#ifndef HOSTMETER_METER_SIGHTINGS_H
#define HOSTMETER_METER_SIGHTINGS_H

#include "hostmeter/base/addr.h"

#include <stddef.h>

struct sightings;

/* What is known of one end; ifindex 0 is "nothing". */
struct sightings_end {
	uint32_t ifindex;
	uint8_t side; /* enum side of that interface when the packet passed: it may be another one, or gone, by now */
	struct mac mac;
	bool seen; /* a packet from this end was seen, so ifindex and mac are first-hand */
	bool has_mac;
};

/* At most limit pairs. NULL: out of memory. */
struct sightings *sightings_new(size_t limit);
void sightings_free(struct sightings *sightings);
size_t sightings_count(const struct sightings *sightings);

/*
 * A packet from end number from (0 or 1 of the pair) came in as *in says and leaves as *out says (its ifindex and side
 * only). False if the table is full and the sighting is lost.
 */
bool sightings_add(struct sightings *sightings, uint64_t pair, int from, const struct sightings_end *in,
	const struct sightings_end *out, uint64_t now);

/* What is known of both ends. False if the pair was not seen. */
bool sightings_find(const struct sightings *sightings, uint64_t pair, struct sightings_end end[static 2]);

/* Its flow is decided: the record may go soon (not at once: the same pair may have begun anew). */
void sightings_used(struct sightings *sightings, uint64_t pair);

/* Takes away used records after a moment and unused ones after keep_ns, a few shards per call. */
void sightings_expire(struct sightings *sightings, uint64_t keep_ns, uint64_t now);

#endif
