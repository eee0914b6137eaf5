/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * flow: what is remembered of each connection that lives: who it is counted for and what was counted last.
 */
#ifndef HOSTMETER_METER_FLOW_H
#define HOSTMETER_METER_FLOW_H

#include "hostmeter/base/hash.h"
#include "hostmeter/decode/ct_event.h"

enum flow_scope {
	FLOW_UNDECIDED, /* whose it is is not known yet; its bytes are held back */
	FLOW_WAN,       /* between a host (or the router) and the outside */
	FLOW_LOCAL,     /* stays inside: LAN to LAN, LAN to router */
	FLOW_IGNORED,   /* the router talking to itself */
};

/* How the host was found; the value of the label by. */
enum flow_by { FLOW_BY_NONE, FLOW_BY_NFLOG, FLOW_BY_NEIGHBOUR, FLOW_BY_ADDRESS, FLOW_BY_ROUTER, FLOW_BY_COUNT };

/*
 * A record of the flow table: 48 bytes, with fingerprints and narrow counters instead of tuples. Packets are kept
 * modulo 2^32: between two readings of one flow there are never that many.
 */
struct flow {
	uint64_t key;      /* flow_key() */
	uint64_t bytes[2]; /* counted so far, by enum ct_dir */
	uint32_t packets[2];
	uint32_t host;              /* index in the host table; meaningful once decided */
	uint32_t peer;              /* the other LAN host of a local flow, or HOST_NONE */
	uint32_t wan;               /* ifindex of the WAN side, 0 if unknown */
	uint16_t dump;              /* number of the last dump that listed it, modulo 2^16 */
	uint16_t scope : 2;         /* enum flow_scope */
	uint16_t by : 3;            /* enum flow_by */
	uint16_t host_is_reply : 1; /* the host is the reply source: an inbound flow */
	uint16_t v6 : 1;
	uint16_t uncounted : 1; /* the kernel keeps no counters for it */
	uint16_t offloaded : 1;
	uint16_t spare : 7;
};

_Static_assert(sizeof(struct flow) == 48, "a million flows shall fit the memory that the design gives them");

/* Whose a flow is. */
struct attribution {
	enum flow_scope scope; /* FLOW_UNDECIDED: no answer, and the rest is unspecified */
	enum flow_by by;
	uint32_t host, peer;
	bool host_is_reply;
	uint32_t wan; /* ifindex */
};

/*
 * The fingerprint a flow is known by: zone, original tuple, CTA_ID and, where the kernel tells it, the time of birth.
 * CTA_ID alone is no name: it is derived from the entry's address, which the next flow of the same tuple may well get.
 */
uint64_t flow_key(const struct hash_key *hash, const struct ct_event *event);

/*
 * The fingerprint that joins a sighting to its flow: the pair of ends (original source, reply source), in either order.
 * *swapped tells whether b sorts before a, that is, which of the two is end 0 of the pair.
 */
uint64_t flow_pair(const struct hash_key *hash, uint8_t proto, const struct addr *a, uint16_t a_port,
	const struct addr *b, uint16_t b_port, bool *swapped);

/* flow_pair() of a conntrack entry: original source and reply source. For ICMP both ports are the original id. */
uint64_t flow_pair_of(const struct hash_key *hash, const struct ct_event *event, bool *swapped);

/* "nflog", "neighbour", "address", "router", "none". */
const char *flow_by_name(enum flow_by by);

#endif
