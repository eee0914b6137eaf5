/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watch_connections: the connections of one host; two listings give the rate and the age of each. */
#pragma once

#include "hostmeter/watch/sample.h"

#include <stdbool.h>

enum { WATCH_CONNECTIONS_MOST = 65536 };

struct watch_connection {
	struct addr src, dst;  /* of the original direction */
	uint16_t sport, dport; /* ICMP: the id */
	uint8_t proto;         /* IPPROTO_… */
	uint32_t id;
	bool inbound;                     /* the other side began it */
	bool local;                       /* it does not cross the WAN */
	uint16_t own_port;                /* the host's port */
	uint64_t bytes[WATCH_DIRECTIONS]; /* counted so far, down and up for the host */
	uint64_t began;                   /* ns since 1970; 0: unknown */

	/* Set by watch_connections_take(). */
	uint64_t since; /* when it began, or when it was first listed */
	bool older;     /* it began before since: the first listing had it */
	bool has_rate;
	double rate[WATCH_DIRECTIONS]; /* bytes a second between the latest two listings */
	double calm;                   /* both directions, averaged over some seconds, for sorting */
	uint32_t members;              /* of a row that stands for all connections with a remote: how many; else 0 */
};

struct watch_connections {
	char label[WATCH_LABEL], mac[MAC_TEXT]; /* the host; both "": no listing yet */
	uint64_t time;                          /* of the listing, ns since 1970; 0: unknown */
	struct watch_connection *list;
	size_t count;
	bool cut; /* the host has more than are listed */
};

/* Adds one, zeroed. NULL: out of memory, or cut is now true because there are WATCH_CONNECTIONS_MOST. */
struct watch_connection *watch_connections_add(struct watch_connections *connections);

/* Replaces known by fresh, which it leaves empty. Rates and ages are computed if both are of one host. */
void watch_connections_take(struct watch_connections *known, struct watch_connections *fresh);

/* Whether the listing is of this host. */
bool watch_connections_are_of(const struct watch_connections *connections, const char *label, const char *mac);

/* The other end's address and port, and the host's own port; 0: there are no ports. */
const struct addr *watch_connection_remote(const struct watch_connection *connection);
uint16_t watch_connection_remote_port(const struct watch_connection *connection);
uint16_t watch_connection_own_port(const struct watch_connection *connection);

enum watch_connection_sort {
	WATCH_BY_REMOTE, /* keys 1 to 7 */
	WATCH_BY_DOWN,
	WATCH_BY_UP,
	WATCH_BY_TOTAL,
	WATCH_BY_BOTH,
	WATCH_BY_PORT,
	WATCH_BY_AGE,
	WATCH_CONNECTION_SORTS,
};

/* Which connections are shown, and how. */
struct watch_choice {
	int family;               /* 0: both, 4, 6 */
	char filter[WATCH_LABEL]; /* a part of address, protocol or port; "": all */
	bool grouped;             /* a row for each remote */
	enum watch_connection_sort sort;
	bool totals;  /* down, up and both are bytes so far, not rates */
	bool reverse; /* else highest first; remotes and ports lowest first */
};

struct watch_connections_shown {
	const struct watch_connection **row;
	size_t rows, connections;
	struct watch_connection *group; /* what the rows are, if grouped */
};

/* Borrows from connections; freed by watch_connections_shown_free(). 0 or -ENOMEM. */
int watch_connections_show(struct watch_connections_shown *shown, const struct watch_connections *connections,
	const struct watch_choice *choice);
void watch_connections_shown_free(struct watch_connections_shown *shown);

/* Frees what is inside and leaves it empty. */
void watch_connections_clear(struct watch_connections *connections);
