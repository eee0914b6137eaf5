/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * watch_connections: the connections of the one host that is looked at, and what two listings tell of them: the rate of
 * each, and since when it is known.
 */
#pragma once

#include "hostmeter/watch/sample.h"

#include <stdbool.h>

enum { WATCH_CONNECTIONS_MOST = 65536 };

struct watch_connection {
	struct addr src, dst;  /* the original direction, as whoever began it sees it */
	uint16_t sport, dport; /* ICMP: its id */
	uint8_t proto;         /* IPPROTO_… */
	uint32_t id;
	bool inbound;                     /* the other side began it */
	bool local;                       /* not with the WAN */
	uint16_t own_port;                /* the host's own */
	uint64_t bytes[WATCH_DIRECTIONS]; /* counted so far, seen from the host */
	uint64_t began;                   /* ns since 1970; 0: the kernel does not say */

	/* What follows is settled by watch_connections_take(). */
	uint64_t since; /* when it began, or when it was seen first */
	bool older;     /* than since: it was there when the first listing was made */
	bool has_rate;
	double rate[WATCH_DIRECTIONS]; /* bytes a second between the latest two listings */
	double calm;                   /* both ways, averaged over a while: what it is sorted by */
};

struct watch_connections {
	char label[WATCH_LABEL], mac[MAC_TEXT]; /* the host; both "": there is no listing yet */
	uint64_t time;                          /* of the listing, ns since 1970; 0: it has no line that says */
	struct watch_connection *list;
	size_t count;
	bool cut; /* there are more than were listed */
};

/* One more, zeroed, or NULL: out of memory, or there are enough. */
struct watch_connection *watch_connections_add(struct watch_connections *connections);

/* Takes a fresh listing over and leaves it empty; it goes on from what is known of the same host. */
void watch_connections_take(struct watch_connections *known, struct watch_connections *fresh);

/* Whether they are of this host. */
bool watch_connections_are_of(const struct watch_connections *connections, const char *label, const char *mac);

/* The other end's address. */
const struct addr *watch_connection_remote(const struct watch_connection *connection);

/* The other end's port and the host's own; 0: it has none. */
uint16_t watch_connection_remote_port(const struct watch_connection *connection);
uint16_t watch_connection_own_port(const struct watch_connection *connection);

/* In the order to be read: by what moves now, or by all that was moved. To be freed; NULL: out of memory. */
const struct watch_connection **watch_connections_sorted(const struct watch_connections *connections, bool by_total,
	bool reverse);

/* Frees what is inside and leaves it empty. */
void watch_connections_clear(struct watch_connections *connections);
