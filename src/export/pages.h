/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pages: the pages that are being sent and the snapshots they are made of, within a bound of memory.
 *
 * A page is written in pieces from a cursor into its snapshot. Pieces are kept for other readers of the page while
 * there is room; a reader that comes to one that is not kept has it written again. So what a slow reader holds is its
 * snapshot, not its page. Whoever asks within ENDPOINTS_SHARE_NS of a snapshot shares it. When there is no room for
 * another snapshot, the newest is shared for PAGES_OLDEST_NS, then requests are refused.
 */
#pragma once

#include "hostmeter/base/clock.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGES_OLDEST_NS (5 * CLOCK_NS_PER_S)

struct endpoints_source;
struct http_shared;
struct loop;
struct pages;

enum page { PAGE_TEXT, PAGE_OPENMETRICS, PAGE_HOSTS, PAGE_HOSTS_WAN, PAGE_STATUS, PAGE_INDEX, PAGES };

struct pages_wish {
	enum page page;
	bool gzip;            /* compressed, if there is room for that */
	bool length;          /* the client needs the length before the first byte */
	unsigned int answers; /* that this client is reading already */
	bool is_old;          /* set where there was no room for another snapshot */
};

struct pages_usage {
	size_t bytes, limit; /* of memory */
	uint64_t refused;    /* requests */
};

/* source is borrowed; limit: bytes of memory. NULL: out of memory. */
struct pages *pages_new(struct loop *loop, const struct endpoints_source *source, size_t limit);

/* What is being read lives until it is released. pages_free(NULL) is fine. */
void pages_free(struct pages *pages);

/*
 * Fills in body, clears wish->gzip unless it is compressed, and sets wish->is_old. 0; -EAGAIN: refused, there is no
 * room now; or -ENOMEM.
 */
int pages_open(struct pages *pages, struct pages_wish *wish, struct http_shared *body);

/* Another limit, for what is made from now on. */
void pages_set_limit(struct pages *pages, size_t limit);

/* Whoever asks from now on gets a new snapshot, as soon as there is room. */
void pages_expire(struct pages *pages);

/* Whether there is a snapshot that is young enough for whoever asks. */
bool pages_are_fresh(const struct pages *pages);

struct pages_usage pages_usage(const struct pages *pages);
