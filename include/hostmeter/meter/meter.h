/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * meter: takes in what the kernel tells and keeps the counts. It knows all tables and no sockets; the laws of the meter
 * live here and in attribute.c.
 *
 * Everything comes in by the functions below, from sockets, a trace or a test alike, with the time as an argument:
 * now is monotonic nanoseconds and never falls.
 */
#ifndef HOSTMETER_METER_METER_H
#define HOSTMETER_METER_METER_H

#include "hostmeter/base/hash.h"
#include "hostmeter/decode/ct_event.h"
#include "hostmeter/decode/rtnl_event.h"
#include "hostmeter/decode/sighting.h"
#include "hostmeter/meter/names.h"
#include "hostmeter/meter/snapshot.h"

#define METER_TICK_NS (UINT64_C(100) * 1000000)

struct meter_options {
	struct hash_key hash;
	const char *const *lan, *const *wan; /* as topology_new() takes them */
	const struct names *names;           /* borrowed */
	uint32_t max_hosts;
	uint64_t forget_after_ns; /* hosts not counted for in so long become "other"; 0: never */
	size_t max_flows;
	uint64_t start_real_ns; /* when this meter began, since 1970: flows born later need no baseline */
};

struct meter;

/* NULL: out of memory. meter_free(NULL) is fine. */
struct meter *meter_new(const struct meter_options *options);
void meter_free(struct meter *meter);

/*
 * Who makes the network cards of a MAC: asked once per host; the answer ("" for none) is copied. To be set before
 * anything is taken in.
 */
void meter_set_vendor(struct meter *meter, const char *(*vendor)(void *ctx, const struct mac *mac), void *ctx);

/*
 * Tells this observer of every decision on a flow (observer.h), while it is made; what it is given is borrowed. NULL:
 * nobody.
 */
struct observer_note;
void meter_observe(struct meter *meter, void (*observe)(void *ctx, const struct observer_note *note), void *ctx);

/* The names changed: all hosts are called by the best they have now, by their MAC and by the addresses seen with it. */
void meter_names_changed(struct meter *meter);

/*
 * An entry will come: works out its key, and fetches the memory that meter_ct() will want. For those who know of
 * several entries at once; a dump of a large table waits for memory otherwise.
 */
void meter_prefetch(const struct meter *meter, struct ct_event *event);

/* A conntrack event, or between meter_dump_begin() and meter_dump_end() a line of the dump. */
void meter_ct(struct meter *meter, const struct ct_event *event, uint64_t now);

/*
 * A dump was requested; it ended. complete: every entry was listed (no overrun, no NLM_F_DUMP_INTR). Flows that are
 * missing from complete dumps for long enough are settled as ended unseen.
 */
void meter_dump_begin(struct meter *meter, uint64_t now);
void meter_dump_end(struct meter *meter, bool complete, uint64_t now);

/* A first packet; a link, address, route or neighbour. */
void meter_sighting(struct meter *meter, const struct sighting *sighting, uint64_t now);
void meter_rtnl(struct meter *meter, const struct rtnl_event *event, uint64_t now);

/* Around a dump of all of one type, of one family or (0) of both: what it did not list is gone. */
void meter_rtnl_sync_begin(struct meter *meter, enum rtnl_type type, uint8_t family);
void meter_rtnl_sync_end(struct meter *meter, enum rtnl_type type, uint8_t family);

/* The state of a source; it lost messages; a message of it did not decode. */
void meter_source(struct meter *meter, enum source source, bool up, uint64_t receive_buffer);
void meter_overrun(struct meter *meter, enum source source, uint64_t now);
void meter_damaged(struct meter *meter);

/* To be called every METER_TICK_NS or so: settles what waited long enough and forgets what is old; bounded work. */
void meter_tick(struct meter *meter, uint64_t now);

/* Settles at once whatever ended and still waits. Live flows stay as they are: a checkpoint takes them over. */
void meter_settle_ends(struct meter *meter, uint64_t now);

/*
 * The very end: held counts of live flows are settled too, so that a snapshot taken after it lacks nothing that was
 * read.
 */
void meter_settle(struct meter *meter, uint64_t now);

/* All that is known now; snapshot_clear() frees it. 0 or -ENOMEM. */
int meter_snapshot(const struct meter *meter, struct snapshot *snapshot, uint64_t now);

/* What the meter has made of one flow. */
struct meter_flow {
	enum flow_scope scope;
	enum flow_by by;
	bool inbound;                                          /* the other side began it */
	char host[SNAPSHOT_LABEL], mac[MAC_TEXT];              /* "" while undecided */
	char peer[SNAPSHOT_LABEL], peer_mac[MAC_TEXT];         /* the other LAN host of a local flow, or "" */
	uint64_t in_bytes, out_bytes, in_packets, out_packets; /* counted of it since its birth, seen from the host */
};

/* Looks a live flow up by its conntrack entry. False if the meter does not know it. */
bool meter_find_flow(const struct meter *meter, const struct ct_event *event, struct meter_flow *flow);

/* The same of a record that an observer is shown. */
void meter_describe_flow(const struct meter *meter, const struct flow *record, struct meter_flow *flow);

/* The first dump is in. */
bool meter_ready(const struct meter *meter);

/* Live flows that a flowtable or hardware forwards: their counts may lag, and their last bytes be lost. */
uint64_t meter_offloaded(const struct meter *meter);

const struct topology *meter_topology(const struct meter *meter);

#endif
