/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "queries.h"

#include "checkpointer.h"
#include "collector.h"
#include "dump_schedule.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/base/proc_self.h"
#include "hostmeter/config/config.h"
#include "hostmeter/daemon/meter_setup.h"
#include "hostmeter/export/flow_list.h"
#include "hostmeter/export/status_text.h"
#include "hostmeter/meter/dispatch.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/meter/snapshot.h"
#include "hostmeter/names/follow.h"
#include "hostmeter/os/loop.h"
#include "tap.h"

#include <errno.h>
#include <stdlib.h>

#define STALL_SHOWN_NS (60 * CLOCK_NS_PER_S)

struct queries {
	struct queries_parts part;
	struct meter *meter;
	struct dump_schedule *schedule;
	struct flow_list *flow_list;
	uint64_t stall_ns, stall_until; /* the longest turn, and until when it is shown */
};

void queries_tick(struct queries *q, uint64_t now)
{
	uint64_t stall = loop_stall_ns(q->part.loop);

	if (stall < q->stall_ns && now < q->stall_until)
		return;
	q->stall_ns = stall;
	q->stall_until = now + STALL_SHOWN_NS;
}

/* --- A snapshot */

static void describe_process(struct queries *q, struct snapshot_process *process)
{
	uint64_t saved = checkpointer_saved_at(q->part.checkpointer);

	*process = (struct snapshot_process){
		.running = true,
		.stall_ns = q->stall_ns,
		.checkpoint_age_ns = saved ? loop_now_ns(q->part.loop) - saved : UINT64_MAX,
		.checkpoint_failures = checkpointer_failures(q->part.checkpointer),
		.real_ns = clock_real_ns(),
		.listen = (const char *const *)q->part.config->listen.item,
		.listens = q->part.config->listen.count,
	};
	collector_describe(q->part.collector, process);
	process->names = names_follow_files(q->part.names, &process->names_count);
	proc_self_read(&process->usage);
}

static int take_snapshot(struct queries *q, struct snapshot *snapshot)
{
	int error;

	names_follow_look(q->part.names);
	checkpointer_before_show(q->part.checkpointer, q->meter);
	error = meter_setup_snapshot(q->part.setup, snapshot, loop_now_ns(q->part.loop));
	if (!error)
		describe_process(q, &snapshot->process);
	return error;
}

void queries_log_state(struct queries *q)
{
	struct snapshot snapshot;
	struct buf page = BUF_INIT;

	if (take_snapshot(q, &snapshot))
		return;
	status_text_render(&page, &snapshot);
	snapshot_clear(&snapshot);
	log_text(buf_text(&page));
	buf_free(&page);
}

/* --- What the endpoints ask */

static int answer_snapshot(void *ctx, struct snapshot *snapshot)
{
	struct queries *q = ctx;
	int error = take_snapshot(q, snapshot);

	/*
	 * What is known now is shown; if that is old, the next one gets something younger. Only now: who looks once is
	 * not to find that dumps come as often as for a watcher.
	 */
	dump_schedule_ask(q->schedule, loop_now_ns(q->part.loop));
	return error;
}

static bool answer_ready(void *ctx)
{
	struct queries *q = ctx;

	return meter_ready(q->meter);
}

static const struct topology *answer_topology(void *ctx)
{
	struct queries *q = ctx;

	return meter_topology(q->meter);
}

/* Until a little after it should have asked again: then it has gone. */
static void answer_watched(void *ctx, uint64_t interval_ns)
{
	struct queries *q = ctx;
	uint64_t now = loop_now_ns(q->part.loop);

	dump_schedule_watch(q->schedule, interval_ns, now, now + 2 * interval_ns + CLOCK_NS_PER_S);
}

static bool answer_flows(void *ctx, const struct flow_list_filter *filter, struct buf *out)
{
	struct queries *q = ctx;
	uint64_t now = loop_now_ns(q->part.loop);

	if (flow_list_fetch(q->flow_list, filter, out, now))
		return true;
	flow_list_ask(q->flow_list, filter, now);
	dump_schedule_ask(q->schedule, now);
	return false;
}

static int answer_record(void *ctx, struct http_shared *body)
{
	struct queries *q = ctx;

	return tap_record(q->part.tap, body);
}

struct endpoints_source queries_source(struct queries *q)
{
	return (struct endpoints_source){
		.ctx = q,
		.snapshot = answer_snapshot,
		.ready = answer_ready,
		.topology = answer_topology,
		.watched = answer_watched,
		.flows = answer_flows,
		.record = answer_record,
	};
}

/* --- What the list of flows is made of */

static void on_dump_began(void *ctx, uint64_t now)
{
	struct queries *q = ctx;

	(void)now;
	flow_list_dump_begins(q->flow_list);
}

static void on_entry(void *ctx, const struct nlmsghdr *message, const struct ct_event *event)
{
	struct queries *q = ctx;

	flow_list_entry(q->flow_list, message, event);
}

static void on_dump_ended(void *ctx, bool complete, uint64_t now)
{
	struct queries *q = ctx;

	(void)complete;
	flow_list_dump_ended(q->flow_list, now);
}

struct queries *queries_new(const struct queries_parts *parts)
{
	struct queries *q = calloc(1, sizeof(*q));
	const struct dispatch_listener listener = {
		.ctx = q, .dump_began = on_dump_began, .entry = on_entry, .dump_ended = on_dump_ended
	};

	if (!q)
		return NULL;
	*q = (struct queries){
		.part = *parts,
		.meter = parts->setup->meter,
		.schedule = collector_dump_schedule(parts->collector),
		.flow_list = flow_list_new(parts->setup->meter),
	};
	if (q->flow_list && !dispatch_subscribe(collector_dispatch(parts->collector), &listener))
		return q;
	queries_free(q);
	return NULL;
}

void queries_free(struct queries *q)
{
	if (!q)
		return;
	flow_list_free(q->flow_list);
	free(q);
}
