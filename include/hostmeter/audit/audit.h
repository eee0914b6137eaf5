/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * audit: compares what the meter reported with what the auditor read itself, and gives the reasons of each difference.
 *
 * It shares no table and no decoder with the meter.
 *
 * The meter is asked at the begin and at the end of an interval. The kernel cannot be read at the same moment, so the
 * auditor reads it shortly before and shortly after: the two readings are the bounds of what the meter must have
 * counted, and a count outside of them is an error.
 */
#pragma once

#include "hostmeter/audit/reported.h"

/* In the order in which they explain a difference: what is certain first. */
enum audit_reason {
	AUDIT_LINK_HEADERS, /* of interfaces only */
	AUDIT_OVERHEAD,     /* of WireGuard interfaces only: headers of its own, and padding */
	AUDIT_NOT_READ,     /* passed between the meter's reading and ours */
	AUDIT_ENDED,        /* of flows that ended between the two */
	AUDIT_PENDING,      /* of flows whose host the meter did not know yet */
	AUDIT_UNKNOWN,      /* of flows that began and ended in the interval, and whose host is not known */
	AUDIT_RESTARTED,    /* the meter was restarted, or had just started */
	AUDIT_LOST,         /* the kernel dropped ends for the meter */
	AUDIT_VANISHED,     /* of flows that ended without an event */
	AUDIT_ZEROED,       /* another program zeroed the counters */
	/* Of interfaces only: */
	AUDIT_NO_COUNTERS,   /* there are flows that the kernel does not count */
	AUDIT_OFFLOADED,     /* there are offloaded flows, and not all flowtables count */
	AUDIT_NO_CONNECTION, /* ARP, neighbour discovery, what is not tracked */
	AUDIT_BYPASSED,      /* a flowtable forwards past the interface's counter, not past the flow's */
	AUDIT_DROPPED,       /* counted on receipt and not sent: dropped by a firewall or a queue */
	AUDIT_LINK_CHANGED,  /* an interface was added or removed */
	AUDIT_REASONS,
};

/* One host in one direction, all hosts together (sum), or the WAN interfaces beside all hosts (link). */
struct audit_line {
	enum { AUDIT_HOST, AUDIT_SUM, AUDIT_LINK } kind;
	char host[AUDIT_LABEL], mac[MAC_TEXT]; /* of a host */
	enum audit_scope scope;
	enum audit_family family;       /* not of interfaces */
	enum audit_direction direction; /* AUDIT_IN: from the WAN */
	uint64_t meter;                 /* bytes the meter counted; of interfaces: for hosts and as tunnels */
	uint64_t kernel;                /* bytes of all connections; of interfaces: their own count */
	uint64_t reason[AUDIT_REASONS]; /* how much of the difference each accounts for */
	uint64_t unexplained;           /* what is left */
};

struct audit_report {
	struct audit_line *line;
	size_t lines;
	uint64_t unexplained;                                                   /* lines with something left */
	uint64_t flows, ended, unknown, uncounted, offloaded, zeroed, vanished; /* numbers of flows */
	uint64_t refused;      /* for which there was no memory: then nothing is certain */
	bool cut;              /* the meter had more flows than it lists */
	bool flowtables_count; /* as audit_take_flowtables() was told */
};

struct audit;

/* For so many flows at the most. NULL: out of memory. */
struct audit *audit_new(size_t most_flows);
void audit_free(struct audit *audit);

/* What the meter says. 0 or -ENOMEM. */
int audit_take_reported(struct audit *audit, enum audit_end end, const struct audit_reported *reported);
int audit_take_flow(struct audit *audit, enum audit_end end, const struct audit_reported_flow *flow);
void audit_take_cut(struct audit *audit);

/* What the firewall says: whether all flowtables count what they forward. Unless told, they may not. */
void audit_take_flowtables(struct audit *audit, bool count);

/* A WAN interface's own counters. has_mac: its frames have Ethernet headers; is_wireguard: overhead of its own. */
struct audit_link {
	uint32_t ifindex;
	bool has_mac;
	uint64_t bytes[AUDIT_DIRECTIONS], packets[AUDIT_DIRECTIONS]; /* AUDIT_IN: rx */
	bool is_wireguard;
	bool is_stacked; /* it runs over another, whose packets a flowtable takes: VLAN, PPPoE, bridge */
};
void audit_take_link(struct audit *audit, enum audit_end end, const struct audit_link *link);

/* Once, when all is read. 0 and a report that audit_report_clear() frees, or -ENOMEM. */
int audit_judge(struct audit *audit, struct audit_report *report);
void audit_report_clear(struct audit_report *report);

/* Of the JSON object (docs/api.md); raised when a field changes its meaning or goes. */
enum { AUDIT_SCHEMA = 1 };

/* How the two ends were read: how long each took, and how long lay between them, in nanoseconds. */
struct audit_times {
	uint64_t took_ns[AUDIT_ENDS], between_ns;
	uint64_t begin_ns, end_ns; /* since 1970 */
};

/* The report as a table for people, or as one JSON object. Each appends; what did not fit shows in buf_error(). */
void audit_print_text(struct buf *out, const struct audit_report *report, const struct audit_times *times);
void audit_print_json(struct buf *out, const struct audit_report *report, const struct audit_times *times);

/*
 * The auditor's own readings: ends of flows, dumps of all flows, interfaces and the router's addresses, from sockets of
 * its own. That of ends is not reliable: an auditor that is stopped must not fill the kernel's table.
 */
struct audit_kernel;
struct loop;

/* done: a dump that was asked for is in (0), or was not to be had (-errno). NULL: out of memory. */
struct audit_kernel *audit_kernel_new(struct loop *loop, struct audit *audit, void (*done)(void *ctx, int error),
	void *ctx);
void audit_kernel_free(struct audit_kernel *kernel);

/* Listens from now on. 0 or -errno: -EPERM without CAP_NET_ADMIN. */
int audit_kernel_open(struct audit_kernel *kernel);

/* Ask for the flows of the next moment; for interfaces and addresses at one end; reported is used until done(). */
int audit_kernel_flows(struct audit_kernel *kernel);
int audit_kernel_links(struct audit_kernel *kernel, enum audit_end end, const struct audit_reported *reported);

/* How often the kernel dropped ends for this socket: then nothing is certain. */
unsigned int audit_kernel_lost(const struct audit_kernel *kernel);
