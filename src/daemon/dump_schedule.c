/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dump_schedule.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/meter/dispatch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LAST_NS (2 * CLOCK_NS_PER_S)
#define REFRESH_NS (CLOCK_NS_PER_S / 4) /* longer than NFLOG's timeout */

enum phase { IDLE, RUNNING, WAITING, LAST };

struct dump_schedule {
	struct dump_schedule_calls call;
	enum phase phase;
	uint64_t interval_ns;
	double share;                     /* of one core, per cent */
	uint64_t began_ns, began_cpu_ns;  /* of the latest dump */
	uint64_t cost_ns;                 /* CPU time of the latest dump that ended */
	uint64_t watch_ns, watched_until; /* the interval that a watcher asked for */
	uint64_t refresh;                 /* somebody waits for one that begins then, or later; 0: nobody */
	struct log_limit failed;
};

/* --- When the next is due */

/* The interval that the share allows. */
static uint64_t affordable_ns(const struct dump_schedule *s)
{
	return (uint64_t)((double)s->cost_ns * 100 / s->share);
}

uint64_t dump_schedule_interval(const struct dump_schedule *s, uint64_t now)
{
	uint64_t interval = s->interval_ns, affordable = affordable_ns(s);

	if (now < s->watched_until && s->watch_ns < interval)
		interval = s->watch_ns;
	return interval > affordable ? interval : affordable;
}

uint64_t dump_schedule_cost(const struct dump_schedule *s)
{
	return s->cost_ns;
}

/* When a dump for somebody who waits may begin; from: not before. */
static uint64_t soonest(const struct dump_schedule *s, uint64_t from)
{
	uint64_t affordable = affordable_ns(s),
		 soon = s->began_ns + (affordable > REFRESH_NS ? affordable : REFRESH_NS);

	return soon > from ? soon : from;
}

static void plan(struct dump_schedule *s, uint64_t now)
{
	uint64_t due = s->began_ns + dump_schedule_interval(s, now), soon = soonest(s, s->refresh);

	if (s->refresh && soon < due)
		due = soon;
	if (s->phase == WAITING)
		s->call.wake(s->call.ctx, due > now ? due - now : 0);
}

void dump_schedule_configure(struct dump_schedule *s, uint64_t interval_ns, double share, uint64_t now)
{
	s->interval_ns = interval_ns;
	s->share = share;
	plan(s, now);
}

void dump_schedule_watch(struct dump_schedule *s, uint64_t interval_ns, uint64_t now, uint64_t until)
{
	if (interval_ns < CLOCK_NS_PER_S)
		interval_ns = CLOCK_NS_PER_S;
	/* Of several watchers the one with the shortest interval counts, as long as it watches. */
	if (now >= s->watched_until || interval_ns <= s->watch_ns) {
		s->watch_ns = interval_ns;
		s->watched_until = until;
	}
	plan(s, now);
}

void dump_schedule_ask(struct dump_schedule *s, uint64_t now)
{
	if (s->phase == WAITING)
		dump_schedule_watch(s, CLOCK_NS_PER_S, now, now + CLOCK_NS_PER_MS);
}

bool dump_schedule_refresh(struct dump_schedule *s, uint64_t after_ns, uint64_t within_ns, uint64_t now)
{
	if ((s->phase != WAITING && s->phase != RUNNING) || soonest(s, now + after_ns) > now + within_ns)
		return false;
	/* Of several, the first; who needs a later one asks when it has begun. */
	if (!s->refresh)
		s->refresh = now + after_ns;
	plan(s, now);
	return true;
}

/* --- From one to the next */

static int begin(struct dump_schedule *s, uint64_t now)
{
	int error;

	s->began_ns = now;
	s->began_cpu_ns = s->call.cpu_ns();
	if (now >= s->refresh)
		s->refresh = 0;
	error = s->call.request(s->call.ctx);
	if (!error)
		return 0;
	log_repeated(&s->failed, LOG_PERIOD_NS, now, "dump of the connections: %s", strerror(-error));
	s->cost_ns = 0;
	s->phase = WAITING;
	plan(s, now);
	return error;
}

/* nl repeats the request of an interrupted dump: the cost counts from the first request. */
static void on_began(void *ctx, uint64_t now)
{
	struct dump_schedule *s = ctx;

	(void)now;
	if (s->phase != LAST)
		s->phase = RUNNING;
}

/* The kernel makes a dump while it is read: its cost is CPU time of this process. */
static void on_ended(void *ctx, bool complete, uint64_t now)
{
	struct dump_schedule *s = ctx;

	(void)complete;
	s->cost_ns = s->call.cpu_ns() - s->began_cpu_ns;
	if (s->phase == LAST) {
		s->call.finished(s->call.ctx);
		return;
	}
	s->phase = WAITING;
	plan(s, now);
}

void dump_schedule_start(struct dump_schedule *s, uint64_t now)
{
	if (s->phase == IDLE)
		begin(s, now);
}

void dump_schedule_due(struct dump_schedule *s, uint64_t now)
{
	if (s->phase == LAST)
		s->call.finished(s->call.ctx);
	else if (s->phase == WAITING)
		begin(s, now);
}

int dump_schedule_now(struct dump_schedule *s, uint64_t now)
{
	return s->phase == WAITING ? begin(s, now) : -EBUSY;
}

void dump_schedule_finish(struct dump_schedule *s)
{
	enum phase before = s->phase;

	s->phase = LAST;
	if (before == IDLE || before == LAST || (before == WAITING && s->call.request(s->call.ctx)))
		s->call.finished(s->call.ctx);
	else
		s->call.wake(s->call.ctx, LAST_NS);
}

/* --- Made and freed */

struct dump_schedule *dump_schedule_new(struct dispatch *dispatch, const struct dump_schedule_calls *calls,
	uint64_t interval_ns, double share)
{
	struct dump_schedule *s = calloc(1, sizeof(*s));
	const struct dispatch_listener listener = { .ctx = s, .dump_began = on_began, .dump_ended = on_ended };

	if (!s)
		return NULL;
	*s = (struct dump_schedule){ .call = *calls, .interval_ns = interval_ns, .share = share };
	if (!dispatch_subscribe(dispatch, &listener))
		return s;
	free(s);
	return NULL;
}

void dump_schedule_free(struct dump_schedule *schedule)
{
	free(schedule);
}
