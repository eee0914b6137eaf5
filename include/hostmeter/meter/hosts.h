/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hosts: the host table with the totals. One host per MAC, or per address on links without MACs, and three special
 * hosts: the router itself, unknown, other.
 *
 * The number of hosts is bounded, since anybody on a LAN can make up MACs. Hosts of the configuration have places of
 * their own. A host that got no reply yet takes a free place only. One that got a reply is more: if no place is free,
 * the host that was silent the longest among those that never got one leaves, else the one that was silent the longest
 * of all, if it was for HOSTS_CROWDED_NS. Whoever finds no place is HOST_OTHER.
 *
 * A host that leaves becomes part of HOST_OTHER, with its totals and with what its live flows will count. If it comes
 * back, it is a new host that begins with nothing. So sums never fall. Otherwise totals never move.
 */
#pragma once

#include "hostmeter/base/addr.h"
#include "hostmeter/meter/traffic.h"

enum { HOST_ROUTER, HOST_UNKNOWN, HOST_OTHER, HOST_FIRST };
#define HOST_NONE UINT32_MAX

enum host_kind { HOST_KIND_SPECIAL, HOST_KIND_MAC, HOST_KIND_ADDRESS, HOST_KIND_GONE };

struct host {
	enum host_kind kind;
	struct mac mac;     /* HOST_KIND_MAC */
	struct addr addr;   /* HOST_KIND_ADDRESS */
	bool is_answered;   /* a flow of it had bytes in the direction of replies */
	bool is_configured; /* it has a reserved place */
	struct traffic wan, local;
	struct traffic wan_floor, local_floor; /* shown before a restart; lower totals are not shown */
	uint32_t connections[TRAFFIC_FAMILIES];
	uint64_t first_seen, last_seen; /* first and last time that traffic was counted; 0: never */
	char *name;                     /* set by hosts_set_name(), or NULL */
	uint8_t name_source;            /* enum names_source */
	char *vendor;                   /* of its MAC; NULL: not looked up yet */
};

struct hosts;

/* An answered host may lose its place to another only if it was silent for so long. */
#define HOSTS_CROWDED_NS (UINT64_C(3600) * 1000000000)

/* Why a host left. */
enum hosts_reason {
	HOSTS_LEFT_UNANSWERED, /* it never got a reply, and was silent, or another took its place */
	HOSTS_LEFT_SILENT,     /* it was silent for as long as the configuration says */
	HOSTS_LEFT_CROWDED,    /* another took its place */
	HOSTS_REASONS,
	HOSTS_LEFT_BEFORE = HOSTS_REASONS, /* it left an earlier process, as the journal says; not counted */
};

/* Who asks for a place. */
struct hosts_claim {
	uint64_t now;
	uint32_t ifindex; /* where it is; 0: unknown */
	uint32_t partner; /* index of a host that must stay, or HOST_NONE */
	bool is_answered, is_configured;
	bool may_wait; /* if it finds no place, HOST_NONE is the answer */
};

/* What became of those that asked. */
struct hosts_stats {
	uint64_t taken, limit;              /* places, those of configured hosts aside */
	uint64_t unanswered;                /* hosts in them that never got a reply */
	uint64_t folded, folded_unanswered; /* times that somebody found no place; of these, without a reply */
	uint64_t left[HOSTS_REASONS];       /* hosts that left */
	uint32_t unanswered_on;             /* ifindex that most hosts without a reply came from lately, or 0 */
};

/* The three special hosts, and room for limit others. NULL: out of memory. */
struct hosts *hosts_new(uint32_t limit);
void hosts_free(struct hosts *hosts);

/* Indexes run from 0 to hosts_count() - 1; a host that left is HOST_KIND_GONE. */
uint32_t hosts_count(const struct hosts *hosts);
struct host *hosts_get(const struct hosts *hosts, uint32_t index);

/* Calls each for every host that is there: the special and the configured ones, then those that leave first. */
void hosts_each(const struct hosts *hosts, void (*each)(void *ctx, uint32_t index), void *ctx);

/* The index of the host with this MAC or address. A new host is added if a place is free; else HOST_OTHER. */
uint32_t hosts_by_mac(struct hosts *hosts, const struct mac *mac);
uint32_t hosts_by_address(struct hosts *hosts, const struct addr *addr);

/* The index of the host with this MAC or address, or HOST_NONE. */
uint32_t hosts_find_mac(const struct hosts *hosts, const struct mac *mac);
uint32_t hosts_find_address(const struct hosts *hosts, const struct addr *addr);

/* Adds a host that is not there. Its index; HOST_OTHER or HOST_NONE if it found no place. Bounded work. */
uint32_t hosts_add_mac(struct hosts *hosts, const struct mac *mac, const struct hosts_claim *claim);
uint32_t hosts_add_address(struct hosts *hosts, const struct addr *addr, const struct hosts_claim *claim);

/* The host got a reply. */
void hosts_answered(struct hosts *hosts, uint32_t index);

/* Its place is a reserved one, or is so no more. */
void hosts_configured(struct hosts *hosts, uint32_t index, bool is_configured);

/* The host leaves; its index is free once nothing refers to it. Special hosts and those that left stay as they are. */
void hosts_leave(struct hosts *hosts, uint32_t index, enum hosts_reason reason);

/* Calls left before a host leaves. */
void hosts_watch(struct hosts *hosts, void (*left)(void *ctx, uint32_t index), void *ctx);

/* Something that is not a flow refers to the host, or (step -1) does so no more. HOST_NONE: nothing happens. */
void hosts_refer(struct hosts *hosts, uint32_t index, int step);

/* Adds step to the connections of the host; each flow refers to its host so. */
void hosts_connect(struct hosts *hosts, uint32_t index, int family, int step);

/* The host that counts for this one: HOST_OTHER if it left, else itself. HOST_NONE stays. */
uint32_t hosts_resolve(const struct hosts *hosts, uint32_t index);

struct hosts_stats hosts_stats(const struct hosts *hosts);

/* How many calls found no room. */
uint64_t hosts_folded(const struct hosts *hosts);

/* Raises the totals to the floor, and sets the floor to zero. */
void hosts_fold_floor(struct host *host);

/* Copies name (NULL: none). 0; -ENOMEM: the old name stays. */
int hosts_set_name(struct host *host, const char *name);

/* The label host: the name, else the MAC or address, or "router", "unknown", "other". */
const char *hosts_label(const struct hosts *hosts, uint32_t index, char text[static ADDR_TEXT]);
