/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tunnels: which of the router's own flows carry a tunnel's packets (law 13). What is inside is counted by flows of its
 * own, so the outer packets are nobody's (FLOW_TUNNEL).
 *
 * A protocol that only tunnels use tells, or a port that is assigned to one (IANA), or the port on which a WireGuard
 * interface listens, or the configuration.
 */
#pragma once

#include "hostmeter/decode/rtnl_event.h"

/* One end of a tunnel, from the configuration: an address, a port of either end, or both. */
struct tunnels_peer {
	struct addr addr; /* family 0: any */
	uint16_t port;    /* 0: any */
};

struct tunnels_config {
	const struct tunnels_peer *peer; /* borrowed */
	size_t peers;
};

struct tunnels;

/* NULL: out of memory. tunnels_free(NULL) is fine. */
struct tunnels *tunnels_new(const struct tunnels_config *config);
void tunnels_free(struct tunnels *tunnels);

/* Decides by other ends from now on; borrowed as those before. */
void tunnels_configure(struct tunnels *tunnels, const struct tunnels_config *config);

/* Takes links; other events are ignored. Around a dump of all links: what it did not list is gone. */
void tunnels_rtnl(struct tunnels *tunnels, const struct rtnl_event *event);
void tunnels_sync_begin(struct tunnels *tunnels);
void tunnels_sync_end(struct tunnels *tunnels);

/* The UDP port on which a WireGuard interface listens; 0: on none. Ignored for other interfaces. */
void tunnels_port(struct tunnels *tunnels, uint32_t ifindex, uint16_t port);

/* Copies up to size WireGuard interfaces; returns how many there are. Their ports are to be asked for now and then: no
 * event tells of them. */
size_t tunnels_wireguards(const struct tunnels *tunnels, uint32_t *ifindex, size_t size);

/* A flow of the router's: its protocol, its own port, the other end. */
struct tunnels_flow {
	uint8_t proto;
	uint16_t own_port, other_port;
	const struct addr *other;
};

enum tunnels_answer { TUNNELS_NO, TUNNELS_YES, TUNNELS_MAYBE /* the port of a new interface is not known yet */ };
enum tunnels_answer tunnels_carries(const struct tunnels *tunnels, const struct tunnels_flow *flow);
