/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tap: copies of all netlink datagrams, for --trace FILE and for whoever records (recorder.h).
 */
#ifndef HOSTMETER_DAEMON_TAP_H
#define HOSTMETER_DAEMON_TAP_H

#include <stdint.h>

struct collector;
struct http_shared;
struct loop;
struct tap;

/*
 * Taps the collector, which is borrowed. wake is called when there is more to read of a recording's body. NULL: out of
 * memory. tap_free(NULL) is fine; the bodies must have been released.
 */
struct tap *tap_new(struct loop *loop, struct collector *collector, void (*wake)(void *ctx, void *body), void *ctx);
void tap_free(struct tap *tap);

/* Writes a trace of everything to a file, whose path is borrowed. 0 or -errno. An error later is logged and ends it. */
int tap_open_trace(struct tap *tap, const char *path);

/* Another recording: fills in a live body (http/server.h). 0, -EBUSY or -ENOMEM. */
int tap_record(struct tap *tap, struct http_shared *body);

/* To be called several times per second: moves recordings on. */
void tap_tick(struct tap *tap, uint64_t real_ns);

#endif
