/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * caps: how much of what a provider allows, or a family allows itself, was used in the period that runs.
 *
 * What a cap used is a counter of its own, not a sum of days or months: it is cut at the moment at which the period
 * ends, which may be any hour of any day, in a zone of its own. A reading has to be taken at each instant that
 * cap_next_cut() names; then no reading has bytes of two periods, or of free hours and others. Of a reading that comes
 * late, all counts where the instant before it is; so does the store with its hours.
 *
 * Pure: the caller stores the states. Instants are seconds since 1970. All calls leave the zone of calendar_use() as
 * it was.
 */
#pragma once

#include "forecast.h"
#include "period.h"
#include "reading.h"

#include "hostmeter/base/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CAP_RANGES = 8, CAP_THRESHOLDS = 8 };

/* No amount is larger. */
#define CAP_BYTES_MAX UINT64_C(1000000000000000000)

enum cap_count { CAP_BOTH, CAP_IN, CAP_OUT };

/* What is added up. */
enum cap_basis {
	CAP_INTERFACES, /* the bytes of WAN interfaces: the nearest to what a provider counts */
	CAP_FLOWS,      /* the bytes that all hosts and the router exchanged with the internet */
	CAP_DEVICES,    /* the same of some devices only */
};

/* From one minute of the day to another, 0 to 1440; from after to: over midnight. Both the same: never. */
struct cap_range {
	int from, to;
};

struct cap_list {
	const char *const *item;
	size_t count;
};

/* What is configured. All is borrowed. */
struct cap {
	const char *name;
	uint64_t limit; /* bytes, 1 to CAP_BYTES_MAX */
	struct period_rule rule;
	const char *zone; /* as calendar_use() takes it; NULL or "": the one in use, also if there is no such zone */
	enum cap_count count;
	enum cap_basis basis;
	struct cap_list wan;     /* CAP_INTERFACES: their names; none: all */
	struct cap_list devices; /* CAP_DEVICES: names, MACs or addresses, those of its groups among them */
	struct cap_range free[CAP_RANGES];
	size_t ranges;
	unsigned int warn[CAP_THRESHOLDS]; /* per cent of the limit, rising, 1 to 1000 */
	size_t thresholds;
	bool pace; /* warn also when the limit will be passed at this rate */
};

/* One period of a cap. All 0: none has begun. */
struct cap_state {
	int64_t start, end;  /* of what is counted here, and of the period */
	uint64_t used;       /* bytes, as far as they count against the limit */
	uint64_t counted;    /* what we counted of these, whatever the provider's meter said */
	uint64_t free;       /* in free hours; not in used */
	uint64_t topped_up;  /* what was bought for this period */
	uint64_t limit;      /* with that, when it was last looked at */
	unsigned int warned; /* the highest threshold that was told, per cent */
	bool pace_warned;
};

/* --- Counting */

/* How many of a series' bytes count for the cap, in free hours or not. name: what the device is called, or "". */
uint64_t cap_bytes(const struct cap *cap, const char *key, const char *name, enum reading_kind kind,
	const uint64_t value[READING_VALUES]);

/* Whether t is in free hours. */
bool cap_is_free(const struct cap *cap, int64_t t);

/* Called with a period that has ended; its state will not change any more, and is to be kept by name and start. */
typedef void cap_ended(void *ctx, const struct cap *cap, const struct cap_state *ended);

/*
 * Takes a reading of the instant at. The values of the entries are what they have more than the reading before. A
 * period that has ended by then is given to ended, and the next one begins.
 *
 * A new cap begins empty. Hours that the ledger has of the period already can be taken first, in the order of time,
 * each as a reading of the hour's end.
 *
 * The configuration may have other periods than the state: another day of the month, another zone. Then what was used
 * stays, start too, and the period ends when the new rule says. So the first one may be longer or shorter; to have the
 * provider's number, there is cap_set_used().
 */
void cap_take(const struct cap *cap, struct cap_state *state, const struct reading_entry *entry, size_t entries,
	int64_t at, cap_ended *ended, void *ctx);

/* The next instant after now at which a reading has to be taken: the period's end, or an edge of free hours. */
int64_t cap_next_cut(const struct cap *cap, int64_t now);

/*
 * The clock was ahead, and is right now: where the period has not begun, what it has is counted for the one that holds
 * now. True if so: then states that were kept of that period, and of others that have not begun, are to be added by
 * cap_state_add() and not to be kept any more.
 */
bool cap_fold_back(const struct cap *cap, struct cap_state *state, int64_t now);
void cap_state_add(struct cap_state *state, const struct cap_state *kept);

/* --- What people say */

/* The provider's own meter shows this. */
void cap_set_used(struct cap_state *state, uint64_t bytes);

/* So much was bought for this period. */
void cap_top_up(struct cap_state *state, uint64_t bytes);

/* --- What is told */

/* Of this period, with what was bought. */
uint64_t cap_limit(const struct cap *cap, const struct cap_state *state);

/* How many bytes are left; 0 when it is passed. And how many for each day that is left, counted from now. */
uint64_t cap_left(const struct cap *cap, const struct cap_state *state);
uint64_t cap_allowance(const struct cap *cap, const struct cap_state *state, int64_t now);

/*
 * The thresholds that were reached since the last call, rising. Returns how many. Each is told once in a period; again
 * only if what was used has been below it in between, since more was bought, the limit was raised or the provider's
 * number was less.
 */
size_t cap_reached(const struct cap *cap, struct cap_state *state, unsigned int percent[CAP_THRESHOLDS]);

/*
 * forecast_make() in the cap's zone. hours: the bytes that count, by cap_bytes() and cap_is_free(). *over is when the
 * limit will be passed, to the hour; 0: not in this period, or it is passed already, or nothing is known.
 */
struct forecast cap_forecast(const struct cap *cap, const struct cap_state *state, const struct forecast_hour *hours,
	size_t count, int64_t since, int64_t now, int64_t *over);

/* Whether to warn of what cap_forecast() said: once in a period, and once more when more was bought. */
bool cap_pace_reached(const struct cap *cap, struct cap_state *state, int64_t over);

/* --- To be kept */

/* Appends an object; key NULL: as a document, or within a list. */
void cap_state_put(struct buf *out, const char *key, const struct cap_state *state);

/* Reads what that wrote. -EBADMSG, and the state is empty, for anything else; NULL is that too. */
int cap_state_get(struct cap_state *state, const json_t *object);
int cap_state_parse(struct cap_state *state, const char *text);
