/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/replay.h"

#include "hostmeter/config.h"
#include "hostmeter/intake.h"
#include "hostmeter/log.h"
#include "hostmeter/meter.h"
#include "hostmeter/metrics.h"
#include "hostmeter/setup.h"
#include "hostmeter/trace.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* The meter ticks in the time between two datagrams as it did when they were recorded. A long silence needs no more. */
static uint64_t tick_until(struct meter *meter, uint64_t ticked, uint64_t now)
{
	const uint64_t enough = 2 * 16 * METER_TICK_NS;

	if (now > ticked + enough)
		ticked = now - enough;
	for (; ticked + METER_TICK_NS <= now; ticked += METER_TICK_NS)
		meter_tick(meter, ticked);
	return ticked;
}

static int feed(struct trace_reader *reader, struct intake *intake, struct meter *meter,
	struct trace_datagram *datagram, uint64_t *now)
{
	uint64_t ticked = datagram->real_ns;
	int got;

	do {
		/* A clock that was set back while recording must not run backwards here. */
		if (datagram->real_ns > *now)
			*now = datagram->real_ns;
		ticked = tick_until(meter, ticked, *now);
		intake_datagram(intake, datagram->protocol, datagram->outgoing, datagram->data, datagram->len, *now);
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

int replay_run(const struct config *config, struct buf *out)
{
	static const struct hash_key fixed = { { 1, 2 } }; /* the same trace gives the same page */
	struct trace_reader *reader = NULL;
	struct trace_datagram datagram;
	struct setup setup = { 0 };
	struct snapshot snapshot = { 0 };
	struct intake *intake = NULL;
	uint64_t now = 0;
	int error = trace_open(&reader, config->replay);

	if (!error) {
		error = trace_read(reader, &datagram);
		if (!error)
			error = -ENODATA;
	}
	if (error < 0)
		goto done;
	error = setup_make(&setup, config, &fixed, datagram.real_ns);
	if (error)
		goto done;
	intake = intake_new(setup.meter);
	if (!intake) {
		error = -ENOMEM;
		goto done;
	}
	for (enum source source = 0; source < SOURCE_COUNT; source++)
		meter_source(setup.meter, source, true, 0);
	error = feed(reader, intake, setup.meter, &datagram, &now);
	/* Of a trace that was cut, what there is is still worth something. */
	meter_settle(setup.meter, now);
	if (!setup_snapshot(&setup, &snapshot, now)) {
		metrics_render(out, &snapshot, METRICS_TEXT);
		snapshot_clear(&snapshot);
	}
done:
	if (error && reader && trace_offset(reader))
		log_error("%s: %s, at byte %" PRIu64, config->replay, replay_reason(error), trace_offset(reader));
	else if (error)
		log_error("%s: %s", config->replay, replay_reason(error));
	intake_free(intake);
	setup_free(&setup);
	trace_reader_free(reader);
	return error;
}
