/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dump_schedule: when the connections are dumped. The one state machine of a dump:
 *
 *   IDLE    --start--> RUNNING
 *   RUNNING --its end--> WAITING
 *   WAITING --due, or asked for--> RUNNING
 *   any     --finish--> LAST --its end, or after two seconds--> finished
 *
 * A dump costs CPU in proportion to the connections: the time between dumps grows until their cost is below a share of
 * one core. The dispatcher reports where a dump begins and ends.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dispatch;
struct dump_schedule;

struct dump_schedule_calls {
	void *ctx;
	int (*request)(void *ctx);                  /* sends the request for a dump: 0 or -errno */
	void (*wake)(void *ctx, uint64_t delay_ns); /* calls dump_schedule_due() after this time, and not before */
	uint64_t (*cpu_ns)(void);                   /* CPU time of this process */
	void (*finished)(void *ctx);                /* the last dump has ended, or takes too long */
};

/*
 * A dump every interval_ns, begin to begin, with at most share per cent of one core. Subscribes to dispatch, which is
 * borrowed. NULL: out of memory. dump_schedule_free(NULL) is fine; dispatch must not be used after it.
 */
struct dump_schedule *dump_schedule_new(struct dispatch *dispatch, const struct dump_schedule_calls *calls,
	uint64_t interval_ns, double share);
void dump_schedule_free(struct dump_schedule *schedule);

/* Another interval and share from now on. */
void dump_schedule_configure(struct dump_schedule *schedule, uint64_t interval_ns, double share, uint64_t now);

/* Begins the first dump; the others follow. */
void dump_schedule_start(struct dump_schedule *schedule, uint64_t now);
void dump_schedule_due(struct dump_schedule *schedule, uint64_t now);

/* A dump now, whatever it costs. 0; -EBUSY if one is running, or before the first and after the last; -errno. */
int dump_schedule_now(struct dump_schedule *schedule, uint64_t now);

/* Somebody watches: until then dumps every interval_ns (at least one second), if the share allows it. */
void dump_schedule_watch(struct dump_schedule *schedule, uint64_t interval_ns, uint64_t now, uint64_t until);

/* Somebody asks once: the next dump a second after the begin of the last one, if the share allows it and none runs. */
void dump_schedule_ask(struct dump_schedule *schedule, uint64_t now);

/*
 * Somebody waits for a dump that begins after_ns from now or later: as soon as the share allows it, and at least a
 * quarter of a second after the begin of the last, so that the first packets of what that one met have come. False: not
 * within that time, and nothing has changed.
 */
bool dump_schedule_refresh(struct dump_schedule *schedule, uint64_t after_ns, uint64_t within_ns, uint64_t now);

/* One more dump, or the end of the one that runs, then calls.finished; at once before the first dump or if repeated. */
void dump_schedule_finish(struct dump_schedule *schedule);

/* The interval in force: the configured one, a watcher's, or what the share requires. Nanoseconds, as the cost. */
uint64_t dump_schedule_interval(const struct dump_schedule *schedule, uint64_t now);

uint64_t dump_schedule_cost(const struct dump_schedule *schedule);
