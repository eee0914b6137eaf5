/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/watch/history.h"

#include "hostmeter/base/clock.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Two samples whose times differ by less are of the same reading of the counters. */
#define SAME_NS (CLOCK_NS_PER_S / 20)

#define STRIDE_NS (WATCH_STRIDE_S * CLOCK_NS_PER_S)

const unsigned int watch_windows[WATCH_WINDOWS] = { 2, 10, 40 };

/*
 * ---- Slots. A slot holds the bytes of one unit of time (a second, or a stride of five), or of the part of it since
 * the first reading. begin: of the track.
 */

static double slot_begin(uint64_t begin, uint64_t slot, uint64_t unit)
{
	return fmax((double)begin / CLOCK_NS_PER_S, (double)(slot * unit) / CLOCK_NS_PER_S);
}

static double slot_end(const struct watch_history *history, uint64_t slot, uint64_t unit)
{
	return fmin((double)history->time / CLOCK_NS_PER_S, (double)((slot + 1) * unit) / CLOCK_NS_PER_S);
}

/* The oldest one that the slots hold at the latest reading. */
static uint64_t oldest_slot(const struct watch_history *history, uint64_t begin, uint64_t unit)
{
	uint64_t now = history->time / unit, first = begin / unit;

	return now - first < WATCH_SLOTS ? first : now - WATCH_SLOTS + 1;
}

/* Spreads bytes evenly over the time between two readings; new slots start from 0. */
static void spread(float *slot, uint64_t unit, uint64_t from, uint64_t to, uint64_t bytes)
{
	uint64_t first = from / unit, last = to / unit;
	double rate = (double)bytes / (double)(to - from);

	for (uint64_t s = last - first < WATCH_SLOTS ? first : last - WATCH_SLOTS + 1; s <= last; s++) {
		uint64_t begin = s * unit > from ? s * unit : from;
		uint64_t end = (s + 1) * unit < to ? (s + 1) * unit : to;

		if (s != first)
			slot[s % WATCH_SLOTS] = 0;
		slot[s % WATCH_SLOTS] += (float)(rate * (double)(end - begin));
	}
}

/* The bytes moved since a time within the slots. */
static double sum_from(const struct watch_history *history, uint64_t first, const float *slot, double from)
{
	uint64_t last = history->time / CLOCK_NS_PER_S;
	double sum = 0;

	for (uint64_t s = (uint64_t)from; s <= last; s++) {
		double begin = slot_begin(first, s, CLOCK_NS_PER_S), end = slot_end(history, s, CLOCK_NS_PER_S);
		double part = 1;

		if (from > begin)
			part = end > begin ? (end - from) / (end - begin) : 0;
		sum += slot[s % WATCH_SLOTS] * part;
	}
	return sum;
}

bool watch_history_has_rates(const struct watch_history *history)
{
	return history->time > history->begin;
}

bool watch_history_has_local_rates(const struct watch_history *history)
{
	return history->local_begin && history->time > history->local_begin;
}

double watch_history_rate(const struct watch_history *history, const struct watch_track *track, unsigned int families,
	int direction, double seconds)
{
	double now = (double)history->time / CLOCK_NS_PER_S;
	double begin = slot_begin(track->begin, oldest_slot(history, track->begin, CLOCK_NS_PER_S), CLOCK_NS_PER_S);
	double from = now - seconds > begin ? now - seconds : begin, sum = 0;

	if (history->time <= track->begin)
		return 0;
	if (seconds <= 0)
		from = (double)history->before / CLOCK_NS_PER_S;
	for (int family = 0; family < WATCH_FAMILIES; family++)
		if (families & 1u << family)
			sum += seconds > 0 ? sum_from(history, track->begin, track->slot[family][direction], from) :
					     (double)track->latest[family][direction];
	return sum / (now - from);
}

/* The bytes of a slot, both directions. */
static float in_slot(const struct watch_track *track, unsigned int families, uint64_t unit, uint64_t slot)
{
	float sum = 0;

	for (int family = 0; family < WATCH_FAMILIES; family++) {
		if (!(families & 1u << family))
			continue;
		sum += unit == STRIDE_NS ? track->stride[family][slot % WATCH_SLOTS] :
					   track->slot[family][WATCH_DOWN][slot % WATCH_SLOTS] +
				track->slot[family][WATCH_UP][slot % WATCH_SLOTS];
	}
	return sum;
}

static float spark(const struct watch_history *history, const struct watch_track *track, unsigned int families,
	uint64_t unit, float *step, int count)
{
	uint64_t per_step = (uint64_t)(WATCH_SLOTS / count), last = history->time / unit;
	double bytes[WATCH_SLOTS] = { 0 }, seconds[WATCH_SLOTS] = { 0 };
	float most = 0;

	/* Steps begin at multiples of their length, so that the line moves by whole steps. */
	for (uint64_t s = oldest_slot(history, track->begin, unit); s <= last; s++) {
		int i = count - 1 - (int)(last / per_step - s / per_step);

		if (i < 0)
			continue;
		seconds[i] += slot_end(history, s, unit) - slot_begin(track->begin, s, unit);
		bytes[i] += in_slot(track, families, unit, s);
	}
	for (int i = 0; i < count; i++) {
		step[i] = seconds[i] > 0 ? (float)(bytes[i] / seconds[i]) : 0;
		most = fmaxf(most, step[i]);
	}
	return most;
}

float watch_history_spark(const struct watch_history *history, const struct watch_track *track, unsigned int families,
	float *step, int count)
{
	return spark(history, track, families, CLOCK_NS_PER_S, step, count);
}

float watch_history_long_spark(const struct watch_history *history, const struct watch_track *track,
	unsigned int families, float *step, int count)
{
	return spark(history, track, families, STRIDE_NS, step, count);
}

/* ---- Hosts */

const struct watch_track *watch_history_track(const struct watch_history *history, size_t host, bool local)
{
	static const struct watch_track nothing;
	const struct watch_track *track = history->track[host];

	return !local ? track : track->local ? track->local : &nothing;
}

/* Finds or makes the track of a host. NULL: out of memory. */
static struct watch_track *track_of(struct watch_history *history, const struct watch_sample_host *host)
{
	enum { KEY_LEN = WATCH_LABEL + MAC_TEXT }; /* label and mac, padded with zeros: both structs begin so */
	struct watch_track *track;

	HASH_FIND(hh, history->known, host, KEY_LEN, track);
	if (track)
		return track;
	track = calloc(1, sizeof(*track));
	if (!track)
		return NULL;
	memcpy(track, host, KEY_LEN);
	HASH_ADD_KEYPTR(hh, history->known, track, KEY_LEN, track);
	return track;
}

/* Puts the bytes since the reading before into the slots. */
static void fill(const struct watch_history *history, const struct watch_track *track, float *slot, uint64_t unit,
	uint64_t more)
{
	if (history->time > track->begin)
		spread(slot, unit, history->before, history->time, more);
	else
		slot[history->time / unit % WATCH_SLOTS] = 0;
}

/*
 * Takes new counters of some families; begin: of the averages. The first ones begin the session; those of later hosts,
 * or that fell, count from 0.
 */
static void count(const struct watch_history *history, struct watch_track *track, uint64_t begin, bool first,
	const uint64_t now[][WATCH_DIRECTIONS], int families)
{
	track->begin = begin;
	for (int f = 0; f < families; f++) {
		uint64_t both = 0;

		for (int d = 0; d < WATCH_DIRECTIONS; d++) {
			uint64_t last = track->last[f][d], more = now[f][d] >= last ? now[f][d] - last : now[f][d];

			track->last[f][d] = now[f][d];
			if (first)
				continue;
			track->session[f][d] += more;
			track->latest[f][d] = more;
			both += more;
			fill(history, track, track->slot[f][d], CLOCK_NS_PER_S, more);
		}
		if (!first)
			fill(history, track, track->stride[f], STRIDE_NS, both);
	}
}

/* The same for all that a reading has. */
static void count_all(struct watch_history *history, struct watch_track *const *tracks, struct watch_track *links,
	const struct watch_sample *sample)
{
	bool first = !history->rounds, first_local = !history->local_begin;

	if (sample->has_local && (first_local || history->time < history->local_begin))
		history->local_begin = history->time;
	for (size_t i = 0; i < sample->hosts; i++) {
		count(history, tracks[i], history->begin, first, sample->host[i].bytes, WATCH_FAMILIES);
		if (tracks[i]->local && sample->has_local)
			count(history, tracks[i]->local, history->local_begin, first_local, sample->host[i].local,
				WATCH_FAMILIES);
	}
	for (size_t i = 0; i < sample->links; i++)
		count(history, &links[i], history->begin, first, &sample->link[i].bytes, 1);
}

static void free_track(struct watch_track *track)
{
	if (track)
		free(track->local);
	free(track);
}

/* Frees the tracks of hosts that are not in the latest sample. */
static void forget_absent(struct watch_history *history)
{
	struct watch_track *track, *next;

	HASH_ITER (hh, history->known, track, next) {
		if (track->serial == history->serial)
			continue;
		HASH_DEL(history->known, track);
		free_track(track);
	}
}

/* The tracks of a sample's links; known ones are copied. NULL: there are none, or out of memory. */
static struct watch_track *tracks_of_links(const struct watch_history *history, const struct watch_sample *sample)
{
	struct watch_track *links = sample->links ? calloc(sample->links, sizeof(*links)) : NULL;

	for (size_t i = 0; links && i < sample->links; i++) {
		/* An interface has counted since the machine started: a new link begins at its present counters. */
		strcpy(links[i].label, sample->link[i].name);
		memcpy(links[i].last[0], sample->link[i].bytes, sizeof(links[i].last[0]));
		for (size_t known = 0; known < history->links; known++)
			if (!strcmp(history->link[known].label, sample->link[i].name))
				links[i] = history->link[known];
	}
	return links;
}

/* Such a sample adds no bytes: they are counted at the next reading. */
static bool is_same_reading(const struct watch_history *history, uint64_t taken)
{
	return history->rounds && taken < history->time + SAME_NS && history->time < taken + SAME_NS;
}

int watch_history_add(struct watch_history *history, struct watch_sample *sample)
{
	struct watch_track **tracks = calloc(sample->hosts ? sample->hosts : 1, sizeof(struct watch_track *));
	struct watch_track *links = tracks_of_links(history, sample);
	bool again = is_same_reading(history, sample->taken);

	history->serial++;
	if (!tracks || (sample->links && !links))
		goto no_memory;
	for (size_t i = 0; i < sample->hosts; i++) {
		tracks[i] = track_of(history, &sample->host[i]);
		if (!tracks[i])
			goto no_memory;
		if (sample->has_local && !tracks[i]->local)
			tracks[i]->local = calloc(1, sizeof(*tracks[i]->local));
		if (sample->has_local && !tracks[i]->local)
			goto no_memory;
		/* A host that is listed twice counts once. */
		if (tracks[i]->serial == history->serial) {
			sample->host[i--] = sample->host[--sample->hosts];
			continue;
		}
		tracks[i]->serial = history->serial;
	}
	if (!again) {
		/* The first sample, or the clock was set back: averages begin here. */
		if (!history->rounds || sample->taken < history->time)
			history->begin = history->time = sample->taken;
		history->before = history->time;
		history->time = sample->taken;
	}
	if (!again)
		count_all(history, tracks, links, sample);
	history->rounds++;
	forget_absent(history);
	free(history->track);
	history->track = tracks;
	history->tracks = sample->hosts;
	free(history->link);
	history->link = links;
	history->links = sample->links;
	watch_sample_clear(&history->sample);
	history->sample = *sample;
	*sample = (struct watch_sample){ 0 };
	return 0;

no_memory:
	free(tracks);
	free(links);
	watch_sample_clear(sample);
	return -ENOMEM;
}

void watch_history_zero(struct watch_history *history)
{
	for (size_t i = 0; i < history->tracks; i++) {
		struct watch_track *track = history->track[i], *local = track->local;

		memset(track->session, 0, sizeof(track->session));
		if (local)
			memset(local->session, 0, sizeof(local->session));
	}
	for (size_t i = 0; i < history->links; i++)
		memset(history->link[i].session, 0, sizeof(history->link[i].session));
}

void watch_history_clear(struct watch_history *history)
{
	history->serial++;
	forget_absent(history);
	free(history->track);
	free(history->link);
	watch_connections_clear(&history->connections);
	watch_sample_clear(&history->sample);
	*history = (struct watch_history){ 0 };
}
