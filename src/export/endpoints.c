/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/export/endpoints.h"

#include "hostmeter/config/config.h"
#include "hostmeter/export/api.h"
#include "hostmeter/export/flow_list.h"
#include "hostmeter/export/prometheus.h"
#include "hostmeter/http/server.h"
#include "hostmeter/meter/snapshot.h"
#include "hostmeter/meter/topology.h"
#include "hostmeter/os/loop.h"
#include "negotiate.h"
#include "own_names.h"
#include "pages.h"
#include "waiters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RETRY_AFTER "5" /* seconds: by then a reader that stands still has been dropped */

/* A little later than it has to be, so that one dump does for several who ask. */
#define REFRESH_NS (ENDPOINTS_SETTLE_NS * 3 / 2)

/* Listings that one user may read at a time: of a million connections each is 64 MB. */
enum { LISTINGS = 2 };

enum { WATCH_MAX_S = 3600, MEBIBYTE = 1 << 20, DEFAULT_MEMORY = 32, DEFAULT_HOSTS = 10000 };

struct endpoints {
	struct endpoints_source source;
	struct loop *loop;
	struct loop_timer *patience;
	struct waiter *waiters;
	struct pages *pages;
	struct prefix *allow;
	size_t allows;
	const struct config_strings *server_names;
};

/* --- Who may ask */

bool endpoints_admits(void *ctx, const struct addr *client, uint32_t ifindex)
{
	const struct endpoints *endpoints = ctx;
	const struct topology *topology = endpoints->source.topology;
	struct addr gateway;
	enum side side;
	uint32_t out;

	for (size_t i = 0; i < endpoints->allows; i++)
		if (prefix_contains(&endpoints->allow[i], client))
			return true;
	if (addr_is_loopback(client))
		return true;
	/* Link-local addresses are the same on every link, the router's own too: only the link itself tells. */
	if (client->family == 6 && addr_is_link_local(client))
		return topology_interface(topology, ifindex) == SIDE_LAN;
	side = topology_address(topology, client, &out, &gateway);
	/* Where a rule takes the answer to another link than our lookup, the link by which the client came tells. */
	if (side == SIDE_LAN && ifindex && !topology_is_vrf(topology, ifindex) &&
		topology_interface(topology, ifindex) != SIDE_LAN)
		return false;
	if (side != SIDE_LAN)
		return side == SIDE_ROUTER;
	/*
	 * Networks behind a LAN are for allow. And a rule may use a route of a WAN that is not seen here: then the
	 * prefix of the router's address on that WAN tells.
	 */
	return topology_subnet(topology, client) == SIDE_LAN;
}

/* --- Answers */

static void answer_text(struct http_response *response, unsigned int status, const char *text)
{
	response->status = status;
	buf_puts(&response->body, text);
}

static void add_header(struct http_response *response, const char *name, const char *value)
{
	int i = 0;

	while (i < HTTP_HEADERS - 1 && response->header[i].name)
		i++;
	response->header[i].name = name;
	response->header[i].value = value;
}

/* --- Requests that wait for a dump */

static void wake(struct endpoints *endpoints, uint64_t until)
{
	const struct endpoints_source *source = &endpoints->source;

	pages_expire(endpoints->pages);
	loop_timer_stop(endpoints->patience);
	/* Those that came a little later need the next dump, if there is one soon. */
	if (!waiters_wake(&endpoints->waiters, until))
		return;
	if (source->refresh(source->ctx, 0, ENDPOINTS_WAIT_NS / 2))
		loop_timer_set(endpoints->patience, ENDPOINTS_WAIT_NS);
	else
		waiters_wake(&endpoints->waiters, UINT64_MAX);
}

void endpoints_wake(struct endpoints *endpoints)
{
	if (endpoints->waiters)
		wake(endpoints, UINT64_MAX);
}

static void lose_patience(void *ctx)
{
	endpoints_wake(ctx);
}

void endpoints_dump_ended(struct endpoints *endpoints, uint64_t began)
{
	if (waiters_have(endpoints->waiters, began))
		wake(endpoints, began);
}

/* Whether the request is to be asked again, after a dump: answered with HTTP_LATER. */
static bool must_wait(struct endpoints *endpoints, const struct http_request *request)
{
	const struct endpoints_source *source = &endpoints->source;
	const char *fresh = http_query(request, "fresh");
	bool alone = !endpoints->waiters;

	if (waiters_take(&endpoints->waiters, request) || pages_are_fresh(endpoints->pages) || (fresh && *fresh == '0'))
		return false;
	if (!source->refresh || !source->ready(source->ctx) ||
		!source->refresh(source->ctx, REFRESH_NS, ENDPOINTS_WAIT_NS / 2) ||
		waiters_add(&endpoints->waiters, request, loop_now_ns(endpoints->loop) + ENDPOINTS_SETTLE_NS))
		return false;
	if (alone)
		loop_timer_set(endpoints->patience, ENDPOINTS_WAIT_NS);
	return true;
}

static void answer_page(struct endpoints *endpoints, const struct http_request *request, struct http_response *response,
	enum page page)
{
	struct pages_wish wish = {
		.page = page,
		.gzip = negotiate_gzip(http_header(request, "Accept-Encoding")),
		.length = !request->pieces,
		.answers = request->answers,
	};
	int error = pages_open(endpoints->pages, &wish, &response->shared);

	if (error) {
		response->content_type = NULL;
		response->crowded = true;
		add_header(response, "Retry-After", RETRY_AFTER);
		answer_text(response, 503,
			error == -EAGAIN ? "too many pages are being read: come again soon\n" : "out of memory\n");
		return;
	}
	response->crowded = wish.is_old;
	add_header(response, "Vary", page <= PAGE_OPENMETRICS ? "Accept, Accept-Encoding" : "Accept-Encoding");
	if (wish.gzip)
		add_header(response, "Content-Encoding", "gzip");
}

/* --- Endpoints */

static void answer_index(struct endpoints *endpoints, const struct http_request *request,
	struct http_response *response)
{
	response->content_type = "text/html; charset=utf-8";
	add_header(response, "Content-Security-Policy", "default-src 'none'");
	answer_page(endpoints, request, response, PAGE_INDEX);
}

static void answer_metrics(struct endpoints *endpoints, const struct http_request *request,
	struct http_response *response)
{
	enum prometheus_format format = negotiate_format(http_header(request, "Accept"));

	if (must_wait(endpoints, request)) {
		response->status = HTTP_LATER;
		return;
	}
	response->content_type = prometheus_content_type(format);
	answer_page(endpoints, request, response, format == PROMETHEUS_OPENMETRICS ? PAGE_OPENMETRICS : PAGE_TEXT);
}

/* ?watch=SECONDS: the client will ask again, and dumps are made for it. ?local=0: it does without local traffic. */
static void answer_hosts(struct endpoints *endpoints, const struct http_request *request,
	struct http_response *response)
{
	const char *watch = http_query(request, "watch"), *local = http_query(request, "local");
	double seconds = watch ? strtod(watch, NULL) : 0;

	if (seconds > 0 && seconds <= WATCH_MAX_S)
		endpoints->source.watched(endpoints->source.ctx, (uint64_t)(seconds * 1e9));
	if (!watch && must_wait(endpoints, request)) {
		response->status = HTTP_LATER;
		return;
	}
	response->content_type = API_CONTENT_TYPE;
	answer_page(endpoints, request, response, local && *local == '0' ? PAGE_HOSTS_WAN : PAGE_HOSTS);
}

static void answer_status(struct endpoints *endpoints, const struct http_request *request,
	struct http_response *response)
{
	response->content_type = API_CONTENT_TYPE;
	answer_page(endpoints, request, response, PAGE_STATUS);
}

/* Who talks to whom is for this machine's own users only, not for the LAN. */
static void answer_flows(struct endpoints *endpoints, const struct http_request *request,
	struct http_response *response)
{
	const char *json = http_query(request, "json"), *wrong;
	struct flow_list_filter filter;

	memset(&filter, 0, sizeof(filter)); /* with its padding: it is compared as bytes */
	filter.json = json && *json == '1';
	wrong = flow_list_filter_set(&filter, http_query(request, "host"), http_query(request, "ipv"),
		http_query(request, "proto"), http_query(request, "port"));
	if (!request->local) {
		answer_text(response, 403, "connections are listed on the UNIX socket only\n");
	} else if (wrong) {
		response->status = 400;
		buf_printf(&response->body, "there is no such %s: \"%s\"\n", wrong, http_query(request, wrong));
	} else if (request->answers >= LISTINGS) {
		add_header(response, "Retry-After", RETRY_AFTER);
		answer_text(response, 503, "too many listings are being read: come again soon\n");
	} else if (!endpoints->source.flows(endpoints->source.ctx, &filter, &response->body)) {
		response->status = 202; /* ask again */
	}
}

/* The same of what the kernel says. */
static void answer_record(struct endpoints *endpoints, const struct http_request *request,
	struct http_response *response)
{
	bool is_head = strcmp(request->method, "HEAD") == 0;
	int error = request->local ? 0 : -EACCES;

	if (!error && !is_head)
		error = endpoints->source.record(endpoints->source.ctx, &response->shared);
	response->content_type = error ? NULL : "application/vnd.tcpdump.pcap";
	if (error == -EACCES)
		answer_text(response, 403, "recordings are made on the UNIX socket only\n");
	else if (error)
		answer_text(response, 503, error == -EBUSY ? "enough others record already\n" : "out of memory\n");
}

static void answer_healthy(struct endpoints *endpoints, const struct http_request *request,
	struct http_response *response)
{
	(void)endpoints, (void)request;
	answer_text(response, 200, "healthy\n");
}

static void answer_ready(struct endpoints *endpoints, const struct http_request *request,
	struct http_response *response)
{
	bool ready = endpoints->source.ready(endpoints->source.ctx);

	(void)request;
	answer_text(response, ready ? 200 : 503,
		ready ? "ready\n" : "not ready: the first reading of all connections is not in\n");
}

static const struct endpoint {
	const char *path;
	void (*answer)(struct endpoints *endpoints, const struct http_request *request, struct http_response *response);
	bool check_host; /* a browser may be made to read it to a stranger */
} table[] = {
	{ "/", answer_index, true },
	{ "/metrics", answer_metrics, true },
	{ "/api/v1/hosts", answer_hosts, true },
	{ "/api/v1/status", answer_status, true },
	{ "/api/v1/flows", answer_flows, true },
	{ "/api/v1/record", answer_record, true },
	{ "/-/healthy", answer_healthy, false },
	{ "/-/ready", answer_ready, false },
};

static bool is_own_name(const struct endpoints *endpoints, const char *host)
{
	const struct config_strings *names = endpoints->server_names;

	return negotiate_host(host, (const char *const *)names->item, names->count) ||
		own_names_match(host, "/etc/resolv.conf");
}

void endpoints_request(void *ctx, const struct http_request *request, struct http_response *response)
{
	struct endpoints *endpoints = ctx;
	const struct endpoint *endpoint = NULL;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]) && !endpoint; i++)
		if (strcmp(table[i].path, request->path) == 0)
			endpoint = &table[i];
	add_header(response, "X-Content-Type-Options", "nosniff");
	add_header(response, "Cache-Control", "no-store");
	if (!endpoint)
		answer_text(response, 404, "not found; metrics are at /metrics\n");
	else if (endpoint->check_host && !request->local && !is_own_name(endpoints, http_header(request, "Host")))
		answer_text(response, 421,
			"this server has another name: use its address, or see server-name in hostmeter.conf(5)\n");
	else
		endpoint->answer(endpoints, request, response);
}

/* --- Start and end */

/* 0: the default, which grows with the hosts beyond ten thousand. */
static size_t limit_of(const struct config *config)
{
	uint64_t hosts = config->max_hosts > DEFAULT_HOSTS ? config->max_hosts : DEFAULT_HOSTS;

	if (config->page_memory)
		return (size_t)config->page_memory * MEBIBYTE;
	return (size_t)(DEFAULT_MEMORY * MEBIBYTE * hosts / DEFAULT_HOSTS);
}

int endpoints_configure(struct endpoints *endpoints, const struct config *config)
{
	struct prefix *allow = calloc(config->allow.count + 1, sizeof(*allow));
	size_t allows = 0;

	if (!allow)
		return -ENOMEM;
	for (size_t i = 0; i < config->allow.count; i++)
		allows += !prefix_parse(&allow[allows], config->allow.item[i]);
	free(endpoints->allow);
	endpoints->allow = allow;
	endpoints->allows = allows;
	endpoints->server_names = &config->server_names;
	pages_set_limit(endpoints->pages, limit_of(config));
	endpoints_wake(endpoints);
	pages_expire(endpoints->pages);
	return 0;
}

void endpoints_describe(const struct endpoints *endpoints, struct snapshot_process *process)
{
	struct pages_usage usage = pages_usage(endpoints->pages);

	process->page_bytes = usage.bytes;
	process->page_limit = usage.limit;
	process->page_refusals = usage.refused;
}

struct endpoints *endpoints_new(struct loop *loop, const struct config *config, const struct endpoints_source *source)
{
	struct endpoints *endpoints = calloc(1, sizeof(*endpoints));

	if (!endpoints)
		return NULL;
	endpoints->source = *source;
	endpoints->loop = loop;
	endpoints->patience = loop_timer_add(loop, lose_patience, endpoints);
	endpoints->pages = pages_new(loop, &endpoints->source, limit_of(config));
	if (endpoints->patience && endpoints->pages && !endpoints_configure(endpoints, config))
		return endpoints;
	endpoints_free(endpoints);
	return NULL;
}

void endpoints_free(struct endpoints *endpoints)
{
	if (!endpoints)
		return;
	waiters_free(&endpoints->waiters);
	loop_timer_del(endpoints->patience);
	pages_free(endpoints->pages);
	free(endpoints->allow);
	free(endpoints);
}
