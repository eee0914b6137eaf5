/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dump_schedule: when the connections are dumped. The one state machine of a dump:
 *
 *   IDLE    --start--> RUNNING
 *   RUNNING --its end--> WAITING
 *   WAITING --due, or asked for--> RUNNING
 *   any     --finish--> LAST --its end, or after two seconds--> finished
 *
 * A dump costs CPU in proportion to the connections, so the time between dumps stretches until dumping stays under a
 * share of one core. The dispatcher tells where a dump begins and ends. Time is an argument here, or a call.
 */
#ifndef HOSTMETER_DAEMON_DUMP_SCHEDULE_H
#define HOSTMETER_DAEMON_DUMP_SCHEDULE_H

#include <stdint.h>

struct dispatch;
struct dump_schedule;

struct dump_schedule_calls {
	void *ctx;
	int (*request)(void *ctx);                  /* sends the request for a dump: 0 or -errno */
	void (*wake)(void *ctx, uint64_t delay_ns); /* calls dump_schedule_due() so much later, and not before */
	uint64_t (*cpu_ns)(void);                   /* CPU time of this process */
	void (*finished)(void *ctx);                /* what dump_schedule_finish() asked for is done */
};

/*
 * A dump every interval_ns, begin to begin, with at most share per cent of one core. Subscribes to dispatch, which is
 * borrowed. NULL: out of memory. dump_schedule_free(NULL) is fine; dispatch must not be used after it.
 */
struct dump_schedule *dump_schedule_new(struct dispatch *dispatch, const struct dump_schedule_calls *calls,
	uint64_t interval_ns, double share);
void dump_schedule_free(struct dump_schedule *schedule);

/* The first dump, now, and from then on the next ones. */
void dump_schedule_start(struct dump_schedule *schedule, uint64_t now);

/* The time of calls.wake has come. */
void dump_schedule_due(struct dump_schedule *schedule, uint64_t now);

/* A dump now, whatever it costs. 0; -EBUSY if one is running, or before the first and after the last; -errno. */
int dump_schedule_now(struct dump_schedule *schedule, uint64_t now);

/* Somebody watches: dumps every interval_ns (one second at the least) until then, if the share allows it. */
void dump_schedule_watch(struct dump_schedule *schedule, uint64_t interval_ns, uint64_t now, uint64_t until);

/* Somebody asks once: the next dump one second after the last one's begin, if the share allows it and none runs. */
void dump_schedule_ask(struct dump_schedule *schedule, uint64_t now);

/* One more dump, the one that runs if any, then calls.finished. At once before the first dump or if asked again. */
void dump_schedule_finish(struct dump_schedule *schedule);

/* The interval that holds now: the configured one, a watcher's, or what the share asks for. */
uint64_t dump_schedule_interval(const struct dump_schedule *schedule, uint64_t now);

/* CPU time of the last dump, nanoseconds. */
uint64_t dump_schedule_cost(const struct dump_schedule *schedule);

#endif
