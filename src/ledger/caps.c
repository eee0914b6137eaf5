/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "caps.h"

#include "hostmeter/base/buf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { MINUTE_S = 60, HOUR_S = 60 * MINUTE_S, DAY_S = 24 * HOUR_S, PERCENT_MAX = 1000 };

/* Free hours that daylight saving leaves out on one day are there on the next. */
enum { LOOK_AHEAD_S = 3 * DAY_S };

/* The end of the year 9999. */
#define LATEST INT64_C(253402300799)

/* --- The zone */

/* The zone that was in use before, to be put back as it was written: not each of them is one for calendar_use(). */
struct zone {
	char *before;
	bool changed;
};

static struct zone enter(const struct cap *cap)
{
	const char *now = getenv("TZ");
	struct zone zone = { 0 };

	if (!cap->zone || !*cap->zone || (now && !strcmp(now, cap->zone)))
		return zone;
	if (now && !(zone.before = strdup(now)))
		return zone;
	zone.changed = !calendar_use(cap->zone);
	return zone;
}

static void leave(struct zone zone)
{
	if (zone.changed) {
		if (zone.before)
			setenv("TZ", zone.before, 1);
		else
			unsetenv("TZ");
		tzset();
	}
	free(zone.before);
}

/* --- Which bytes */

static uint64_t add(uint64_t a, uint64_t b)
{
	return a > CAP_BYTES_MAX || b > CAP_BYTES_MAX - a ? CAP_BYTES_MAX : a + b;
}

/* MACs may be written in capitals. */
static bool has_key(const struct cap_list *list, const char *key)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcasecmp(list->item[i], key))
			return true;
	return false;
}

static bool has(const struct cap_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->item[i], text))
			return true;
	return false;
}

static bool is_counted(const struct cap *cap, const char *key, const char *name, enum reading_kind kind)
{
	static const char prefix[] = "wan ";

	if (cap->basis == CAP_INTERFACES)
		return kind == READING_INTERFACE && !strncmp(key, prefix, strlen(prefix)) &&
			(!cap->wan.count || has(&cap->wan, key + strlen(prefix)));
	if (kind != READING_WAN4 && kind != READING_WAN6)
		return false;
	return cap->basis == CAP_FLOWS || has_key(&cap->devices, key) || (*name && has(&cap->devices, name));
}

uint64_t cap_bytes(const struct cap *cap, const char *key, const char *name, enum reading_kind kind,
	const uint64_t value[READING_VALUES])
{
	if (!is_counted(cap, key, name, kind))
		return 0;
	return add(cap->count == CAP_OUT ? 0 : value[READING_IN_BYTES],
		cap->count == CAP_IN ? 0 : value[READING_OUT_BYTES]);
}

/* --- Free hours; in the cap's zone */

static int second_of_day(int64_t t)
{
	time_t seconds = (time_t)t;
	struct tm tm = { 0 };

	localtime_r(&seconds, &tm);
	return tm.tm_hour * HOUR_S + tm.tm_min * MINUTE_S + tm.tm_sec;
}

static bool is_free(const struct cap *cap, int64_t t)
{
	int minute = cap->ranges ? second_of_day(t) / MINUTE_S : 0;

	for (size_t i = 0; i < cap->ranges; i++) {
		const struct cap_range *r = &cap->free[i];
		bool after = minute >= r->from, before = minute < r->to;

		if (r->from < r->to ? after && before : r->from > r->to && (after || before))
			return true;
	}
	return false;
}

/* The first instant of [start, end), which has one offset, that is free or not as is wanted; end: there is none. */
static int64_t first_that_is(const struct cap *cap, bool wanted, int64_t start, int64_t end)
{
	int since = second_of_day(start);
	int64_t first = end;

	if (is_free(cap, start) == wanted)
		return start;
	for (size_t i = 0; i < 2 * cap->ranges; i++) {
		const struct cap_range *r = &cap->free[i / 2];
		int64_t edge = start + (i % 2 ? r->to : r->from) * MINUTE_S - since;

		if (edge > start && edge < first && is_free(cap, edge) == wanted)
			first = edge;
	}
	return first;
}

/* The next edge after now; INT64_MAX: there is none. */
static int64_t next_edge(const struct cap *cap, int64_t now)
{
	bool wanted = !is_free(cap, now);

	for (int64_t start = now, next; cap->ranges && start < now + LOOK_AHEAD_S; start = next) {
		int64_t edge;

		next = calendar_next_hour(start);
		edge = first_that_is(cap, wanted, start, next);
		if (edge < next)
			return edge;
	}
	return INT64_MAX;
}

bool cap_is_free(const struct cap *cap, int64_t t)
{
	struct zone zone = enter(cap);
	bool answer = is_free(cap, t);

	leave(zone);
	return answer;
}

int64_t cap_next_cut(const struct cap *cap, int64_t now)
{
	struct zone zone = enter(cap);
	int64_t end = period_at(&cap->rule, now).end, edge = next_edge(cap, now);

	leave(zone);
	return edge < end ? edge : end;
}

/* --- Periods; in the cap's zone */

static void begin(const struct cap *cap, struct cap_state *state, int64_t t)
{
	struct period period = period_at(&cap->rule, t);
	int64_t last = state->end;

	/* With another rule than before, its period may have begun before the last one ended. */
	*state = (struct cap_state){ .start = period.start > last ? period.start : last, .end = period.end };
	state->limit = cap_limit(cap, state);
}

/* Makes the state that of the period that t is in. */
static void settle(const struct cap *cap, struct cap_state *state, int64_t t, cap_ended *ended, void *ctx)
{
	if (!state->end) {
		begin(cap, state, t);
	} else if (t >= state->end) {
		if (ended)
			ended(ctx, cap, state);
		begin(cap, state, t);
	} else if (t >= state->start) {
		state->end = period_at(&cap->rule, t).end;
	}
	/* Earlier than its start: the clock was put back a little. What comes counts for the new period. */
}

void cap_take(const struct cap *cap, struct cap_state *state, const struct reading_entry *entry, size_t entries,
	int64_t at, cap_ended *ended, void *ctx)
{
	struct zone zone = enter(cap);
	uint64_t bytes = 0;

	for (size_t i = 0; i < entries; i++)
		bytes = add(bytes, cap_bytes(cap, entry[i].key, entry[i].name, entry[i].kind, entry[i].value));
	settle(cap, state, at - 1, ended, ctx);
	if (is_free(cap, at - 1)) {
		state->free = add(state->free, bytes);
	} else {
		state->used = add(state->used, bytes);
		state->counted = add(state->counted, bytes);
	}
	if (at >= state->end)
		settle(cap, state, at, ended, ctx);
	leave(zone);
}

bool cap_fold_back(const struct cap *cap, struct cap_state *state, int64_t now)
{
	struct zone zone;
	struct period period;

	if (!state->end || now >= state->start)
		return false;
	zone = enter(cap);
	period = period_at(&cap->rule, now);
	state->start = period.start;
	state->end = period.end;
	leave(zone);
	return true;
}

void cap_state_add(struct cap_state *state, const struct cap_state *kept)
{
	if (kept->start < state->start)
		state->start = kept->start;
	state->used = add(state->used, kept->used);
	state->counted = add(state->counted, kept->counted);
	state->free = add(state->free, kept->free);
	state->topped_up = add(state->topped_up, kept->topped_up);
	if (kept->warned > state->warned)
		state->warned = kept->warned;
	state->pace_warned |= kept->pace_warned;
}

/* --- What people say, and what they are told */

void cap_set_used(struct cap_state *state, uint64_t bytes)
{
	state->used = add(bytes, 0);
}

void cap_top_up(struct cap_state *state, uint64_t bytes)
{
	state->topped_up = add(state->topped_up, bytes);
	state->pace_warned = false;
}

uint64_t cap_limit(const struct cap *cap, const struct cap_state *state)
{
	return add(cap->limit, state->topped_up);
}

uint64_t cap_left(const struct cap *cap, const struct cap_state *state)
{
	uint64_t limit = cap_limit(cap, state);

	return limit > state->used ? limit - state->used : 0;
}

uint64_t cap_allowance(const struct cap *cap, const struct cap_state *state, int64_t now)
{
	uint64_t left = cap_left(cap, state);
	int64_t seconds = state->end - now;

	return seconds <= DAY_S ? left : (uint64_t)((double)left * DAY_S / (double)seconds);
}

/* The bytes that are so many per cent of the limit, rounded up. */
static uint64_t share_of(uint64_t limit, unsigned int percent)
{
	return limit / 100 * percent + (limit % 100 * percent + 99) / 100;
}

/* The highest threshold that is reached; 0: none. */
static unsigned int highest(const struct cap *cap, const struct cap_state *state)
{
	uint64_t limit = cap_limit(cap, state);
	unsigned int reached = 0;

	for (size_t i = 0; i < cap->thresholds; i++)
		if (state->used >= share_of(limit, cap->warn[i]) && cap->warn[i] > reached)
			reached = cap->warn[i];
	return reached;
}

size_t cap_reached(const struct cap *cap, struct cap_state *state, unsigned int percent[CAP_THRESHOLDS])
{
	unsigned int now = highest(cap, state);
	size_t count = 0;

	state->limit = cap_limit(cap, state);
	for (size_t i = 0; i < cap->thresholds; i++)
		if (cap->warn[i] > state->warned && cap->warn[i] <= now)
			percent[count++] = cap->warn[i];
	state->warned = now;
	return count;
}

/* When the limit will be passed, if the forecast for the end of the period says that it will. */
static int64_t time_over(const struct cap *cap, const struct cap_state *state, const struct forecast_hour *hours,
	size_t count, int64_t since, int64_t now)
{
	uint64_t limit = cap_limit(cap, state);
	int64_t low = now, high = state->end;

	while (high - low > HOUR_S) {
		const struct period part = { state->start, low + (high - low) / 2 };

		if (forecast_make(hours, count, since, &part, now, state->used).likely > limit)
			high = part.end;
		else
			low = part.end;
	}
	return low;
}

struct forecast cap_forecast(const struct cap *cap, const struct cap_state *state, const struct forecast_hour *hours,
	size_t count, int64_t since, int64_t now, int64_t *over)
{
	const struct period period = { state->start, state->end };
	uint64_t limit = cap_limit(cap, state);
	struct zone zone = enter(cap);
	struct forecast forecast = forecast_make(hours, count, since, &period, now, state->used);

	*over = 0;
	if (state->used <= limit && forecast.likely > limit)
		*over = time_over(cap, state, hours, count, since, now);
	leave(zone);
	return forecast;
}

bool cap_pace_reached(const struct cap *cap, struct cap_state *state, int64_t over)
{
	if (!cap->pace || !over || state->pace_warned)
		return false;
	state->pace_warned = true;
	return true;
}

/* --- To be kept */

void cap_state_put(struct buf *out, const char *key, const struct cap_state *state)
{
	json_begin(out, key, '{');
	json_put_u64(out, "start", (uint64_t)state->start);
	json_put_u64(out, "end", (uint64_t)state->end);
	json_put_u64(out, "used", state->used);
	json_put_u64(out, "counted", state->counted);
	json_put_u64(out, "free", state->free);
	json_put_u64(out, "topped_up", state->topped_up);
	json_put_u64(out, "limit", state->limit);
	json_put_u64(out, "warned", state->warned);
	json_put_bool(out, "pace_warned", state->pace_warned);
	json_end(out, '}');
}

/* A whole number up to most, and 0 where there is none. False: there is something else. */
static bool get(const json_t *object, const char *key, uint64_t most, uint64_t *number)
{
	const json_t *value = json_object_get(object, key);

	*number = json_to_u64(value);
	return !value || (json_is_integer(value) && json_integer_value(value) >= 0 && *number <= most);
}

int cap_state_get(struct cap_state *state, const json_t *object)
{
	struct cap_state s = { 0 };
	const json_t *pace = json_object_get(object, "pace_warned");
	uint64_t start, end, warned;
	bool good = get(object, "start", LATEST, &start) && get(object, "end", LATEST, &end) && start < end &&
		json_object_get(object, "used") && get(object, "used", CAP_BYTES_MAX, &s.used) &&
		get(object, "counted", CAP_BYTES_MAX, &s.counted) && get(object, "free", CAP_BYTES_MAX, &s.free) &&
		get(object, "topped_up", CAP_BYTES_MAX, &s.topped_up) &&
		get(object, "limit", CAP_BYTES_MAX, &s.limit) && get(object, "warned", PERCENT_MAX, &warned) &&
		(!pace || json_is_boolean(pace));

	*state = (struct cap_state){ 0 };
	if (!good)
		return -EBADMSG;
	s.start = (int64_t)start;
	s.end = (int64_t)end;
	s.warned = (unsigned int)warned;
	s.pace_warned = json_is_true(pace);
	*state = s;
	return 0;
}

int cap_state_parse(struct cap_state *state, const char *text)
{
	json_t *document = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;
	int error = cap_state_get(state, document);

	json_decref(document);
	return error;
}
