/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * daemon_state: the inside of the running meter, for the files that make it up: daemon.c (start, time, end),
 * collector.c (what the kernel says), tap.c (who keeps a copy of that), queries.c (what others
 * ask). Nobody else includes it.
 */
#ifndef HOSTMETER_DAEMON_STATE_H
#define HOSTMETER_DAEMON_STATE_H

#include "hostmeter/base/log.h"
#include "hostmeter/daemon/meter_setup.h"
#include "hostmeter/export/endpoints.h"
#include "hostmeter/names/vendor.h"
#include "hostmeter/netlink/nl.h"
#include "pace.h"
#include "recorder.h"

#include <stdbool.h>
#include <stdint.h>

enum { DAEMON_EXIT_RUNTIME = 1, DAEMON_EXIT_CONFIG = 2 };

struct daemon {
	const struct config *config;
	struct loop *loop;
	struct meter_setup setup;
	struct dispatch *dispatch;
	struct nl *nl;
	struct endpoints *endpoints;
	struct basic_auth *auth;
	struct http_server *http;
	struct web_apply *web; /* NULL: no --web.config.file */
	struct ifnames *ifnames;
	struct trace_writer *trace; /* --trace FILE */
	struct recorder *recorder;  /* --record FILE of others */
	struct loop_timer *tick, *dump, *retry;
	struct loop_signal *signals[4];
	struct checkpointer *checkpointer;
	struct reliability *reliability;
	struct names_follow *naming;
	struct flow_list *flow_list;
	struct vendor *vendor;
	char vendor_text[VENDOR_TEXT];
	struct loop_timer *again; /* makes another turn of the loop, for work that goes on over many */
	struct pace pace;
	uint64_t dumps_ended; /* as seen last */
	uint64_t dump_began, dump_began_cpu;
	uint64_t stall_ns, stall_until; /* the longest turn, and until when it is told */
	uint64_t watchdog_ns, watchdog_next;
	bool metering; /* events, NFLOG and dumps are subscribed to */
	bool stopping;
	bool warned_of_offload;
	struct log_limit failed[SOURCE_COUNT], overrun[SOURCE_COUNT], dump_failed; /* what was warned of lately */
	int status;
};

/* Ends the loop; the process will end with this status. */
void daemon_fail(struct daemon *daemon, int status);

/* collector.c: what nl calls. */
struct nl_callbacks daemon_nl_callbacks(struct daemon *daemon);

/* Opens what tells of the network's shape; the other sources follow when that is known. 0 or -errno. */
int daemon_open_topology(struct daemon *daemon);

/* Timers: it is time for a dump; it is time to open again what was lost. ctx: the daemon. */
void daemon_on_dump(void *ctx);
void daemon_on_retry(void *ctx);

/* Sets the next dump's time anew, after the pace has changed. Nothing while a dump runs or the meter ends. */
void daemon_plan_dump(struct daemon *daemon);

/*
 * tap.c: what was received, or sent (outgoing), is for whoever records; and what the recorder asks of the
 * rest.
 */
void tap_datagram(struct daemon *daemon, enum source source, bool outgoing, const void *data, size_t len);
struct recorder_calls tap_recorder_calls(struct daemon *daemon);

/* queries.c: the state on the log; and what endpoints asks. */
void queries_log_state(struct daemon *daemon);
struct endpoints_source queries(struct daemon *daemon);

#endif
