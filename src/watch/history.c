/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/watch/history.h"

#include "hostmeter/base/clock.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Two samples whose times differ by less are of the same reading of the counters. */
#define SAME_NS (CLOCK_NS_PER_S / 20)

const unsigned int watch_windows[WATCH_WINDOWS] = { 2, 10, 40 };

/* ---- Seconds. A slot holds the bytes of one second, or of the part of it since the first reading. */

static double slot_begin(const struct watch_history *history, uint64_t second)
{
	return fmax((double)history->begin / CLOCK_NS_PER_S, (double)second);
}

static double slot_end(const struct watch_history *history, uint64_t second)
{
	return fmin((double)history->time / CLOCK_NS_PER_S, (double)second + 1);
}

/* The oldest second that the slots hold at the latest reading. */
static uint64_t oldest_second(const struct watch_history *history)
{
	uint64_t now = history->time / CLOCK_NS_PER_S, begin = history->begin / CLOCK_NS_PER_S;

	return now - begin < WATCH_SLOTS ? begin : now - WATCH_SLOTS + 1;
}

/* Spreads bytes evenly over the time between two readings; the slots of new seconds start from 0. */
static void spread(float *slot, uint64_t from, uint64_t to, uint64_t bytes)
{
	uint64_t first = from / CLOCK_NS_PER_S, last = to / CLOCK_NS_PER_S;
	double rate = (double)bytes / (double)(to - from);

	for (uint64_t s = last - first < WATCH_SLOTS ? first : last - WATCH_SLOTS + 1; s <= last; s++) {
		uint64_t begin = s * CLOCK_NS_PER_S > from ? s * CLOCK_NS_PER_S : from;
		uint64_t end = (s + 1) * CLOCK_NS_PER_S < to ? (s + 1) * CLOCK_NS_PER_S : to;

		if (s != first)
			slot[s % WATCH_SLOTS] = 0;
		slot[s % WATCH_SLOTS] += (float)(rate * (double)(end - begin));
	}
}

/* The bytes moved since a time within the slots. */
static double sum_from(const struct watch_history *history, const float *slot, double from)
{
	uint64_t last = history->time / CLOCK_NS_PER_S;
	double sum = 0;

	for (uint64_t s = (uint64_t)from; s <= last; s++) {
		double begin = slot_begin(history, s), end = slot_end(history, s), part = 1;

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

double watch_history_rate(const struct watch_history *history, const struct watch_track *track, unsigned int families,
	int direction, double seconds)
{
	double now = (double)history->time / CLOCK_NS_PER_S, begin = slot_begin(history, oldest_second(history));
	double from = now - seconds > begin ? now - seconds : begin, sum = 0;

	if (!watch_history_has_rates(history))
		return 0;
	if (seconds <= 0)
		from = (double)history->before / CLOCK_NS_PER_S;
	for (int family = 0; family < WATCH_FAMILIES; family++)
		if (families & 1u << family)
			sum += seconds > 0 ? sum_from(history, track->slot[family][direction], from) :
					     (double)track->latest[family][direction];
	return sum / (now - from);
}

float watch_history_spark(const struct watch_history *history, const struct watch_track *track, unsigned int families,
	float *step, int count)
{
	uint64_t per_step = (uint64_t)(WATCH_SLOTS / count), last = history->time / CLOCK_NS_PER_S;
	double bytes[WATCH_SLOTS] = { 0 }, seconds[WATCH_SLOTS] = { 0 };
	float most = 0;

	/* Steps begin at multiples of their length, so that the line moves by whole steps. */
	for (uint64_t s = oldest_second(history); s <= last; s++) {
		int i = count - 1 - (int)(last / per_step - s / per_step);

		if (i < 0)
			continue;
		seconds[i] += slot_end(history, s) - slot_begin(history, s);
		for (int family = 0; family < WATCH_FAMILIES; family++)
			if (families & 1u << family)
				bytes[i] += track->slot[family][WATCH_DOWN][s % WATCH_SLOTS] +
					track->slot[family][WATCH_UP][s % WATCH_SLOTS];
	}
	for (int i = 0; i < count; i++) {
		step[i] = seconds[i] > 0 ? (float)(bytes[i] / seconds[i]) : 0;
		most = fmaxf(most, step[i]);
	}
	return most;
}

/* ---- Hosts */

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

/* Takes new counters. The first ones begin the session; those of later hosts, or that fell, count from 0. */
static void count(const struct watch_history *history, struct watch_track *track, const uint64_t *now, size_t counters)
{
	uint64_t *last = &track->last[0][0], *session = &track->session[0][0], *latest = &track->latest[0][0];

	for (size_t i = 0; i < counters; i++) {
		uint64_t more = now[i] >= last[i] ? now[i] - last[i] : now[i];
		float *slot = (&track->slot[0][0])[i];

		last[i] = now[i];
		if (history->rounds == 0)
			continue;
		session[i] += more;
		latest[i] = more;
		if (watch_history_has_rates(history))
			spread(slot, history->before, history->time, more);
		else
			slot[history->time / CLOCK_NS_PER_S % WATCH_SLOTS] = 0;
	}
}

/* Frees the tracks of hosts that are not in the latest sample. */
static void forget_absent(struct watch_history *history)
{
	struct watch_track *track, *next;

	HASH_ITER (hh, history->known, track, next) {
		if (track->serial == history->serial)
			continue;
		HASH_DEL(history->known, track);
		free(track);
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
	for (size_t i = 0; i < sample->hosts && !again; i++)
		count(history, tracks[i], &sample->host[i].bytes[0][0], WATCH_FAMILIES * WATCH_DIRECTIONS);
	for (size_t i = 0; i < sample->links && !again; i++)
		count(history, &links[i], sample->link[i].bytes, WATCH_DIRECTIONS);
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
	for (size_t i = 0; i < history->tracks; i++)
		memset(history->track[i]->session, 0, sizeof(history->track[i]->session));
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
