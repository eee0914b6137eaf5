/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/config/config.h"
#include "hostmeter/http/server.h"
#include "hostmeter/trace/trace.h"
#include "recorder.h"

#include <errno.h>
#include <string.h>

static void write_trace(struct daemon *d, const struct trace_datagram *datagram)
{
	int error = trace_write(d->trace, datagram);

	if (!error)
		return;
	log_error("%s: %s: recording ends", d->config->trace, strerror(-error));
	trace_close(d->trace);
	d->trace = NULL;
}

void tap_datagram(struct daemon *d, enum source source, bool outgoing, const void *data, size_t len)
{
	struct trace_datagram datagram = {
		.protocol = nl_source_protocol(source),
		.outgoing = outgoing,
		.data = data,
		.len = len,
	};

	if (!d->trace && !recorder_wanted(d->recorder))
		return;
	datagram.real_ns = clock_real_ns();
	if (d->trace)
		write_trace(d, &datagram);
	recorder_datagram(d->recorder, &datagram);
}

/* --- What the recorder asks for */

static int dump_network(void *ctx)
{
	struct daemon *d = ctx;

	return nl_dump_rtnl(d->nl);
}

static bool network_running(void *ctx)
{
	struct daemon *d = ctx;

	return nl_dump_rtnl_running(d->nl);
}

static int dump_flows(void *ctx)
{
	struct daemon *d = ctx;

	if (!d->metering || d->stopping || nl_dump_running(d->nl))
		return -EBUSY;
	daemon_on_dump(d);
	return nl_dump_running(d->nl) ? 0 : -EIO;
}

static void wake(void *ctx, void *body)
{
	struct daemon *d = ctx;

	http_server_resume(d->http, body);
}

struct recorder_calls tap_recorder_calls(struct daemon *daemon)
{
	return (struct recorder_calls){
		.ctx = daemon,
		.dump_network = dump_network,
		.network_running = network_running,
		.dump_flows = dump_flows,
		.wake = wake,
	};
}
