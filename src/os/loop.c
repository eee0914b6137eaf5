/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/loop.h"

#include "hostmeter/base/clock.h"

#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <utlist.h>

_Static_assert((int)LOOP_READ == EV_READ && (int)LOOP_WRITE == EV_WRITE, "events are handed on as they are");

/* The start of every handle, in a list of the loop. */
struct handle {
	struct handle *prev, *next;
	struct loop *loop;
	void (*stop)(struct handle *handle);
	void *ctx;
};

struct loop {
	struct ev_loop *ev;
	ev_check turn_begins;
	ev_prepare turn_ends;
	struct handle *handles;
	uint64_t now_ns;
	uint64_t stall_ns;
	void (*turn_end)(void *ctx);
	void *turn_end_ctx;
};

struct loop_io {
	struct handle handle;
	ev_io watcher;
	void (*ready)(void *ctx, int events);
};

struct loop_timer {
	struct handle handle;
	ev_timer watcher;
	void (*fired)(void *ctx);
};

struct loop_signal {
	struct handle handle;
	ev_signal watcher;
	void (*raised)(void *ctx, int signo);
};

static void *handle_new(struct loop *loop, size_t size, void (*stop)(struct handle *handle), void *ctx)
{
	struct handle *handle = calloc(1, size);

	if (!handle)
		return NULL;
	*handle = (struct handle){ .loop = loop, .stop = stop, .ctx = ctx };
	DL_APPEND(loop->handles, handle);
	return handle;
}

static void handle_free(void *start)
{
	struct handle *handle = start;

	if (!handle)
		return;
	handle->stop(handle);
	DL_DELETE(handle->loop->handles, handle);
	free(handle);
}

/* libev calls "check" before and "prepare" after the callbacks of a turn. */
static void turn_begins(struct ev_loop *ev, ev_check *watcher, int events)
{
	struct loop *loop = watcher->data;

	(void)ev, (void)events;
	loop->now_ns = clock_mono_ns();
}

static void note_stall(struct loop *loop)
{
	uint64_t took = clock_mono_ns() - loop->now_ns;

	if (took > loop->stall_ns)
		loop->stall_ns = took;
}

static void turn_ends(struct ev_loop *ev, ev_prepare *watcher, int events)
{
	struct loop *loop = watcher->data;

	(void)ev, (void)events;
	if (loop->turn_end)
		loop->turn_end(loop->turn_end_ctx);
	note_stall(loop);
}

struct loop *loop_new(void)
{
	struct loop *loop = calloc(1, sizeof(*loop));

	if (!loop)
		return NULL;
	/* Not the default loop, which handles SIGCHLD; and the environment does not choose the backend. */
	loop->ev = ev_loop_new(EVFLAG_AUTO | EVFLAG_NOENV);
	if (!loop->ev) {
		free(loop);
		errno = ENOMEM;
		return NULL;
	}
	loop->now_ns = clock_mono_ns();
	ev_check_init(&loop->turn_begins, turn_begins);
	loop->turn_begins.data = loop;
	/* Before all other callbacks of the turn. */
	ev_set_priority(&loop->turn_begins, EV_MAXPRI);
	ev_check_start(loop->ev, &loop->turn_begins);
	ev_prepare_init(&loop->turn_ends, turn_ends);
	loop->turn_ends.data = loop;
	ev_prepare_start(loop->ev, &loop->turn_ends);
	return loop;
}

void loop_on_turn_end(struct loop *loop, void (*turn_end)(void *ctx), void *ctx)
{
	loop->turn_end = turn_end;
	loop->turn_end_ctx = ctx;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->handles)
		handle_free(loop->handles);
	ev_prepare_stop(loop->ev, &loop->turn_ends);
	ev_check_stop(loop->ev, &loop->turn_begins);
	ev_loop_destroy(loop->ev);
	free(loop);
}

void loop_run(struct loop *loop)
{
	/* The time before this call belongs to no turn. */
	loop->now_ns = clock_mono_ns();
	ev_run(loop->ev, 0);
	note_stall(loop);
}

void loop_stop(struct loop *loop)
{
	ev_break(loop->ev, EVBREAK_ONE);
}

uint64_t loop_now_ns(const struct loop *loop)
{
	return loop->now_ns;
}

uint64_t loop_stall_ns(struct loop *loop)
{
	uint64_t stall = loop->stall_ns;

	loop->stall_ns = 0;
	return stall;
}

static void io_ready(struct ev_loop *ev, ev_io *watcher, int events)
{
	struct loop_io *io = watcher->data;

	(void)ev;
	io->ready(io->handle.ctx, events & (LOOP_READ | LOOP_WRITE));
}

static void io_stop(struct handle *handle)
{
	struct loop_io *io = (struct loop_io *)handle;

	ev_io_stop(handle->loop->ev, &io->watcher);
}

struct loop_io *loop_io_add(struct loop *loop, int fd, int events, void (*ready)(void *ctx, int events), void *ctx)
{
	struct loop_io *io = handle_new(loop, sizeof(*io), io_stop, ctx);

	if (!io)
		return NULL;
	io->ready = ready;
	ev_io_init(&io->watcher, io_ready, fd, events);
	io->watcher.data = io;
	ev_io_start(loop->ev, &io->watcher);
	return io;
}

void loop_io_pause(struct loop_io *io)
{
	io_stop(&io->handle);
}

void loop_io_resume(struct loop_io *io)
{
	ev_io_start(io->handle.loop->ev, &io->watcher);
}

void loop_io_del(struct loop_io *io)
{
	handle_free(io);
}

static void timer_fired(struct ev_loop *ev, ev_timer *watcher, int events)
{
	struct loop_timer *timer = watcher->data;

	(void)ev, (void)events;
	timer->fired(timer->handle.ctx);
}

static void timer_stop(struct handle *handle)
{
	struct loop_timer *timer = (struct loop_timer *)handle;

	ev_timer_stop(handle->loop->ev, &timer->watcher);
}

struct loop_timer *loop_timer_add(struct loop *loop, void (*fired)(void *ctx), void *ctx)
{
	struct loop_timer *timer = handle_new(loop, sizeof(*timer), timer_stop, ctx);

	if (!timer)
		return NULL;
	timer->fired = fired;
	ev_timer_init(&timer->watcher, timer_fired, 0., 0.);
	timer->watcher.data = timer;
	return timer;
}

void loop_timer_set(struct loop_timer *timer, uint64_t delay_ns)
{
	struct ev_loop *ev = timer->handle.loop->ev;

	ev_timer_stop(ev, &timer->watcher);
	/* libev counts from the start of the turn: late in a long turn the timer would fire early. */
	ev_now_update(ev);
	ev_timer_set(&timer->watcher, (double)delay_ns / (double)CLOCK_NS_PER_S, 0.);
	ev_timer_start(ev, &timer->watcher);
}

void loop_timer_stop(struct loop_timer *timer)
{
	timer_stop(&timer->handle);
}

void loop_timer_del(struct loop_timer *timer)
{
	handle_free(timer);
}

static void signal_raised(struct ev_loop *ev, ev_signal *watcher, int events)
{
	struct loop_signal *signal = watcher->data;

	(void)ev, (void)events;
	signal->raised(signal->handle.ctx, watcher->signum);
}

static void signal_stop(struct handle *handle)
{
	struct loop_signal *signal = (struct loop_signal *)handle;

	ev_signal_stop(handle->loop->ev, &signal->watcher);
}

struct loop_signal *loop_signal_add(struct loop *loop, int signo, void (*raised)(void *ctx, int signo), void *ctx)
{
	struct loop_signal *signal = handle_new(loop, sizeof(*signal), signal_stop, ctx);

	if (!signal)
		return NULL;
	signal->raised = raised;
	ev_signal_init(&signal->watcher, signal_raised, signo);
	signal->watcher.data = signal;
	ev_signal_start(loop->ev, &signal->watcher);
	return signal;
}

void loop_signal_del(struct loop_signal *signal)
{
	handle_free(signal);
}
