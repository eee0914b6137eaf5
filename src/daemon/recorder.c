/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "recorder.h"

#include "hostmeter/base/buf.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/http/server.h"
#include "hostmeter/trace/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEPT = 1 << 18 }; /* bytes of memory that an empty queue keeps at most */

enum phase {
	ASKED,   /* nothing is recorded yet */
	NETWORK, /* the dump of links, addresses, routes and neighbours runs */
	KNOWN,   /* it has ended */
	ALL,     /* everything is recorded, from the dump of the connections on */
	CUT,     /* the reader was too slow: datagrams are dropped */
	NOTED,   /* the note that says so is in the queue */
};

struct recording {
	struct recorder *recorder;
	enum phase phase;
	struct buf queue;
	size_t taken;     /* bytes of the queue that were read */
	uint64_t dropped; /* datagrams */
};

struct recorder {
	struct recorder_calls calls;
	struct recording *reader[RECORDER_READERS];
	struct trace_writer *file; /* NULL: none */
	const char *path;
};

struct recorder *recorder_new(const struct recorder_calls *calls)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));

	if (recorder)
		recorder->calls = *calls;
	return recorder;
}

static void close_file(struct recorder *recorder, int error)
{
	int closing = trace_close(recorder->file);

	if (error)
		log_error("%s: %s: recording ends", recorder->path, strerror(-error));
	else if (closing)
		log_error("%s: %s", recorder->path, strerror(-closing));
	recorder->file = NULL;
}

void recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return;
	close_file(recorder, 0);
	free(recorder);
}

int recorder_open_file(struct recorder *recorder, const char *path)
{
	recorder->path = path;
	return trace_create(&recorder->file, path);
}

/* --- The queue */

static size_t waiting(const struct recording *r)
{
	return r->queue.len - r->taken;
}

/* What was read makes room before the queue grows: it takes 2 * RECORDER_QUEUE bytes at most. */
static void close_up(struct recording *r)
{
	if (r->taken < waiting(r))
		return;
	if (waiting(r))
		memmove(r->queue.data, r->queue.data + r->taken, waiting(r));
	r->queue.len -= r->taken;
	r->taken = 0;
	if (!r->queue.len && r->queue.size > KEPT)
		buf_free(&r->queue);
}

static void add(struct recording *r, const struct trace_datagram *datagram)
{
	bool was_empty = !waiting(r);

	if (waiting(r) + trace_size(datagram) > RECORDER_QUEUE || buf_error(&r->queue))
		r->phase = CUT;
	if (r->phase == CUT) {
		r->dropped++;
		return;
	}
	close_up(r);
	trace_append(&r->queue, datagram);
	if (was_empty)
		r->recorder->calls.wake(r->recorder->calls.wake_ctx, r);
}

static void append_note(struct recording *r)
{
	char text[96];

	buf_reset(&r->queue);
	r->taken = 0;
	snprintf(text, sizeof(text), "read too slowly: the recording was cut, and %" PRIu64 " datagrams were dropped",
		r->dropped);
	trace_append_note(&r->queue, clock_real_ns(), text);
	r->phase = NOTED;
}

static long read_queue(void *ctx, uint64_t offset, char *to, size_t room)
{
	struct recording *r = ctx;
	size_t len;

	(void)offset; /* a stream: always the next */
	if (!waiting(r) && r->phase == CUT)
		append_note(r);
	len = waiting(r) < room ? waiting(r) : room;
	if (!len)
		return r->phase == NOTED ? 0 : -EAGAIN;
	memcpy(to, r->queue.data + r->taken, len);
	r->taken += len;
	close_up(r);
	return (long)len;
}

static void release(void *ctx)
{
	struct recording *r = ctx;

	for (int i = 0; i < RECORDER_READERS; i++)
		if (r->recorder->reader[i] == r)
			r->recorder->reader[i] = NULL;
	buf_free(&r->queue);
	free(r);
}

/* --- Recording */

int recorder_open(struct recorder *recorder, struct http_shared *body)
{
	struct recording *r;
	int free_slot = 0;

	while (free_slot < RECORDER_READERS && recorder->reader[free_slot])
		free_slot++;
	if (free_slot == RECORDER_READERS)
		return -EBUSY;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->recorder = recorder;
	trace_append_head(&r->queue);
	recorder->reader[free_slot] = r;
	*body = (struct http_shared){ .ctx = r, .release = release, .read = read_queue, .live = true };
	return 0;
}

bool recorder_wanted(const struct recorder *recorder)
{
	for (int i = 0; i < RECORDER_READERS; i++)
		if (recorder->reader[i])
			return true;
	return recorder->file;
}

void recorder_datagram(struct recorder *recorder, const struct trace_datagram *datagram)
{
	const bool network = datagram->protocol == NETLINK_ROUTE;
	int error = recorder->file ? trace_write(recorder->file, datagram) : 0;

	if (error)
		close_file(recorder, error);
	for (int i = 0; i < RECORDER_READERS; i++) {
		struct recording *r = recorder->reader[i];

		if (r &&
			(r->phase == ALL || r->phase == CUT || ((r->phase == NETWORK || r->phase == KNOWN) && network)))
			add(r, datagram);
	}
}

/* Any dump will do, not only that of calls.dump_flows(): with very many connections dumps follow each other closely. */
void recorder_dump_begins(struct recorder *recorder)
{
	for (int i = 0; i < RECORDER_READERS; i++)
		if (recorder->reader[i] && recorder->reader[i]->phase == KNOWN)
			recorder->reader[i]->phase = ALL;
}

static void move_on(struct recording *r)
{
	const struct recorder_calls *calls = &r->recorder->calls;

	if (r->phase == ASKED && !calls->network_running(calls->ctx)) {
		r->phase = NETWORK; /* before it is asked for: its request is the first that is recorded */
		if (calls->dump_network(calls->ctx))
			r->phase = ASKED;
	} else if (r->phase == NETWORK && !calls->network_running(calls->ctx)) {
		r->phase = KNOWN;
	}
	if (r->phase == KNOWN)
		calls->dump_flows(calls->ctx); /* recorder_dump_begins() follows, or the next tick asks again */
	calls->wake(calls->wake_ctx, r);       /* so that the server notices a reader that has gone */
}

void recorder_tick(struct recorder *recorder)
{
	for (int i = 0; i < RECORDER_READERS; i++)
		if (recorder->reader[i])
			move_on(recorder->reader[i]);
}
