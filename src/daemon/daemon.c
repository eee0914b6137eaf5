/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/daemon/daemon.h"

#include "checkpointer.h"
#include "collector.h"
#include "confinement.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/file_error.h"
#include "hostmeter/base/log.h"
#include "hostmeter/config/config.h"
#include "hostmeter/daemon/meter_setup.h"
#include "hostmeter/export/flow_list.h"
#include "hostmeter/http/basic_auth.h"
#include "hostmeter/http/server.h"
#include "hostmeter/http/web_apply.h"
#include "hostmeter/meter/dispatch.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/names/follow.h"
#include "hostmeter/names/vendor.h"
#include "hostmeter/netlink/ifnames.h"
#include "hostmeter/os/ct_sysctl.h"
#include "hostmeter/os/file.h"
#include "hostmeter/os/loop.h"
#include "hostmeter/os/own_dir.h"
#include "hostmeter/os/rights.h"
#include "hostmeter/os/sd_notify.h"
#include "hostmeter/os/wall_clock.h"
#include "interfaces.h"
#include "ports.h"
#include "queries.h"
#include "recorder.h"
#include "reload.h"

#include <cap-ng.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_RUNTIME = 1, EXIT_CONFIG = 2 };

#define KEEP_FILES_NS (2 * CLOCK_NS_PER_S)
#define WARN_EVERY_NS (3600 * CLOCK_NS_PER_S)

struct daemon {
	struct config *config;
	struct own_dir *runtime_dir;
	struct loop *loop;
	struct meter_setup setup;
	struct vendor *vendor;
	char vendor_text[VENDOR_TEXT];
	struct checkpointer *checkpointer;
	uint64_t dated_after; /* the date of the checkpoint */
	struct collector *collector;
	struct names_follow *names;
	struct ifnames *ifnames;
	struct interfaces interfaces;
	struct queries queries;
	struct endpoints *endpoints;
	uint64_t dump_began;
	struct basic_auth *auth;
	struct http_server *http;
	struct web_apply *web; /* NULL: no --web.config.file */
	struct ports *ports;
	struct loop_timer *tick;  /* as all handles, freed with the loop */
	struct loop_timer *again; /* makes the next turn of the loop come at once */
	uint64_t watchdog_ns, watchdog_next, keep_files_next;
	struct log_limit dir_limit, socket_limit;
	int status;
};

static struct meter *meter_of(struct daemon *d)
{
	return d->setup.meter;
}

/* --- Files that somebody may remove */

static void keep_files(struct daemon *d, uint64_t now)
{
	const char *path = d->config->socket;
	char fault[OWN_DIR_FAULT];
	int made;

	if (own_dir_keep(d->runtime_dir, fault))
		log_repeated(&d->dir_limit, WARN_EVERY_NS, now, "runtime-dir \"%s\": %s", d->config->runtime_dir,
			fault);
	made = http_server_renew_unix(d->http);
	if (made > 0)
		log_warning("socket \"%s\": it was removed, and is made again", path);
	else if (made < 0)
		log_repeated(&d->socket_limit, WARN_EVERY_NS, now,
			"socket \"%s\": it was removed, and cannot be made: %s", path, strerror(-made));
}

/* --- Time */

static void on_tick(void *ctx)
{
	struct daemon *d = ctx;
	uint64_t now = loop_now_ns(d->loop);

	meter_tick(meter_of(d), now);
	collector_tick(d->collector);
	queries_tick(&d->queries);
	if (d->watchdog_ns && now >= d->watchdog_next) {
		sd_notify_send("WATCHDOG=1");
		d->watchdog_next = now + d->watchdog_ns / 3;
	}
	if (now >= d->keep_files_next) {
		keep_files(d, now);
		d->keep_files_next = now + KEEP_FILES_NS;
	}
	loop_timer_set(d->tick, METER_TICK_NS);
}

static void on_again(void *ctx)
{
	(void)ctx; /* on_turn_end() does the work */
}

static void on_turn_end(void *ctx)
{
	struct daemon *d = ctx;

	interfaces_turn(&d->interfaces);
	ports_turn(d->ports, topology_address_news(meter_topology(meter_of(d))));
	if (checkpointer_turn(d->checkpointer, meter_of(d), loop_now_ns(d->loop)))
		loop_timer_set(d->again, 0);
}

/* --- What is logged at the start */

static void log_start(struct daemon *d)
{
	log_info("hostmeter %s meters every host of this router by its MAC address", HOSTMETER_VERSION);
	interfaces_start(&d->interfaces);
	interfaces_warn(&d->interfaces, d->config);
	ports_log(d->ports);
	log_info("metrics here: hostmeter --once --socket %s", d->config->socket);
}

static void warn_of_sysctls(void)
{
	uint64_t events = ct_sysctl_read("nf_conntrack_events");

	if (ct_sysctl_read("nf_conntrack_acct") == 0)
		log_warning("the kernel does not count connections: sysctl net.netfilter.nf_conntrack_acct=1");
	if (events == 0)
		log_warning(
			"the kernel sends no events of ended connections: sysctl net.netfilter.nf_conntrack_events=1");
	else if (events == 2)
		log_warning("connections that begin while no meter runs will end unseen: "
			    "sysctl net.netfilter.nf_conntrack_events=1");
}

/* --- Callbacks of the parts */

static void on_topology_known(void *ctx)
{
	struct daemon *d = ctx;

	log_start(d);
	if (collector_start(d->collector)) {
		d->status = EXIT_RUNTIME;
		loop_stop(d->loop);
		return;
	}
	sd_notify_send("READY=1");
}

static void on_dump_began(void *ctx, uint64_t now)
{
	struct daemon *d = ctx;

	d->dump_began = now;
	interfaces_ask(&d->interfaces);
}

static void on_dump_ended(void *ctx, bool complete, uint64_t now)
{
	struct daemon *d = ctx;

	(void)complete;
	(void)now;
	checkpointer_begin(d->checkpointer, meter_of(d));
	endpoints_dump_ended(d->endpoints, d->dump_began);
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

static void reload(struct daemon *d)
{
	const struct reload parts = {
		.config = d->config,
		.loop = d->loop,
		.setup = &d->setup,
		.interfaces = &d->interfaces,
		.names = d->names,
		.collector = d->collector,
		.endpoints = d->endpoints,
		.http = d->http,
		.auth = d->auth,
		.web = &d->web,
		.ports = d->ports,
	};

	reload_now(&parts);
}

static void on_signal(void *ctx, int signo)
{
	struct daemon *d = ctx;

	switch (signo) {
	case SIGHUP:
		reload(d);
		break;
	case SIGUSR1:
		queries_log_state(&d->queries);
		break;
	default: /* the loop ends after one more dump, or with the second signal */
		sd_notify_send("STOPPING=1");
		collector_stop(d->collector);
	}
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
static int make_meter(struct daemon *d, const struct hash_key *hash, const char *checkpoint)
{
	int error = make_fresh_meter(d, hash);

	if (error)
		return error;
	d->dated_after = wall_clock_of_file(checkpoint);
	d->checkpointer = checkpointer_new(checkpoint);
	if (!d->checkpointer)
		return -ENOMEM;
	if (!checkpointer_load(d->checkpointer, d->setup.meter, clock_mono_ns()))
		return 0;
	meter_setup_free(&d->setup);
	return make_fresh_meter(d, hash);
}

/* The meter, the loop, and what feeds the meter. */
static int make_meter_parts(struct daemon *d, const char *checkpoint)
{
	const struct dispatch_listener listener = {
		.ctx = d, .topology_known = on_topology_known, .dump_began = on_dump_began, .dump_ended = on_dump_ended
	};
	struct hash_key hash;
	int error = hash_key_random(&hash);

	if (error)
		return error;
	d->vendor = vendor_new(NULL);
	error = make_meter(d, &hash, checkpoint);
	if (error)
		return error;
	d->loop = loop_new();
	if (!d->loop)
		return -ENOMEM;
	d->names = names_follow_new(d->loop, d->setup.names, d->config, NAMES_FOLLOW_EVERY_NS, on_names, d);
	d->collector = collector_new(d->loop, d->config, meter_of(d), on_more_to_read, d);
	d->ifnames = ifnames_new(d->loop);
	if (!d->names || !d->collector || !d->ifnames ||
		interfaces_make(&d->interfaces, d->loop, meter_of(d), d->ifnames))
		return -ENOMEM;
	return dispatch_subscribe(collector_dispatch(d->collector), &listener);
}

/* The HTTP server, and what answers behind it. */
static int make_server_parts(struct daemon *d)
{
	struct endpoints_source source;

	d->queries = (struct queries){
		.started_at = loop_now_ns(d->loop),
		.dated_after = d->dated_after,
		.loop = d->loop,
		.setup = &d->setup,
		.checkpointer = d->checkpointer,
		.collector = d->collector,
		.names = d->names,
		.ports = &d->ports,
		.flow_list = flow_list_new(meter_of(d), collector_dispatch(d->collector)),
	};
	source = queries_source(&d->queries);
	d->endpoints = endpoints_new(d->loop, d->config, &source);
	d->auth = basic_auth_new(d->loop, endpoints_request, d->endpoints);
	d->http = http_server_new(d->loop, basic_auth_request, basic_auth_ended, d->auth);
	if (!d->queries.flow_list || !d->endpoints || !d->auth || !d->http)
		return -ENOMEM;
	d->queries.endpoints = d->endpoints;
	d->queries.http = d->http;
	http_server_set_admit(d->http, endpoints_admits, d->endpoints);
	return 0;
}

/* SIGHUP waits until there is a handler: before, it would end the process. */
static void hold_reloads(int how)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(how, &set, NULL);
}

static int make_handlers(struct daemon *d)
{
	d->tick = loop_timer_add(d->loop, on_tick, d);
	d->again = loop_timer_add(d->loop, on_again, d);
	loop_on_turn_end(d->loop, on_turn_end, d);
	if (!d->tick || !d->again || !loop_signal_add(d->loop, SIGINT, on_signal, d) ||
		!loop_signal_add(d->loop, SIGTERM, on_signal, d) || !loop_signal_add(d->loop, SIGUSR1, on_signal, d) ||
		!loop_signal_add(d->loop, SIGHUP, on_signal, d))
		return -ENOMEM;
	hold_reloads(SIG_UNBLOCK);
	return 0;
}

/* --- Start and end */

static int refuse(const char *what, const char *where, int error)
{
	log_error("%s \"%s\": %s", what, where, error == -EADDRINUSE ? "in use by another program" : strerror(-error));
	return EXIT_RUNTIME;
}

/* The socket must be had; a port comes when it can. */
static int listen_everywhere(struct daemon *d)
{
	int error = file_make_parents(d->config->socket);

	if (!error)
		error = http_server_listen_unix(d->http, d->config->socket);
	if (error)
		return refuse("socket", d->config->socket, error);
	d->ports = ports_new(d->loop, d->http, &d->interfaces, web_apply_has_tls(d->web));
	error = d->ports ? ports_configure(d->ports, &d->config->listen) : -ENOMEM;
	return error ? refuse("listen", "", error) : 0;
}

/* Before anything in the directory is read or written. */
static int take_runtime_dir(struct daemon *d)
{
	char fault[OWN_DIR_FAULT];
	int status = confinement_choose(d->config), error;

	if (status)
		return status;
	error = own_dir_take(&d->runtime_dir, d->config->runtime_dir, rights_uid(), fault);
	if (!error) {
		status = confinement_prepare(d->config);
		if (status)
			return status;
		error = own_dir_check(d->runtime_dir, rights_uid(), fault);
	}
	if (error)
		log_error("runtime-dir \"%s\": %s", d->config->runtime_dir, fault);
	return error ? EXIT_RUNTIME : 0;
}

static int make_parts(struct daemon *d)
{
	char checkpoint[PATH_MAX];
	int error, status;

	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN)) {
		log_error("reading connection tracking needs root (CAP_NET_ADMIN)");
		return EXIT_RUNTIME;
	}
	status = take_runtime_dir(d);
	if (status)
		return status;
	snprintf(checkpoint, sizeof(checkpoint), "%s/checkpoint", d->config->runtime_dir);
	error = make_meter_parts(d, checkpoint);
	if (!error)
		error = make_server_parts(d);
	if (!error)
		error = make_handlers(d);
	if (error)
		log_error("cannot start: %s", strerror(-error));
	return error ? EXIT_RUNTIME : 0;
}

static int start(struct daemon *d)
{
	int status = make_parts(d), error;

	if (status)
		return status;
	/* What was loaded is saved again at once: a second kill would else lose what ends until then. */
	checkpointer_begin(d->checkpointer, meter_of(d));
	error = d->config->trace ? recorder_open_file(collector_recorder(d->collector), d->config->trace) : 0;
	if (error) {
		log_error("trace \"%s\": %s", d->config->trace, file_error_writing(error));
		return EXIT_RUNTIME;
	}
	if (web_apply_new(&d->web, d->config->web_config, d->http, d->auth))
		return EXIT_CONFIG;
	status = listen_everywhere(d);
	if (!status)
		status = confinement_begin(d->config);
	if (status)
		return status;
	names_follow_look(d->names); /* which of them this user cannot read is told at once */
	warn_of_sysctls();
	error = collector_open_topology(d->collector);
	if (error) {
		log_error("rtnetlink: %s", strerror(-error));
		return EXIT_RUNTIME;
	}
	loop_timer_set(d->tick, METER_TICK_NS);
	return 0;
}

/* Counts and saves what is still in the sockets. */
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
	if (d->endpoints)
		endpoints_wake(d->endpoints);
	ports_free(d->ports);
	web_apply_free(d->web);
	basic_auth_free(d->auth);
	http_server_free(d->http);
	endpoints_free(d->endpoints);
	flow_list_free(d->queries.flow_list);
	collector_free(d->collector);
	interfaces_free(&d->interfaces);
	ifnames_free(d->ifnames);
	names_follow_free(d->names);
	loop_free(d->loop);
	checkpointer_free(d->checkpointer);
	meter_setup_free(&d->setup);
	vendor_free(d->vendor);
	own_dir_free(d->runtime_dir);
}

int daemon_run(struct config *config)
{
	struct daemon d = { .config = config, .watchdog_ns = sd_notify_watchdog_ns() };

	hold_reloads(SIG_BLOCK);
	signal(SIGPIPE, SIG_IGN);
	d.status = start(&d);
	if (!d.status) {
		loop_run(d.loop);
		finish(&d);
	}
	free_parts(&d);
	return d.status;
}
