/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/export/endpoints.h"

#include "hostmeter/config/config.h"
#include "hostmeter/export/api.h"
#include "hostmeter/export/flow_list.h"
#include "hostmeter/export/prometheus.h"
#include "hostmeter/http/gzip.h"
#include "hostmeter/http/server.h"
#include "hostmeter/meter/topology.h"
#include "hostmeter/os/loop.h"
#include "index_page.h"
#include "negotiate.h"
#include "own_names.h"
#include "waiters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { WATCH_MAX_S = 3600, PIECE = 128 * 1024 };

enum page { PAGE_TEXT, PAGE_OPENMETRICS, PAGE_HOSTS, PAGE_HOSTS_WAN, PAGE_STATUS, PAGE_INDEX, PAGES };

/* What pages are made of, for as long as one is not whole. */
struct shot {
	unsigned int users;
	struct snapshot snapshot;
};

/* One page of one snapshot, written as far as somebody has read. It lives until the last answer made of it is sent. */
struct rendered {
	unsigned int users;
	enum page page;
	struct shot *shot; /* NULL: the page is whole */
	struct cursor cursor;
	struct buf body;
	struct gzip *gzip; /* of body; NULL until somebody asks for it */
};

struct endpoints {
	struct endpoints_source source;
	struct loop *loop;
	struct loop_timer *expiry, *patience;
	struct waiter *waiters;
	bool again;        /* they wait for a second dump */
	struct shot *shot; /* young enough to be shown; or NULL */
	struct rendered *page[PAGES];
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

/* --- Pages that are shared */

static void drop_shot(struct shot *shot)
{
	if (!shot || --shot->users)
		return;
	snapshot_clear(&shot->snapshot);
	free(shot);
}

static void drop(void *ctx)
{
	struct rendered *page = ctx;

	if (!page || --page->users)
		return;
	gzip_free(page->gzip);
	buf_free(&page->body);
	drop_shot(page->shot);
	free(page);
}

static void expire(void *ctx)
{
	struct endpoints *endpoints = ctx;

	for (int i = 0; i < PAGES; i++) {
		drop(endpoints->page[i]);
		endpoints->page[i] = NULL;
	}
	drop_shot(endpoints->shot);
	endpoints->shot = NULL;
	if (endpoints->expiry)
		loop_timer_stop(endpoints->expiry);
}

static int take_shot(struct endpoints *endpoints)
{
	struct shot *shot;
	int error;

	/* A snapshot from before the meter was ready is not shown after it. */
	if (endpoints->shot && !endpoints->shot->snapshot.ready && endpoints->source.ready(endpoints->source.ctx))
		expire(endpoints);
	if (endpoints->shot)
		return 0;
	shot = calloc(1, sizeof(*shot));
	if (!shot)
		return -ENOMEM;
	error = endpoints->source.snapshot(endpoints->source.ctx, &shot->snapshot);
	if (error) {
		free(shot);
		return error;
	}
	shot->users = 1;
	endpoints->shot = shot;
	loop_timer_set(endpoints->expiry, ENDPOINTS_SHARE_NS);
	return 0;
}

/* True: there is more of it. */
static bool render_some(struct buf *out, enum page page, const struct snapshot *snapshot, struct cursor *cursor,
	size_t enough)
{
	switch (page) {
	case PAGE_TEXT:
		return prometheus_render_some(out, snapshot, PROMETHEUS_TEXT, cursor, enough);
	case PAGE_OPENMETRICS:
		return prometheus_render_some(out, snapshot, PROMETHEUS_OPENMETRICS, cursor, enough);
	case PAGE_HOSTS:
	case PAGE_HOSTS_WAN:
		return api_hosts_some(out, snapshot, page == PAGE_HOSTS, cursor, enough);
	case PAGE_STATUS:
		api_status(out, snapshot);
		return false;
	default:
		index_page_render(out, snapshot);
		return false;
	}
}

/* Writes the page on until it has so many bytes, if it ever will. */
static void write_on(struct rendered *page, size_t enough)
{
	while (page->shot && page->body.len < enough) {
		if (render_some(&page->body, page->page, &page->shot->snapshot, &page->cursor, enough))
			continue;
		drop_shot(page->shot);
		page->shot = NULL;
	}
}

/* The page of a snapshot that is young enough; NULL: no memory for it. */
static struct rendered *get_page(struct endpoints *endpoints, enum page page, size_t enough)
{
	struct rendered *rendered;

	if (take_shot(endpoints))
		return NULL;
	rendered = endpoints->page[page];
	if (!rendered) {
		rendered = calloc(1, sizeof(*rendered));
		if (!rendered)
			return NULL;
		rendered->users = 1;
		rendered->page = page;
		rendered->shot = endpoints->shot;
		endpoints->shot->users++;
		endpoints->page[page] = rendered;
	}
	write_on(rendered, enough);
	return buf_error(&rendered->body) ? NULL : rendered;
}

static long read_plain(void *ctx, uint64_t offset, char *to, size_t room)
{
	struct rendered *page = ctx;

	if (room > PIECE)
		room = PIECE;
	write_on(page, (size_t)offset + room);
	return buf_copy(&page->body, offset, to, room);
}

static long read_gzip(void *ctx, uint64_t offset, char *to, size_t room)
{
	struct rendered *page = ctx;

	return gzip_read(page->gzip, offset, to, room);
}

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
	endpoints->again = false;
	expire(endpoints);
	if (waiters_wake(&endpoints->waiters, until))
		loop_timer_set(endpoints->patience, ENDPOINTS_WAIT_NS);
	else
		loop_timer_stop(endpoints->patience);
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
	const struct endpoints_source *source = &endpoints->source;

	if (!endpoints->waiters)
		return;
	/* What a batch of first packets is about to tell: the next dump counts it. */
	if (!endpoints->again && source->unsettled(source->ctx) && source->refresh(source->ctx, ENDPOINTS_WAIT_NS / 2))
		endpoints->again = true;
	else
		wake(endpoints, began);
}

/* Whether the request is to be asked again, after a dump: answered with HTTP_LATER. */
static bool must_wait(struct endpoints *endpoints, const struct http_request *request)
{
	const struct endpoints_source *source = &endpoints->source;
	const char *fresh = http_query(request, "fresh");
	bool alone = !endpoints->waiters;

	if (waiters_take(&endpoints->waiters, request) || endpoints->shot || (fresh && *fresh == '0'))
		return false;
	if (!source->refresh || !source->ready(source->ctx) || !source->refresh(source->ctx, ENDPOINTS_WAIT_NS / 2) ||
		waiters_add(&endpoints->waiters, request, loop_now_ns(endpoints->loop)))
		return false;
	if (alone)
		loop_timer_set(endpoints->patience, ENDPOINTS_WAIT_NS);
	return true;
}

static void answer_page(struct endpoints *endpoints, const struct http_request *request, struct http_response *response,
	enum page page)
{
	struct rendered *rendered = get_page(endpoints, page, request->pieces ? PIECE : SIZE_MAX);

	if (!rendered) {
		answer_text(response, 503, "out of memory\n");
		return;
	}
	response->shared = (struct http_shared){ .ctx = rendered, .release = drop };
	if (rendered->shot) {
		response->shared.read = read_plain;
	} else {
		response->shared.data = rendered->body.data;
		response->shared.len = rendered->body.len;
	}
	rendered->users++;
	add_header(response, "Vary", page <= PAGE_OPENMETRICS ? "Accept, Accept-Encoding" : "Accept-Encoding");
	if (!negotiate_gzip(http_header(request, "Accept-Encoding")))
		return;
	if (!rendered->gzip)
		rendered->gzip = gzip_new(read_plain, rendered);
	if (!rendered->gzip)
		return; /* plain will do */
	response->shared.read = read_gzip;
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
	endpoints_wake(endpoints);
	expire(endpoints);
	return 0;
}

struct endpoints *endpoints_new(struct loop *loop, const struct config *config, const struct endpoints_source *source)
{
	struct endpoints *endpoints = calloc(1, sizeof(*endpoints));

	if (!endpoints)
		return NULL;
	endpoints->source = *source;
	endpoints->loop = loop;
	endpoints->expiry = loop_timer_add(loop, expire, endpoints);
	endpoints->patience = loop_timer_add(loop, lose_patience, endpoints);
	if (endpoints->expiry && endpoints->patience && !endpoints_configure(endpoints, config))
		return endpoints;
	endpoints_free(endpoints);
	return NULL;
}

void endpoints_free(struct endpoints *endpoints)
{
	if (!endpoints)
		return;
	waiters_free(&endpoints->waiters);
	expire(endpoints);
	loop_timer_del(endpoints->patience);
	loop_timer_del(endpoints->expiry);
	free(endpoints->allow);
	free(endpoints);
}
