/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/watch/feed.h"

#include "decode.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/url.h"
#include "hostmeter/http/client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWER_MS = 5000, OK = 200, ACCEPTED = 202 };

#define AGAIN_NS (50 * CLOCK_NS_PER_MS)

/* HOSTS and STATUS are requested one after the other, CONNECTIONS at the same time. */
enum document { HOSTS, STATUS, CONNECTIONS, DOCUMENTS };

struct watch_feed {
	const char *socket;
	bool local; /* asked for */
	struct http_fetch *fetch[DOCUMENTS];
	struct buf document[DOCUMENTS];
	struct watch_connections wanted; /* the host whose listing was requested; both names "": none */
	uint64_t again;                  /* when to ask for it again */
};

int watch_feed_open(struct watch_feed **feed, const char *socket)
{
	*feed = calloc(1, sizeof(**feed));
	if (!*feed)
		return -ENOMEM;
	(*feed)->socket = socket;
	return 0;
}

void watch_feed_free(struct watch_feed *feed)
{
	if (!feed)
		return;
	for (int i = 0; i < DOCUMENTS; i++) {
		http_fetch_free(feed->fetch[i]);
		buf_free(&feed->document[i]);
	}
	free(feed);
}

void watch_feed_want_local(struct watch_feed *feed)
{
	feed->local = true;
}

/* Requests one document, or continues. Returns as http_fetch_step(); 0: not complete yet. */
static int get(struct watch_feed *feed, enum document which, const char *target)
{
	int result;

	if (!feed->fetch[which]) {
		buf_reset(&feed->document[which]);
		result = http_fetch_start(&feed->fetch[which], feed->socket, target, ANSWER_MS);
		if (result)
			return result;
	}
	result = http_fetch_step(feed->fetch[which], &feed->document[which]);
	if (result) {
		http_fetch_free(feed->fetch[which]);
		feed->fetch[which] = NULL;
	}
	return result;
}

int watch_feed_sample(struct watch_feed *feed, uint64_t interval_ns, struct watch_sample *sample)
{
	char target[64];
	int result = OK, error;

	snprintf(target, sizeof(target), "/api/v1/hosts?local=%d&watch=%.3f", feed->local,
		(double)interval_ns / CLOCK_NS_PER_S);
	if (!feed->fetch[STATUS])
		result = get(feed, HOSTS, target);
	if (result == OK)
		result = get(feed, STATUS, "/api/v1/status");
	if (result != OK)
		return result;
	error = watch_decode_sample(sample, &feed->document[HOSTS], &feed->document[STATUS]);
	return error ? error : OK;
}

/* ---- Connections */

/* What the meter is asked by: the MAC address, which is unique; else the name. */
static const char *name_of(const struct watch_connections *host)
{
	return host->mac[0] ? host->mac : host->label;
}

int watch_feed_connections(struct watch_feed *feed, const char *label, const char *mac, uint64_t now,
	struct watch_connections *fresh)
{
	struct buf target = BUF_INIT;
	int result, error;

	if (!feed->fetch[CONNECTIONS] && now < feed->again)
		return 0;
	/* A listing that was requested is always read: else the meter delays the next one. */
	if (!name_of(&feed->wanted)[0]) {
		snprintf(feed->wanted.label, sizeof(feed->wanted.label), "%s", label);
		snprintf(feed->wanted.mac, sizeof(feed->wanted.mac), "%s", mac);
	}
	buf_puts(&target, "/api/v1/flows?json=1&host=");
	url_encode(&target, name_of(&feed->wanted));
	result = buf_error(&target) ? buf_error(&target) : get(feed, CONNECTIONS, buf_text(&target));
	buf_free(&target);
	if (result == ACCEPTED) {
		feed->again = now + AGAIN_NS;
		return 0;
	}
	if (!result)
		return 0;
	*fresh = feed->wanted;
	feed->wanted = (struct watch_connections){ 0 };
	if (result != OK || !watch_connections_are_of(fresh, label, mac))
		return result == OK ? 0 : result;
	error = watch_decode_connections(fresh, &feed->document[CONNECTIONS]);
	return error ? error : OK;
}

/* ---- Waiting for answers */

bool watch_feed_wants_sample(const struct watch_feed *feed)
{
	return feed->fetch[HOSTS] || feed->fetch[STATUS];
}

bool watch_feed_wants_connections(const struct watch_feed *feed)
{
	return name_of(&feed->wanted)[0];
}

int watch_feed_poll(const struct watch_feed *feed, struct pollfd polled[static WATCH_FEED_FDS], uint64_t now)
{
	const struct http_fetch *fetch[WATCH_FEED_FDS] = {
		feed->fetch[HOSTS] ? feed->fetch[HOSTS] : feed->fetch[STATUS],
		feed->fetch[CONNECTIONS],
	};
	int patience = -1;

	for (int i = 0; i < WATCH_FEED_FDS; i++) {
		polled[i] = (struct pollfd){ .fd = -1 };
		if (!fetch[i])
			continue;
		polled[i].fd = http_fetch_fd(fetch[i]);
		polled[i].events = POLLIN;
		if (patience < 0 || http_fetch_patience(fetch[i]) < patience)
			patience = http_fetch_patience(fetch[i]);
	}
	if (watch_feed_wants_connections(feed) && !fetch[1]) {
		int again = feed->again > now ? (int)((feed->again - now) / CLOCK_NS_PER_MS) + 1 : 0;

		patience = patience < 0 || again < patience ? again : patience;
	}
	return patience;
}
