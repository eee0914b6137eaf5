/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/daemon/probe.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/config/config.h"
#include "hostmeter/daemon/meter_setup.h"
#include "hostmeter/meter/dispatch.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/netlink/nl.h"
#include "hostmeter/os/loop.h"

#include <errno.h>
#include <stdlib.h>

#define PATIENCE_NS (30 * CLOCK_NS_PER_S) /* a dump of a million connections takes seconds */

struct look {
	struct glance *glance;
	bool with_flows, dumping;
	struct meter_setup setup;
	struct loop *loop;
	struct loop_timer *deadline;
	struct nl *nl;
	struct dispatch *dispatch;
};

static void look_at_flows(struct look *look)
{
	look->dumping = true;
	if (look->with_flows && !nl_open_source(look->nl, SOURCE_DUMP)) {
		look->glance->buffer = nl_receive_buffer(look->nl, SOURCE_DUMP);
		look->glance->buffer_asked = nl_receive_buffer_asked(look->nl, SOURCE_DUMP);
		if (!nl_dump_conntrack(look->nl))
			return;
	}
	loop_stop(look->loop);
}

static void on_datagram(void *ctx, enum source source, bool outgoing, const void *data, size_t len)
{
	struct look *look = ctx;

	dispatch_datagram(look->dispatch, nl_source_protocol(source), outgoing, data, len, loop_now_ns(look->loop));
	if (!look->dumping && dispatch_topology_known(look->dispatch))
		look_at_flows(look);
	else if (look->dumping && dispatch_dumps_ended(look->dispatch))
		loop_stop(look->loop);
}

static void on_overrun(void *ctx, enum source source)
{
	struct look *look = ctx;

	(void)source;
	loop_stop(look->loop);
}

static void on_failed(void *ctx, enum source source, int error)
{
	(void)error;
	on_overrun(ctx, source);
}

static void on_deadline(void *ctx)
{
	on_overrun(ctx, SOURCE_DUMP);
}

static int prepare(struct look *look, const struct config *config)
{
	/* The dump's socket asks for what the event socket would. */
	const struct nl_options options = { .receive_buffer[SOURCE_DUMP] = config->event_buffer };
	const struct nl_callbacks callbacks = { look, on_datagram, on_overrun, on_failed };
	struct hash_key hash;
	int error = hash_key_random(&hash);

	if (!error)
		error = meter_setup_make(&look->setup, config, &hash, clock_real_ns());
	if (error)
		return error;
	look->dispatch = dispatch_new(look->setup.meter);
	look->loop = loop_new();
	if (!look->dispatch || !look->loop)
		return -ENOMEM;
	look->nl = nl_new(look->loop, &options, &callbacks);
	look->deadline = loop_timer_add(look->loop, on_deadline, look);
	return look->nl && look->deadline ? 0 : -ENOMEM;
}

static int keep(struct look *look)
{
	struct glance *glance = look->glance;
	struct snapshot snapshot;
	int error = meter_snapshot(look->setup.meter, &snapshot, clock_mono_ns());

	if (error)
		return error;
	glance->links_known = dispatch_topology_known(look->dispatch);
	glance->flows_known = snapshot.ready;
	glance->flows = snapshot.flows;
	glance->flows_uncounted = snapshot.flows_uncounted;
	glance->flows_offloaded = snapshot.flows_offloaded;
	glance->link = snapshot.link;
	glance->links = snapshot.links;
	snapshot.link = NULL;
	snapshot_clear(&snapshot);
	return 0;
}

int glance_take(struct glance *glance, const struct config *config, bool with_flows)
{
	struct look look = { .glance = glance, .with_flows = with_flows };
	int error;

	*glance = (struct glance){ 0 };
	error = prepare(&look, config);
	if (!error) {
		loop_timer_set(look.deadline, PATIENCE_NS);
		if (!nl_open_source(look.nl, SOURCE_RTNL) && !nl_dump_rtnl(look.nl))
			loop_run(look.loop);
		error = keep(&look);
	}
	nl_free(look.nl);
	loop_timer_del(look.deadline);
	loop_free(look.loop);
	dispatch_free(look.dispatch);
	meter_setup_free(&look.setup);
	return error;
}

void glance_clear(struct glance *glance)
{
	free(glance->link);
	*glance = (struct glance){ 0 };
}
