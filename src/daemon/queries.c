/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "queries.h"

#include "checkpointer.h"
#include "collector.h"
#include "dump_schedule.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/base/proc_self.h"
#include "hostmeter/daemon/meter_setup.h"
#include "hostmeter/export/flow_list.h"
#include "hostmeter/export/status_text.h"
#include "hostmeter/http/server.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/meter/snapshot.h"
#include "hostmeter/names/follow.h"
#include "hostmeter/os/loop.h"
#include "hostmeter/os/wall_clock.h"
#include "ports.h"
#include "recorder.h"

#define STALL_SHOWN_NS (60 * CLOCK_NS_PER_S)

void queries_tick(struct queries *q)
{
	uint64_t now = loop_now_ns(q->loop), stall = loop_stall_ns(q->loop);

	if (stall < q->stall_ns && now < q->stall_until)
		return;
	q->stall_ns = stall;
	q->stall_until = now + STALL_SHOWN_NS;
}

/* --- A snapshot */

static void describe_server(const struct queries *q, struct snapshot_process *process)
{
	struct http_usage usage = http_server_usage(q->http);

	process->http_connections = usage.connections;
	process->http_refused = usage.refused;
	process->http_dropped[SNAPSHOT_DROP_IDLE] = usage.dropped[HTTP_DROP_IDLE];
	process->http_dropped[SNAPSHOT_DROP_HEADERS] = usage.dropped[HTTP_DROP_HEADERS];
	process->http_dropped[SNAPSHOT_DROP_SLOW] = usage.dropped[HTTP_DROP_SLOW];
	endpoints_describe(q->endpoints, process);
}

/* Steady, though the clock is slewed all the time; anew after a jump; 0 while the date is not known. */
static uint64_t start_date(struct queries *q, const struct snapshot_process *process)
{
	uint64_t date = process->real_ns - process->uptime_ns;

	if (!process->clock_set)
		return 0;
	if (!q->start_date || date > q->start_date + CLOCK_NS_PER_S || date + CLOCK_NS_PER_S < q->start_date)
		q->start_date = date;
	return q->start_date;
}

static void describe_process(struct queries *q, struct snapshot_process *process)
{
	uint64_t saved = checkpointer_saved_at(q->checkpointer);

	*process = (struct snapshot_process){
		.running = true,
		.stall_ns = q->stall_ns,
		.checkpoint_age_ns = saved ? loop_now_ns(q->loop) - saved : UINT64_MAX,
		.checkpoint_failures = checkpointer_failures(q->checkpointer),
		.checkpoint_damages = checkpointer_damages(q->checkpointer),
		.checkpoint_error = checkpointer_error(q->checkpointer),
		.real_ns = clock_real_ns(),
		.clock_set = wall_clock_ns(q->dated_after) != 0,
		.uptime_ns = loop_now_ns(q->loop) - q->started_at,
	};
	ports_describe(*q->ports, process);
	collector_describe(q->collector, process);
	process->names = names_follow_files(q->names, &process->names_count);
	describe_server(q, process);
	proc_self_read(&process->usage);
	process->usage.start_real_ns = start_date(q, process);
}

static int take_snapshot(struct queries *q, struct snapshot *snapshot)
{
	int error;

	names_follow_look(q->names);
	checkpointer_before_show(q->checkpointer, q->setup->meter);
	error = meter_setup_snapshot(q->setup, snapshot, loop_now_ns(q->loop));
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

	/* After the snapshot, which shows the interval: one question must not look like a watcher. */
	if (q->refused)
		dump_schedule_ask(collector_dump_schedule(q->collector), loop_now_ns(q->loop));
	q->refused = false;
	return error;
}

static bool answer_refresh(void *ctx, uint64_t after_ns, uint64_t within_ns)
{
	struct queries *q = ctx;

	q->refused = !dump_schedule_refresh(collector_dump_schedule(q->collector), after_ns, within_ns,
		loop_now_ns(q->loop));
	return !q->refused;
}

static bool answer_ready(void *ctx)
{
	const struct queries *q = ctx;

	return meter_ready(q->setup->meter);
}

/* A watcher that has not asked again a second after its second interval has gone. */
static void answer_watched(void *ctx, uint64_t interval_ns)
{
	struct queries *q = ctx;
	uint64_t now = loop_now_ns(q->loop);

	dump_schedule_watch(collector_dump_schedule(q->collector), interval_ns, now,
		now + 2 * interval_ns + CLOCK_NS_PER_S);
}

static bool answer_flows(void *ctx, const struct flow_list_filter *filter, struct buf *out)
{
	struct queries *q = ctx;
	uint64_t now = loop_now_ns(q->loop);

	if (flow_list_fetch(q->flow_list, filter, out, now))
		return true;
	flow_list_ask(q->flow_list, filter, now);
	dump_schedule_ask(collector_dump_schedule(q->collector), now);
	return false;
}

static int answer_record(void *ctx, struct http_shared *body)
{
	struct queries *q = ctx;

	return recorder_open(collector_recorder(q->collector), body);
}

struct endpoints_source queries_source(struct queries *q)
{
	return (struct endpoints_source){
		.ctx = q,
		.snapshot = answer_snapshot,
		.ready = answer_ready,
		.refresh = answer_refresh,
		.topology = meter_topology(q->setup->meter),
		.watched = answer_watched,
		.flows = answer_flows,
		.record = answer_record,
	};
}
