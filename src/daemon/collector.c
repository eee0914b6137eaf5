/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "collector.h"

#include "dump_schedule.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/config/config.h"
#include "hostmeter/meter/dispatch.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/meter/snapshot.h"
#include "hostmeter/netlink/nl.h"
#include "hostmeter/os/loop.h"
#include "hostmeter/trace/trace.h"
#include "recorder.h"
#include "reliability.h"

#include <errno.h>
#include <linux/netlink.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <stdlib.h>
#include <string.h>

#define RETRY_NS (10 * CLOCK_NS_PER_S)
#define DRAIN_MAX 200000
#define LINKS_MAX 64 /* datagrams, of 20 links or so each */

struct collector {
	const struct config *config;
	struct loop *loop;
	struct meter *meter;
	struct dispatch *dispatch;
	struct nl *nl;
	struct reliability *reliability;
	struct dump_schedule *schedule;
	struct recorder *recorder;
	struct loop_timer *due, *retry; /* of a dump; of opening what was lost */
	bool started;                   /* collector_start() was called */
	bool links_read;                /* after a dump */
	bool warned_of_offload;
	struct log_limit failed[SOURCE_COUNT], overrun[SOURCE_COUNT];
};

/* --- Opening */

static int open_source(struct collector *c, enum source source)
{
	int error = nl_open_source(c->nl, source);

	if (!error && source == SOURCE_EVENTS)
		reliability_opened(c->reliability);
	meter_source(c->meter, source, !error, nl_receive_buffer(c->nl, source));
	return error;
}

/* The meter runs without NFLOG too: the neighbour table then tells which host a flow belongs to. */
static void open_nflog(struct collector *c)
{
	int error = open_source(c, SOURCE_NFLOG);
	bool taken = error == -EPERM || error == -EBUSY;

	if (!error || error == -EALREADY)
		return;
	log_warning("NFLOG group %u%s%s: hosts are told apart by the neighbour table alone", c->config->nflog_group,
		taken ? " is taken by another process (--nflog-group)" : ": ", taken ? "" : strerror(-error));
	loop_timer_set(c->retry, RETRY_NS);
}

int collector_open_topology(struct collector *c)
{
	int error = open_source(c, SOURCE_RTNL);

	return error ? error : nl_dump_rtnl(c->nl);
}

int collector_start(struct collector *c)
{
	int error = open_source(c, SOURCE_EVENTS);

	if (!error)
		error = open_source(c, SOURCE_DUMP);
	c->started = true;
	if (error) {
		log_error("connection tracking: %s",
			error == -EPROTONOSUPPORT ? "this kernel has none (nf_conntrack_netlink)" : strerror(-error));
	} else {
		open_nflog(c);
		dump_schedule_start(c->schedule, loop_now_ns(c->loop));
	}
	return error;
}

static void on_retry(void *ctx)
{
	struct collector *c = ctx;

	for (enum source source = 0; source < SOURCE_COUNT; source++) {
		if (nl_is_open(c->nl, source) || (!c->started && source != SOURCE_RTNL))
			continue;
		if (open_source(c, source))
			loop_timer_set(c->retry, RETRY_NS);
		else if (source == SOURCE_RTNL)
			nl_dump_rtnl(c->nl);
		else if (source != SOURCE_NFLOG)
			dump_schedule_now(c->schedule, loop_now_ns(c->loop));
	}
}

/* --- Dumps */

/* The links' counters are read right before: what the flows tell is to be the later news (wan.h). The kernel makes a
 * dump while it is read, so reading it does not wait. */
static int request_dump(void *ctx)
{
	struct collector *c = ctx;

	if (!nl_dump_links(c->nl))
		nl_drain(c->nl, SOURCE_RTNL, LINKS_MAX);
	return nl_dump_conntrack(c->nl);
}

static void wake(void *ctx, uint64_t delay_ns)
{
	struct collector *c = ctx;

	loop_timer_set(c->due, delay_ns);
}

static void finished(void *ctx)
{
	struct collector *c = ctx;

	loop_stop(c->loop);
}

static void on_due(void *ctx)
{
	struct collector *c = ctx;

	dump_schedule_due(c->schedule, loop_now_ns(c->loop));
}

static void on_dump_ended(void *ctx, bool complete, uint64_t now)
{
	struct collector *c = ctx;

	(void)now;
	if (complete && !c->links_read) /* the first reading comes after what the flows had */
		c->links_read = !nl_dump_links(c->nl);
	if (!c->warned_of_offload && meter_offloaded(c->meter)) {
		c->warned_of_offload = true;
		log_warning("connections are offloaded (flowtable or hardware): their counts may lag, and their last "
			    "bytes be lost; a flowtable counts only with its counter flag");
	}
#ifdef __GLIBC__
	/* What shrunk tables freed goes back to the system: half of it would stay. 2.5 ms at the most. */
	malloc_trim(0);
#endif
}

/* --- Recordings */

static int dump_network(void *ctx)
{
	struct collector *c = ctx;

	return nl_dump_rtnl(c->nl);
}

static bool network_running(void *ctx)
{
	struct collector *c = ctx;

	return nl_is_dumping(c->nl, SOURCE_RTNL);
}

static int dump_flows(void *ctx)
{
	struct collector *c = ctx;

	return dump_schedule_now(c->schedule, loop_now_ns(c->loop));
}

static void on_dump_began(void *ctx, uint64_t now)
{
	struct collector *c = ctx;

	(void)now;
	recorder_dump_begins(c->recorder);
}

static void record(struct collector *c, enum source source, bool outgoing, const void *data, size_t len)
{
	if (recorder_wanted(c->recorder))
		recorder_datagram(c->recorder,
			&(struct trace_datagram){ clock_real_ns(), nl_source_protocol(source), outgoing, data, len });
}

/* --- What the kernel says */

/*
 * What was received is recorded before its listeners send requests. A request is recorded after its listeners know of
 * it, since a recording begins with the request of a dump.
 */
static void on_datagram(void *ctx, enum source source, bool outgoing, const void *data, size_t len)
{
	struct collector *c = ctx;

	if (!outgoing)
		record(c, source, false, data, len);
	dispatch_datagram(c->dispatch, nl_source_protocol(source), outgoing, data, len, loop_now_ns(c->loop));
	if (outgoing)
		record(c, source, true, data, len);
}

static void on_overrun(void *ctx, enum source source)
{
	struct collector *c = ctx;
	uint64_t now = loop_now_ns(c->loop);
	/* As a message in traces, so that a replay knows of it. */
	const struct nlmsghdr message = { sizeof(message), NLMSG_OVERRUN, 0, source, 0 };

	record(c, source, false, &message, sizeof(message));
	meter_overrun(c->meter, source, now);
	log_repeated(&c->overrun[source], LOG_PERIOD_NS, now,
		"the kernel dropped messages of source %s, which were not read in time (hostmeter_overruns_total)",
		source_name(source));
	switch (source) {
	case SOURCE_DUMP:
		dispatch_dump_aborted(c->dispatch, now);
		break;
	case SOURCE_EVENTS: /* what was lost shows in dumps, which the schedule keeps a second apart */
		dump_schedule_watch(c->schedule, CLOCK_NS_PER_S, now, now + CLOCK_NS_PER_S);
		break;
	case SOURCE_RTNL:
		nl_dump_rtnl(c->nl);
		break;
	default:
		break;
	}
}

static void on_failed(void *ctx, enum source source, int error)
{
	struct collector *c = ctx;
	uint64_t now = loop_now_ns(c->loop);

	log_repeated(&c->failed[source], LOG_PERIOD_NS, now, "source %s failed: %s: opened again in %d s",
		source_name(source), strerror(-error), (int)(RETRY_NS / CLOCK_NS_PER_S));
	meter_source(c->meter, source, false, 0);
	if (source == SOURCE_EVENTS)
		reliability_closed(c->reliability);
	if (source == SOURCE_DUMP)
		dispatch_dump_aborted(c->dispatch, now);
	loop_timer_set(c->retry, RETRY_NS);
}

/* --- Time, and the end */

void collector_tick(struct collector *c)
{
	reliability_tick(c->reliability);
	recorder_tick(c->recorder);
}

void collector_stop(struct collector *c)
{
	dump_schedule_finish(c->schedule);
}

bool collector_drain(struct collector *c)
{
	if (!c->started)
		return false;
	nl_drain(c->nl, SOURCE_NFLOG, DRAIN_MAX);
	nl_drain(c->nl, SOURCE_EVENTS, DRAIN_MAX);
	dispatch_dump_aborted(c->dispatch, clock_mono_ns()); /* one that did not end in time */
	return true;
}

void collector_describe(const struct collector *c, struct snapshot_process *process)
{
	process->dump_interval_ns = dump_schedule_interval(c->schedule, loop_now_ns(c->loop));
	process->dump_cost_ns = dump_schedule_cost(c->schedule);
	process->nflog_group = c->config->nflog_group;
	for (enum source source = 0; source < SOURCE_COUNT; source++)
		process->receive_buffer_asked[source] = nl_receive_buffer_asked(c->nl, source);
	reliability_describe(c->reliability, process);
}

/* --- Made and freed */

static int make_parts(struct collector *c, void (*on_more)(void *ctx, void *body), void *ctx)
{
	const struct nl_options options = {
		.nflog_group = c->config->nflog_group,
		.receive_buffer[SOURCE_EVENTS] = c->config->event_buffer,
	};
	const struct nl_callbacks callbacks = {
		.ctx = c, .datagram = on_datagram, .overrun = on_overrun, .failed = on_failed
	};
	const struct dump_schedule_calls dumps = {
		.ctx = c, .request = request_dump, .wake = wake, .cpu_ns = clock_cpu_ns, .finished = finished
	};
	const struct recorder_calls recordings = { c, dump_network, network_running, dump_flows, on_more, ctx };
	const struct dispatch_listener listener = {
		.ctx = c, .dump_began = on_dump_began, .dump_ended = on_dump_ended
	};

	c->dispatch = dispatch_new(c->meter);
	if (!c->dispatch || dispatch_subscribe(c->dispatch, &listener))
		return -ENOMEM;
	c->schedule = dump_schedule_new(c->dispatch, &dumps, c->config->dump_interval_ns, c->config->dump_share);
	c->nl = nl_new(c->loop, &options, &callbacks);
	c->reliability = reliability_new(c->nl, c->config->reliable_fill);
	c->recorder = recorder_new(&recordings);
	c->due = loop_timer_add(c->loop, on_due, c);
	c->retry = loop_timer_add(c->loop, on_retry, c);
	return c->schedule && c->nl && c->reliability && c->recorder && c->due && c->retry ? 0 : -ENOMEM;
}

struct collector *collector_new(struct loop *loop, const struct config *config, struct meter *meter,
	void (*on_more)(void *ctx, void *body), void *ctx)
{
	struct collector *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	*c = (struct collector){ .config = config, .loop = loop, .meter = meter };
	if (!make_parts(c, on_more, ctx))
		return c;
	collector_free(c);
	return NULL;
}

void collector_free(struct collector *c)
{
	if (!c)
		return;
	loop_timer_del(c->retry);
	loop_timer_del(c->due);
	recorder_free(c->recorder);
	reliability_free(c->reliability);
	nl_free(c->nl);
	dump_schedule_free(c->schedule);
	dispatch_free(c->dispatch);
	free(c);
}

void collector_configure(struct collector *c)
{
	dump_schedule_configure(c->schedule, c->config->dump_interval_ns, c->config->dump_share, loop_now_ns(c->loop));
}

struct dispatch *collector_dispatch(struct collector *c)
{
	return c->dispatch;
}

struct dump_schedule *collector_dump_schedule(struct collector *c)
{
	return c->schedule;
}

struct recorder *collector_recorder(struct collector *c)
{
	return c->recorder;
}
