/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hosts: who is counted for, and the counts. One host per MAC; per address on links without MACs; and three that are no
 * single machine: the router itself, unknown, other.
 *
 * Hosts are known by index, which stays theirs until they are forgotten. Their number is bounded: what does not fit is
 * HOST_OTHER. Counts never fall and never move from one host to another.
 */
#ifndef HOSTMETER_METER_HOSTS_H
#define HOSTMETER_METER_HOSTS_H

#include "hostmeter/base/addr.h"
#include "hostmeter/meter/traffic.h"

enum { HOST_ROUTER, HOST_UNKNOWN, HOST_OTHER, HOST_FIRST };
#define HOST_NONE UINT32_MAX

enum host_kind { HOST_KIND_SPECIAL, HOST_KIND_MAC, HOST_KIND_ADDRESS, HOST_KIND_GONE };

struct host {
	enum host_kind kind;
	struct mac mac;
	struct addr addr;
	struct traffic wan, local;
	struct traffic wan_floor, local_floor; /* what was shown before a restart: what is shown now is not less */
	uint32_t connections[TRAFFIC_FAMILIES];
	uint64_t first_seen, last_seen; /* when it was first counted for, when last; 0: not yet */
	char *name;                     /* set by hosts_set_name(), or NULL */
	uint8_t name_source;            /* enum names_source of it */
	char *vendor;                   /* of its MAC; NULL: not asked for yet */
};

struct hosts;

/* Holds the three special ones and at most limit others. NULL: out of memory. */
struct hosts *hosts_new(uint32_t limit);
void hosts_free(struct hosts *hosts);

/* Indexes run from 0 to hosts_count() - 1; those of forgotten hosts (HOST_KIND_GONE) are skipped by whoever lists them.
 */
uint32_t hosts_count(const struct hosts *hosts);
struct host *hosts_get(const struct hosts *hosts, uint32_t index);

/* The index of the host with this MAC or this address, made if there is none; HOST_OTHER if there is no room. */
uint32_t hosts_by_mac(struct hosts *hosts, const struct mac *mac);
uint32_t hosts_by_address(struct hosts *hosts, const struct addr *addr);

/* The index of the host with this MAC, HOST_NONE if there is none. */
uint32_t hosts_find_mac(const struct hosts *hosts, const struct mac *mac);

/*
 * Forgets a host that no flow refers to: its counts go to HOST_OTHER, so sums stay; its index may be another's later.
 * The three special ones stay.
 */
void hosts_forget(struct hosts *hosts, uint32_t index);

/* How many calls found no room since the start. */
uint64_t hosts_folded(const struct hosts *hosts);

/* Raises the totals to the floor where they lie below it, and drops the floor. */
void hosts_fold_floor(struct host *host);

/* Copies name (NULL: none). -ENOMEM leaves the old one. */
int hosts_set_name(struct host *host, const char *name);

/* The value of the label host: the name, or the MAC, or the address, or "router", "unknown", "other". */
const char *hosts_label(const struct hosts *hosts, uint32_t index, char text[static ADDR_TEXT]);

#endif
