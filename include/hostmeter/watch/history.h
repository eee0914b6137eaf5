/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_history: what the samples of a session add up to: for each host what it moved since the session began, and the
 * last minute second by second, of which averages and sparklines are made.
 *
 * Counters are read at moments that do not fall together with the seconds; a difference is spread evenly over the time
 * that it took, so that any interval, short or long, gives the same averages for the same traffic. Hosts are known by
 * label and MAC; one that the meter no longer lists is forgotten.
 */
#pragma once

#include "hostmeter/watch/connections.h"
#include "hostmeter/watch/sample.h"

#include <stdbool.h>
#include <uthash.h>

enum { WATCH_SLOTS = 60, WATCH_WINDOWS = 3 };

/* Seconds that rates are averaged over: 2, 10, 40. */
extern const unsigned int watch_windows[WATCH_WINDOWS];

/* One host, or one WAN interface (which counts in the first family). */
struct watch_track {
	char label[WATCH_LABEL], mac[MAC_TEXT];
	uint64_t last[WATCH_FAMILIES][WATCH_DIRECTIONS];    /* the counters as read last */
	uint64_t session[WATCH_FAMILIES][WATCH_DIRECTIONS]; /* bytes since the session began */
	uint64_t latest[WATCH_FAMILIES][WATCH_DIRECTIONS];  /* bytes between the latest two readings */
	uint64_t serial;                                    /* the sample that had it last */
	/* Bytes of each second, by second modulo their number. */
	float slot[WATCH_FAMILIES][WATCH_DIRECTIONS][WATCH_SLOTS];
	UT_hash_handle hh;
};

struct watch_history {
	struct watch_sample sample; /* the latest */
	struct watch_track **track; /* of the latest sample's hosts, in its order */
	struct watch_track *link;   /* of its links */
	size_t tracks, links;
	struct watch_track *known;            /* all tracks of hosts, by label and mac */
	uint64_t rounds, serial;              /* samples taken in, and samples that came */
	uint64_t begin, time;                 /* of what the slots hold, ns; equal: there are no rates yet */
	uint64_t before;                      /* the reading before the one at time */
	struct watch_connections connections; /* of the host looked at last */
};

/* Takes the sample over and leaves it empty, whatever happens. 0 or -ENOMEM: as if the sample had not come. */
int watch_history_add(struct watch_history *history, struct watch_sample *sample);

/* The session begins now. */
void watch_history_zero(struct watch_history *history);

/*
 * Bytes a second over the last seconds, or exactly between the latest two readings where seconds is 0; of the families
 * in the set of bits 1 << family. 0 without two samples.
 */
double watch_history_rate(const struct watch_history *history, const struct watch_track *track, unsigned int families,
	int direction, double seconds);

/* The last minute, both directions, in bytes a second, in count steps (divides WATCH_SLOTS). Returns the highest. */
float watch_history_spark(const struct watch_history *history, const struct watch_track *track, unsigned int families,
	float *step, int count);

/* Whether two samples have come that a rate can be made of. */
bool watch_history_has_rates(const struct watch_history *history);

/* Frees what is inside. */
void watch_history_clear(struct watch_history *history);
