/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * snapshot: all that the meter knows at one moment, in plain values: what renderers read instead of tables.
 */
#ifndef HOSTMETER_METER_SNAPSHOT_H
#define HOSTMETER_METER_SNAPSHOT_H

#include "hostmeter/base/proc_self.h"
#include "hostmeter/decode/source.h"
#include "hostmeter/meter/flow.h"
#include "hostmeter/meter/hosts.h"
#include "hostmeter/meter/names.h"
#include "hostmeter/meter/topology.h"
#include "hostmeter/meter/wan.h"

enum { SNAPSHOT_LABEL = 64 };

struct snapshot_host {
	char label[SNAPSHOT_LABEL];
	char mac[MAC_TEXT]; /* "" where it has none */
	struct traffic wan, local;
	uint32_t connections[TRAFFIC_FAMILIES];
	uint64_t first_seen, last_seen;
	const char *name_source;     /* names_source_name() */
	char vendor[SNAPSHOT_LABEL]; /* of its MAC, "" where it is not known */
	bool random_mac;             /* locally administered */
	bool special;                /* no single machine: router, unknown, other */
};

/* An address that a host has, or had lately. */
struct snapshot_address {
	uint32_t host; /* index in the snapshot */
	struct addr addr;
};

struct snapshot_source {
	bool up;
	uint64_t overruns;
	uint64_t messages;
	uint64_t receive_buffer; /* bytes */
};

/* The meter's own counters. Everything that may make a number incomplete stands here. */
struct snapshot_stats {
	uint64_t dumps, dumps_incomplete;
	uint64_t destroys, entries, sightings; /* messages of each kind taken in */
	uint64_t attributed[FLOW_BY_COUNT];
	uint64_t duplicates;              /* DESTROY or dump entries that told what was known */
	uint64_t counter_resets;          /* counters that fell */
	uint64_t baselined;               /* flows older than the meter: their first count is not counted */
	uint64_t ended_unseen;            /* flows that vanished without DESTROY */
	uint64_t ended_uncounted;         /* DESTROY without counters */
	uint64_t ended_before_first_dump; /* age unknown, so not counted */
	uint64_t sightings_lost;          /* no room */
	uint64_t unsighted;     /* new WAN flows of LAN hosts laid to them unsighted, since the last sighting */
	uint64_t flows_refused; /* no room */
	uint64_t hosts_folded;
	uint64_t damaged; /* messages that did not decode */
};

/* A path or pattern that names of hosts are read from, and whether all of it could be: 0 or -errno. */
struct snapshot_names {
	enum names_source source;
	const char *path;
	int error;
};

/* What only the running process knows; all zero in a replay. */
struct snapshot_process {
	bool running;
	bool reliable;            /* event delivery */
	uint64_t reliable_losses; /* times it was switched off for a full table */
	uint64_t conntrack_entries, conntrack_limit;
	uint64_t dump_interval_ns, dump_cost_ns; /* what holds now; CPU time of the last dump */
	uint64_t stall_ns;                       /* the loop's longest turn lately */
	uint64_t checkpoint_age_ns;              /* UINT64_MAX: never saved */
	uint64_t checkpoint_failures;
	uint64_t real_ns;                            /* the snapshot's time since 1970; 0: unknown */
	uint64_t receive_buffer_asked[SOURCE_COUNT]; /* what snapshot_source's would be, had the kernel granted all */
	uint16_t nflog_group;
	const char *const *listen; /* where it answers; borrowed, as the next */
	size_t listens;
	const struct snapshot_names *names;
	size_t names_count;
	struct proc_self usage;
};

struct snapshot {
	struct snapshot_process process;
	struct snapshot_host *host;
	size_t hosts;
	struct snapshot_address *address; /* by host, each host's in order */
	size_t addresses;
	struct topology_link *link;
	size_t links;
	struct wan_link *wan;
	size_t wans;
	struct snapshot_source source[SOURCE_COUNT];
	struct snapshot_stats stats;
	uint64_t flows, flows_undecided, flows_uncounted, flows_offloaded;
	uint64_t pending_sightings, pending_ends, tombstones, neighbours;
	uint64_t memory;                           /* bytes of the flow table */
	bool ready;                                /* the first dump is in */
	uint64_t now, last_dump_end, last_dump_ns; /* monotonic; 0: none yet */
};

/* How an interface is called where it is shown. */
struct snapshot_alias {
	const char *interface, *name;
};

/*
 * Calls interfaces as the aliases say. One that has no alias and whose own name was given to another is called "#" and
 * its ifindex: no two ever share a name.
 */
void snapshot_rename(struct snapshot *snapshot, const struct snapshot_alias *alias, size_t count);

/* Frees what is inside. */
void snapshot_clear(struct snapshot *snapshot);

#endif
