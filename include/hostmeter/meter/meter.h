/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meter: takes decoded events of the kernel and counts. It has no sockets and reads no clock: sockets, traces and tests
 * call the same functions. now is in monotonic nanoseconds and never falls.
 */
#pragma once

#include "hostmeter/base/hash.h"
#include "hostmeter/decode/ct_event.h"
#include "hostmeter/decode/rtnl_event.h"
#include "hostmeter/decode/sighting.h"
#include "hostmeter/meter/names.h"
#include "hostmeter/meter/snapshot.h"
#include "hostmeter/meter/topology.h"
#include "hostmeter/meter/tunnels.h"

#define METER_TICK_NS (UINT64_C(100) * 1000000)

struct meter_options {
	struct hash_key hash;
	struct topology_config sides;
	struct tunnels_config tunnels;
	const struct names *names; /* borrowed */
	uint32_t max_hosts;
	uint64_t forget_after_ns;      /* hosts without traffic for so long become "other"; 0: never */
	uint64_t forget_unanswered_ns; /* the same for hosts that never got a reply */
	size_t max_flows;
	uint64_t start_real_ns; /* start of this meter since 1970: flows that begin later need no baseline */
};

struct meter;

/* NULL: out of memory. meter_free(NULL) is fine. */
struct meter *meter_new(const struct meter_options *options);
void meter_free(struct meter *meter);

/*
 * Takes sides, tunnels and the times of forgetting of other options; the rest stays. Decisions on flows that live
 * stay, too, so no bytes move.
 */
void meter_configure(struct meter *meter, const struct meter_options *options, uint64_t now);

/* Sets who names the vendor of a MAC ("" for none, copied). Called once per host; to be set before the first event. */
void meter_set_vendor(struct meter *meter, const char *(*vendor)(void *ctx, const struct mac *mac), void *ctx);

/* Calls observe for each decision on a flow (observer.h); the note is borrowed. NULL: no observer. */
struct observer_note;
void meter_observe(struct meter *meter, void (*observe)(void *ctx, const struct observer_note *note), void *ctx);

/* The names changed: looks up all hosts again, by their MAC and the addresses seen with it. */
void meter_names_changed(struct meter *meter);

/* Calculates the keys of count entries that meter_ct() will get next, and prefetches their records into the cache. */
void meter_prefetch(const struct meter *meter, struct ct_event *events, size_t count);

/* A conntrack event, or an entry of a dump. */
void meter_ct(struct meter *meter, const struct ct_event *event, uint64_t now);

/* A conntrack dump was requested, or ended. complete: it listed every entry (no overrun, no NLM_F_DUMP_INTR). */
void meter_dump_begin(struct meter *meter, uint64_t now);
void meter_dump_end(struct meter *meter, bool complete, uint64_t now);

/* A first packet; a link, address, route or neighbour. */
void meter_sighting(struct meter *meter, const struct sighting *sighting, uint64_t now);
void meter_rtnl(struct meter *meter, const struct rtnl_event *event, uint64_t now);

/* Around a dump of all of one type, of one family or (0) of both: what it did not list is gone. */
void meter_rtnl_sync_begin(struct meter *meter, enum rtnl_type type, uint8_t family);
void meter_rtnl_sync_end(struct meter *meter, enum rtnl_type type, uint8_t family, uint64_t now);

/* The interfaces that PPPoE sessions run over, as topology_pppoe() takes them. */
void meter_pppoe(struct meter *meter, const char (*name)[IFNAME_LEN], size_t count, uint64_t now);

/* The state of a source; it lost messages; a message of it did not decode. */
void meter_source(struct meter *meter, enum source source, bool up, uint64_t receive_buffer);
void meter_overrun(struct meter *meter, enum source source, uint64_t now);
void meter_damaged(struct meter *meter);

/* To be called about every METER_TICK_NS: settles what has waited and forgets what is old; bounded work. */
void meter_tick(struct meter *meter, uint64_t now);

/* Settles pending ends at once. Live flows stay as they are: a checkpoint has them. */
void meter_settle_ends(struct meter *meter, uint64_t now);

/* The same, and also counts the held readings of live flows: for a last snapshot. */
void meter_settle(struct meter *meter, uint64_t now);

/* The state now; snapshot_clear() frees it. 0 or -ENOMEM. */
int meter_snapshot(const struct meter *meter, struct snapshot *snapshot, uint64_t now);

/* One flow as the meter has it. */
struct meter_flow {
	enum flow_scope scope;
	enum flow_by by;
	bool inbound;                                          /* the other side began it */
	char host[SNAPSHOT_LABEL], mac[MAC_TEXT];              /* "" while undecided */
	char peer[SNAPSHOT_LABEL], peer_mac[MAC_TEXT];         /* the other LAN host of a local flow, or "" */
	uint64_t in_bytes, out_bytes, in_packets, out_packets; /* since it began, seen from the host */
};

/* Looks up a live flow by its conntrack entry. False if the meter does not have it. */
bool meter_find_flow(const struct meter *meter, const struct ct_event *event, struct meter_flow *flow);

/* The same for a record in an observer's note. */
void meter_describe_flow(const struct meter *meter, const struct flow *record, struct meter_flow *flow);

/* A complete dump ended. */
bool meter_ready(const struct meter *meter);

/* Live flows that a flowtable or hardware forwards: their counts may be late, and their last bytes lost. */
uint64_t meter_offloaded(const struct meter *meter);

/* As tunnels_port() and tunnels_wireguards(). */
void meter_tunnel_port(struct meter *meter, uint32_t ifindex, uint16_t port);
size_t meter_wireguards(const struct meter *meter, uint32_t *ifindex, size_t size);

const struct topology *meter_topology(const struct meter *meter);

/* As topology_watch(). */
void meter_watch_sides(struct meter *meter,
	void (*changed)(void *ctx, const struct topology_link *link, enum side before), void *ctx);
