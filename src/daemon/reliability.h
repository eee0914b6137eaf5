/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reliability: decides with each tick whether the kernel delivers the ends of connections reliably (law 3).
 *
 * With reliable delivery the kernel keeps ended connections in its table until the meter has read of them. When the
 * table runs full, forwarding comes before counting: a valve switches reliable delivery off above a fill of the table,
 * and on again below a lower one. hang_guard.h does the same for a meter that hangs.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct nl;
struct reliability;
struct snapshot_process;

enum { RELIABILITY_BACK_PERCENT = 70 };

struct reliability_valve {
	double fill_percent; /* the valve opens above it */
	bool open;           /* delivery is not reliable */
	uint64_t openings;
};

/*
 * The table holds count of at most max entries, 0: no maximum. True if open changed. The valve closes below
 * RELIABILITY_BACK_PERCENT, or below fill_percent if that is less.
 */
bool reliability_valve_update(struct reliability_valve *valve, uint64_t count, uint64_t max);

/* nl is borrowed. NULL: out of memory. reliability_free(NULL) is fine. */
struct reliability *reliability_new(struct nl *nl, double fill_percent);
void reliability_free(struct reliability *reliability);

/* The event socket was opened: starts a guard for it. Without one the meter goes on, with a warning. */
void reliability_opened(struct reliability *reliability);

/* The event socket was closed: ends the guard, whose copy would stay subscribed. */
void reliability_closed(struct reliability *reliability);

/* To be called several times per second: sends the guard a beat and updates the valve. */
void reliability_tick(struct reliability *reliability);

/* Sets reliable, reliable_losses, conntrack_entries and conntrack_limit. */
void reliability_describe(const struct reliability *reliability, struct snapshot_process *process);
