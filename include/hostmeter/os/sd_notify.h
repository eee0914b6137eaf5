/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify: tells the supervisor how the daemon is, by the protocol of sd_notify(3): one datagram to the socket that
 * $NOTIFY_SOCKET names. Where nobody set that (no systemd, a shell, procd), everything here does nothing.
 */
#ifndef HOSTMETER_OS_SD_NOTIFY_H
#define HOSTMETER_OS_SD_NOTIFY_H

#include <stdint.h>

/*
 * Sends a state: "READY=1", "STOPPING=1", "WATCHDOG=1", "STATUS=...", or several with a newline between them. Never
 * waits: -EAGAIN if the supervisor is behind. 0, also without $NOTIFY_SOCKET; -errno; -EAFNOSUPPORT for a kind of
 * address other than a path and an abstract name ("@...").
 */
int sd_notify_send(const char *state);

/*
 * Nanoseconds after which the supervisor takes this process for hung if no WATCHDOG=1 came, from $WATCHDOG_USEC and
 * $WATCHDOG_PID; 0: it does not watch, or watches another process.
 */
uint64_t sd_notify_watchdog_ns(void);

#endif
