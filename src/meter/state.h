/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state: struct meter, for the files that make up the meter only. A nested struct belongs to the file in its comment;
 * other files only read it.
 */
#pragma once

#include "hashtable.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/meter/neigh.h"
#include "hostmeter/meter/observer.h"
#include "hostmeter/meter/sightings.h"
#include "hostmeter/meter/wan.h"
#include "journal.h"
#include "pending_ends.h"
#include "tombstones.h"

#define METER_FLUSH_NS (UINT64_C(250) * CLOCK_NS_PER_MS) /* NFLOG's timeout of 100 ms, and room for a busy loop */

enum { DUMPS_REMEMBERED = 1024, NETWORK_LEFT = 16 };

/* dumps.c. Complete dumps are numbered modulo 2^16, so that a flow's record can say which one listed it last. */
struct dumps {
	bool ready;        /* a complete dump ended; before that, flows get a baseline */
	uint16_t number;   /* of the running dump, or of the last one; the number of an incomplete one is used again */
	uint16_t complete; /* of the last complete one */
	uint64_t since;    /* when the running dump began; 0: none runs */
	uint64_t begun;    /* how many began */
	uint64_t last_end, last_ns;
	uint64_t overrun; /* when the events' socket overran last; 0: never */
	uint64_t completed_at[DUMPS_REMEMBERED];
	unsigned int sweep; /* the next shard to search for flows that are gone; HASHTABLE_SHARDS: none */
};

/* network.c. Interfaces that were LAN or WAN a moment ago. */
struct network {
	struct {
		uint32_t ifindex;
		enum side side;
		uint64_t until;
	} left[NETWORK_LEFT];
	unsigned int next;
	uint64_t until; /* of the latest one */
};

/* checkpoint.c and checkpoint_load.c. */
struct checkpoint {
	bool restored;         /* from a checkpoint: flows need no baseline */
	bool gaps;             /* but those without record do, until the first dump is in */
	unsigned int step;     /* the next one of the checkpoint that is being written */
	uint64_t dumps_begun;  /* when its first step was made */
	uint8_t dumps_to_fold; /* complete dumps until the hosts' floors become part of their totals */
};

/* host_names.c. */
struct host_names {
	const char *(*vendor)(void *ctx, const struct mac *mac);
	void *ctx;
};

/* The latest reading of a live flow that is undecided. */
struct meter_held {
	uint64_t key;
	struct ct_event event;
	struct traffic_count waiting; /* its part of meter.waiting */
};

struct meter {
	struct meter_options options;
	struct hashtable *flows, *held;
	struct tombstones *tombstones;
	struct pending_ends *pending_ends;
	struct sightings *sightings;
	struct neigh *neigh;
	struct topology *topology;
	struct tunnels *tunnels;
	struct zones *zones;
	struct hosts *hosts;
	struct wan *wan;
	struct snapshot_source source[SOURCE_COUNT];
	struct snapshot_stats stats;
	uint64_t flows_undecided, flows_uncounted, flows_offloaded;
	struct traffic_count waiting;      /* of all that is in held or in pending_ends, both directions together */
	uint64_t now;                      /* of the latest call */
	bool has_zones;                    /* a flow was in a conntrack zone */
	uint64_t ticked, tombstones_until; /* the last tick; until when no tombstone expires */
	uint32_t forget_next;              /* the next host to look at */
	bool is_first_reading;             /* the flow that is being decided was not read before */

	void (*observe)(void *ctx, const struct observer_note *note); /* NULL: no observer */
	void *observe_ctx;
	struct attribute_end end[2]; /* of the latest decision, for the observer */

	struct dumps dumps;
	struct network network;
	struct checkpoint checkpoint;
	struct host_names host_names;
	struct journal journal;
};

/* The key of an event's flow, calculated unless meter_prefetch() did. */
static inline uint64_t meter_key(const struct meter *meter, const struct ct_event *event)
{
	return event->key ? event->key : flow_key(&meter->options.hash, event);
}

/* Passes the note to the observer, with key and time filled in; for OBSERVE() only. */
void meter_notify(const struct meter *meter, struct observer_note note);

/* Makes a note only if there is an observer. */
#define OBSERVE(m, ...)                                                                                                \
	do {                                                                                                           \
		if ((m)->observe)                                                                                      \
			meter_notify(m, (struct observer_note){ __VA_ARGS__ });                                        \
	} while (0)

/* Counts what this reading has more than the record, and updates the record. An undecided flow counts nothing. */
void meter_count(struct meter *meter, struct flow *flow, const struct ct_event *event);

/* What this reading has more than was counted, both directions together; all of it if a counter fell. */
struct traffic_count meter_waiting(const struct ct_event *event, const struct flow_counts *counts);

/* Adds to the hosts' floors, not to their totals, what flow has more than last. */
void meter_count_floor(struct meter *meter, const struct flow *flow, const struct flow_counts *last);

/* Adds step (1 or -1) to the connections of the flow's hosts. */
void meter_connect(struct meter *meter, const struct flow *flow, int step);

/* Takes a flow out of the gauges and drops its held reading. The caller removes the record. */
void meter_drop(struct meter *meter, struct flow *flow);

/* Whether a live flow has been missing from dumps for so long that it has ended, though no event said so. */
bool meter_is_gone(const struct meter *meter, const struct flow *flow);

/* A flow of this host was seen: looks up its name and vendor if it is new. */
void meter_meet_host(struct meter *meter, uint32_t index);
