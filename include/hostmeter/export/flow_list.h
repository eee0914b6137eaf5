/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * listing: live flows as text, each with the host it is counted for: taken from the next dump, for whoever asked.
 *
 * A dump takes a while, so asking and fetching are two things: listing_ask() has the next dump listed, and
 * listing_fetch() gives it once that dump is in. One listing at a time, kept for a few seconds.
 */
#ifndef HOSTMETER_EXPORT_FLOW_LIST_H
#define HOSTMETER_EXPORT_FLOW_LIST_H

#include "hostmeter/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct ct_event;
struct listing;
struct meter;
struct nlmsghdr;

struct listing_filter {
	char host[64];  /* label, MAC or address; "": all */
	uint8_t family; /* 4, 6, 0: both */
	uint8_t proto;  /* IPPROTO_…, 0: all */
	uint16_t port;  /* any of the two of the original direction, 0: all */
	bool json;      /* one object a line instead of conntrack(8)'s lines */
};

enum { LISTING_MAX = 64 << 20 }; /* bytes of one listing; what is beyond is left out, and the last line says so */

/* NULL: out of memory. The meter is borrowed. */
struct listing *listing_new(const struct meter *meter);
void listing_free(struct listing *listing);

/*
 * Reads "host=…&ipv=…" values already taken apart; NULL is "not given". NULL, or the name of the value that makes no
 * sense.
 */
const char *listing_filter_set(struct listing_filter *filter, const char *host, const char *ipv, const char *proto,
	const char *port);

/* Wants the next dump listed by this filter. */
void listing_ask(struct listing *listing, const struct listing_filter *filter, uint64_t now);

/* Whether a dump is wanted; it began; one entry of it; it ended. */
bool listing_wanted(const struct listing *listing);

/* Whether the dump that began is listed: listing_entry() is to be called for each of its entries. */
bool listing_running(const struct listing *listing);
void listing_dump_begins(struct listing *listing);
void listing_entry(struct listing *listing, const struct nlmsghdr *message, const struct ct_event *event);
void listing_dump_ended(struct listing *listing, uint64_t now);

/*
 * Appends the listing that this filter was asked for. True; false while it is not there yet: ask (again), and come
 * back.
 */
bool listing_fetch(struct listing *listing, const struct listing_filter *filter, struct buf *out, uint64_t now);

#endif
