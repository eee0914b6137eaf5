/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collector: what the kernel says, from the sockets into the meter. It opens the sources in their order, opens again
 * what was lost, and has the connections dumped.
 *
 * The order matters. First the network's shape, since without it no flow can be told from another; then events and
 * first packets; then the first dump. So a flow that ends in between is in the dump or in an event, and one that
 * begins in between is sighted.
 */
#ifndef HOSTMETER_DAEMON_COLLECTOR_H
#define HOSTMETER_DAEMON_COLLECTOR_H

#include "hostmeter/decode/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct collector;
struct config;
struct dispatch;
struct dump_schedule;
struct loop;
struct meter;
struct snapshot_process;

/* No source is open yet. All is borrowed. NULL: out of memory. collector_free(NULL) is fine. */
struct collector *collector_new(struct loop *loop, const struct config *config, struct meter *meter);
void collector_free(struct collector *collector);

/* Borrowed: to subscribe to what is known and what ends; to have a dump. */
struct dispatch *collector_dispatch(struct collector *collector);
struct dump_schedule *collector_dump_schedule(struct collector *collector);

/* Calls tap with each datagram, received or sent (outgoing). There is one tap; NULL: none. */
void collector_set_tap(struct collector *collector,
	void (*tap)(void *ctx, enum source source, bool outgoing, const void *data, size_t len), void *ctx);

/* Opens rtnetlink and asks for the network's shape; the dispatcher tells when that is known. 0 or -errno. */
int collector_open_topology(struct collector *collector);

/* The topology is known: opens the other sources and starts the first dump. 0, or -errno, which is logged. */
int collector_start(struct collector *collector);

/* To be called several times per second: looks after reliable delivery. */
void collector_tick(struct collector *collector);

/* Links, addresses, routes and neighbours anew: 0, -EBUSY while one of these dumps runs, -errno. */
int collector_dump_network(struct collector *collector);
bool collector_network_running(const struct collector *collector);

/* One more dump, then the loop stops. At once if nothing was started, or if called again. */
void collector_stop(struct collector *collector);

/* After the loop: reads what is still in the sockets. False if nothing was started. */
bool collector_drain(struct collector *collector);

/* Fills in what is shown of dumps, reliable delivery and receive buffers. */
void collector_describe(const struct collector *collector, struct snapshot_process *process);

#endif
