/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/export/endpoints.h"

#include "hostmeter/config/config.h"
#include "hostmeter/export/api.h"
#include "hostmeter/export/prometheus.h"
#include "hostmeter/http/gzip.h"
#include "hostmeter/http/server.h"
#include "hostmeter/meter/topology.h"
#include "hostmeter/os/loop.h"
#include "snapshots.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

/*
 * Requests are made up, so the server stays out: the functions that endpoints.c calls about a request are here, and the
 * linker takes these before those of the library.
 */
static const char *headers[8]; /* name, value, … */
static const char *query_local, *query_fresh, *query_watch;
static char woken[8]; /* the names of the connections, one letter each */

const char *http_header(const struct http_request *request, const char *name)
{
	(void)request;
	for (int i = 0; headers[i]; i += 2) {
		if (!strcmp(headers[i], name))
			return headers[i + 1];
	}
	return NULL;
}

const char *http_query(const struct http_request *request, const char *name)
{
	(void)request;
	return !strcmp(name, "local")  ? query_local :
		!strcmp(name, "fresh") ? query_fresh :
		!strcmp(name, "watch") ? query_watch :
					 NULL;
}

void http_server_wake(struct http_server *http, void *connection)
{
	(void)http;
	strncat(woken, connection, sizeof(woken) - strlen(woken) - 1);
}

struct fixture {
	struct loop *loop;
	struct topology *topology;
	struct endpoints *endpoints;
	struct config config;
	bool ready;
	int snapshots;
	int error;
	int recordings, record_error;
	bool refreshable;
	int refreshes, watchers;
};

static void stop_recording(void *ctx)
{
	((struct fixture *)ctx)->recordings--;
}

static int record(void *ctx, struct http_shared *body)
{
	struct fixture *f = ctx;

	if (f->record_error)
		return f->record_error;
	f->recordings++;
	*body = (struct http_shared){ .ctx = f, .release = stop_recording, .live = true };
	return 0;
}

/* endpoints clears it: so it has memory of its own. */
static int snapshot(void *ctx, struct snapshot *out)
{
	struct fixture *f = ctx;
	struct snapshot full = snapshots_full();

	f->snapshots++;
	if (f->error)
		return f->error;
	*out = full;
	out->ready = f->ready;
	out->stats.dumps = 1000 + (uint64_t)f->snapshots;
	out->host = memcpy(malloc(full.hosts * sizeof(*full.host)), full.host, full.hosts * sizeof(*full.host));
	out->address = memcpy(malloc(full.addresses * sizeof(*full.address)), full.address,
		full.addresses * sizeof(*full.address));
	out->link = memcpy(malloc(full.links * sizeof(*full.link)), full.link, full.links * sizeof(*full.link));
	out->wan = memcpy(malloc(full.wans * sizeof(*full.wan)), full.wan, full.wans * sizeof(*full.wan));
	return 0;
}

static bool ready(void *ctx)
{
	return ((struct fixture *)ctx)->ready;
}

static bool refresh(void *ctx, uint64_t after_ns, uint64_t within_ns)
{
	struct fixture *f = ctx;

	assert_true(after_ns < within_ns && within_ns <= ENDPOINTS_WAIT_NS);
	f->refreshes += f->refreshable;
	return f->refreshable;
}

static void watched(void *ctx, uint64_t interval_ns)
{
	(void)interval_ns;
	((struct fixture *)ctx)->watchers++;
}

static bool flows(void *ctx, const struct flow_list_filter *filter, struct buf *out)
{
	(void)ctx, (void)filter;
	buf_puts(out, "tcp\n");
	return true;
}

static void start(struct fixture *f)
{
	const struct endpoints_source source = {
		.ctx = f,
		.snapshot = snapshot,
		.ready = ready,
		.topology = f->topology,
		.refresh = refresh,
		.watched = watched,
		.record = record,
		.flows = flows,
	};

	endpoints_free(f->endpoints);
	f->endpoints = endpoints_new(f->loop, &f->config, &source);
	assert_non_null(f->endpoints);
}

static int setup(void **state)
{
	static const char *const lan[] = { "br-lan", NULL }, *const wan[] = { "wan0", NULL };
	struct fixture *f = calloc(1, sizeof(*f));

	f->loop = loop_new();
	f->topology = topology_new(&(struct topology_config){ .lan = lan, .wan = wan }, 100);
	f->ready = true;
	start(f);
	memset(headers, 0, sizeof(headers));
	query_local = query_fresh = query_watch = NULL;
	*woken = '\0';
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	endpoints_free(f->endpoints);
	topology_free(f->topology);
	loop_free(f->loop);
	free(f);
	return 0;
}

static struct http_response ask(struct fixture *f, const char *path)
{
	const struct http_request request = { .method = "GET", .path = path };
	struct http_response response = { .status = 200 };

	endpoints_request(f->endpoints, &request, &response);
	return response;
}

static const char *header_of(const struct http_response *response, const char *name)
{
	for (int i = 0; i < HTTP_HEADERS && response->header[i].name; i++) {
		if (!strcmp(response->header[i].name, name))
			return response->header[i].value;
	}
	return NULL;
}

static void done(struct http_response *response)
{
	buf_free(&response->body);
	if (response->shared.ctx)
		response->shared.release(response->shared.ctx);
	*response = (struct http_response){ 0 };
}

static bool has(const struct http_response *response, const char *text)
{
	const char *data = response->shared.ctx ? response->shared.data : response->body.data;
	size_t len = response->shared.ctx ? response->shared.len : response->body.len;

	return memmem(data, len, text, strlen(text));
}

static void set_header(const char *name, const char *value)
{
	headers[0] = name;
	headers[1] = value;
}

/* --- Endpoints */

static void each_endpoint_has_its_page(void **state)
{
	static const struct {
		const char *path, *type, *text;
	} cases[] = {
		{ "/", "text/html; charset=utf-8", "<h1>hostmeter" },
		{ "/metrics", "text/plain; version=0.0.4; charset=utf-8", "\n# TYPE host_bytes_total counter\n" },
		{ "/api/v1/hosts", "application/json", "{\"schema\":1," },
		{ "/api/v1/status", "application/json", "\"warnings\":[" },
		{ "/-/healthy", NULL, "healthy" },
		{ "/-/ready", NULL, "ready" },
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_response response = ask(f, cases[i].path);

		assert_int_equal(response.status, 200);
		if (cases[i].type)
			assert_string_equal(response.content_type, cases[i].type);
		assert_true(has(&response, cases[i].text));
		assert_string_equal(header_of(&response, "X-Content-Type-Options"), "nosniff");
		done(&response);
	}
	assert_int_equal(f->snapshots, 1);
}

static void other_paths_are_not_found(void **state)
{
	static const char *const paths[] = { "", "/metrics/", "/metric", "//", "/api", "/api/v1/hosts/", "/-/",
		"/index.html" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct http_response response = ask(f, paths[i]);

		assert_int_equal(response.status, 404);
		done(&response);
	}
	assert_int_equal(f->snapshots, 0);
}

static void ready_waits_for_the_first_dump(void **state)
{
	struct fixture *f = *state;
	struct http_response response;

	f->ready = false;
	response = ask(f, "/-/ready");
	assert_int_equal(response.status, 503);
	done(&response);
	response = ask(f, "/metrics");
	assert_true(has(&response, "\nhostmeter_ready 0\n"));
	done(&response);
	f->ready = true;
	response = ask(f, "/-/ready");
	assert_int_equal(response.status, 200);
	done(&response);
	/* The page from before is not shared with who knows better. */
	response = ask(f, "/metrics");
	assert_true(has(&response, "\nhostmeter_ready 1\n"));
	done(&response);
}

static void format_follows_accept(void **state)
{
	struct fixture *f = *state;
	struct http_response response;

	set_header("Accept", "application/openmetrics-text;version=1.0.0,text/plain;q=0.5");
	response = ask(f, "/metrics");
	assert_string_equal(response.content_type, "application/openmetrics-text; version=1.0.0; charset=utf-8");
	assert_string_equal(header_of(&response, "Vary"), "Accept, Accept-Encoding");
	assert_true(has(&response, "\n# EOF\n"));
	done(&response);
}

static void no_memory_is_said(void **state)
{
	struct fixture *f = *state;
	struct http_response response;

	f->error = -ENOMEM;
	response = ask(f, "/metrics");
	assert_int_equal(response.status, 503);
	done(&response);
	f->error = 0;
	response = ask(f, "/metrics");
	assert_int_equal(response.status, 200);
	done(&response);
}

/* --- Host */

static void names_of_others_are_refused(void **state)
{
	static const char *const guarded[] = { "/", "/metrics", "/api/v1/hosts", "/api/v1/status" };
	static const char *const open[] = { "/-/healthy", "/-/ready" };
	struct fixture *f = *state;
	struct http_response response;
	const struct http_request local = { .method = "GET", .path = "/", .local = true };

	set_header("Host", "evil.example");
	for (int i = 0; i < 4; i++) {
		response = ask(f, guarded[i]);
		assert_int_equal(response.status, 421);
		assert_false(has(&response, "desktop"));
		done(&response);
		response = ask(f, open[i % 2]);
		assert_int_equal(response.status, 200);
		done(&response);
	}
	response = (struct http_response){ .status = 200 };
	endpoints_request(f->endpoints, &local, &response);
	assert_int_equal(response.status, 200);
	done(&response);
}

static void own_and_configured_names_are_known(void **state)
{
	char *names[] = { (char *)"meter.example.net" }, own[256] = "";
	struct fixture *f = *state;
	const char *const good[] = { "localhost:10060", "192.168.1.1", "[::1]:10060", "meter.example.net", own,
		"router", "router.lan:10060" };

	assert_int_equal(gethostname(own, sizeof(own) - 1), 0);
	f->config.server_names = (struct config_strings){ names, 1 };
	start(f);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct http_response response;

		set_header("Host", good[i]);
		response = ask(f, "/api/v1/hosts");
		if (response.status != 200)
			fail_msg("Host: %s", good[i]);
		done(&response);
	}
}

/* --- Sharing */

static void concurrent_scrapes_share_one_page(void **state)
{
	struct fixture *f = *state;
	struct http_response a = ask(f, "/metrics"), b = ask(f, "/metrics"), json = ask(f, "/api/v1/hosts");

	assert_int_equal(f->snapshots, 1);
	assert_ptr_equal(a.shared.data, b.shared.data);
	assert_ptr_not_equal(a.shared.data, json.shared.data);
	assert_null(a.shared.read);
	done(&json);
	done(&a);
	assert_true(has(&b, "\nhostmeter_dumps_total 1001\n"));
	done(&b);
}

static void local_traffic_can_be_left_out(void **state)
{
	struct fixture *f = *state;
	struct http_response whole = ask(f, "/api/v1/hosts"), less;

	query_local = "0";
	less = ask(f, "/api/v1/hosts");
	assert_true(has(&whole, "\"local\":"));
	assert_true(has(&less, "\"wan\":"));
	assert_false(has(&less, "\"local\":"));
	done(&less);
	query_local = "1";
	less = ask(f, "/api/v1/hosts");
	assert_ptr_equal(less.shared.data, whole.shared.data);
	done(&less);
	done(&whole);
}

static void stop(void *ctx)
{
	loop_stop(ctx);
}

static void wait_ns(struct fixture *f, uint64_t ns)
{
	struct loop_timer *timer = loop_timer_add(f->loop, stop, f->loop);

	loop_timer_set(timer, ns);
	loop_run(f->loop);
	loop_timer_del(timer);
}

/* Who reads slowly keeps the old page to the end. */
static void an_old_page_is_not_shared(void **state)
{
	struct fixture *f = *state;
	struct http_response slow = ask(f, "/metrics"), next;

	wait_ns(f, ENDPOINTS_SHARE_NS + ENDPOINTS_SHARE_NS / 2);
	next = ask(f, "/metrics");
	assert_int_equal(f->snapshots, 2);
	assert_true(has(&slow, "\nhostmeter_dumps_total 1001\n"));
	assert_true(has(&next, "\nhostmeter_dumps_total 1002\n"));
	done(&next);
	endpoints_free(f->endpoints);
	f->endpoints = NULL;
	assert_true(has(&slow, "\nhostmeter_dumps_total 1001\n"));
	done(&slow);
}

static void gzip_is_made_once(void **state)
{
	struct fixture *f = *state;
	struct http_response a, b, plain;
	char x[64], y[64];

	plain = ask(f, "/metrics");
	assert_null(header_of(&plain, "Content-Encoding"));
	set_header("Accept-Encoding", "gzip");
	a = ask(f, "/metrics");
	b = ask(f, "/metrics");
	assert_string_equal(header_of(&a, "Content-Encoding"), "gzip");
	assert_string_equal(header_of(&a, "Vary"), "Accept, Accept-Encoding");
	assert_ptr_equal(a.shared.ctx, b.shared.ctx);
	assert_int_equal(a.shared.read(a.shared.ctx, 0, x, sizeof(x)), sizeof(x));
	assert_int_equal(b.shared.read(b.shared.ctx, 0, y, sizeof(y)), sizeof(y));
	assert_memory_equal(x, y, sizeof(x));
	assert_memory_equal(x, "\x1f\x8b", 2);
	done(&plain);
	done(&a);
	done(&b);
}

/* --- Who may ask */

static bool admits(struct fixture *f, const char *client, uint32_t ifindex)
{
	struct addr addr = event_ip(client);

	return endpoints_admits(f->endpoints, &addr, ifindex);
}

static void rtnl(struct fixture *f, struct rtnl_event event)
{
	topology_rtnl(f->topology, &event, 0);
}

static void only_the_house_may_ask(void **state)
{
	static const struct {
		const char *client;
		uint32_t ifindex;
		bool want;
	} cases[] = {
		{ "127.0.0.1", 0, true },
		{ "127.7.7.7", 0, true },
		{ "::1", 0, true },
		{ "192.168.77.11", 0, true },
		/* The link by which it connected, where that is known. */
		{ "192.168.77.11", 3, true },
		{ "192.168.77.11", 2, false },
		{ "192.168.77.11", 9, false },
		{ "192.168.77.1", 1, true },
		{ "192.168.78.11", 0, false },
		{ "2001:db8:77::11", 0, true },
		{ "2001:db8:7:1::7", 0, true },
		{ "2001:db8:78::11", 0, false },
		/* The router's own addresses, of whichever side. */
		{ "192.168.77.1", 0, true },
		{ "198.51.100.2", 0, true },
		{ "2001:db8:ff::2", 0, true },
		{ "198.51.100.1", 0, false },
		{ "203.0.113.9", 0, false },
		{ "2001:db8:ff::1", 0, false },
		/* The same on every link: the link decides. */
		{ "fe80::9", 3, true },
		{ "fe80::9", 2, false },
		{ "fe80::9", 9, false },
		{ "fe80::9", 0, false },
		{ "0.0.0.0", 0, false },
		{ "::", 0, false },
		{ "10.9.5.5", 0, false },
		/* The router's link-local address of the one link, on the other. */
		{ "fe80::3", 2, false },
		{ "fe80::3", 3, true },
		/* Where a longer route leads to the provider, the LAN's prefix says nothing. */
		{ "11.4.0.7", 0, true },
		{ "11.5.0.7", 0, false },
		{ "2001:db8:7:5::7", 0, false },
		/* A network of the provider's that only its address shows: the route is in another table. */
		{ "11.7.0.7", 0, false },
		/* A network behind a machine of the LAN. */
		{ "11.6.0.7", 0, true },
		{ "172.16.0.7", 0, false },
		{ "192.168.77.255", 0, false },
	};
	struct fixture *f = *state;

	assert_false(admits(f, "192.168.77.11", 0));
	rtnl(f, event_link(2, "wan0", 0, ARPHRD_ETHER));
	rtnl(f, event_link(3, "br-lan", 0, ARPHRD_ETHER));
	rtnl(f, event_addr(2, "198.51.100.2", 24));
	rtnl(f, event_addr(2, "2001:db8:ff::2", 64));
	rtnl(f, event_addr(2, "fe80::2", 64));
	rtnl(f, event_addr(3, "192.168.77.1", 24));
	rtnl(f, event_addr(3, "2001:db8:77::1", 64));
	rtnl(f, event_addr(3, "fe80::3", 64));
	rtnl(f, event_addr(3, "11.0.0.1", 8));
	rtnl(f, event_addr(2, "11.7.0.2", 24));
	rtnl(f, event_addr(3, "2001:db8:7::1", 48));
	/* An address whose prefix no route leads to tells nothing. */
	assert_false(admits(f, "192.168.77.11", 0));
	rtnl(f, event_route(3, "192.168.77.0/24", NULL));
	rtnl(f, event_route(3, "2001:db8:77::/64", NULL));
	rtnl(f, event_route(3, "11.0.0.0/8", NULL));
	rtnl(f, event_route(3, "2001:db8:7::/48", NULL));
	rtnl(f, event_route(3, "11.6.0.0/24", "11.0.0.9"));
	rtnl(f, event_route(3, "172.16.0.0/24", "11.0.0.9"));
	rtnl(f, event_route(2, "11.5.0.0/24", NULL));
	rtnl(f, event_route(2, "2001:db8:7:5::/64", NULL));
	rtnl(f, event_route(2, "0.0.0.0/0", "198.51.100.1"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (admits(f, cases[i].client, cases[i].ifindex) != cases[i].want)
			fail_msg("%s by %u", cases[i].client, cases[i].ifindex);
	}
}

static void prefixes_are_followed_live(void **state)
{
	struct fixture *f = *state;
	struct rtnl_event event = event_addr(3, "10.1.0.1", 16);

	rtnl(f, event_link(3, "br-lan", 0, ARPHRD_ETHER));
	rtnl(f, event_route(3, "10.1.0.0/16", NULL));
	assert_false(admits(f, "10.1.2.3", 0));
	rtnl(f, event);
	assert_true(admits(f, "10.1.2.3", 0));
	event.gone = true;
	rtnl(f, event);
	assert_false(admits(f, "10.1.2.3", 0));
}

/* A LAN that is found by itself is none while a default route leads out of it, or before a WAN is known. */
static void sides_are_followed_live(void **state)
{
	static const char *const clients[] = { "192.168.77.11", "fe80::9" };
	struct fixture *f = *state;

	topology_free(f->topology);
	f->topology = topology_new(&(struct topology_config){ .lan = NULL }, 100);
	start(f);
	rtnl(f, event_link(2, "wan0", 0, ARPHRD_ETHER));
	rtnl(f, event_link(3, "br-lan", 0, ARPHRD_ETHER));
	rtnl(f, event_addr(3, "192.168.77.1", 24));
	rtnl(f, event_route(3, "192.168.77.0/24", NULL));
	for (int i = 0; i < 2; i++)
		assert_false(admits(f, clients[i], i ? 3 : 0));
	rtnl(f, event_route(2, "0.0.0.0/0", NULL));
	for (int i = 0; i < 2; i++)
		assert_true(admits(f, clients[i], i ? 3 : 0));
	rtnl(f, event_route(3, "::/0", "fe80::66"));
	for (int i = 0; i < 2; i++)
		assert_false(admits(f, clients[i], i ? 3 : 0));
	assert_true(admits(f, "192.168.77.1", 0));
	rtnl(f, event_gone(event_route(3, "::/0", "fe80::66")));
	for (int i = 0; i < 2; i++)
		assert_true(admits(f, clients[i], i ? 3 : 0));
}

static void allow_adds_to_it(void **state)
{
	char *allow[] = { (char *)"10.9.0.0/16", (char *)"2001:db8:9::/48", (char *)"203.0.113.7" };
	struct fixture *f = *state;

	f->config.allow = (struct config_strings){ allow, 3 };
	start(f);
	assert_true(admits(f, "10.9.5.5", 0));
	assert_true(admits(f, "2001:db8:9:1::1", 0));
	assert_true(admits(f, "203.0.113.7", 0));
	assert_true(admits(f, "127.0.0.1", 0));
	assert_false(admits(f, "203.0.113.8", 0));
	assert_false(admits(f, "10.10.0.1", 0));
}

static struct http_response ask_here(struct fixture *f, const char *method, const char *path)
{
	const struct http_request request = { .method = method, .path = path, .local = true };
	struct http_response response = { .status = 200 };

	endpoints_request(f->endpoints, &request, &response);
	return response;
}

static void recordings_are_for_the_machines_own_users(void **state)
{
	struct fixture *f = *state;
	struct http_response r;

	headers[0] = "Host";
	headers[1] = "localhost";
	r = ask(f, "/api/v1/record");
	assert_int_equal(r.status, 403);
	assert_null(r.shared.ctx);
	done(&r);
	r = ask_here(f, "GET", "/api/v1/record");
	assert_int_equal(r.status, 200);
	assert_true(r.shared.live);
	assert_int_equal(f->recordings, 1);
	assert_string_equal(r.content_type, "application/vnd.tcpdump.pcap");
	done(&r);
	assert_int_equal(f->recordings, 0);
	/* Who asks for the headers only takes nobody's place. */
	r = ask_here(f, "HEAD", "/api/v1/record");
	assert_int_equal(r.status, 200);
	assert_null(r.shared.ctx);
	done(&r);
	f->record_error = -EBUSY;
	r = ask_here(f, "GET", "/api/v1/record");
	assert_int_equal(r.status, 503);
	assert_true(has(&r, "enough others record"));
	done(&r);
}

/* --- Waiting for a dump */

/* What a connection is answered: the status, and the number of the snapshot; 0: none. */
static void assert_answer(struct fixture *f, const char *path, const char *connection, unsigned int status, int number)
{
	const struct http_request request = { .method = "GET", .path = path, .connection = (void *)connection };
	struct http_response response = { .status = 200 };
	char line[64];

	endpoints_request(f->endpoints, &request, &response);
	assert_int_equal(response.status, status);
	snprintf(line, sizeof(line), "\nhostmeter_dumps_total %d\n", 1000 + number);
	if (number)
		assert_true(has(&response, line));
	if (status == HTTP_LATER)
		assert_true(!response.shared.ctx && !response.body.len);
	done(&response);
}

static void an_answer_waits_for_a_dump(void **state)
{
	struct fixture *f = *state;
	uint64_t asked = loop_now_ns(f->loop);

	f->refreshable = true;
	assert_answer(f, "/metrics", "a", HTTP_LATER, 0);
	assert_answer(f, "/api/v1/hosts", "b", HTTP_LATER, 0);
	assert_int_equal(f->snapshots, 0);
	/* One that began right after the question does not do: first packets are still under way. */
	endpoints_dump_ended(f->endpoints, asked + ENDPOINTS_SETTLE_NS - 1);
	assert_string_equal(woken, "");
	endpoints_dump_ended(f->endpoints, loop_now_ns(f->loop) + ENDPOINTS_SETTLE_NS);
	assert_string_equal(woken, "ba");
	/* Both share a snapshot, and so does who comes right after. */
	assert_answer(f, "/metrics", "a", 200, 1);
	assert_answer(f, "/api/v1/hosts", "b", 200, 0);
	assert_answer(f, "/metrics", "c", 200, 1);
	assert_int_equal(f->snapshots, 1);
	endpoints_dump_ended(f->endpoints, UINT64_MAX);
	assert_string_equal(woken, "ba");
	assert_int_equal(f->refreshes, 2);
}

/* Who comes too late for a dump gets the next, or at once what there is if that one would cost too much. */
static void a_late_question_gets_the_next_dump(void **state)
{
	struct fixture *f = *state;
	uint64_t first = loop_now_ns(f->loop) + ENDPOINTS_SETTLE_NS;

	f->refreshable = true;
	assert_answer(f, "/metrics", "a", HTTP_LATER, 0);
	wait_ns(f, ENDPOINTS_SETTLE_NS / 2);
	assert_answer(f, "/metrics", "b", HTTP_LATER, 0);
	endpoints_dump_ended(f->endpoints, first);
	assert_string_equal(woken, "a");
	assert_int_equal(f->refreshes, 3);
	assert_answer(f, "/metrics", "a", 200, 1);
	endpoints_dump_ended(f->endpoints, first + ENDPOINTS_SETTLE_NS);
	assert_string_equal(woken, "ab");
	assert_answer(f, "/metrics", "b", 200, 2);
	wait_ns(f, ENDPOINTS_SHARE_NS + ENDPOINTS_SHARE_NS / 2);
	first = loop_now_ns(f->loop) + ENDPOINTS_SETTLE_NS;
	assert_answer(f, "/metrics", "c", HTTP_LATER, 0);
	wait_ns(f, ENDPOINTS_SETTLE_NS / 2);
	assert_answer(f, "/metrics", "d", HTTP_LATER, 0);
	f->refreshable = false;
	endpoints_dump_ended(f->endpoints, first);
	assert_string_equal(woken, "abcd");
}

static void nobody_waits_for_long(void **state)
{
	struct fixture *f = *state;

	f->refreshable = true;
	assert_answer(f, "/metrics", "a", HTTP_LATER, 0);
	wait_ns(f, ENDPOINTS_WAIT_NS / 2);
	assert_string_equal(woken, "");
	wait_ns(f, ENDPOINTS_WAIT_NS);
	assert_string_equal(woken, "a");
	assert_answer(f, "/metrics", "a", 200, 1);
	/* All are woken before the server ends; one whose client has left is forgotten. */
	wait_ns(f, ENDPOINTS_SHARE_NS + ENDPOINTS_SHARE_NS / 2);
	assert_answer(f, "/metrics", "b", HTTP_LATER, 0);
	endpoints_wake(f->endpoints);
	assert_string_equal(woken, "ab");
	assert_answer(f, "/metrics", "c", HTTP_LATER, 0);
	endpoints_wake(f->endpoints);
	assert_string_equal(woken, "abc");
}

static void a_reload_lets_nobody_wait_and_shares_no_old_page(void **state)
{
	char *allow[] = { (char *)"10.9.0.0/16", NULL };
	struct fixture *f = *state;

	assert_false(admits(f, "10.9.5.5", 0));
	f->refreshable = true;
	assert_answer(f, "/metrics", "a", HTTP_LATER, 0);
	f->config.allow = (struct config_strings){ allow, 1 };
	assert_int_equal(endpoints_configure(f->endpoints, &f->config), 0);
	assert_string_equal(woken, "a");
	assert_true(admits(f, "10.9.5.5", 0));
	assert_answer(f, "/metrics", "a", 200, 1);
	assert_answer(f, "/metrics", "b", 200, 1);
	f->config.allow.count = 0;
	f->refreshable = false;
	assert_int_equal(endpoints_configure(f->endpoints, &f->config), 0);
	assert_false(admits(f, "10.9.5.5", 0));
	assert_answer(f, "/metrics", "c", 200, 2);
}

static void some_do_not_wait(void **state)
{
	struct fixture *f = *state;

	assert_answer(f, "/metrics", "a", 200, 1); /* a dump now would cost too much */
	wait_ns(f, ENDPOINTS_SHARE_NS + ENDPOINTS_SHARE_NS / 2);
	f->refreshable = true;
	assert_answer(f, "/api/v1/status", "b", 200, 0);
	wait_ns(f, ENDPOINTS_SHARE_NS + ENDPOINTS_SHARE_NS / 2);
	query_fresh = "0";
	assert_answer(f, "/metrics", "c", 200, 3);
	query_fresh = NULL;
	wait_ns(f, ENDPOINTS_SHARE_NS + ENDPOINTS_SHARE_NS / 2);
	query_watch = "1";
	assert_answer(f, "/api/v1/hosts", "d", 200, 0);
	assert_int_equal(f->watchers, 1);
	query_watch = NULL;
	wait_ns(f, ENDPOINTS_SHARE_NS + ENDPOINTS_SHARE_NS / 2);
	f->ready = false;
	assert_answer(f, "/metrics", "e", 200, 5);
	assert_int_equal(f->refreshes, 0);
}

/* A listing may be as large as all pages may be together. */
static void a_user_reads_two_listings_at_a_time(void **state)
{
	struct fixture *f = *state;

	for (unsigned int answers = 0; answers < 4; answers++) {
		const struct http_request request = {
			.method = "GET", .path = "/api/v1/flows", .local = true, .answers = answers
		};
		struct http_response response = { .status = 200 };

		endpoints_request(f->endpoints, &request, &response);
		assert_int_equal(response.status, answers < 2 ? 200 : 503);
		assert_int_equal(!header_of(&response, "Retry-After"), answers < 2);
		done(&response);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_user_reads_two_listings_at_a_time),
		TEST(each_endpoint_has_its_page),
		TEST(other_paths_are_not_found),
		TEST(ready_waits_for_the_first_dump),
		TEST(format_follows_accept),
		TEST(no_memory_is_said),
		TEST(names_of_others_are_refused),
		TEST(own_and_configured_names_are_known),
		TEST(local_traffic_can_be_left_out),
		TEST(concurrent_scrapes_share_one_page),
		TEST(an_old_page_is_not_shared),
		TEST(gzip_is_made_once),
		TEST(only_the_house_may_ask),
		TEST(prefixes_are_followed_live),
		TEST(sides_are_followed_live),
		TEST(allow_adds_to_it),
		TEST(recordings_are_for_the_machines_own_users),
		TEST(an_answer_waits_for_a_dump),
		TEST(a_late_question_gets_the_next_dump),
		TEST(nobody_waits_for_long),
		TEST(a_reload_lets_nobody_wait_and_shares_no_old_page),
		TEST(some_do_not_wait),
	};

	endpoints_free(NULL);
	return cmocka_run_group_tests_name("endpoints", tests, NULL, NULL);
}
