/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reliability: whether the kernel delivers the ends of connections reliably, decided anew with each tick (law 3).
 *
 * Reliable delivery keeps ended connections in the kernel's table until the meter has read of them; when that table
 * runs full, forwarding comes before counting. So a valve switches it off above a fill of the table, and on again below
 * a lower one. A guard (hang_guard.h) does the same for a meter that hangs.
 */
#ifndef HOSTMETER_DAEMON_RELIABILITY_H
#define HOSTMETER_DAEMON_RELIABILITY_H

#include <stdbool.h>
#include <stdint.h>

struct nl;
struct reliability;
struct snapshot_process;

enum { RELIABILITY_BACK_PERCENT = 70 };

struct reliability_valve {
	double fill_percent; /* above it reliability goes */
	bool open;           /* reliability is off */
	uint64_t openings;
};

/*
 * The table holds count of at most max entries, 0: no maximum. True if open changed with it. It closes again below
 * RELIABILITY_BACK_PERCENT, or below fill_percent if that is less.
 */
bool reliability_valve_update(struct reliability_valve *valve, uint64_t count, uint64_t max);

/*
 * Reliable until the table is fuller than fill_percent. nl is borrowed. NULL: out of memory. reliability_free(NULL) is
 * fine.
 */
struct reliability *reliability_new(struct nl *nl, double fill_percent);
void reliability_free(struct reliability *reliability);

/*
 * The event socket was opened, or opened again: a guard shares it from now on. Without one the meter goes on, with a
 * warning.
 */
void reliability_opened(struct reliability *reliability);

/* The event socket is lost: the guard's copy would keep it alive, unread. */
void reliability_closed(struct reliability *reliability);

/* To be called several times per HANG_GUARD_SILENCE_MS: tells the guard that the meter runs, and looks at the table. */
void reliability_tick(struct reliability *reliability);

/* Fills in what is shown of it: reliable, reliable_losses, conntrack_entries, conntrack_limit. */
void reliability_describe(const struct reliability *reliability, struct snapshot_process *process);

#endif
