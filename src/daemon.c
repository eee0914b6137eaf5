/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of a start matters. First the network's shape, since without it no flow can be told from another; then the
 * subscription to events and first packets; then the first dump. So a flow that ends in between is either in the
 * dump or in an event, and one that begins in between is sighted.
 */
#include "hostmeter/daemon.h"

#include "hostmeter/clock.h"
#include "hostmeter/config.h"
#include "hostmeter/http.h"
#include "hostmeter/ifnames.h"
#include "hostmeter/intake.h"
#include "hostmeter/log.h"
#include "hostmeter/loop.h"
#include "hostmeter/meter.h"
#include "hostmeter/metrics.h"
#include "hostmeter/nl.h"
#include "hostmeter/setup.h"
#include "hostmeter/trace.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { EXIT_RUNTIME = 1, EXIT_CONFIG = 2 };

#define RETRY_NS (10 * CLOCK_NS_PER_S)

struct daemon {
	const struct config *config;
	struct loop *loop;
	struct setup setup;
	struct intake *intake;
	struct nl *nl;
	struct http *http;
	struct ifnames *ifnames;
	struct trace_writer *recorder;
	struct loop_timer *tick, *dump, *retry;
	struct loop_signal *signals[2];
	uint64_t dumps_ended; /* as seen last */
	bool metering;        /* events, NFLOG and dumps are subscribed to */
	int status;
};

static struct meter *meter_of(struct daemon *d)
{
	return d->setup.meter;
}

static void stop(struct daemon *d, int status)
{
	d->status = status;
	loop_stop(d->loop);
}

/* --- Sources */

/* The kernel's switches that the meter lives by. */
static int read_switch(const char *name)
{
	char path[96], digit = 0;
	int fd;
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/sys/net/netfilter/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = read(fd, &digit, 1);
	close(fd);
	return got == 1 && digit >= '0' && digit <= '9' ? digit - '0' : -EIO;
}

static void warn_of_switches(void)
{
	int acct = read_switch("nf_conntrack_acct");
	int events = read_switch("nf_conntrack_events");

	if (acct == 0)
		log_warning("the kernel does not count connections: sysctl net.netfilter.nf_conntrack_acct=1");
	if (events == 0)
		log_warning("the kernel tells no ends of connections: sysctl net.netfilter.nf_conntrack_events=1");
	else if (events == 2)
		log_warning("connections that begin while no meter runs will end unseen: sysctl net.netfilter.nf_conntrack_events=1");
}

static int open_source(struct daemon *d, enum source source)
{
	int error = nl_open_source(d->nl, source);

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

static void start_dump(struct daemon *d)
{
	int error = nl_dump_conntrack(d->nl);

	if (error && error != -EBUSY)
		log_warning("dump of the connections: %s", strerror(-error));
	if (error)
		loop_timer_set(d->dump, d->config->dump_interval_ns);
	nl_dump_links(d->nl);
}

static void start_metering(struct daemon *d)
{
	int error = open_source(d, SOURCE_EVENTS);

	d->metering = true;
	if (!error)
		error = open_source(d, SOURCE_DUMP);
	if (error) {
		log_error("connection tracking: %s", error == -EPROTONOSUPPORT ? "this kernel has none (nf_conntrack_netlink)" : strerror(-error));
		stop(d, EXIT_RUNTIME);
		return;
	}
	open_nflog(d);
	start_dump(d);
}

/* --- What to say */

static void list_link(void *ctx, const struct topology_link *link)
{
	struct { struct buf *out; enum side side; } *list = ctx;

	if (link->side != list->side)
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
	if (intake_dumps_ended(d->intake) != d->dumps_ended) {
		d->dumps_ended = intake_dumps_ended(d->intake);
		loop_timer_set(d->dump, d->config->dump_interval_ns);
	}
	if (!d->metering && intake_topology_known(d->intake)) {
		say_hello(d);
		start_metering(d);
	}
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
		loop_timer_set(d->dump, d->config->dump_interval_ns);
		break;
	case SOURCE_EVENTS: /* what was lost shows in a dump */
		loop_timer_set(d->dump, CLOCK_NS_PER_S);
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
	if (source == SOURCE_DUMP)
		intake_dump_aborted(d->intake, loop_now_ns(d->loop));
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

static void on_tick(void *ctx)
{
	struct daemon *d = ctx;

	meter_tick(meter_of(d), loop_now_ns(d->loop));
	loop_timer_set(d->tick, METER_TICK_NS);
}

static void on_dump(void *ctx)
{
	start_dump(ctx);
}

static void on_signal(void *ctx, int signo)
{
	(void)signo;
	stop(ctx, 0);
}

static void on_request(void *ctx, const struct http_request *request, struct http_response *response)
{
	struct daemon *d = ctx;
	struct snapshot snapshot;

	if (strcmp(request->path, "/metrics")) {
		response->status = 404;
		buf_puts(&response->body, "not found; metrics are at /metrics\n");
		return;
	}
	if (meter_snapshot(meter_of(d), &snapshot, loop_now_ns(d->loop))) {
		response->status = 503;
		return;
	}
	response->content_type = METRICS_CONTENT_TYPE;
	metrics_render(&response->body, &snapshot);
	snapshot_clear(&snapshot);
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

static int make_parts(struct daemon *d)
{
	const struct nl_options nl_options = { .nflog_group = d->config->nflog_group };
	const struct nl_callbacks callbacks = {
		.ctx = d, .datagram = on_datagram, .overrun = on_overrun, .failed = on_failed,
	};
	struct hash_key hash;
	int error = hash_key_random(&hash);

	if (error)
		return error;
	error = setup_make(&d->setup, d->config, &hash, clock_real_ns());
	if (error)
		return error;
	d->intake = intake_new(d->setup.meter);
	d->loop = loop_new();
	if (!d->intake || !d->loop)
		return -ENOMEM;
	d->nl = nl_new(d->loop, &nl_options, &callbacks);
	d->http = http_new(d->loop, on_request, d);
	d->ifnames = ifnames_new(d->loop);
	d->tick = loop_timer_add(d->loop, on_tick, d);
	d->dump = loop_timer_add(d->loop, on_dump, d);
	d->retry = loop_timer_add(d->loop, on_retry, d);
	d->signals[0] = loop_signal_add(d->loop, SIGINT, on_signal, d);
	d->signals[1] = loop_signal_add(d->loop, SIGTERM, on_signal, d);
	if (!d->nl || !d->http || !d->ifnames || !d->tick || !d->dump || !d->retry || !d->signals[0] || !d->signals[1])
		return -ENOMEM;
	return 0;
}

static int start(struct daemon *d)
{
	int status, error;

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
	if (d->config->record) {
		error = trace_create(&d->recorder, d->config->record);
		if (error)
			return refuse("record", d->config->record, error);
	}
	error = make_directories(d->config->runtime_dir, true);
	if (error)
		return refuse("runtime-dir", d->config->runtime_dir, error);
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

static void free_parts(struct daemon *d)
{
	int error = trace_close(d->recorder);

	if (error)
		log_error("%s: %s", d->config->record, strerror(-error));
	loop_signal_del(d->signals[1]);
	loop_signal_del(d->signals[0]);
	loop_timer_del(d->retry);
	loop_timer_del(d->dump);
	loop_timer_del(d->tick);
	ifnames_free(d->ifnames);
	http_free(d->http);
	nl_free(d->nl);
	loop_free(d->loop);
	intake_free(d->intake);
	setup_free(&d->setup);
}

int daemon_run(const struct config *config)
{
	struct daemon d = { .config = config };

	signal(SIGPIPE, SIG_IGN);
	d.status = start(&d);
	if (!d.status)
		loop_run(d.loop);
	free_parts(&d);
	return d.status;
}
