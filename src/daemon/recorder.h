/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * recorder: copies of all netlink datagrams as traces (trace.h): for --trace FILE, and for readers that ask for a
 * recording while the meter runs.
 *
 * A recording that begins late must have what a replay needs: first a dump of links, addresses, routes and neighbours,
 * then a dump of the connections as the baseline, and everything after it. The reader takes it from a bounded queue. A
 * reader that is too slow loses the rest, and a note at the end of its trace says how much; nobody else waits for it.
 */
#pragma once

#include <stdbool.h>

enum { RECORDER_READERS = 2, RECORDER_QUEUE = 4 << 20 };

struct http_shared;
struct recorder;
struct trace_datagram;

/* What a recorder calls. A dump: 0 once its request is sent, or -errno: the recorder asks again. */
struct recorder_calls {
	void *ctx;
	int (*dump_network)(void *ctx);
	bool (*network_running)(void *ctx); /* that dump, or another one of the same source */
	int (*dump_flows)(void *ctx);
	void (*wake)(void *wake_ctx, void *body); /* there is more to read of this body */
	void *wake_ctx;
};

/* NULL: out of memory. recorder_free(NULL) is fine; the bodies must have been released. */
struct recorder *recorder_new(const struct recorder_calls *calls);
void recorder_free(struct recorder *recorder);

/* Writes everything to a file too; path is borrowed. 0 or -errno. A later error is logged and ends the file. */
int recorder_open_file(struct recorder *recorder, const char *path);

/* A recording for another reader: fills in a live body (http/server.h). 0; -EBUSY: enough readers; -ENOMEM. */
int recorder_open(struct recorder *recorder, struct http_shared *body);

/* Whether anything is recorded: else recorder_datagram() need not be called. */
bool recorder_wanted(const struct recorder *recorder);

/* Takes everything that is received, and every request of ours, in order. */
void recorder_datagram(struct recorder *recorder, const struct trace_datagram *datagram);

/* A dump of the connections begins: recordings that wait for one begin with its request, the next datagram. */
void recorder_dump_begins(struct recorder *recorder);

/* To be called several times per second: moves recordings on. */
void recorder_tick(struct recorder *recorder);
