/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * reported: what the meter reported at one end of an audit, in plain values, and the reading of its documents. They are
 * not trusted: what is missing or of another type counts as nothing, texts are cut, lists are bounded.
 */
#pragma once

#include "hostmeter/base/buf.h"
#include "hostmeter/decode/ct_event.h"

enum { AUDIT_LABEL = 64, AUDIT_LINKS = 64 };

enum audit_end { AUDIT_BEGIN, AUDIT_END, AUDIT_ENDS };
/* AUDIT_TUNNEL: outer packets of a tunnel, which no host has. */
enum audit_scope { AUDIT_WAN, AUDIT_LOCAL, AUDIT_SCOPES, AUDIT_TUNNEL, AUDIT_IGNORED, AUDIT_UNDECIDED };
enum audit_direction { AUDIT_IN, AUDIT_OUT, AUDIT_DIRECTIONS };
enum audit_family { AUDIT_IPV4, AUDIT_IPV6, AUDIT_FAMILIES };

/* One host of /api/v1/hosts. Its addresses follow one another in the list of all. */
struct audit_reported_host {
	char label[AUDIT_LABEL];
	char mac[MAC_TEXT]; /* "": none */
	uint64_t bytes[AUDIT_SCOPES][AUDIT_FAMILIES][AUDIT_DIRECTIONS];
	uint64_t first_seen; /* nanoseconds since 1970; 0: not yet */
	size_t address, addresses;
};

/* One line of /api/v1/flows. */
struct audit_reported_flow {
	struct ct_event flow; /* family, proto, zone, id and the original tuple: what it is known by */
	enum audit_scope scope;
	bool began; /* the host is the original source */
	char host[AUDIT_LABEL], mac[MAC_TEXT], peer[AUDIT_LABEL], peer_mac[MAC_TEXT];
};

/* An interface of /api/v1/status. */
struct audit_reported_link {
	uint32_t ifindex;
	bool is_wan;
};

struct audit_reported {
	struct audit_reported_host *host;
	size_t hosts;
	struct addr *address;
	size_t addresses;
	struct audit_reported_link link[AUDIT_LINKS];
	size_t links;
	uint64_t time; /* of the hosts' counts, nanoseconds since 1970 */
	bool ready, reliable;
	uint64_t uptime_ns, dump_interval_ns;
	uint64_t overruns;                 /* of the source of ends */
	uint64_t tunnel[AUDIT_DIRECTIONS]; /* bytes of tunnels' outer packets on all WANs */
};

/* Adds what a document says. 0; -EBADMSG if it is no such document, -EPROTO if it is of another schema, -ENOMEM. */
int reported_read_hosts(struct audit_reported *reported, const struct buf *document);
int reported_read_status(struct audit_reported *reported, const struct buf *document);

/* One line of the flows. 0; -ENODATA for the line that says that there were more; -EBADMSG, -EPROTO as above. */
int reported_read_flow(struct audit_reported_flow *flow, const char *line, size_t len);

/* Frees what is inside; afterwards it is empty. */
void reported_clear(struct audit_reported *reported);
