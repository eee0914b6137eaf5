/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queries: what the endpoints, and SIGUSR1, ask of the running meter.
 */
#ifndef HOSTMETER_DAEMON_QUERIES_H
#define HOSTMETER_DAEMON_QUERIES_H

#include "hostmeter/export/endpoints.h"

#include <stdint.h>

struct checkpointer;
struct collector;
struct meter_setup;
struct names_follow;
struct queries;
struct tap;

/* Where the answers come from; all is borrowed. */
struct queries_parts {
	const struct config *config;
	struct loop *loop;
	const struct meter_setup *setup;
	struct checkpointer *checkpointer;
	struct collector *collector;
	struct tap *tap;
	struct names_follow *names;
};

/* NULL: out of memory. queries_free(NULL) is fine; the collector must not be used after it. */
struct queries *queries_new(const struct queries_parts *parts);
void queries_free(struct queries *queries);

/* What the endpoints are made of. */
struct endpoints_source queries_source(struct queries *queries);

/* To be called several times per second: remembers the longest turn of the loop for a minute. */
void queries_tick(struct queries *queries, uint64_t now);

/* The meter's state, on the log. */
void queries_log_state(struct queries *queries);

#endif
