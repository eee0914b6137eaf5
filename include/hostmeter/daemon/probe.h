/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * glance: one look at the network and the live connections, by a meter that lives for no longer. It subscribes to
 * nothing that a running meter has.
 */
#ifndef HOSTMETER_DAEMON_PROBE_H
#define HOSTMETER_DAEMON_PROBE_H

#include "hostmeter/meter/topology.h"

struct config;

struct glance {
	struct topology_link *link; /* all of this network namespace */
	size_t links;
	bool links_known;
	size_t buffer, buffer_asked; /* what the kernel grants of the event socket's buffer; 0: no socket */
	bool flows_known;
	uint64_t flows, flows_uncounted, flows_offloaded;
};

/* Looks at interfaces and, with_flows, at connections and buffers. What could not be had is unknown. 0 or -ENOMEM. */
int glance_take(struct glance *glance, const struct config *config, bool with_flows);
void glance_clear(struct glance *glance);

#endif
