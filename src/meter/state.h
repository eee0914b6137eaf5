/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * state: the inside of struct meter, for the files that make up the meter. Nobody else
 * includes it.
 */
#ifndef HOSTMETER_METER_STATE_H
#define HOSTMETER_METER_STATE_H

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

enum { METER_DUMPS_REMEMBERED = 1024, METER_LEFT = 16 };

/* An interface that is no LAN or WAN any more since a moment ago. */
struct meter_left {
	uint32_t ifindex;
	enum side side;
	uint64_t until;
};

/* The latest reading of a live flow that is not decided. */
struct meter_held {
	uint64_t key;
	struct ct_event event;
};

struct meter {
	struct meter_options options;
	struct hashtable *flows;
	struct hashtable *held;
	struct tombstones *tombstones;
	struct pending_ends *pending_ends;
	struct sightings *sightings;
	struct neigh *neigh;
	struct topology *topology;
	struct hosts *hosts;
	struct wan *wan;
	struct snapshot_source source[SOURCE_COUNT];
	struct snapshot_stats stats;
	uint64_t flows_undecided, flows_uncounted, flows_offloaded;

	bool ready;          /* a complete dump is in; before that, flows get a baseline */
	uint16_t dump;       /* number of the dump in the air, or of the last one; an incomplete one's is used again */
	uint16_t complete;   /* number of the last complete one */
	uint64_t dump_began; /* 0: none in the air */
	uint64_t dumps_begun;
	uint64_t last_dump_end, last_dump_ns;
	uint64_t completed_at[METER_DUMPS_REMEMBERED];
	unsigned int sweep;                /* next shard to look for flows that are gone; HASHTABLE_SHARDS: done */
	uint64_t ticked, tombstones_until; /* the last tick; until when no tombstone expires */
	uint64_t now;                      /* of the latest call */
	uint32_t forget_next;              /* next host to look at */
	struct meter_left left[METER_LEFT];
	unsigned int left_next;
	uint64_t left_until; /* until when any of them counts */

	const char *(*vendor)(void *ctx, const struct mac *mac);
	void *vendor_ctx;

	void (*observe)(void *ctx, const struct observer_note *note); /* NULL: nobody does */
	void *observe_ctx;
	struct attribute_end end[2]; /* of the decision made last, for the observer */

	struct journal journal;

	/* See checkpoint.c. */
	bool restored;              /* went on from a checkpoint: no flow needs a baseline */
	unsigned int saving;        /* the next step of the checkpoint that was begun */
	uint64_t saving_since_dump; /* dumps_begun when that checkpoint's first step was made */
	uint8_t dumps_to_fold;      /* complete dumps until the hosts' floors become part of their totals */
};

/* The key of an event's flow; worked out only where nobody did before. */
static inline uint64_t meter_key(const struct meter *meter, const struct ct_event *event)
{
	return event->key ? event->key : flow_key(&meter->options.hash, event);
}

/* Hands the note to the observer, with key and time filled in. Only where there is one: OBSERVE(). */
void meter_notify(const struct meter *meter, struct observer_note note);

/* The note is made only where somebody reads it. */
#define OBSERVE(m, ...)                                                                                                \
	do {                                                                                                           \
		if ((m)->observe)                                                                                      \
			meter_notify(m, (struct observer_note){ __VA_ARGS__ });                                        \
	} while (0)

/* Counts what this reading has more than the record, and moves the record on. Undecided flows count nothing. */
void meter_count(struct meter *meter, struct flow *flow, const struct ct_event *event);

/* Adds step (1 or -1) to the connections of the flow's hosts. */
void meter_connect(struct meter *meter, const struct flow *flow, int step);

/* A flow of this host was met: gives it its name, if there is one. */
void meter_meet_host(struct meter *meter, uint32_t index);

/* Counts a flow out: the gauges, and whatever is held for it. The record itself is the caller's to remove. */
void meter_drop(struct meter *meter, struct flow *flow);

/* Moves the hosts' floors, not their totals, by what flow has more than last. */
void meter_count_floor(struct meter *meter, const struct flow *flow, const struct flow *last);

#endif
