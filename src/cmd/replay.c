/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "replay.h"

#include "explain.h"
#include "hostmeter/base/log.h"
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"
#include "hostmeter/daemon/meter_setup.h"
#include "hostmeter/export/prometheus.h"
#include "hostmeter/meter/dispatch.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/trace/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* The meter ticks in the time between two datagrams as it did when they were recorded. A long silence needs no more. */
static uint64_t tick_until(struct meter *meter, uint64_t ticked, uint64_t now)
{
	const uint64_t enough = 2 * 16 * METER_TICK_NS;

	if (now > ticked + enough)
		ticked = now - enough;
	while (ticked + METER_TICK_NS <= now) {
		ticked += METER_TICK_NS; /* later than every datagram so far: time runs one way */
		meter_tick(meter, ticked);
	}
	return ticked;
}

static int feed(struct trace_reader *reader, struct dispatch *dispatch, struct meter *meter,
	struct trace_datagram *datagram, uint64_t *now)
{
	uint64_t ticked = datagram->real_ns;
	int got;

	do {
		/* A clock that was set back while recording must not run backwards here. */
		if (datagram->real_ns > *now)
			*now = datagram->real_ns;
		ticked = tick_until(meter, ticked, *now);
		dispatch_datagram(dispatch, datagram->protocol, datagram->outgoing, datagram->data, datagram->len,
			*now);
		got = trace_read(reader, datagram);
	} while (got > 0);
	return got;
}

const char *replay_reason(int error)
{
	switch (error) {
	case -EBADMSG:
		return "damaged, or no pcap file";
	case -EPROTONOSUPPORT:
		return "a capture, but not of netlink (link type 253)";
	case -EXDEV:
		return "recorded on a machine of the other byte order";
	default:
		return strerror(-error);
	}
}

static void complain(const struct config *config, int error, const struct trace_reader *reader)
{
	if (reader && trace_offset(reader))
		log_error("%s: %s, at byte %" PRIu64, config->replay, replay_reason(error), trace_offset(reader));
	else
		log_error("%s: %s", config->replay, replay_reason(error));
}

/* One trace into one meter. Observed, unless explain is NULL: lines go to out, or nowhere where it is NULL. */
static int meter_trace(const struct config *config, struct meter_setup *setup, struct explain *explain, struct buf *out,
	uint64_t *now)
{
	static const struct hash_key fixed = { { 1, 2 } }; /* the same trace gives the same page */
	struct trace_reader *reader = NULL;
	struct trace_datagram datagram;
	struct dispatch *dispatch = NULL;
	int error = trace_open(&reader, config->replay);

	*now = 0;
	if (!error) {
		error = trace_read(reader, &datagram);
		error = error < 0 ? error : error ? 0 : -ENODATA;
	}
	if (!error)
		error = meter_setup_make(setup, config, &fixed, datagram.real_ns);
	if (error)
		goto done;
	dispatch = dispatch_new(setup->meter);
	if (!dispatch) {
		error = -ENOMEM;
		goto done;
	}
	if (explain)
		explain_meter(explain, setup->meter, out);
	for (enum source source = 0; source < SOURCE_COUNT; source++)
		meter_source(setup->meter, source, true, 0);
	error = feed(reader, dispatch, setup->meter, &datagram, now);
	/* Of a trace that was cut, what there is is still worth something. */
	meter_settle(setup->meter, *now);
done:
	if (error && !(explain && out)) /* the second time it was said already */
		complain(config, error, reader);
	dispatch_free(dispatch);
	trace_reader_free(reader);
	return error;
}

static int replay_metrics(const struct config *config, struct buf *out)
{
	struct meter_setup setup = { 0 };
	struct snapshot snapshot = { 0 };
	uint64_t now;
	int error = meter_trace(config, &setup, NULL, NULL, &now);

	if (setup.meter && !meter_setup_snapshot(&setup, &snapshot, now)) {
		prometheus_render(out, &snapshot, PROMETHEUS_TEXT);
		snapshot_clear(&snapshot);
	}
	meter_setup_free(&setup);
	return error;
}

/* Twice: a trace that is damaged is told of the first time, and is explained up to there. */
static int replay_explain(const struct config *config, struct buf *out)
{
	struct explain *explain = explain_new(config->explain);
	struct meter_setup setup = { 0 };
	uint64_t now;
	int error, lost;

	if (!explain)
		return -ENOMEM;
	error = meter_trace(config, &setup, explain, NULL, &now);
	meter_setup_free(&setup);
	if (!error || error == -EBADMSG) {
		error = meter_trace(config, &setup, explain, out, &now);
		meter_setup_free(&setup);
	}
	lost = explain_sums(explain, out);
	if (lost)
		log_error("--explain: %s", strerror(-lost));
	else if (!error && !out->len)
		log_warning("%s: nothing in it is of %s", config->replay, config->explain);
	explain_free(explain);
	return error ? error : lost;
}

int cmd_replay(const struct config *config, struct buf *out)
{
	if (config->record)
		return cmd_record(config, out);
	return (config->explain ? replay_explain : replay_metrics)(config, out) ? CMD_FAILED : CMD_OK;
}
