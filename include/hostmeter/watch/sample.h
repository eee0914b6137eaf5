/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch_sample: one answer of a meter, as plain values; decode.c makes it from JSON. */
#pragma once

#include "hostmeter/base/addr.h"

#include <stdbool.h>

enum { WATCH_IPV4, WATCH_IPV6, WATCH_FAMILIES };
enum { WATCH_DOWN, WATCH_UP, WATCH_DIRECTIONS }; /* a host's in and out, a WAN's rx and tx */
enum { WATCH_LABEL = 64, WATCH_LINK = 32, WATCH_WARNING = 200, WATCH_MAX_HOSTS = 70000 };

struct watch_sample_host {
	char label[WATCH_LABEL];
	char mac[MAC_TEXT];                               /* "": it has none */
	uint64_t bytes[WATCH_FAMILIES][WATCH_DIRECTIONS]; /* to and from the Internet */
	uint64_t local[WATCH_FAMILIES][WATCH_DIRECTIONS]; /* within the LAN, and with the router */
	uint32_t connections[WATCH_FAMILIES];
	uint64_t first_seen, last_seen; /* ns since 1970; 0: never */
	size_t address, addresses;      /* index of the first in the sample's list, and how many */
};

struct watch_sample_link {
	char name[WATCH_LINK];
	uint64_t bytes[WATCH_DIRECTIONS];
};

struct watch_sample {
	bool date_unknown; /* the meter's clock was not set, so time is good for differences only */
	uint64_t time;     /* when the meter answered, ns since 1970 by its clock */
	uint64_t taken;    /* when the meter had read the counters, same clock */
	bool has_local;    /* the hosts' local traffic was asked for */
	struct watch_sample_host *host;
	size_t hosts;
	char (*address)[ADDR_TEXT];
	size_t addresses;
	struct watch_sample_link *link; /* the WAN interfaces */
	size_t links;
	char (*warning)[WATCH_WARNING];
	size_t warnings;
};

/* Each adds a zeroed element. NULL: out of memory. */
struct watch_sample_host *watch_sample_add_host(struct watch_sample *sample);
struct watch_sample_link *watch_sample_add_link(struct watch_sample *sample);

/* Adds an address to the host added last; adds a warning. Both are cut to their size. 0 or -ENOMEM. */
int watch_sample_add_address(struct watch_sample *sample, const char *text);
int watch_sample_add_warning(struct watch_sample *sample, const char *text);

/* Frees what is inside and leaves it empty. */
void watch_sample_clear(struct watch_sample *sample);
