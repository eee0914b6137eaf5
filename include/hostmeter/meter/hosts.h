/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hosts: the host table with the totals. One host per MAC, or per address on links without MACs, and three special
 * hosts: the router itself, unknown, other.
 *
 * A host keeps its index until it is forgotten. The number of hosts is bounded: those that do not fit are HOST_OTHER.
 * Totals never fall and never move from one host to another.
 */
#pragma once

#include "hostmeter/base/addr.h"
#include "hostmeter/meter/traffic.h"

enum { HOST_ROUTER, HOST_UNKNOWN, HOST_OTHER, HOST_FIRST };
#define HOST_NONE UINT32_MAX

enum host_kind { HOST_KIND_SPECIAL, HOST_KIND_MAC, HOST_KIND_ADDRESS, HOST_KIND_GONE };

struct host {
	enum host_kind kind;
	struct mac mac;   /* HOST_KIND_MAC */
	struct addr addr; /* HOST_KIND_ADDRESS */
	struct traffic wan, local;
	struct traffic wan_floor, local_floor; /* shown before a restart; lower totals are not shown */
	uint32_t connections[TRAFFIC_FAMILIES];
	uint64_t first_seen, last_seen; /* first and last time that traffic was counted; 0: never */
	char *name;                     /* set by hosts_set_name(), or NULL */
	uint8_t name_source;            /* enum names_source */
	char *vendor;                   /* of its MAC; NULL: not looked up yet */
};

struct hosts;

/* The three special hosts, and room for limit others. NULL: out of memory. */
struct hosts *hosts_new(uint32_t limit);
void hosts_free(struct hosts *hosts);

/* Indexes run from 0 to hosts_count() - 1; a forgotten host is HOST_KIND_GONE. */
uint32_t hosts_count(const struct hosts *hosts);
struct host *hosts_get(const struct hosts *hosts, uint32_t index);

/* The index of the host with this MAC or address. A new host is added; HOST_OTHER if there is no room. */
uint32_t hosts_by_mac(struct hosts *hosts, const struct mac *mac);
uint32_t hosts_by_address(struct hosts *hosts, const struct addr *addr);

/* The index of the host with this MAC, or HOST_NONE. */
uint32_t hosts_find_mac(const struct hosts *hosts, const struct mac *mac);

/* Adds the totals of a host that no flow refers to to HOST_OTHER, and frees its index. Special hosts stay. */
void hosts_forget(struct hosts *hosts, uint32_t index);

/* How many calls found no room. */
uint64_t hosts_folded(const struct hosts *hosts);

/* Raises the totals to the floor, and sets the floor to zero. */
void hosts_fold_floor(struct host *host);

/* Copies name (NULL: none). 0; -ENOMEM: the old name stays. */
int hosts_set_name(struct host *host, const char *name);

/* The label host: the name, else the MAC or address, or "router", "unknown", "other". */
const char *hosts_label(const struct hosts *hosts, uint32_t index, char text[static ADDR_TEXT]);
