/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check_facts: all that --check judges by, in plain values: the configuration, what was found on this machine, and what
 * the running meter reports in /api/v1/status.
 */
#pragma once

#include "hostmeter/check/firewall.h"
#include "hostmeter/check/socket_owner.h"
#include "hostmeter/decode/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHECK_NONE UINT64_MAX /* a number that is not known */

/* Bytes of a text; entries of a list from the meter, and of a list from this machine as well: more are left out. */
enum { CHECK_NAME = 64, CHECK_STATUS_MOST = 64, CHECK_MOST = 256 };

struct check_link {
	char name[CHECK_NAME];
	enum check_side { CHECK_OTHER, CHECK_LAN, CHECK_WAN } side;
};

/* Of any interface, as the meter says. */
struct check_verdict {
	char name[CHECK_NAME], side[16], reason[2 * CHECK_NAME], carries[CHECK_NAME];
};

struct check_names {
	char path[256];
	char error[CHECK_NAME]; /* "": all was read */
};

struct check_port {
	const char *where; /* as configured */
	bool is_meters;    /* the running meter answers there */
	int error;         /* of binding to it: 0 or -errno */
	struct socket_owner owner;
	char socket[SOCKET_OWNER_PATH]; /* on which the owner answers, if it is a hostmeter and that is known */
};

/* Since the meter first started. */
struct check_wan {
	char name[CHECK_NAME];
	uint64_t seen,
		unseen; /* bytes of metered flows, outer packets of tunnels among them; what the interface has beyond */
	uint64_t packets; /* of both */
};

struct check_source {
	bool up;
	uint64_t overruns, buffer, buffer_asked;
};

/* What the running meter reports of itself. */
struct check_meter {
	bool answers;
	int error; /* why not: -errno, or an HTTP status */
	char version[CHECK_NAME];
	uint16_t nflog_group;
	struct check_source source[SOURCE_COUNT];
	bool reliable;
	uint64_t switched_off, ends, ends_unseen, ends_uncounted, resets, refused, sightings_lost, damaged;
	char checkpoint_error[CHECK_NAME]; /* why the latest could not be saved; "": it was */
	uint64_t checkpoint_damages;       /* what the start found damaged, missing or repeated */
	uint64_t checkpoint_failures, hosts_folded, routes_dropped;
	uint64_t places, places_taken, places_unanswered; /* for hosts; of hosts that never got a reply */
	uint64_t left_unanswered;                         /* such hosts that left */
	uint64_t made_up;                  /* hosts and times, if most never got a reply: somebody makes them up */
	char made_up_on[CHECK_NAME];       /* the interface that most of them came from lately; "": not known */
	uint64_t sighted;                  /* connections whose host is known by their first packet */
	uint64_t unsighted;                /* new connections in a row without a first packet, if there were many */
	uint64_t unknown_bytes, wan_bytes; /* counted for no host; of all that flows carried */
	double dump_age, dump_interval;    /* seconds; age -1: none yet */
};

struct check_facts {
	/* The configuration: of the running meter, where one answers, otherwise of one that would be started. */
	const char *socket, *runtime_dir;
	uint16_t nflog_group;
	double fill_percent;
	const char *lan_missing, *wan_missing; /* a configured interface that is not there, or NULL */

	/* The machine. */
	uint64_t real_ns;
	bool clock_set;                                    /* os/wall_clock.h */
	bool privileged;                                   /* CAP_NET_ADMIN */
	uint64_t acct, events, table_entries, table_limit; /* CHECK_NONE: no such setting */
	bool forwards[FIREWALL_FAMILIES];
	bool hides_next_hops;     /* nexthop_compat_mode=0: a route by a nexthop object does not tell its interfaces */
	struct firewall firewall; /* firewall_clear() frees what is inside */
	int nflog_bound;          /* 1, 0, or -ENOENT: the kernel does not say */
	struct socket_owner nflog_owner;
	char nflog_socket[SOCKET_OWNER_PATH]; /* on which that answers, if it is a hostmeter and that is known */
	struct check_port port[CHECK_STATUS_MOST];
	size_t ports;

	/* The meter, if one answers; then the machine. */
	struct check_link link[CHECK_MOST];
	struct check_names names[CHECK_MOST];
	size_t links, names_count;

	/* From the meter, if one answers. */
	char listen[CHECK_STATUS_MOST][CHECK_NAME];
	size_t listens;
	struct check_verdict verdict[CHECK_STATUS_MOST];
	size_t verdicts;
	struct check_wan wan[CHECK_STATUS_MOST];
	size_t wans;
	uint64_t flows, flows_uncounted, flows_offloaded;
	struct check_meter meter;
};

/*
 * Fills in what the running meter's /api/v1/status says. It is not trusted: what is missing or of another type counts
 * as nothing, texts are cut, lists are bounded. 0; -EBADMSG if it is no such document, -EPROTO if it is of another
 * schema: then nothing is filled in.
 */
int check_facts_read(struct check_facts *facts, const struct buf *status);
