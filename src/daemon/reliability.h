/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reliability: whether the kernel delivers the ends of connections reliably, decided anew with each tick (law 3).
 *
 * It watches how full the kernel's connection table is, asks the valve (valve.h), sets the event socket's option, and
 * keeps a guard (hang_guard.h) that does it in the place of a meter that hangs.
 */
#ifndef HOSTMETER_DAEMON_RELIABILITY_H
#define HOSTMETER_DAEMON_RELIABILITY_H

#include <stdint.h>

struct nl;
struct reliability;
struct snapshot_process;

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
