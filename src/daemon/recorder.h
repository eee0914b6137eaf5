/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recorder: what the kernel says, as a trace (trace.h) to whoever asks for it while the meter runs.
 *
 * A recording begun late must have what a replay needs: first the links, addresses, routes and neighbours, dumped anew
 * for it; then a dump of the connections, which is its baseline, and from there on everything. The reader takes it from
 * a bounded queue. One that reads too slowly loses the rest, and is told how much; nobody else waits for it.
 */
#ifndef HOSTMETER_DAEMON_RECORDER_H
#define HOSTMETER_DAEMON_RECORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { RECORDER_READERS = 2, RECORDER_QUEUE = 4 << 20 };

struct http_shared;
struct recorder;
struct trace_datagram;

/* What it asks of the rest. Each dump: 0 once its request is on its way, or -errno: it is asked for again. */
struct recorder_calls {
	void *ctx;
	int (*dump_network)(void *ctx);
	bool (*network_running)(void *ctx); /* the dump of the network's shape, or another of its source */
	int (*dump_flows)(void *ctx);
	void (*wake)(void *ctx, void *body); /* there is more to read of this body */
};

/* NULL: out of memory. recorder_free(NULL) is fine; the bodies must have been released. */
struct recorder *recorder_new(const struct recorder_calls *calls);
void recorder_free(struct recorder *recorder);

/* Another reader: fills in a live body (http.h). 0; -EBUSY if there are RECORDER_READERS; -ENOMEM. */
int recorder_open(struct recorder *recorder, struct http_shared *body);

/* Whether anybody records. */
bool recorder_wanted(const struct recorder *recorder);

/* Everything that is received, and every request of ours, in order. Almost nothing where nobody records. */
void recorder_datagram(struct recorder *recorder, const struct trace_datagram *datagram);

/* A dump of the connections begins: recordings that wait for one begin with its request, the next datagram. */
void recorder_dump_begins(struct recorder *recorder);

/* To be called several times per second: moves recordings on. */
void recorder_tick(struct recorder *recorder, uint64_t real_ns);

#endif
