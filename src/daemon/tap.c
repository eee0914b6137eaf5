/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tap.h"

#include "collector.h"
#include "dump_schedule.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/meter/dispatch.h"
#include "hostmeter/netlink/nl.h"
#include "hostmeter/os/loop.h"
#include "hostmeter/trace/trace.h"
#include "recorder.h"

#include <stdlib.h>
#include <string.h>

struct tap {
	struct loop *loop;
	struct collector *collector;
	struct trace_writer *trace; /* --trace FILE; NULL: none */
	const char *trace_path;
	struct recorder *recorder;
	void (*wake)(void *ctx, void *body);
	void *wake_ctx;
};

static void close_trace(struct tap *tap, int error)
{
	int closing = trace_close(tap->trace);

	if (error)
		log_error("%s: %s: recording ends", tap->trace_path, strerror(-error));
	else if (closing)
		log_error("%s: %s", tap->trace_path, strerror(-closing));
	tap->trace = NULL;
}

static void on_datagram(void *ctx, enum source source, bool outgoing, const void *data, size_t len)
{
	struct tap *tap = ctx;
	struct trace_datagram datagram = {
		.protocol = nl_source_protocol(source),
		.outgoing = outgoing,
		.data = data,
		.len = len,
	};
	int error;

	if (!tap->trace && !recorder_wanted(tap->recorder))
		return;
	datagram.real_ns = clock_real_ns();
	error = tap->trace ? trace_write(tap->trace, &datagram) : 0;
	if (error)
		close_trace(tap, error);
	recorder_datagram(tap->recorder, &datagram);
}

/* --- What the recorder asks for */

static int dump_network(void *ctx)
{
	struct tap *tap = ctx;

	return collector_dump_network(tap->collector);
}

static bool network_running(void *ctx)
{
	struct tap *tap = ctx;

	return collector_network_running(tap->collector);
}

static int dump_flows(void *ctx)
{
	struct tap *tap = ctx;

	return dump_schedule_now(collector_dump_schedule(tap->collector), loop_now_ns(tap->loop));
}

static void wake(void *ctx, void *body)
{
	struct tap *tap = ctx;

	tap->wake(tap->wake_ctx, body);
}

static void on_dump_began(void *ctx, uint64_t now)
{
	struct tap *tap = ctx;

	(void)now;
	recorder_dump_begins(tap->recorder);
}

/* --- Made and freed */

struct tap *tap_new(struct loop *loop, struct collector *collector, void (*on_more)(void *ctx, void *body), void *ctx)
{
	struct tap *tap = calloc(1, sizeof(*tap));
	const struct recorder_calls calls = {
		.ctx = tap,
		.dump_network = dump_network,
		.network_running = network_running,
		.dump_flows = dump_flows,
		.wake = wake,
	};

	const struct dispatch_listener listener = { .ctx = tap, .dump_began = on_dump_began };

	if (!tap)
		return NULL;
	*tap = (struct tap){ .loop = loop, .collector = collector, .wake = on_more, .wake_ctx = ctx };
	tap->recorder = recorder_new(&calls);
	if (!tap->recorder || dispatch_subscribe(collector_dispatch(collector), &listener)) {
		recorder_free(tap->recorder);
		free(tap);
		return NULL;
	}
	collector_set_tap(collector, on_datagram, tap);
	return tap;
}

void tap_free(struct tap *tap)
{
	if (!tap)
		return;
	collector_set_tap(tap->collector, NULL, NULL);
	close_trace(tap, 0);
	recorder_free(tap->recorder);
	free(tap);
}

int tap_open_trace(struct tap *tap, const char *path)
{
	tap->trace_path = path;
	return trace_create(&tap->trace, path);
}

int tap_record(struct tap *tap, struct http_shared *body)
{
	return recorder_open(tap->recorder, body);
}

void tap_tick(struct tap *tap, uint64_t real_ns)
{
	recorder_tick(tap->recorder, real_ns);
}
