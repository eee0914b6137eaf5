/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/daemon/daemon.h"

#include "checkpointer.h"
#include "collector.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/config/config.h"
#include "hostmeter/daemon/meter_setup.h"
#include "hostmeter/http/basic_auth.h"
#include "hostmeter/http/server.h"
#include "hostmeter/http/web_apply.h"
#include "hostmeter/meter/dispatch.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/names/follow.h"
#include "hostmeter/names/vendor.h"
#include "hostmeter/netlink/ifnames.h"
#include "hostmeter/os/loop.h"
#include "hostmeter/os/sd_notify.h"
#include "queries.h"
#include "startup_log.h"
#include "tap.h"

#include <cap-ng.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_RUNTIME = 1, EXIT_CONFIG = 2 };

struct daemon {
	const struct config *config;
	struct loop *loop;
	struct meter_setup setup;
	struct vendor *vendor;
	char vendor_text[VENDOR_TEXT];
	struct checkpointer *checkpointer;
	struct collector *collector;
	struct tap *tap;
	struct names_follow *names;
	struct ifnames *ifnames;
	struct queries *queries;
	struct endpoints *endpoints;
	struct basic_auth *auth;
	struct http_server *http;
	struct web_apply *web; /* NULL: no --web.config.file */
	struct loop_timer *tick;
	struct loop_timer *again; /* makes another turn of the loop, for work that goes on over many */
	struct loop_signal *signals[4];
	uint64_t watchdog_ns, watchdog_next;
	int status;
};

static struct meter *meter_of(struct daemon *d)
{
	return d->setup.meter;
}

/* --- Time */

static void feed_watchdog(struct daemon *d, uint64_t now)
{
	if (!d->watchdog_ns || now < d->watchdog_next)
		return;
	sd_notify_send("WATCHDOG=1");
	d->watchdog_next = now + d->watchdog_ns / 3;
}

static void on_tick(void *ctx)
{
	struct daemon *d = ctx;
	uint64_t now = loop_now_ns(d->loop);

	meter_tick(meter_of(d), now);
	collector_tick(d->collector);
	tap_tick(d->tap, clock_real_ns());
	queries_tick(d->queries, now);
	feed_watchdog(d, now);
	loop_timer_set(d->tick, METER_TICK_NS);
}

static void on_again(void *ctx)
{
	(void)ctx; /* the turn's end does the work */
}

static void on_turn_end(void *ctx)
{
	struct daemon *d = ctx;

	if (checkpointer_turn(d->checkpointer, meter_of(d), loop_now_ns(d->loop)))
		loop_timer_set(d->again, 0);
}

/* --- What the parts tell */

static void on_topology_known(void *ctx)
{
	struct daemon *d = ctx;

	startup_log_start(d->config, meter_topology(meter_of(d)), d->ifnames, web_apply_has_tls(d->web));
	if (collector_start(d->collector)) {
		d->status = EXIT_RUNTIME;
		loop_stop(d->loop);
		return;
	}
	sd_notify_send("READY=1");
}

static void on_dump_ended(void *ctx, bool complete, uint64_t now)
{
	struct daemon *d = ctx;

	(void)complete;
	(void)now;
	checkpointer_begin(d->checkpointer, meter_of(d));
}

static void on_names(void *ctx)
{
	struct daemon *d = ctx;

	meter_names_changed(meter_of(d));
}

static const char *vendor_of(void *ctx, const struct mac *mac)
{
	struct daemon *d = ctx;

	return vendor_name(d->vendor, mac, d->vendor_text);
}

static void on_more_to_read(void *ctx, void *body)
{
	struct daemon *d = ctx;

	http_server_resume(d->http, body);
}

/* --- Signals */

/* One more dump, so that what lives is up to date; the second signal ends the loop at once. */
static void on_end(void *ctx, int signo)
{
	struct daemon *d = ctx;

	(void)signo;
	sd_notify_send("STOPPING=1");
	collector_stop(d->collector);
}

static void on_state(void *ctx, int signo)
{
	struct daemon *d = ctx;

	(void)signo;
	queries_log_state(d->queries);
}

static void on_hangup(void *ctx, int signo)
{
	struct daemon *d = ctx;

	(void)signo;
	web_apply_reload(d->web);
}

/* --- Making the parts */

static int make_fresh_meter(struct daemon *d, const struct hash_key *hash)
{
	int error = meter_setup_make(&d->setup, d->config, hash, clock_real_ns());

	if (!error && d->vendor)
		meter_set_vendor(d->setup.meter, vendor_of, d);
	return error;
}

/* A meter that goes on from the checkpoint, or a fresh one. */
static int make_meter(struct daemon *d, const struct hash_key *hash)
{
	char path[PATH_MAX];
	int error = make_fresh_meter(d, hash);

	if (error)
		return error;
	snprintf(path, sizeof(path), "%s/checkpoint", d->config->runtime_dir);
	d->checkpointer = checkpointer_new(path);
	if (!d->checkpointer)
		return -ENOMEM;
	if (!checkpointer_load(d->checkpointer, d->setup.meter, clock_mono_ns()))
		return 0;
	meter_setup_free(&d->setup);
	return make_fresh_meter(d, hash);
}

/* What meters: the meter, its loop and what the kernel says. */
static int make_meter_parts(struct daemon *d)
{
	const struct dispatch_listener listener = {
		.ctx = d, .topology_known = on_topology_known, .dump_ended = on_dump_ended
	};
	struct hash_key hash;
	int error = hash_key_random(&hash);

	if (error)
		return error;
	d->vendor = vendor_new(NULL);
	error = make_meter(d, &hash);
	if (error)
		return error;
	d->loop = loop_new();
	if (!d->loop)
		return -ENOMEM;
	d->names = names_follow_new(d->loop, d->setup.names, d->config, NAMES_FOLLOW_EVERY_NS, on_names, d);
	d->collector = collector_new(d->loop, d->config, meter_of(d));
	d->ifnames = ifnames_new(d->loop);
	if (!d->names || !d->collector || !d->ifnames)
		return -ENOMEM;
	return dispatch_subscribe(collector_dispatch(d->collector), &listener);
}

/* What answers. */
static int make_server_parts(struct daemon *d)
{
	struct queries_parts parts = {
		.config = d->config,
		.loop = d->loop,
		.setup = &d->setup,
		.checkpointer = d->checkpointer,
		.collector = d->collector,
		.names = d->names,
	};
	struct endpoints_source source;

	parts.tap = d->tap = tap_new(d->loop, d->collector, on_more_to_read, d);
	if (!d->tap)
		return -ENOMEM;
	d->queries = queries_new(&parts);
	if (!d->queries)
		return -ENOMEM;
	source = queries_source(d->queries);
	d->endpoints = endpoints_new(d->loop, d->config, &source);
	d->auth = basic_auth_new(d->loop, endpoints_request, d->endpoints);
	d->http = http_server_new(d->loop, basic_auth_request, d->auth);
	if (!d->endpoints || !d->auth || !d->http)
		return -ENOMEM;
	http_server_set_admit(d->http, endpoints_admits, d->endpoints);
	http_server_on_end(d->http, basic_auth_ended);
	return 0;
}

static int make_timers(struct daemon *d)
{
	d->tick = loop_timer_add(d->loop, on_tick, d);
	d->again = loop_timer_add(d->loop, on_again, d);
	d->signals[0] = loop_signal_add(d->loop, SIGINT, on_end, d);
	d->signals[1] = loop_signal_add(d->loop, SIGTERM, on_end, d);
	d->signals[2] = loop_signal_add(d->loop, SIGUSR1, on_state, d);
	loop_on_turn_end(d->loop, on_turn_end, d);
	return d->tick && d->again && d->signals[0] && d->signals[1] && d->signals[2] ? 0 : -ENOMEM;
}

/* --- Start and end */

static int refuse(const char *what, const char *where, int error)
{
	log_error("%s \"%s\": %s", what, where, error == -EADDRINUSE ? "in use by another program" : strerror(-error));
	return EXIT_RUNTIME;
}

/* Each directory on the way to path; the last part too if it is a directory itself. */
static int make_directories(const char *path, bool whole)
{
	char *copy = strdup(path);
	int error = copy ? 0 : -ENOMEM;

	for (char *slash = copy; !error && slash;) {
		slash = strchr(slash + 1, '/');
		if (slash)
			*slash = 0;
		else if (!whole)
			break;
		if (*copy && mkdir(copy, 0755) && errno != EEXIST)
			error = -errno;
		if (slash)
			*slash = '/';
	}
	free(copy);
	return error;
}

static int check_interfaces(const struct daemon *d, const char *option, const struct config_strings *names)
{
	for (size_t i = 0; i < names->count; i++) {
		if (!ifnames_index(d->ifnames, names->item[i])) {
			log_error("--%s: there is no interface \"%s\" on this machine", option, names->item[i]);
			return EXIT_CONFIG;
		}
	}
	return 0;
}

static int listen_everywhere(struct daemon *d)
{
	int error = make_directories(d->config->socket, false);

	if (!error)
		error = http_server_listen_unix(d->http, d->config->socket);
	if (error)
		return refuse("socket", d->config->socket, error);
	for (size_t i = 0; i < d->config->listen.count; i++) {
		error = http_server_listen(d->http, d->config->listen.item[i]);
		if (error)
			return refuse("listen", d->config->listen.item[i], error);
	}
	return 0;
}

static int make_parts(struct daemon *d)
{
	int error = make_directories(d->config->runtime_dir, true);

	if (error)
		return refuse("runtime-dir", d->config->runtime_dir, error);
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN)) {
		log_error("reading connection tracking needs root (CAP_NET_ADMIN)");
		return EXIT_RUNTIME;
	}
	error = make_meter_parts(d);
	if (!error)
		error = make_server_parts(d);
	if (!error)
		error = make_timers(d);
	if (error)
		log_error("cannot start: %s", strerror(-error));
	return error ? EXIT_RUNTIME : 0;
}

static int start(struct daemon *d)
{
	int status = make_parts(d), error;

	if (!status)
		status = check_interfaces(d, "lan", &d->config->lan);
	if (!status)
		status = check_interfaces(d, "wan", &d->config->wan);
	if (status)
		return status;
	/* What was loaded is saved anew at once, so that a second kill finds what ends in between. */
	checkpointer_begin(d->checkpointer, meter_of(d));
	error = d->config->trace ? tap_open_trace(d->tap, d->config->trace) : 0;
	if (error)
		return refuse("trace", d->config->trace, error);
	if (web_apply_new(&d->web, d->config->web_config, d->http, d->auth))
		return EXIT_CONFIG;
	if (d->web) /* else SIGHUP ends the process */
		d->signals[3] = loop_signal_add(d->loop, SIGHUP, on_hangup, d);
	status = listen_everywhere(d);
	if (status)
		return status;
	startup_log_switches();
	error = collector_open_topology(d->collector);
	if (error) {
		log_error("rtnetlink: %s", strerror(-error));
		return EXIT_RUNTIME;
	}
	loop_timer_set(d->tick, METER_TICK_NS);
	return 0;
}

/* All that was sent is counted and saved. */
static void finish(struct daemon *d)
{
	uint64_t now;

	if (!collector_drain(d->collector))
		return;
	now = clock_mono_ns();
	meter_settle_ends(meter_of(d), now);
	checkpointer_finish(d->checkpointer, meter_of(d), now);
}

static void free_parts(struct daemon *d)
{
	for (size_t i = 0; i < sizeof(d->signals) / sizeof(d->signals[0]); i++)
		loop_signal_del(d->signals[i]);
	loop_timer_del(d->again);
	loop_timer_del(d->tick);
	web_apply_free(d->web);
	basic_auth_free(d->auth);
	http_server_free(d->http);
	endpoints_free(d->endpoints);
	queries_free(d->queries);
	tap_free(d->tap);
	collector_free(d->collector);
	ifnames_free(d->ifnames);
	names_follow_free(d->names);
	loop_free(d->loop);
	checkpointer_free(d->checkpointer);
	meter_setup_free(&d->setup);
	vendor_free(d->vendor);
}

int daemon_run(const struct config *config)
{
	struct daemon d = { .config = config, .watchdog_ns = sd_notify_watchdog_ns() };

	signal(SIGPIPE, SIG_IGN);
	d.status = start(&d);
	if (!d.status) {
		loop_run(d.loop);
		finish(&d);
	}
	free_parts(&d);
	return d.status;
}
