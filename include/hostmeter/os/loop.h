/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * loop: the event loop of the process, on libev. Callbacks run in one thread and must return soon: they leave further
 * work to the next turn. A handle belongs to its loop. *_del(NULL) is fine; a callback may delete its own handle.
 */
#pragma once

#include <stdint.h>

struct loop;
struct loop_io;
struct loop_timer;
struct loop_signal;

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* A loop, or NULL (errno). loop_free() also frees the remaining handles. */
struct loop *loop_new(void);
void loop_free(struct loop *loop);

/* Runs until loop_stop(). The turn that stops it is finished. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* clock_mono_ns() at the start of this turn. */
uint64_t loop_now_ns(const struct loop *loop);

/* The longest duration of the callbacks of one turn since the last call, in nanoseconds. */
uint64_t loop_stall_ns(struct loop *loop);

/* turn_end is called at the end of every turn, after all its callbacks. */
void loop_on_turn_end(struct loop *loop, void (*turn_end)(void *ctx), void *ctx);

/* Calls ready in every turn in which fd is ready for one of events. fd stays the caller's. NULL: errno. */
struct loop_io *loop_io_add(struct loop *loop, int fd, int events, void (*ready)(void *ctx, int events), void *ctx);

/* Either may be called twice. */
void loop_io_pause(struct loop_io *io);
void loop_io_resume(struct loop_io *io);
void loop_io_del(struct loop_io *io);

/* A stopped timer. loop_timer_set() lets it fire once, delay_ns after the call. NULL: errno. */
struct loop_timer *loop_timer_add(struct loop *loop, void (*fired)(void *ctx), void *ctx);
void loop_timer_set(struct loop_timer *timer, uint64_t delay_ns);
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_del(struct loop_timer *timer);

/* raised is called in a turn after the signal, not in the signal handler. NULL: errno. */
struct loop_signal *loop_signal_add(struct loop *loop, int signo, void (*raised)(void *ctx, int signo), void *ctx);
void loop_signal_del(struct loop_signal *signal);
