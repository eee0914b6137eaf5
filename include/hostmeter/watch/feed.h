/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_feed: asks a meter for all hosts and for the connections of one. No call waits: the caller polls for the answer
 * and calls again.
 */
#pragma once

#include "hostmeter/watch/connections.h"
#include "hostmeter/watch/sample.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

enum { WATCH_FEED_FDS = 2 };

struct watch_feed;

/* socket: the meter's, borrowed. 0 or -ENOMEM. watch_feed_free(NULL) is fine. */
int watch_feed_open(struct watch_feed **feed, const char *socket);
void watch_feed_free(struct watch_feed *feed);

/* From the next request for the hosts on, their local traffic too. */
void watch_feed_want_local(struct watch_feed *feed);

/*
 * Starts or continues a request for the hosts. interval_ns tells the meter how often it will be asked. 200: there is a
 * sample, for the caller to clear; 0: poll and call again; else it failed: -errno or an HTTP status.
 */
int watch_feed_sample(struct watch_feed *feed, uint64_t interval_ns, struct watch_sample *sample);

/* The same for the connections of a host. An unfinished listing of another host is first read and dropped. */
int watch_feed_connections(struct watch_feed *feed, const char *label, const char *mac, uint64_t now,
	struct watch_connections *fresh);

/* Whether an answer is awaited. */
bool watch_feed_wants_sample(const struct watch_feed *feed);
bool watch_feed_wants_connections(const struct watch_feed *feed);

/* Fills in what to poll for; fd -1: nothing. Returns the timeout in ms; -1: none. */
int watch_feed_poll(const struct watch_feed *feed, struct pollfd polled[static WATCH_FEED_FDS], uint64_t now);
