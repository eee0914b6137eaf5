/* SPDX-License-Identifier: GPL-2.0-or-later */
/* snapshot: the state of the meter at one moment, in plain values, for those who show it. */
#pragma once

#include "hostmeter/base/proc_self.h"
#include "hostmeter/decode/source.h"
#include "hostmeter/meter/flow.h"
#include "hostmeter/meter/hosts.h"
#include "hostmeter/meter/names.h"
#include "hostmeter/meter/topology.h"
#include "hostmeter/meter/wan.h"

enum { SNAPSHOT_LABEL = 64 };

/* Why connections of the metrics' port and socket were closed early. */
enum snapshot_drop { SNAPSHOT_DROP_IDLE, SNAPSHOT_DROP_HEADERS, SNAPSHOT_DROP_SLOW, SNAPSHOT_DROPS };

struct snapshot_host {
	char label[SNAPSHOT_LABEL];
	char mac[MAC_TEXT]; /* "": none */
	struct traffic wan, local;
	uint32_t connections[TRAFFIC_FAMILIES];
	uint64_t first_seen, last_seen;
	const char *name_source;     /* names_source_name() */
	char vendor[SNAPSHOT_LABEL]; /* of its MAC; "": unknown */
	bool random_mac;             /* locally administered */
	bool special;                /* router, unknown, other */
};

/* An address that the host with this index in the snapshot has, or had lately. */
struct snapshot_address {
	uint32_t host;
	struct addr addr;
};

struct snapshot_source {
	bool up;
	uint64_t overruns, messages;
	uint64_t receive_buffer; /* bytes */
};

/* The meter's own counters, with everything that may make a number incomplete. */
struct snapshot_stats {
	uint64_t dumps, dumps_incomplete;
	uint64_t destroys, entries, sightings; /* messages of each kind */
	uint64_t attributed[FLOW_BY_COUNT];
	uint64_t duplicates;              /* repeated DESTROYs and late dump entries */
	uint64_t counter_resets;          /* counters that fell */
	uint64_t baselined;               /* flows older than the meter: their first reading is not counted */
	uint64_t ended_unseen;            /* flows that ended without DESTROY */
	uint64_t ended_uncounted;         /* DESTROY without counters */
	uint64_t ended_before_first_dump; /* age unknown, so not counted */
	uint64_t unsighted;               /* new WAN flows of LAN hosts without sighting, since the last sighting */
	uint64_t sightings_lost, flows_refused, hosts_folded, routes_dropped; /* no room */
	uint64_t damaged;                                                     /* messages that did not decode */
};

/* A file or pattern with names of hosts; error: 0 or -errno of the last reading. */
struct snapshot_names {
	enum names_source source;
	const char *path;
	int error;
};

/* An address of listen, and why it cannot be listened on: -errno. */
struct snapshot_listen {
	const char *address;
	int error;
};

/* About the running process; all zero in a replay. */
struct snapshot_process {
	bool running;
	bool reliable;            /* event delivery */
	uint64_t reliable_losses; /* times it was switched off for a full table */
	uint64_t conntrack_entries, conntrack_limit;
	uint64_t dump_interval_ns, dump_cost_ns;         /* the current interval; CPU time of the last dump */
	uint64_t stall_ns;                               /* the loop's longest turn lately */
	uint64_t checkpoint_age_ns, checkpoint_failures; /* age UINT64_MAX: never saved */
	uint64_t checkpoint_damages;                     /* what the start found damaged, missing or repeated */
	int checkpoint_error;                            /* -errno of the latest write, 0 once one is saved */
	uint64_t uptime_ns;                              /* by the monotonic clock; 0: unknown */
	bool clock_set;                                  /* real_ns may be believed: os/wall_clock.h */
	uint64_t real_ns;                                /* the snapshot's time since 1970; 0: unknown */
	uint64_t receive_buffer_asked[SOURCE_COUNT];     /* the kernel may grant less: see snapshot_source */
	uint16_t nflog_group;
	uint64_t page_bytes, page_limit, page_refusals; /* memory of pages that are sent; requests */
	uint64_t http_connections, http_refused;        /* now; in all, of clients that had their share */
	uint64_t http_dropped[SNAPSHOT_DROPS];          /* connections */
	const char *const *listen; /* addresses that are listened on; borrowed, as names and waiting */
	size_t listens;
	const struct snapshot_listen *waiting; /* those that cannot be listened on yet */
	uint64_t waitings;
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
	struct hosts_stats places;
	char unanswered_on[IFNAME_LEN]; /* the interface that most hosts without a reply came from lately; "": none */
	uint64_t flows, flows_undecided, flows_uncounted, flows_offloaded;
	uint64_t pending_sightings, pending_ends, tombstones, neighbours;
	uint64_t memory;             /* bytes of the flow table */
	uint64_t interfaces_missing; /* names of lan and wan that no interface has */
	bool proxied; /* foreign addresses may be delivered here, and no first packets tell which flows are */
	bool ready;   /* the first dump is in */
	uint64_t now, last_dump_end, last_dump_ns; /* monotonic; 0: none yet */
};

/*
 * Where a page of a snapshot that is written in pieces goes on, because a page of many hosts takes longer than the loop
 * may stand still. All zero: the beginning. What part and row mean is the renderer's affair.
 */
struct cursor {
	size_t part, row;
};

/* The name under which an interface is shown. */
struct snapshot_alias {
	const char *interface, *name;
};

/* Renames interfaces. If the name of one without alias is the alias of another, it becomes "#" and its ifindex. */
void snapshot_rename(struct snapshot *snapshot, const struct snapshot_alias *alias, size_t count);

/* Frees what is inside. */
void snapshot_clear(struct snapshot *snapshot);
