/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * endpoints: who may ask, what there is to ask for, and the answers.
 *
 * Whatever is asked within ENDPOINTS_SHARE_NS of a snapshot is made of it, once for all who ask: a page is at most that
 * old, but where there is no room for another snapshot: see pages.h.
 *
 * The metrics and the hosts are read anew for who asks: the answer waits for a dump that begins ENDPOINTS_SETTLE_NS
 * after the question, when the first packets of all flows until then have come; at most ENDPOINTS_WAIT_NS. It does not
 * wait where such a dump would exceed the share, for ?fresh=0, and for watchers, who have dumps of their own.
 */
#pragma once

#include "hostmeter/base/addr.h"

#include <stdbool.h>
#include <stdint.h>

#define ENDPOINTS_SHARE_NS (UINT64_C(100) * 1000000)
#define ENDPOINTS_SETTLE_NS (UINT64_C(100) * 1000000) /* NFLOG's timeout */
#define ENDPOINTS_WAIT_NS UINT64_C(1000000000)

struct config;
struct buf;
struct http_request;
struct http_response;
struct http_shared;
struct loop;
struct flow_list_filter;
struct endpoints;
struct snapshot;
struct snapshot_process;
struct topology;

/* Where answers come from. */
struct endpoints_source {
	void *ctx;
	/* What is known now: 0, or -errno and nothing to clear. */
	int (*snapshot)(void *ctx, struct snapshot *snapshot);
	bool (*ready)(void *ctx); /* the first dump is in */
	/* Asks for a dump that begins between these two times from now; false: there will be none. */
	bool (*refresh)(void *ctx, uint64_t after_ns, uint64_t within_ns);
	const struct topology *topology;                  /* borrowed */
	void (*watched)(void *ctx, uint64_t interval_ns); /* somebody looks, and will again in so long */
	/* The live flows that pass: true, or false while they are being listed: to be asked again. */
	bool (*flows)(void *ctx, const struct flow_list_filter *filter, struct buf *out);
	/* A trace from now on: 0, or -EBUSY: enough others record. */
	int (*record)(void *ctx, struct http_shared *body);
};

/* Of config, which is borrowed: allow, server_names, page_memory and max_hosts. NULL: out of memory.
 * endpoints_free(NULL) is fine. */
struct endpoints *endpoints_new(struct loop *loop, const struct config *config, const struct endpoints_source *source);
void endpoints_free(struct endpoints *endpoints);

/*
 * What allow says changed, or what snapshots borrow: makes all pages anew, and wakes all requests that wait. 0, or
 * -ENOMEM and nothing changed.
 */
int endpoints_configure(struct endpoints *endpoints, const struct config *config);

/*
 * An http_admit: this machine itself, what was allowed, and whoever is on the subnet of a LAN, by the routes and by the
 * prefixes of the router's addresses as they are now. A link-local client is judged by its interface's side alone;
 * others must also have connected by a LAN, where that is known.
 */
bool endpoints_admits(void *endpoints, const struct addr *client, uint32_t ifindex);

/* A dump has ended, which began at this time; or it was broken off. */
void endpoints_dump_ended(struct endpoints *endpoints, uint64_t began);

/* Wakes all requests that wait, to be called before http_server_free(). */
void endpoints_wake(struct endpoints *endpoints);

/* Fills in the numbers of pages. */
void endpoints_describe(const struct endpoints *endpoints, struct snapshot_process *process);

/* An http_handler. */
void endpoints_request(void *endpoints, const struct http_request *request, struct http_response *response);
