/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_feed: what --watch asks a meter for, over and over: all hosts, and the connections of one. It never waits: its
 * caller polls for what is under way.
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

/*
 * Goes on asking for the hosts, or begins to; interval_ns: in how long it will be asked again. 200 and a sample to be
 * cleared; 0: poll, and call it again; else why there is none: -errno, or an HTTP status.
 */
int watch_feed_sample(struct watch_feed *feed, uint64_t interval_ns, struct watch_sample *sample);

/* The same for the connections of a host. A listing begun for another host is waited for first, and dropped. */
int watch_feed_connections(struct watch_feed *feed, const char *label, const char *mac, uint64_t now,
	struct watch_connections *fresh);

/* Whether an answer is under way. */
bool watch_feed_wants_sample(const struct watch_feed *feed);
bool watch_feed_wants_connections(const struct watch_feed *feed);

/* What to poll for; fd -1: nothing. Returns for how long at most, in ms; -1: for ever. */
int watch_feed_poll(const struct watch_feed *feed, struct pollfd polled[static WATCH_FEED_FDS], uint64_t now);
