/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * wan: for each WAN interface the traffic of flows by kind of host, compared with the interface's own counters.
 *
 * An interface is read before a dump of the flows begins, and the first time after one has ended: so what the flows
 * tell is always the later news, and steady traffic leaves no difference. A difference counts as far as two dumps in a
 * row have it. Everything starts from zero with the process.
 */
#pragma once

#include "hostmeter/meter/hosts.h"
#include "hostmeter/meter/topology.h"

enum wan_kind { WAN_ATTRIBUTED, WAN_ROUTER, WAN_UNKNOWN, WAN_TUNNEL, WAN_UNSEEN, WAN_KINDS };
enum wan_direction { WAN_RX, WAN_TX };

/* One interface. bytes of WAN_UNSEEN: counted by the interface and by no flow, link headers taken off. */
struct wan_link {
	uint32_t ifindex;
	char name[IFNAME_LEN];
	struct traffic_count count[WAN_KINDS][2]; /* by kind and enum wan_direction */
	uint64_t header_bytes[2];                 /* of the link layer, estimated: 14 a packet on Ethernet */
};

struct wan;

/* "attributed", "router", "unknown", "tunnel", "unseen": the value of the label kind. */
const char *wan_kind_name(enum wan_kind kind);

/* NULL: out of memory. */
struct wan *wan_new(void);
void wan_free(struct wan *wan);

/* Adds a flow's delta for this host, HOST_NONE: of a tunnel; ifindex 0: unknown. */
void wan_count(struct wan *wan, uint32_t ifindex, uint32_t host, enum wan_direction direction,
	const struct traffic_count *delta);

/* All links were listed just now, while no dump of the flows runs and after the first of them: keeps their counters. */
void wan_read(struct wan *wan, const struct topology *topology);

/*
 * A complete dump of the flows ended: compares them with what wan_read() kept. held: bytes and packets of flows, both
 * directions together, that are counted for nobody yet; they may have crossed any interface either way.
 */
void wan_reconcile(struct wan *wan, const struct traffic_count *held);

/* Adds the counts of another link. */
void wan_link_add(struct wan_link *to, const struct wan_link *from);

/* Copies up to size links; returns how many there are. */
size_t wan_links(const struct wan *wan, struct wan_link *link, size_t size);
