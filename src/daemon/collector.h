/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * collector: brings what the kernel says from the sockets into the meter. It opens the sources in order, opens lost
 * ones again, and dumps the connections.
 *
 * The order: first links, addresses, routes and neighbours, without which no flow can be attributed; then events and
 * first packets; then the first dump. So a flow that ends in between is in the dump or in an event, and the first
 * packet of a flow that begins in between is seen.
 */
#pragma once

#include <stdbool.h>

struct collector;
struct config;
struct dispatch;
struct dump_schedule;
struct loop;
struct meter;
struct recorder;
struct snapshot_process;

/*
 * No source is open yet. All is borrowed. on_more is called when there is more to read of a recording's body. NULL: out
 * of memory. collector_free(NULL) is fine; the bodies must have been released.
 */
struct collector *collector_new(struct loop *loop, const struct config *config, struct meter *meter,
	void (*on_more)(void *ctx, void *body), void *ctx);
void collector_free(struct collector *collector);

/* The configuration has another dump-interval or dump-share. */
void collector_configure(struct collector *collector);

/* Its parts, borrowed. */
struct dispatch *collector_dispatch(struct collector *collector);
struct dump_schedule *collector_dump_schedule(struct collector *collector);
struct recorder *collector_recorder(struct collector *collector);

/* Opens rtnetlink and dumps the topology; the dispatcher calls topology_known() at its end. 0 or -errno. */
int collector_open_topology(struct collector *collector);

/* The topology is known: opens the other sources and starts the first dump. 0, or -errno, which is logged. */
int collector_start(struct collector *collector);

/* To be called several times per second, for reliable delivery and recordings. */
void collector_tick(struct collector *collector);

/* Dumps once more, then stops the loop; at once if nothing was started, or if called again. */
void collector_stop(struct collector *collector);

/* After the loop: reads what is still in the sockets. False if nothing was started. */
bool collector_drain(struct collector *collector);

/* Sets what is shown of dumps, reliable delivery and receive buffers. */
void collector_describe(const struct collector *collector, struct snapshot_process *process);
