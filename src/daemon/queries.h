/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * queries: what the endpoints and SIGUSR1 ask of the running meter.
 */
#pragma once

#include "hostmeter/export/endpoints.h"

#include <stdint.h>

struct queries {
	/* Where the answers come from, borrowed. */
	struct loop *loop;
	const struct meter_setup *setup;
	struct checkpointer *checkpointer;
	struct collector *collector;
	struct names_follow *names;
	struct ports *const *ports; /* made later */
	struct flow_list *flow_list;
	const struct endpoints *endpoints; /* this and http are set before the first question */
	const struct http_server *http;
	uint64_t started_at;  /* monotonic */
	uint64_t dated_after; /* the date of the checkpoint that was loaded: the clock must be later */
	/* Private. */
	uint64_t start_date;
	bool refused;                   /* somebody could not wait for a dump, which would have cost too much */
	uint64_t stall_ns, stall_until; /* the longest turn of the loop, and until when it is shown */
};

/* The answers for the endpoints. */
struct endpoints_source queries_source(struct queries *queries);

/* To be called several times per second: keeps the longest turn of the loop of the last minute. */
void queries_tick(struct queries *queries);

/* Logs the meter's state. */
void queries_log_state(struct queries *queries);
