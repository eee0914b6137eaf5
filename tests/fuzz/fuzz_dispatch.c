/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole datagrams of both protocols, received and sent, into a real meter. The input is a row of datagrams, each behind
 * three bytes: flags (1: NETLINK_ROUTE, 2: sent by us, the rest: time since the last one) and its length, low byte
 * first.
 */
#include "hostmeter/export/prometheus.h"
#include "hostmeter/meter/dispatch.h"
#include "hostmeter/meter/meter.h"

#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX_HOSTS = 8, MAX_FLOWS = 64 };

/* In memory of exactly its size. Returns what it took of the input. */
static size_t give(struct dispatch *dispatch, struct meter *meter, const uint8_t *data, size_t size, uint64_t *now)
{
	size_t len = data[1] | (size_t)data[2] << 8;
	void *datagram;

	if (len > size - 3)
		len = size - 3;
	datagram = malloc(len ? len : 1);
	if (!datagram)
		abort();
	memcpy(datagram, data + 3, len);
	*now += (data[0] >> 2) * METER_TICK_NS;
	meter_tick(meter, *now);
	dispatch_datagram(dispatch, data[0] & 1 ? NETLINK_ROUTE : NETLINK_NETFILTER, data[0] & 2, datagram, len, *now);
	free(datagram);
	return 3 + len;
}

/* After the end nothing is left over, and the page is whole. */
static void check(struct meter *meter, uint64_t now)
{
	struct snapshot snapshot;
	struct buf page = BUF_INIT;

	meter_settle(meter, now);
	if (meter_snapshot(meter, &snapshot, now))
		abort();
	if (snapshot.pending_ends || snapshot.flows_undecided || snapshot.flows > MAX_FLOWS ||
		snapshot.hosts > HOST_FIRST + MAX_HOSTS || snapshot.flows_uncounted > snapshot.flows ||
		snapshot.flows_offloaded > snapshot.flows)
		abort();
	prometheus_render(&page, &snapshot, PROMETHEUS_TEXT);
	if (page.error || page.data[page.len - 1] != '\n')
		abort();
	buf_free(&page);
	snapshot_clear(&snapshot);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct meter_options options = { .hash = { { 1, 2 } }, .max_hosts = MAX_HOSTS, .max_flows = MAX_FLOWS };
	struct meter *meter = meter_new(&options);
	struct dispatch *dispatch = meter ? dispatch_new(meter) : NULL;
	uint64_t now = UINT64_C(1000000000000);

	if (!dispatch)
		abort();
	meter_source(meter, SOURCE_NFLOG, true, 1);
	while (size >= 3) {
		size_t took = give(dispatch, meter, data, size, &now);

		data += took;
		size -= took;
	}
	check(meter, now);
	dispatch_free(dispatch);
	meter_free(meter);
	return 0;
}
