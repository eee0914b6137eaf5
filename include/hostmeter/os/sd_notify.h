/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sd_notify: reports the daemon's state to its supervisor, see sd_notify(3). Does nothing without $NOTIFY_SOCKET. */
#pragma once

#include <stdint.h>

/*
 * Sends "READY=1", "STOPPING=1", "WATCHDOG=1" or several lines of that kind. 0, also without $NOTIFY_SOCKET; -EAGAIN if
 * it would block; -EAFNOSUPPORT if the address is neither a path nor an abstract name ("@..."); -errno.
 */
int sd_notify_send(const char *state);

/* A reload begins; "READY=1" ends it. mono_ns: CLOCK_MONOTONIC. As sd_notify_send(). */
int sd_notify_reloading(uint64_t mono_ns);

/* The supervisor's time limit for WATCHDOG=1 in nanoseconds; 0: there is none, or it is for another process. */
uint64_t sd_notify_watchdog_ns(void);
