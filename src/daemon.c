/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of a start matters. First the network's shape, since without it no flow can be told from another; then the
 * subscription to events and first packets; then the first dump. So a flow that ends in between is either in the
 * dump or in an event, and one that begins in between is sighted.
 */
#include "hostmeter/daemon.h"

#include "hostmeter/clock.h"
#include "hostmeter/config.h"
#include "hostmeter/guard.h"
#include "hostmeter/http.h"
#include "hostmeter/ifnames.h"
#include "hostmeter/intake.h"
#include "hostmeter/keeper.h"
#include "hostmeter/listing.h"
#include "hostmeter/log.h"
#include "hostmeter/loop.h"
#include "hostmeter/meter.h"
#include "hostmeter/naming.h"
#include "hostmeter/nl.h"
#include "hostmeter/notify.h"
#include "hostmeter/pace.h"
#include "hostmeter/serve.h"
#include "hostmeter/setup.h"
#include "hostmeter/trace.h"
#include "hostmeter/valve.h"
#include "hostmeter/vendor.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_RUNTIME = 1, EXIT_CONFIG = 2 };

#define RETRY_NS (10 * CLOCK_NS_PER_S)
#define STOP_NS (2 * CLOCK_NS_PER_S)
#define STALL_TOLD_NS (60 * CLOCK_NS_PER_S)
#define DRAIN_MAX 200000

/* The kernel's connection table: files that are read again and again. */
struct table_fill {
	int count_fd, max_fd;
	uint64_t count, max;
};

struct daemon {
	const struct config *config;
	struct loop *loop;
	struct setup setup;
	struct intake *intake;
	struct nl *nl;
	struct serve *serve;
	struct http *http;
	struct ifnames *ifnames;
	struct trace_writer *recorder;
	struct loop_timer *tick, *dump, *retry;
	struct loop_signal *signals[2];
	struct keeper *keeper;
	struct guard *guard;
	struct naming *naming;
	struct listing *listing;
	struct vendor *vendor;
	char vendor_text[VENDOR_TEXT];
	struct loop_timer *again; /* makes another turn of the loop, for work that goes on over many */
	struct pace pace;
	struct valve valve;
	struct table_fill fill;
	uint64_t dumps_ended;     /* as seen last */
	uint64_t dump_began, dump_began_cpu;
	uint64_t stall_ns, stall_until; /* the longest turn, and until when it is told */
	uint64_t watchdog_ns, watchdog_next;
	bool metering;            /* events, NFLOG and dumps are subscribed to */
	bool reliable;            /* as set by us: the kernel may say otherwise */
	bool stopping;
	bool warned_of_offload;
	int status;
};

static struct meter *meter_of(struct daemon *d)
{
	return d->setup.meter;
}

static void fail(struct daemon *d, int status)
{
	d->status = status;
	loop_stop(d->loop);
}

/* --- Sources */

static int open_sysctl(const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/sys/net/netfilter/%s", name);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* A number from the start of an open file; UINT64_MAX if there is none. */
static uint64_t read_number(int fd)
{
	char text[24];
	ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

	if (got <= 0)
		return UINT64_MAX;
	text[got] = 0;
	return strtoull(text, NULL, 10);
}

static uint64_t read_switch(const char *name)
{
	int fd = open_sysctl(name);
	uint64_t value = fd < 0 ? UINT64_MAX : read_number(fd);

	if (fd >= 0)
		close(fd);
	return value;
}

/* The kernel's switches that the meter lives by. */
static void warn_of_switches(void)
{
	uint64_t events = read_switch("nf_conntrack_events");

	if (read_switch("nf_conntrack_acct") == 0)
		log_warning("the kernel does not count connections: sysctl net.netfilter.nf_conntrack_acct=1");
	if (events == 0)
		log_warning("the kernel tells no ends of connections: sysctl net.netfilter.nf_conntrack_events=1");
	else if (events == 2)
		log_warning("connections that begin while no meter runs will end unseen: "
			"sysctl net.netfilter.nf_conntrack_events=1");
}

/* For each event socket a guard that shares it. */
static void start_guard(struct daemon *d)
{
	const struct guard_watch watch = {
		.socket = nl_fd(d->nl, SOURCE_EVENTS),
		.count_path = GUARD_COUNT_PATH,
		.max_path = GUARD_MAX_PATH,
		.fill_percent = d->config->reliable_fill,
		.silence_ms = GUARD_SILENCE_MS,
	};
	int error;

	guard_free(d->guard);
	d->guard = NULL;
	error = guard_start(&d->guard, &watch);
	if (error)
		log_warning("no guard against a hung meter: %s", strerror(-error));
	d->reliable = true;
}

static int open_source(struct daemon *d, enum source source)
{
	int error = nl_open_source(d->nl, source);

	if (!error && source == SOURCE_EVENTS)
		start_guard(d);

	meter_source(meter_of(d), source, !error, nl_receive_buffer(d->nl, source));
	return error;
}

/* NFLOG is the one source that may be missing: the neighbour table then tells whose a flow is. */
static void open_nflog(struct daemon *d)
{
	int error = open_source(d, SOURCE_NFLOG);

	if (!error || error == -EALREADY)
		return;
	if (error == -EPERM || error == -EBUSY)
		log_warning("NFLOG group %u is taken by another process (--nflog-group): hosts are told apart by the neighbour table alone",
			d->config->nflog_group);
	else
		log_warning("NFLOG group %u: %s: hosts are told apart by the neighbour table alone", d->config->nflog_group, strerror(-error));
	loop_timer_set(d->retry, RETRY_NS);
}

/* --- Dumps */

static void plan_dump(struct daemon *d)
{
	loop_timer_set(d->dump, pace_delay(&d->pace, loop_now_ns(d->loop)));
}

static void start_dump(struct daemon *d)
{
	int error;

	d->dump_began = loop_now_ns(d->loop);
	d->dump_began_cpu = clock_cpu_ns();
	listing_dump_begins(d->listing);
	error = nl_dump_conntrack(d->nl);
	if (error && error != -EBUSY) {
		log_warning("dump of the connections: %s", strerror(-error));
		pace_dumped(&d->pace, d->dump_began, 0);
		plan_dump(d);
	}
	nl_dump_links(d->nl);
}

static void warn_of_offload(struct daemon *d)
{
	if (d->warned_of_offload || !meter_offloaded(meter_of(d)))
		return;
	d->warned_of_offload = true;
	log_warning("connections are offloaded (flowtable or hardware): their counts may lag, and their last bytes be lost; "
		"a flowtable counts only with its counter flag");
}

/* The kernel makes a dump while it is read, so what a dump costs shows in this process's own CPU time. */
static void dump_ended(struct daemon *d)
{
	pace_dumped(&d->pace, d->dump_began, clock_cpu_ns() - d->dump_began_cpu);
	listing_dump_ended(d->listing, loop_now_ns(d->loop));
	warn_of_offload(d);
	if (d->stopping)
		loop_stop(d->loop);
	else
		plan_dump(d);
	keeper_begin(d->keeper, meter_of(d));
#ifdef __GLIBC__
	malloc_trim(0); /* glibc keeps what the tables gave back; measured: half of the memory per flow, for 2.5 ms at the most */
#endif
}

static void check_dump_ended(struct daemon *d)
{
	if (intake_dumps_ended(d->intake) == d->dumps_ended)
		return;
	d->dumps_ended = intake_dumps_ended(d->intake);
	dump_ended(d);
}

static void start_metering(struct daemon *d)
{
	int error = open_source(d, SOURCE_EVENTS);

	d->metering = true;
	if (!error)
		error = open_source(d, SOURCE_DUMP);
	if (error) {
		log_error("connection tracking: %s", error == -EPROTONOSUPPORT ? "this kernel has none (nf_conntrack_netlink)" : strerror(-error));
		fail(d, EXIT_RUNTIME);
		return;
	}
	open_nflog(d);
	start_dump(d);
	notify_send("READY=1");
}

/* --- What to say */

static void list_link(void *ctx, const struct topology_link *link)
{
	struct { struct buf *out; enum side side; } *list = ctx;

	if (link->side != list->side || !link->is_up)
		return;
	buf_puts(list->out, list->out->len ? ", " : "");
	buf_puts(list->out, link->name);
}

static void say_links(struct daemon *d, enum side side, const char *what, const char *none)
{
	struct buf text = BUF_INIT;
	struct { struct buf *out; enum side side; } list = { &text, side };

	topology_each_link(meter_topology(meter_of(d)), list_link, &list);
	log_info("%s: %s", what, text.len ? buf_text(&text) : none);
	buf_free(&text);
}

static void say_hello(struct daemon *d)
{
	log_info("hostmeter %s meters every host of this router by its MAC address", HOSTMETER_VERSION);
	say_links(d, SIDE_WAN, "WAN", "none found: no default route and no --wan");
	say_links(d, SIDE_LAN, "LAN", "none: this machine meters itself as host=\"router\"");
	for (size_t i = 0; i < d->config->listen.count; i++)
		log_info("metrics: http://%s%s/metrics", d->config->listen.item[i][0] == ':' ? "localhost" : "", d->config->listen.item[i]);
	log_info("metrics here: hostmeter --once --socket %s", d->config->socket);
}

/* --- Callbacks */

static void on_datagram(void *ctx, enum source source, bool outgoing, const void *data, size_t len)
{
	struct daemon *d = ctx;
	uint16_t protocol = nl_source_protocol(source);

	if (d->recorder) {
		const struct trace_datagram datagram = {
			.real_ns = clock_real_ns(),
			.protocol = protocol,
			.outgoing = outgoing,
			.data = data,
			.len = len,
		};
		int error = trace_write(d->recorder, &datagram);

		if (error) {
			log_error("%s: %s: recording ends", d->config->record, strerror(-error));
			trace_close(d->recorder);
			d->recorder = NULL;
		}
	}
	intake_datagram(d->intake, protocol, outgoing, data, len, loop_now_ns(d->loop));
	check_dump_ended(d);
	if (!d->metering && intake_topology_known(d->intake)) {
		say_hello(d);
		start_metering(d);
	}
}

static void on_entry(void *ctx, const struct nlmsghdr *message, const struct ct_event *event)
{
	struct daemon *d = ctx;

	listing_entry(d->listing, message, event);
}

static void on_names(void *ctx)
{
	struct daemon *d = ctx;

	meter_names_changed(meter_of(d));
}

static void record_overrun(struct daemon *d, enum source source)
{
	const struct { uint32_t len; uint16_t type, flags; uint32_t seq, pid; } message = { 16, 4, 0, source, 0 }; /* NLMSG_OVERRUN */
	const struct trace_datagram datagram = {
		.real_ns = clock_real_ns(),
		.protocol = nl_source_protocol(source),
		.data = &message,
		.len = sizeof(message),
	};

	if (d->recorder)
		trace_write(d->recorder, &datagram);
}

static void on_overrun(void *ctx, enum source source)
{
	struct daemon *d = ctx;
	uint64_t now = loop_now_ns(d->loop);

	record_overrun(d, source);
	meter_overrun(meter_of(d), source, now);
	switch (source) {
	case SOURCE_DUMP:
		intake_dump_aborted(d->intake, now);
		check_dump_ended(d);
		break;
	case SOURCE_EVENTS: /* what was lost shows in dumps; pace keeps them apart however many overruns there are */
		pace_want(&d->pace, CLOCK_NS_PER_S, now, now + CLOCK_NS_PER_S);
		if (!nl_dump_running(d->nl))
			plan_dump(d);
		break;
	case SOURCE_RTNL:
		nl_dump_rtnl(d->nl);
		break;
	default:
		break;
	}
}

static void on_failed(void *ctx, enum source source, int error)
{
	struct daemon *d = ctx;

	log_warning("source %s failed: %s: opened again in %d s", source_name(source), strerror(-error), (int)(RETRY_NS / CLOCK_NS_PER_S));
	meter_source(meter_of(d), source, false, 0);
	if (source == SOURCE_EVENTS) { /* its copy would keep the lost socket alive, unread */
		guard_free(d->guard);
		d->guard = NULL;
	}
	if (source == SOURCE_DUMP) {
		intake_dump_aborted(d->intake, loop_now_ns(d->loop));
		check_dump_ended(d);
	}
	loop_timer_set(d->retry, RETRY_NS);
}

/* Opens again what was lost. */
static void on_retry(void *ctx)
{
	struct daemon *d = ctx;

	for (enum source source = 0; source < SOURCE_COUNT; source++) {
		int error;

		if (nl_is_open(d->nl, source) || (!d->metering && source != SOURCE_RTNL))
			continue;
		error = open_source(d, source);
		if (error)
			loop_timer_set(d->retry, RETRY_NS);
		else if (source == SOURCE_RTNL)
			nl_dump_rtnl(d->nl);
		else if (source != SOURCE_NFLOG)
			start_dump(d);
	}
}

/* --- The event socket's reliability (law 3) */

static void update_valve(struct daemon *d)
{
	bool changed;

	d->fill.count = read_number(d->fill.count_fd);
	d->fill.max = read_number(d->fill.max_fd);
	if (d->fill.count == UINT64_MAX || d->fill.max == UINT64_MAX || !nl_is_open(d->nl, SOURCE_EVENTS))
		return;
	if (d->reliable && !nl_is_reliable(d->nl)) {
		/* The guard did it, while this process did not run. */
		d->valve.open = true;
		d->valve.openings++;
		d->reliable = false;
		log_warning("this process was stopped while the connection table filled up: "
			"reliable delivery was switched off, and ends of connections may have been lost");
	}
	changed = valve_update(&d->valve, d->fill.count, d->fill.max);
	if (d->reliable == !d->valve.open)
		return;
	if (nl_set_reliable(d->nl, !d->valve.open))
		return;
	d->reliable = !d->valve.open;
	if (changed && d->valve.open)
		log_warning("the connection table is nearly full (%" PRIu64 " of %" PRIu64 "): ends of connections are "
			"delivered unreliably until it has drained", d->fill.count, d->fill.max);
	else
		log_info("ends of connections are delivered reliably again (%" PRIu64 " of %" PRIu64 " connections)",
			d->fill.count, d->fill.max);
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
	notify_send("WATCHDOG=1");
	d->watchdog_next = now + d->watchdog_ns / 3;
}

static void on_tick(void *ctx)
{
	struct daemon *d = ctx;
	uint64_t now = loop_now_ns(d->loop);

	meter_tick(meter_of(d), now);
	if (guard_beat(d->guard)) {
		log_warning("the guard against a hung meter is gone: started again");
		start_guard(d);
	}
	update_valve(d);
	note_stall(d, now);
	feed_watchdog(d, now);
	loop_timer_set(d->tick, METER_TICK_NS);
}

static void on_dump(void *ctx)
{
	start_dump(ctx);
}

static void on_again(void *ctx)
{
	(void)ctx; /* the turn's end does the work */
}

static void on_turn_end(void *ctx)
{
	struct daemon *d = ctx;

	if (keeper_turn(d->keeper, meter_of(d), loop_now_ns(d->loop)))
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
	notify_send("STOPPING=1");
	loop_timer_del(d->dump);
	d->dump = NULL;
	d->dump = loop_timer_add(d->loop, on_stop_timeout, d);
	if (!d->dump || nl_dump_conntrack(d->nl) == -ENOTCONN)
		loop_stop(d->loop);
	else
		loop_timer_set(d->dump, STOP_NS);
}

static void settle_all(struct daemon *d)
{
	uint64_t now = clock_mono_ns();

	if (!d->metering)
		return;
	nl_drain(d->nl, SOURCE_NFLOG, DRAIN_MAX);
	nl_drain(d->nl, SOURCE_EVENTS, DRAIN_MAX);
	intake_dump_aborted(d->intake, now); /* one that did not come to its end in time */
	meter_settle_ends(meter_of(d), now);
	keeper_finish(d->keeper, meter_of(d), now);
}

/* --- Answers */

static void describe_process(struct daemon *d, struct snapshot_process *process)
{
	uint64_t now = loop_now_ns(d->loop);
	uint64_t saved = keeper_saved_at(d->keeper);

	*process = (struct snapshot_process){
		.running = true,
		.reliable = d->reliable,
		.reliable_losses = d->valve.openings,
		.conntrack_entries = d->fill.count == UINT64_MAX ? 0 : d->fill.count,
		.conntrack_limit = d->fill.max == UINT64_MAX ? 0 : d->fill.max,
		.dump_interval_ns = pace_interval(&d->pace, now),
		.dump_cost_ns = d->pace.cost_ns,
		.stall_ns = d->stall_ns,
		.checkpoint_age_ns = saved ? now - saved : UINT64_MAX,
		.checkpoint_failures = keeper_failures(d->keeper),
		.real_ns = clock_real_ns(),
	};
	process_read(&process->usage);
}

/* Whoever asks gets what is known; if that is old, the next one gets something younger. */
static void ask_for_dump(struct daemon *d)
{
	uint64_t now = loop_now_ns(d->loop);

	if (!d->metering || d->stopping || nl_dump_running(d->nl))
		return;
	pace_want(&d->pace, CLOCK_NS_PER_S, now, now + CLOCK_NS_PER_MS);
	plan_dump(d);
}

static int answer_snapshot(void *ctx, struct snapshot *snapshot)
{
	struct daemon *d = ctx;
	int error;

	ask_for_dump(d);
	keeper_before_show(d->keeper, meter_of(d));
	error = setup_snapshot(&d->setup, snapshot, loop_now_ns(d->loop));
	if (!error)
		describe_process(d, &snapshot->process);
	return error;
}

static bool answer_ready(void *ctx)
{
	return meter_ready(meter_of(ctx));
}

static const struct topology *answer_topology(void *ctx)
{
	return meter_topology(meter_of(ctx));
}

/* Until a little after it should have asked again: then it has gone. */
static void answer_watched(void *ctx, uint64_t interval_ns)
{
	struct daemon *d = ctx;
	uint64_t now = loop_now_ns(d->loop);

	pace_want(&d->pace, interval_ns, now, now + 2 * interval_ns + CLOCK_NS_PER_S);
	if (d->metering && !d->stopping && !nl_dump_running(d->nl))
		plan_dump(d);
}

static bool answer_flows(void *ctx, const struct listing_filter *filter, struct buf *out)
{
	struct daemon *d = ctx;
	uint64_t now = loop_now_ns(d->loop);

	if (listing_fetch(d->listing, filter, out, now))
		return true;
	listing_ask(d->listing, filter, now);
	ask_for_dump(d);
	return false;
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
		error = http_listen_unix(d->http, d->config->socket);
	if (error)
		return refuse("socket", d->config->socket, error);
	for (size_t i = 0; i < d->config->listen.count; i++) {
		error = http_listen(d->http, d->config->listen.item[i]);
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
	int error = setup_make(&d->setup, d->config, hash, clock_real_ns());

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
	d->keeper = keeper_new(path);
	if (!d->keeper)
		return -ENOMEM;
	if (!keeper_load(d->keeper, d->setup.meter, clock_mono_ns()))
		return 0;
	setup_free(&d->setup);
	return make_fresh_meter(d, hash);
}

static int make_parts(struct daemon *d)
{
	const struct nl_options nl_options = {
		.nflog_group = d->config->nflog_group,
		.receive_buffer[SOURCE_EVENTS] = d->config->event_buffer,
	};
	const struct nl_callbacks callbacks = {
		.ctx = d, .datagram = on_datagram, .overrun = on_overrun, .failed = on_failed,
	};
	const struct serve_source answers = {
		.ctx = d, .snapshot = answer_snapshot, .ready = answer_ready,
		.topology = answer_topology, .watched = answer_watched, .flows = answer_flows,
	};
	struct hash_key hash;
	int error = hash_key_random(&hash);

	if (error)
		return error;
	d->vendor = vendor_new(NULL);
	error = make_meter(d, &hash);
	if (error)
		return error;
	d->intake = intake_new(d->setup.meter);
	d->loop = loop_new();
	if (!d->intake || !d->loop)
		return -ENOMEM;
	d->nl = nl_new(d->loop, &nl_options, &callbacks);
	d->serve = serve_new(d->loop, d->config, &answers);
	d->http = http_new(d->loop, serve_request, d->serve);
	d->ifnames = ifnames_new(d->loop);
	d->naming = naming_new(d->loop, d->setup.names, d->config, on_names, d);
	d->listing = listing_new(d->setup.meter);
	d->tick = loop_timer_add(d->loop, on_tick, d);
	d->dump = loop_timer_add(d->loop, on_dump, d);
	d->retry = loop_timer_add(d->loop, on_retry, d);
	d->again = loop_timer_add(d->loop, on_again, d);
	d->signals[0] = loop_signal_add(d->loop, SIGINT, on_signal, d);
	d->signals[1] = loop_signal_add(d->loop, SIGTERM, on_signal, d);
	if (!d->nl || !d->serve || !d->http || !d->ifnames || !d->naming || !d->listing ||
		!d->tick || !d->dump || !d->retry || !d->again || !d->signals[0] || !d->signals[1])
		return -ENOMEM;
	intake_watch_entries(d->intake, on_entry, d);
	http_set_admit(d->http, serve_admits, d->serve);
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
		return EXIT_RUNTIME;
	}
	error = make_parts(d);
	if (error) {
		log_error("cannot start: %s", strerror(-error));
		return EXIT_RUNTIME;
	}
	status = check_interfaces(d, "lan", &d->config->lan);
	if (!status)
		status = check_interfaces(d, "wan", &d->config->wan);
	if (status)
		return status;
	/* What was loaded is saved anew at once, so that a second kill finds what ends in between. */
	keeper_begin(d->keeper, meter_of(d));
	if (d->config->record) {
		error = trace_create(&d->recorder, d->config->record);
		if (error)
			return refuse("record", d->config->record, error);
	}
	status = listen_everywhere(d);
	if (status)
		return status;
	warn_of_switches();
	error = open_source(d, SOURCE_RTNL);
	if (!error)
		error = nl_dump_rtnl(d->nl);
	if (error) {
		log_error("rtnetlink: %s", strerror(-error));
		return EXIT_RUNTIME;
	}
	loop_timer_set(d->tick, METER_TICK_NS);
	return 0;
}

static void close_fill(struct table_fill *fill)
{
	if (fill->count_fd >= 0)
		close(fill->count_fd);
	if (fill->max_fd >= 0)
		close(fill->max_fd);
}

static void free_parts(struct daemon *d)
{
	int error = trace_close(d->recorder);

	if (error)
		log_error("%s: %s", d->config->record, strerror(-error));
	loop_signal_del(d->signals[1]);
	loop_signal_del(d->signals[0]);
	loop_timer_del(d->again);
	loop_timer_del(d->retry);
	loop_timer_del(d->dump);
	loop_timer_del(d->tick);
	naming_free(d->naming);
	listing_free(d->listing);
	ifnames_free(d->ifnames);
	http_free(d->http);
	serve_free(d->serve);
	guard_free(d->guard);
	nl_free(d->nl);
	loop_free(d->loop);
	keeper_free(d->keeper);
	close_fill(&d->fill);
	intake_free(d->intake);
	setup_free(&d->setup);
	vendor_free(d->vendor);
}

int daemon_run(const struct config *config)
{
	struct daemon d = {
		.config = config,
		.pace = { .interval_ns = config->dump_interval_ns, .share = config->dump_share },
		.valve = { .fill_percent = config->reliable_fill },
		.fill = { open_sysctl("nf_conntrack_count"), open_sysctl("nf_conntrack_max"), 0, 0 },
		.watchdog_ns = notify_watchdog_ns(),
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
