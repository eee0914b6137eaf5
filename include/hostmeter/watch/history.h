/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_history: sums up the samples of a session: for each host the bytes since the session began, the bytes of each
 * of the last 60 seconds, for averages and sparklines, and those of the last five minutes in steps of five seconds.
 *
 * The bytes between two readings are spread evenly over the seconds between them, so averages do not depend on the
 * interval. A host is known by label and MAC; one that the meter no longer lists is forgotten. Local traffic has tracks
 * of its own from the first sample on that has it.
 */
#pragma once

#include "hostmeter/watch/connections.h"
#include "hostmeter/watch/sample.h"

#include <stdbool.h>
#include <uthash.h>

enum { WATCH_SLOTS = 60, WATCH_STRIDE_S = 5, WATCH_WINDOWS = 3 };

/* The seconds that rates can be averaged over: 2, 10, 40. */
extern const unsigned int watch_windows[WATCH_WINDOWS];

/* One host, or one WAN interface, whose counters stand in the first family. */
struct watch_track {
	char label[WATCH_LABEL], mac[MAC_TEXT];
	uint64_t last[WATCH_FAMILIES][WATCH_DIRECTIONS];    /* the latest counters */
	uint64_t session[WATCH_FAMILIES][WATCH_DIRECTIONS]; /* bytes since the session began */
	uint64_t latest[WATCH_FAMILIES][WATCH_DIRECTIONS];  /* bytes between the latest two readings */
	uint64_t begin;                                     /* of the averages: the first reading, ns */
	uint64_t serial;                                    /* of the latest sample that had it */
	/* Bytes of each second; the index is the second modulo WATCH_SLOTS. */
	float slot[WATCH_FAMILIES][WATCH_DIRECTIONS][WATCH_SLOTS];
	float stride[WATCH_FAMILIES][WATCH_SLOTS]; /* the same for WATCH_STRIDE_S seconds each, both directions */
	struct watch_track *local;                 /* of its local traffic, owned; NULL: none was read */
	UT_hash_handle hh;
};

struct watch_history {
	struct watch_sample sample; /* the latest */
	struct watch_track **track; /* of the latest sample's hosts, in its order */
	struct watch_track *link;   /* of its links */
	size_t tracks, links;
	struct watch_track *known;            /* all tracks of hosts, by label and mac */
	uint64_t rounds, serial;              /* samples added, and samples offered */
	uint64_t begin, time;                 /* the first and the latest reading, ns; equal: there are no rates yet */
	uint64_t local_begin;                 /* the first that had local traffic; 0: none had */
	uint64_t before;                      /* the reading before the latest, ns */
	struct watch_connections connections; /* of the host whose page was open last */
};

/* Takes the sample over and leaves it empty in any case. 0, or -ENOMEM: nothing was added. */
int watch_history_add(struct watch_history *history, struct watch_sample *sample);

/* Starts the session's totals from zero. */
void watch_history_zero(struct watch_history *history);

/*
 * Bytes a second of the families in a set of bits 1 << family: over the last seconds, or, if seconds is 0, exactly
 * between the latest two readings. 0 without two samples.
 */
double watch_history_rate(const struct watch_history *history, const struct watch_track *track, unsigned int families,
	int direction, double seconds);

/*
 * The last minute in count steps (a divisor of 60), both directions, bytes a second. Returns the highest step. The
 * other does the same for the last five minutes.
 */
float watch_history_spark(const struct watch_history *history, const struct watch_track *track, unsigned int families,
	float *step, int count);
float watch_history_long_spark(const struct watch_history *history, const struct watch_track *track,
	unsigned int families, float *step, int count);

/* The host's track, or that of its local traffic: an empty one if none was read. */
const struct watch_track *watch_history_track(const struct watch_history *history, size_t host, bool local);

/* Whether there are two readings to compute rates from, of all or of local traffic. */
bool watch_history_has_rates(const struct watch_history *history);
bool watch_history_has_local_rates(const struct watch_history *history);

/* Frees what is inside. */
void watch_history_clear(struct watch_history *history);
