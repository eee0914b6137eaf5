/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include "checkpointer.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/proc_self.h"
#include "hostmeter/config/config.h"
#include "hostmeter/export/flow_list.h"
#include "hostmeter/export/status_text.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/meter/snapshot.h"
#include "hostmeter/names/follow.h"
#include "hostmeter/os/loop.h"
#include "reliability.h"

static struct meter *meter_of(struct daemon *d)
{
	return d->setup.meter;
}

static void describe_process(struct daemon *d, struct snapshot_process *process)
{
	uint64_t now = loop_now_ns(d->loop);
	uint64_t saved = checkpointer_saved_at(d->checkpointer);

	*process = (struct snapshot_process){
		.running = true,
		.dump_interval_ns = pace_interval(&d->pace, now),
		.dump_cost_ns = d->pace.cost_ns,
		.stall_ns = d->stall_ns,
		.checkpoint_age_ns = saved ? now - saved : UINT64_MAX,
		.checkpoint_failures = checkpointer_failures(d->checkpointer),
		.real_ns = clock_real_ns(),
		.nflog_group = d->config->nflog_group,
		.listen = (const char *const *)d->config->listen.item,
		.listens = d->config->listen.count,
	};
	reliability_describe(d->reliability, process);
	for (enum source source = 0; source < SOURCE_COUNT; source++)
		process->receive_buffer_asked[source] = nl_receive_buffer_asked(d->nl, source);
	process->names = names_follow_files(d->naming, &process->names_count);
	proc_self_read(&process->usage);
}

/* Whoever asks gets what is known; if that is old, the next one gets something younger. */
static void ask_for_dump(struct daemon *d)
{
	uint64_t now = loop_now_ns(d->loop);

	if (nl_dump_running(d->nl))
		return;
	pace_want(&d->pace, CLOCK_NS_PER_S, now, now + CLOCK_NS_PER_MS);
	daemon_plan_dump(d);
}

static int take_snapshot(struct daemon *d, struct snapshot *snapshot)
{
	int error;

	checkpointer_before_show(d->checkpointer, meter_of(d));
	error = meter_setup_snapshot(&d->setup, snapshot, loop_now_ns(d->loop));
	if (!error)
		describe_process(d, &snapshot->process);
	return error;
}

static int answer_snapshot(void *ctx, struct snapshot *snapshot)
{
	int error = take_snapshot(ctx, snapshot);

	/* Only now: who looks once is not to find that dumps come as often as for a watcher. */
	ask_for_dump(ctx);
	return error;
}

void queries_log_state(struct daemon *d)
{
	struct snapshot snapshot;
	struct buf page = BUF_INIT;

	if (take_snapshot(d, &snapshot))
		return;
	status_text_render(&page, &snapshot);
	snapshot_clear(&snapshot);
	log_text(buf_text(&page));
	buf_free(&page);
}

static bool answer_ready(void *ctx)
{
	return meter_ready(meter_of(ctx));
}

static const struct topology *answer_topology(void *ctx)
{
	return meter_topology(meter_of(ctx));
}

/* Until a little after it should have asked again: then it has gone. */
static void answer_watched(void *ctx, uint64_t interval_ns)
{
	struct daemon *d = ctx;
	uint64_t now = loop_now_ns(d->loop);

	pace_want(&d->pace, interval_ns, now, now + 2 * interval_ns + CLOCK_NS_PER_S);
	daemon_plan_dump(d);
}

static bool answer_flows(void *ctx, const struct flow_list_filter *filter, struct buf *out)
{
	struct daemon *d = ctx;
	uint64_t now = loop_now_ns(d->loop);

	if (flow_list_fetch(d->flow_list, filter, out, now))
		return true;
	flow_list_ask(d->flow_list, filter, now);
	ask_for_dump(d);
	return false;
}

static int answer_record(void *ctx, struct http_shared *body)
{
	struct daemon *d = ctx;

	return recorder_open(d->recorder, body);
}

struct endpoints_source queries(struct daemon *d)
{
	return (struct endpoints_source){
		.ctx = d,
		.snapshot = answer_snapshot,
		.ready = answer_ready,
		.topology = answer_topology,
		.watched = answer_watched,
		.flows = answer_flows,
		.record = answer_record,
	};
}
