/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop: the one event loop (libev), so that nobody else includes ev.h.
 *
 * Callbacks run one after the other in the one thread and must return soon: what has more work keeps it for the next
 * turn. Every handle belongs to its loop; *_del(NULL) is fine, also from inside its own callback.
 */
#ifndef HOSTMETER_OS_LOOP_H
#define HOSTMETER_OS_LOOP_H

#include <stdint.h>

struct loop;
struct loop_io;
struct loop_timer;
struct loop_signal;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* A loop, or NULL (errno set). loop_free(NULL) is fine; handles still there are freed with it. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* Runs until loop_stop(). The turn that stops it is finished. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Monotonic time of this turn in nanoseconds (clock_mono_ns() at its start), the "now" to hand on. */
uint64_t loop_now_ns(const struct loop *loop);

/* The longest time one turn's callbacks took since the last call, in nanoseconds; the call starts anew from 0. */
uint64_t loop_stall_ns(struct loop *loop);

/* Called once at the end of every turn, after all its callbacks: for what is worth doing once for many of them. */
void loop_on_turn_end(struct loop *loop, void (*turn_end)(void *ctx), void *ctx);

/* Level-triggered: called in every turn in which fd is ready for one of events. NULL: errno. The fd stays the caller's.
 */
struct loop_io *loop_io_add(struct loop *loop, int fd, int events, void (*ready)(void *ctx, int events), void *ctx);

/* Stops looking at it, and looks again. Either may be called twice. */
void loop_io_pause(struct loop_io *io);
void loop_io_resume(struct loop_io *io);
void loop_io_del(struct loop_io *io);

/* A timer at rest. loop_timer_set() lets it fire once after delay_ns (again from its callback to repeat). */
struct loop_timer *loop_timer_add(struct loop *loop, void (*fired)(void *ctx), void *ctx);
void loop_timer_set(struct loop_timer *timer, uint64_t delay_ns);
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_del(struct loop_timer *timer);

/* A signal, delivered as an ordinary callback of a later turn: nothing runs inside a signal handler. */
struct loop_signal *loop_signal_add(struct loop *loop, int signo, void (*raised)(void *ctx, int signo), void *ctx);
void loop_signal_del(struct loop_signal *signal);

#endif
