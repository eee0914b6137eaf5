/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow_list: live flows as text, each with the host it is counted for: taken from the next dump, for whoever asked.
 *
 * A dump takes a while, so asking and fetching are two things: flow_list_ask() has the next dump listed, and
 * flow_list_fetch() gives it once that dump is in. One listing at a time, kept for a few seconds.
 */
#pragma once

#include "hostmeter/base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct dispatch;
struct flow_list;
struct meter;

struct flow_list_filter {
	char host[64];  /* label, MAC or address; "": all */
	uint8_t family; /* 4, 6, 0: both */
	uint8_t proto;  /* IPPROTO_…, 0: all */
	uint16_t port;  /* any of the two of the original direction, 0: all */
	bool json;      /* one object a line instead of conntrack(8)'s lines */
};

enum { FLOW_LIST_MAX = 64 << 20 }; /* bytes of one list; what is beyond is left out, and the last line says so */

/* Subscribes to dispatch, which must not be used after flow_list_free(). Both are borrowed. NULL: out of memory. */
struct flow_list *flow_list_new(const struct meter *meter, struct dispatch *dispatch);
void flow_list_free(struct flow_list *list);

/* Takes the values of a query, each NULL where not given. NULL, or the name of the value that makes no sense. */
const char *flow_list_filter_set(struct flow_list_filter *filter, const char *host, const char *ipv, const char *proto,
	const char *port);

/* Wants the next dump listed by this filter. */
void flow_list_ask(struct flow_list *list, const struct flow_list_filter *filter, uint64_t now);

/* Appends the listing that was asked for with this filter. False: not there yet: ask (again), and come back. */
bool flow_list_fetch(struct flow_list *list, const struct flow_list_filter *filter, struct buf *out, uint64_t now);
