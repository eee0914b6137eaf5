/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * notify: tells systemd how the process is: sd_notify(3)'s protocol, one datagram to the socket that NOTIFY_SOCKET names.
 */
#ifndef HOSTMETER_NOTIFY_H
#define HOSTMETER_NOTIFY_H

#include <stdint.h>

/* Sends "READY=1", "WATCHDOG=1", "STOPPING=1" and the like. 0, also where nobody asked for it; -errno. */
int notify_send(const char *state);

/* Within how many nanoseconds a "WATCHDOG=1" is expected again and again; 0: it is not. sd_watchdog_enabled(3) */
uint64_t notify_watchdog_ns(void);

#endif
