/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow: the record of a live connection: its host, and what was counted of it. */
#pragma once

#include "hostmeter/base/hash.h"
#include "hostmeter/decode/ct_event.h"

enum flow_scope {
	FLOW_UNDECIDED, /* its host is not known yet; nothing is counted */
	FLOW_WAN,       /* between a host (or the router) and the WAN */
	FLOW_LOCAL,     /* LAN to LAN, LAN to router */
	FLOW_IGNORED,   /* the router with itself */
	FLOW_TUNNEL, /* crosses the WAN, and what it carries is counted by other flows: a tunnel's outer packets, what a
			translator sends */
	FLOW_SCOPES,
};

/* How the host was found; the value of the label by. */
enum flow_by { FLOW_BY_NONE, FLOW_BY_NFLOG, FLOW_BY_NEIGHBOUR, FLOW_BY_ADDRESS, FLOW_BY_ROUTER, FLOW_BY_COUNT };

/* By enum ct_dir. Packets are kept modulo 2^32: a flow never has that many between two readings. */
struct flow_counts {
	uint64_t bytes[2];
	uint32_t packets[2];
};

static inline struct flow_counts flow_counts_of(const struct ct_event *event)
{
	return (struct flow_counts){
		.bytes = { event->bytes[0], event->bytes[1] },
		.packets = { (uint32_t)event->packets[0], (uint32_t)event->packets[1] },
	};
}

/* A record of the flow table. */
struct flow {
	uint64_t key;               /* flow_key() */
	struct flow_counts counts;  /* what was counted, or the baseline */
	uint32_t host;              /* index in the host table; valid once decided */
	uint32_t peer;              /* the other LAN host of a local flow, or HOST_NONE */
	uint32_t wan;               /* ifindex of the WAN side, 0 if unknown */
	uint16_t dump;              /* number of the last dump that listed it, modulo 2^16 */
	uint16_t scope : 3;         /* enum flow_scope */
	uint16_t by : 3;            /* enum flow_by */
	uint16_t host_is_reply : 1; /* the host is the reply source: an inbound flow */
	uint16_t v6 : 1;
	uint16_t uncounted : 1; /* the kernel keeps no counters for it */
	uint16_t offloaded : 1;
	uint16_t spare : 6;
};

/* Flows of other scopes have no host. */
static inline bool flow_has_host(const struct flow *flow)
{
	return flow->scope == FLOW_WAN || flow->scope == FLOW_LOCAL;
}

_Static_assert(sizeof(struct flow) == 48, "a million flows shall fit the memory that the design gives them");

/* The host of a flow. */
struct attribution {
	enum flow_scope scope; /* FLOW_UNDECIDED: no answer, the rest is unspecified */
	enum flow_by by;
	uint32_t host, peer;
	bool host_is_reply;
	uint32_t wan; /* ifindex */
};

/*
 * The fingerprint of a flow: zone, original tuple, CTA_ID and, if the kernel reports it, the time of birth. CTA_ID is
 * derived from the entry's address and tuple, so the next flow of the same tuple may have the same one.
 */
uint64_t flow_key(const struct hash_key *hash, const struct ct_event *event);

/*
 * The fingerprint that joins a sighting to its flow: the pair of ends (original source, reply source), in either order.
 * In another zone the same ends are other hosts. *swapped: b sorts before a, so b is end 0 of the pair.
 */
uint64_t flow_pair(const struct hash_key *hash, uint8_t proto, uint16_t zone, const struct addr *a, uint16_t a_port,
	const struct addr *b, uint16_t b_port, bool *swapped);

/* flow_pair() of a conntrack entry: original source and reply source. For ICMP both ports are the original id. */
uint64_t flow_pair_of(const struct hash_key *hash, const struct ct_event *event, bool *swapped);

/* "nflog", "neighbour", "address", "router", "none". */
const char *flow_by_name(enum flow_by by);
