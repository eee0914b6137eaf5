/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "explain.h"
#include "hostmeter/base/addr.h"
#include "hostmeter/base/log.h"
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"
#include "hostmeter/daemon/meter_setup.h"
#include "hostmeter/export/prometheus.h"
#include "hostmeter/meter/dispatch.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/trace/trace.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* Ticks as the meter did between two datagrams while they were recorded. After a long silence a few ticks suffice. */
static uint64_t tick_until(struct meter *meter, uint64_t ticked, uint64_t now)
{
	const uint64_t enough = 32 * METER_TICK_NS;

	if (now > ticked + enough)
		ticked = now - enough;
	while (ticked + METER_TICK_NS <= now) {
		ticked += METER_TICK_NS;
		meter_tick(meter, ticked);
	}
	return ticked;
}

/* Gives the meter this datagram and the rest of the trace. Returns 0 or the error of trace_read(). */
static int feed(struct trace_reader *reader, struct meter *meter, struct trace_datagram *datagram, uint64_t *now)
{
	struct dispatch *dispatch = dispatch_new(meter);
	uint64_t ticked = datagram->real_ns;
	int got;

	if (!dispatch)
		return -ENOMEM;
	for (enum source source = 0; source < SOURCE_COUNT; source++)
		meter_source(meter, source, true, 0);
	do {
		/* The clock may have been set back during the recording; time must not fall here. */
		if (datagram->real_ns > *now)
			*now = datagram->real_ns;
		ticked = tick_until(meter, ticked, *now);
		dispatch_datagram(dispatch, datagram->protocol, datagram->outgoing, datagram->data, datagram->len,
			*now);
		got = trace_read(reader, datagram);
	} while (got > 0);
	dispatch_free(dispatch);
	/* Also where the trace is damaged: what was read so far is counted. */
	meter_settle(meter, *now);
	return got;
}

/* Meters the trace, observed by explain unless that is NULL; out: where its lines go, NULL in the first round. */
static int meter_trace(const struct config *config, struct meter_setup *setup, struct explain *explain, struct buf *out,
	uint64_t *now)
{
	static const struct hash_key fixed = { { 1, 2 } }; /* the same trace gives the same page */
	struct trace_reader *reader = NULL;
	struct trace_datagram datagram;
	int error = trace_open(&reader, config->replay), got = 0;

	*now = 0;
	if (!error)
		got = trace_read(reader, &datagram);
	if (!error && got <= 0)
		error = got ? got : -ENODATA;
	if (!error)
		error = meter_setup_make(setup, config, &fixed, datagram.real_ns);
	if (!error && explain)
		explain_meter(explain, setup->meter, out);
	if (!error)
		error = feed(reader, setup->meter, &datagram, now);
	if (error && !(explain && out)) /* the first round has logged it */
		trace_log_error(config->replay, error, reader);
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

/* Whether a name needs the configuration: a trace has addresses only. */
static bool is_unnamed(const struct config *config)
{
	static const char *const others[] = { "all", "router", "unknown", "other" };
	const char *name = config->explain;
	struct addr address;
	struct mac mac;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(name, others[i]))
			return false;
	for (size_t i = 0; i < config->hosts; i++)
		if (!strcasecmp(name, config->host[i].name))
			return false;
	return addr_parse(&address, name) && mac_parse(&mac, name);
}

/* Why there is nothing to explain. 0, or -ENOENT where the configuration is missing. */
static int say_why_none(const struct config *config)
{
	bool unnamed = is_unnamed(config);

	if (!unnamed || config->hosts) {
		log_warning("%s: nothing in it is of %s%s", config->replay, config->explain,
			unnamed ? ", which the configuration does not name" : "");
		return 0;
	}
	log_error("--explain: no host is named \"%s\" here: a trace has no names, they come from the configuration "
		  "(--config FILE); without it ask by MAC address: --explain all shows them",
		config->explain);
	return -ENOENT;
}

/* Meters the trace twice. A damaged trace is logged in the first round and explained up to the damage. */
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
		error = say_why_none(config);
	explain_free(explain);
	return error ? error : lost;
}

int cmd_replay(const struct config *config, struct buf *out)
{
	if (config->record)
		return cmd_record(config, out);
	return (config->explain ? replay_explain : replay_metrics)(config, out) ? CMD_FAILED : CMD_OK;
}
