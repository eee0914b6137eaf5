/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include "checkpointer.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/config/config.h"
#include "hostmeter/export/flow_list.h"
#include "hostmeter/http/web_apply.h"
#include "hostmeter/meter/dispatch.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/os/loop.h"
#include "hostmeter/os/sd_notify.h"
#include "reliability.h"
#include "resident.h"
#include "startup_log.h"

#include <errno.h>
#include <string.h>

#define RETRY_NS (10 * CLOCK_NS_PER_S)

static struct meter *meter_of(struct daemon *d)
{
	return d->setup.meter;
}

/* --- Opening */

static int open_source(struct daemon *d, enum source source)
{
	int error = nl_open_source(d->nl, source);

	if (!error && source == SOURCE_EVENTS)
		reliability_opened(d->reliability);
	meter_source(meter_of(d), source, !error, nl_receive_buffer(d->nl, source));
	return error;
}

/* NFLOG is the one source that may be missing: the neighbour table then tells whose a flow is. */
static void open_nflog(struct daemon *d)
{
	int error = open_source(d, SOURCE_NFLOG);

	if (!error || error == -EALREADY)
		return;
	if (error == -EPERM || error == -EBUSY)
		log_warning("NFLOG group %u is taken by another process (--nflog-group): hosts are told apart by the "
			    "neighbour table alone",
			d->config->nflog_group);
	else
		log_warning("NFLOG group %u: %s: hosts are told apart by the neighbour table alone",
			d->config->nflog_group, strerror(-error));
	loop_timer_set(d->retry, RETRY_NS);
}

int daemon_open_topology(struct daemon *d)
{
	int error = open_source(d, SOURCE_RTNL);

	return error ? error : nl_dump_rtnl(d->nl);
}

/* --- Dumps */

void daemon_plan_dump(struct daemon *d)
{
	if (d->metering && !d->stopping && !nl_dump_running(d->nl))
		loop_timer_set(d->dump, pace_delay(&d->pace, loop_now_ns(d->loop)));
}

static void on_entry(void *ctx, const struct nlmsghdr *message, const struct ct_event *event)
{
	struct daemon *d = ctx;

	flow_list_entry(d->flow_list, message, event);
}

static void start_dump(struct daemon *d)
{
	int error;

	d->dump_began = loop_now_ns(d->loop);
	d->dump_began_cpu = clock_cpu_ns();
	flow_list_dump_begins(d->flow_list);
	dispatch_watch_entries(d->dispatch, flow_list_running(d->flow_list) ? on_entry : NULL, d);
	if (!nl_dump_running(d->nl))
		recorder_dump_begins(d->recorder);
	error = nl_dump_conntrack(d->nl);
	if (error && error != -EBUSY) {
		log_repeated(&d->dump_failed, LOG_PERIOD_NS, d->dump_began, "dump of the connections: %s",
			strerror(-error));
		pace_dumped(&d->pace, d->dump_began, 0);
		daemon_plan_dump(d);
	}
	nl_dump_links(d->nl);
}

static void warn_of_offload(struct daemon *d)
{
	if (d->warned_of_offload || !meter_offloaded(meter_of(d)))
		return;
	d->warned_of_offload = true;
	log_warning("connections are offloaded (flowtable or hardware): their counts may lag, and their last bytes be "
		    "lost; "
		    "a flowtable counts only with its counter flag");
}

/* The kernel makes a dump while it is read, so what a dump costs shows in this process's own CPU time. */
static void dump_ended(struct daemon *d)
{
	pace_dumped(&d->pace, d->dump_began, clock_cpu_ns() - d->dump_began_cpu);
	flow_list_dump_ended(d->flow_list, loop_now_ns(d->loop));
	warn_of_offload(d);
	if (d->stopping)
		loop_stop(d->loop);
	daemon_plan_dump(d);
	checkpointer_begin(d->checkpointer, meter_of(d));
	if (d->dumps_ended == 1) /* the start is over */
		resident_release_libraries();
	resident_trim_heap(); /* what the tables gave back */
}

static void check_dump_ended(struct daemon *d)
{
	if (dispatch_dumps_ended(d->dispatch) == d->dumps_ended)
		return;
	d->dumps_ended = dispatch_dumps_ended(d->dispatch);
	dump_ended(d);
}

static void start_metering(struct daemon *d)
{
	int error = open_source(d, SOURCE_EVENTS);

	d->metering = true;
	if (!error)
		error = open_source(d, SOURCE_DUMP);
	if (error) {
		log_error("connection tracking: %s",
			error == -EPROTONOSUPPORT ? "this kernel has none (nf_conntrack_netlink)" : strerror(-error));
		daemon_fail(d, DAEMON_EXIT_RUNTIME);
		return;
	}
	open_nflog(d);
	start_dump(d);
	sd_notify_send("READY=1");
}

void daemon_on_dump(void *ctx)
{
	start_dump(ctx);
}

/* --- What the kernel says */

static void on_datagram(void *ctx, enum source source, bool outgoing, const void *data, size_t len)
{
	struct daemon *d = ctx;

	tap_datagram(d, source, outgoing, data, len);
	dispatch_datagram(d->dispatch, nl_source_protocol(source), outgoing, data, len, loop_now_ns(d->loop));
	check_dump_ended(d);
	if (!d->metering && dispatch_topology_known(d->dispatch)) {
		startup_log_start(d->config, meter_topology(meter_of(d)), web_apply_has_tls(d->web));
		start_metering(d);
	}
}

static void record_overrun(struct daemon *d, enum source source)
{
	const struct {
		uint32_t len;
		uint16_t type, flags;
		uint32_t seq, pid;
	} message = { 16, 4, 0, source, 0 }; /* NLMSG_OVERRUN */

	tap_datagram(d, source, false, &message, sizeof(message));
}

static void on_overrun(void *ctx, enum source source)
{
	struct daemon *d = ctx;
	uint64_t now = loop_now_ns(d->loop);

	record_overrun(d, source);
	meter_overrun(meter_of(d), source, now);
	log_repeated(&d->overrun[source], LOG_PERIOD_NS, now,
		"the kernel dropped messages of source %s, which were not read in time (hostmeter_overruns_total)",
		source_name(source));
	switch (source) {
	case SOURCE_DUMP:
		dispatch_dump_aborted(d->dispatch, now);
		check_dump_ended(d);
		break;
	case SOURCE_EVENTS: /* what was lost shows in dumps; pace keeps them apart however many overruns there are */
		pace_want(&d->pace, CLOCK_NS_PER_S, now, now + CLOCK_NS_PER_S);
		daemon_plan_dump(d);
		break;
	case SOURCE_RTNL:
		nl_dump_rtnl(d->nl);
		break;
	default:
		break;
	}
}

static void on_failed(void *ctx, enum source source, int error)
{
	struct daemon *d = ctx;

	log_repeated(&d->failed[source], LOG_PERIOD_NS, loop_now_ns(d->loop),
		"source %s failed: %s: opened again in %d s", source_name(source), strerror(-error),
		(int)(RETRY_NS / CLOCK_NS_PER_S));
	meter_source(meter_of(d), source, false, 0);
	if (source == SOURCE_EVENTS)
		reliability_closed(d->reliability);
	if (source == SOURCE_DUMP) {
		dispatch_dump_aborted(d->dispatch, loop_now_ns(d->loop));
		check_dump_ended(d);
	}
	loop_timer_set(d->retry, RETRY_NS);
}

/* Opens again what was lost. */
void daemon_on_retry(void *ctx)
{
	struct daemon *d = ctx;

	for (enum source source = 0; source < SOURCE_COUNT; source++) {
		int error;

		if (nl_is_open(d->nl, source) || (!d->metering && source != SOURCE_RTNL))
			continue;
		error = open_source(d, source);
		if (error)
			loop_timer_set(d->retry, RETRY_NS);
		else if (source == SOURCE_RTNL)
			nl_dump_rtnl(d->nl);
		else if (source != SOURCE_NFLOG)
			start_dump(d);
	}
}

struct nl_callbacks daemon_nl_callbacks(struct daemon *d)
{
	return (struct nl_callbacks){ .ctx = d, .datagram = on_datagram, .overrun = on_overrun, .failed = on_failed };
}
