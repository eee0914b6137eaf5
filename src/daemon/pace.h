/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pace: when the next dump is due. A dump costs CPU in proportion to the connections, so the time between dumps
 * stretches until dumping stays under a share of one core.
 */
#ifndef HOSTMETER_DAEMON_PACE_H
#define HOSTMETER_DAEMON_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	uint64_t interval_ns;       /* wanted from one dump's begin to the next */
	double share;               /* of one core, per cent */
	uint64_t began_ns, cost_ns; /* of the last dump; cost: CPU time */
	uint64_t wanted_ns;         /* the interval somebody asked for who waits */
	uint64_t wanted_until_ns;
};

/* The last dump began at began_ns (monotonic) and cost so much CPU time. */
void pace_dumped(struct pace *pace, uint64_t began_ns, uint64_t cost_ns);

/* Somebody watches, and wants dumps every interval_ns (one second at the least) from now until until_ns. */
void pace_want(struct pace *pace, uint64_t interval_ns, uint64_t now_ns, uint64_t until_ns);

/* Nanoseconds from now to the next dump's begin, 0 if it is due. */
uint64_t pace_delay(const struct pace *pace, uint64_t now_ns);

/* The interval that holds now: the configured or wanted one, or what the share asks for. */
uint64_t pace_interval(const struct pace *pace, uint64_t now_ns);

#endif
