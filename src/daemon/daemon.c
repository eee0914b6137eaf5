/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of a start matters. First the network's shape, since without it no flow can be told from another; then the
 * subscription to events and first packets; then the first dump. So a flow that ends in between is either in the
 * dump or in an event, and one that begins in between is sighted.
 */
#include "hostmeter/daemon/daemon.h"

#include "checkpointer.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/config/config.h"
#include "hostmeter/export/flow_list.h"
#include "hostmeter/http/basic_auth.h"
#include "hostmeter/http/server.h"
#include "hostmeter/http/web_apply.h"
#include "hostmeter/meter/dispatch.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/names/follow.h"
#include "hostmeter/netlink/ifnames.h"
#include "hostmeter/os/loop.h"
#include "hostmeter/os/sd_notify.h"
#include "hostmeter/trace/trace.h"
#include "reliability.h"
#include "startup_log.h"
#include "state.h"

#include <cap-ng.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STOP_NS (2 * CLOCK_NS_PER_S)
#define STALL_TOLD_NS (60 * CLOCK_NS_PER_S)
#define DRAIN_MAX 200000

static struct meter *meter_of(struct daemon *d)
{
	return d->setup.meter;
}

void daemon_fail(struct daemon *d, int status)
{
	d->status = status;
	loop_stop(d->loop);
}

/* --- Time */

static void note_stall(struct daemon *d, uint64_t now)
{
	uint64_t stall = loop_stall_ns(d->loop);

	if (stall < d->stall_ns && now < d->stall_until)
		return;
	d->stall_ns = stall;
	d->stall_until = now + STALL_TOLD_NS;
}

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
	reliability_tick(d->reliability);
	recorder_tick(d->recorder, clock_real_ns());
	note_stall(d, now);
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

/* --- The end: one more dump, so that what lives is up to date, then all that was sent, then the checkpoint */

static void on_stop_timeout(void *ctx)
{
	struct daemon *d = ctx;

	loop_stop(d->loop);
}

static void on_signal(void *ctx, int signo)
{
	struct daemon *d = ctx;

	(void)signo;
	if (d->stopping || !d->metering) {
		loop_stop(d->loop); /* the second time is in earnest */
		return;
	}
	d->stopping = true;
	sd_notify_send("STOPPING=1");
	loop_timer_del(d->dump);
	d->dump = NULL;
	d->dump = loop_timer_add(d->loop, on_stop_timeout, d);
	if (!d->dump || nl_dump_conntrack(d->nl) == -ENOTCONN)
		loop_stop(d->loop);
	else
		loop_timer_set(d->dump, STOP_NS);
}

static void on_hangup(void *ctx, int signo)
{
	struct daemon *d = ctx;

	(void)signo;
	web_apply_reload(d->web);
}

static void settle_all(struct daemon *d)
{
	uint64_t now = clock_mono_ns();

	if (!d->metering)
		return;
	nl_drain(d->nl, SOURCE_NFLOG, DRAIN_MAX);
	nl_drain(d->nl, SOURCE_EVENTS, DRAIN_MAX);
	dispatch_dump_aborted(d->dispatch, now); /* one that did not come to its end in time */
	meter_settle_ends(meter_of(d), now);
	checkpointer_finish(d->checkpointer, meter_of(d), now);
}

/* --- What the parts tell each other */

static void on_state(void *ctx, int signo)
{
	(void)signo;
	queries_log_state(ctx);
}

static void on_names(void *ctx)
{
	struct daemon *d = ctx;

	meter_names_changed(meter_of(d));
}

/* --- Start and end */

static int refuse(const char *what, const char *where, int error)
{
	log_error("%s \"%s\": %s", what, where, error == -EADDRINUSE ? "in use by another program" : strerror(-error));
	return DAEMON_EXIT_RUNTIME;
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
			return DAEMON_EXIT_CONFIG;
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

static const char *vendor_of(void *ctx, const struct mac *mac)
{
	struct daemon *d = ctx;

	return vendor_name(d->vendor, mac, d->vendor_text);
}

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

static int make_parts(struct daemon *d)
{
	const struct nl_options nl_options = {
		.nflog_group = d->config->nflog_group,
		.receive_buffer[SOURCE_EVENTS] = d->config->event_buffer,
	};
	const struct nl_callbacks callbacks = daemon_nl_callbacks(d);
	const struct endpoints_source answers = queries(d);
	const struct recorder_calls recorder_calls = tap_recorder_calls(d);
	struct hash_key hash;
	int error = hash_key_random(&hash);

	if (error)
		return error;
	d->vendor = vendor_new(NULL);
	error = make_meter(d, &hash);
	if (error)
		return error;
	d->dispatch = dispatch_new(d->setup.meter);
	d->loop = loop_new();
	if (!d->dispatch || !d->loop)
		return -ENOMEM;
	d->nl = nl_new(d->loop, &nl_options, &callbacks);
	d->reliability = reliability_new(d->nl, d->config->reliable_fill);
	d->endpoints = endpoints_new(d->loop, d->config, &answers);
	d->auth = basic_auth_new(d->loop, endpoints_request, d->endpoints);
	d->http = http_server_new(d->loop, basic_auth_request, d->auth);
	d->ifnames = ifnames_new(d->loop);
	d->naming = names_follow_new(d->loop, d->setup.names, d->config, NAMES_FOLLOW_EVERY_NS, on_names, d);
	d->flow_list = flow_list_new(d->setup.meter);
	d->recorder = recorder_new(&recorder_calls);
	d->tick = loop_timer_add(d->loop, on_tick, d);
	d->dump = loop_timer_add(d->loop, daemon_on_dump, d);
	d->retry = loop_timer_add(d->loop, daemon_on_retry, d);
	d->again = loop_timer_add(d->loop, on_again, d);
	d->signals[0] = loop_signal_add(d->loop, SIGINT, on_signal, d);
	d->signals[1] = loop_signal_add(d->loop, SIGTERM, on_signal, d);
	d->signals[2] = loop_signal_add(d->loop, SIGUSR1, on_state, d);
	if (!d->nl || !d->reliability || !d->endpoints || !d->auth || !d->http || !d->ifnames || !d->naming ||
		!d->flow_list || !d->recorder || !d->tick || !d->dump || !d->retry || !d->again || !d->signals[0] ||
		!d->signals[1] || !d->signals[2])
		return -ENOMEM;
	http_server_set_admit(d->http, endpoints_admits, d->endpoints);
	http_server_on_end(d->http, basic_auth_ended);
	loop_on_turn_end(d->loop, on_turn_end, d);
	return 0;
}

static int start(struct daemon *d)
{
	int status, error;

	error = make_directories(d->config->runtime_dir, true);
	if (error)
		return refuse("runtime-dir", d->config->runtime_dir, error);
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN)) {
		log_error("reading connection tracking needs root (CAP_NET_ADMIN)");
		return DAEMON_EXIT_RUNTIME;
	}
	error = make_parts(d);
	if (error) {
		log_error("cannot start: %s", strerror(-error));
		return DAEMON_EXIT_RUNTIME;
	}
	status = check_interfaces(d, "lan", &d->config->lan);
	if (!status)
		status = check_interfaces(d, "wan", &d->config->wan);
	if (status)
		return status;
	/* What was loaded is saved anew at once, so that a second kill finds what ends in between. */
	checkpointer_begin(d->checkpointer, meter_of(d));
	if (d->config->trace) {
		error = trace_create(&d->trace, d->config->trace);
		if (error)
			return refuse("trace", d->config->trace, error);
	}
	if (web_apply_new(&d->web, d->config->web_config, d->http, d->auth))
		return DAEMON_EXIT_CONFIG;
	/* Without one it ends the process, as ever. */
	if (d->web)
		d->signals[3] = loop_signal_add(d->loop, SIGHUP, on_hangup, d);
	status = listen_everywhere(d);
	if (status)
		return status;
	startup_log_switches();
	error = daemon_open_topology(d);
	if (error) {
		log_error("rtnetlink: %s", strerror(-error));
		return DAEMON_EXIT_RUNTIME;
	}
	loop_timer_set(d->tick, METER_TICK_NS);
	return 0;
}

static void free_parts(struct daemon *d)
{
	int error = trace_close(d->trace);

	if (error)
		log_error("%s: %s", d->config->trace, strerror(-error));
	loop_signal_del(d->signals[3]);
	loop_signal_del(d->signals[2]);
	loop_signal_del(d->signals[1]);
	loop_signal_del(d->signals[0]);
	loop_timer_del(d->again);
	loop_timer_del(d->retry);
	loop_timer_del(d->dump);
	loop_timer_del(d->tick);
	names_follow_free(d->naming);
	flow_list_free(d->flow_list);
	ifnames_free(d->ifnames);
	web_apply_free(d->web);
	basic_auth_free(d->auth);
	http_server_free(d->http);
	recorder_free(d->recorder);
	endpoints_free(d->endpoints);
	reliability_free(d->reliability);
	nl_free(d->nl);
	loop_free(d->loop);
	checkpointer_free(d->checkpointer);
	dispatch_free(d->dispatch);
	meter_setup_free(&d->setup);
	vendor_free(d->vendor);
}

int daemon_run(const struct config *config)
{
	struct daemon d = {
		.config = config,
		.pace = { .interval_ns = config->dump_interval_ns, .share = config->dump_share },
		.watchdog_ns = sd_notify_watchdog_ns(),
	};

	signal(SIGPIPE, SIG_IGN);
	d.status = start(&d);
	if (!d.status) {
		loop_run(d.loop);
		settle_all(&d);
	}
	free_parts(&d);
	return d.status;
}
