/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * audit: compares what the meter reported with what the auditor read itself, and gives the reasons of each difference.
 *
 * It shares no table and no decoder with the meter. All input comes through the functions below, so that tests work
 * with readings that they made up.
 *
 * The meter is asked at the begin and at the end of an interval. The kernel cannot be read at the same moment, so the
 * auditor reads it shortly before and shortly after: the two readings are the bounds of what the meter must have
 * counted, and a count outside of them is an error.
 */
#ifndef HOSTMETER_AUDIT_AUDIT_H
#define HOSTMETER_AUDIT_AUDIT_H

#include "hostmeter/audit/by_address.h"
#include "hostmeter/audit/readings.h"

enum audit_reason {
	AUDIT_NOT_READ,      /* passed between the meter's reading and ours */
	AUDIT_ENDED,         /* of flows that ended between the two */
	AUDIT_HELD,          /* of flows whose host the meter did not know yet */
	AUDIT_UNKNOWN,       /* of flows that came and went, and whose host is not known */
	AUDIT_RESTARTED,     /* the meter began anew, or had just begun */
	AUDIT_LOST,          /* the kernel dropped ends for the meter */
	AUDIT_UNHEARD,       /* of flows that vanished without an event */
	AUDIT_ZEROED,        /* somebody zeroed the counters */
	AUDIT_LINK_HEADERS,  /* of interfaces only, from here on */
	AUDIT_NO_COUNTERS,   /* there are flows that the kernel does not count */
	AUDIT_OFFLOADED,     /* there are offloaded flows */
	AUDIT_NO_CONNECTION, /* ARP, neighbour discovery, what is not tracked */
	AUDIT_DROPPED,       /* counted on its way in, and not sent: by a firewall or a queue */
	AUDIT_NEW_LINK,      /* an interface came or went */
	AUDIT_REASONS,
};

/* One host in one direction, all hosts together (sum), or the WAN interfaces beside all hosts (link). */
struct audit_line {
	enum { AUDIT_HOST, AUDIT_SUM, AUDIT_LINK } kind;
	char host[AUDIT_LABEL], mac[MAC_TEXT]; /* of a host */
	enum audit_scope scope;
	enum audit_family family;       /* not of interfaces */
	enum audit_direction direction; /* AUDIT_IN: from the WAN */
	uint64_t meter;                 /* bytes the meter counted */
	uint64_t kernel;                /* bytes of all connections; of interfaces: their own count */
	uint64_t reason[AUDIT_REASONS]; /* how much of the difference each accounts for */
	uint64_t unexplained;           /* what is left */
};

struct audit_report {
	struct audit_line *line;
	size_t lines;
	uint64_t unexplained;                                                  /* lines with something left */
	uint64_t flows, ended, unknown, uncounted, offloaded, zeroed, unheard; /* numbers of flows */
	uint64_t refused; /* for which there was no memory: then nothing is certain */
	bool cut;         /* the meter had more flows than it lists */
};

struct audit;

/* For so many flows at the most. NULL: out of memory. */
struct audit *audit_new(size_t most_flows);
void audit_free(struct audit *audit);

/* Where the auditor's own readings go, and the router's own addresses. */
struct readings *audit_readings(struct audit *audit);
struct by_address *audit_addresses(struct audit *audit);

/* What the meter says. 0 or -ENOMEM. */
int audit_take_reported(struct audit *audit, enum audit_end end, const struct audit_reported *reported);
int audit_take_flow(struct audit *audit, enum audit_end end, const struct audit_reported_flow *flow);
void audit_take_cut(struct audit *audit);

/* A WAN interface's own counters. has_mac: its frames have Ethernet headers. */
struct audit_link {
	uint32_t ifindex;
	bool has_mac;
	uint64_t bytes[AUDIT_DIRECTIONS], packets[AUDIT_DIRECTIONS]; /* AUDIT_IN: rx */
};
void audit_take_link(struct audit *audit, enum audit_end end, const struct audit_link *link);

/* Once, when all is read. 0 and a report that audit_report_clear() frees, or -ENOMEM. */
int audit_judge(struct audit *audit, struct audit_report *report);
void audit_report_clear(struct audit_report *report);

/* "not-read", …: the word for programs; and the one for people. */
const char *audit_reason_id(enum audit_reason reason);
const char *audit_reason_text(enum audit_reason reason);

#endif
