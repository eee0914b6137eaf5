/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traffic: many hosts and flows for labs and benchmarks, with the true bytes of each MAC at the end.
 *
 * One process plays the LAN's hosts on one side of a router, another (--reflect) the server on the other. Neither uses
 * the kernel's stack, so the numbers are exact: a packet is counted when the kernel took it, and when the ring gave it.
 * Neither keeps state per flow: a flow is a function of its number, an answer one of the packet that it answers.
 */
#include "hostmeter/base/addr.h"
#include "hostmeter/base/clock.h"

#include "traffic_hosts.h"
#include "traffic_link.h"
#include "traffic_options.h"

#include <time.h>

enum { TURN = 1024, TCP_ISN_ASKS = 1000, TCP_ISN_ANSWERS = 5000 };

static struct link link_if = { .fd = -1 };
static struct counter other, answered, total_sent, total_received;
static uint64_t frames;            /* to be sent, or sent */
static uint64_t started, finished; /* of sending */
static uint64_t next_progress;

static void on_signal(int number)
{
	(void)number;
	link_stop = 1;
}

/* --- Sending */

static void add_frame(struct frame *frame, struct counter *count)
{
	size_t header = frame_build(link_headers(&link_if), frame);

	link_add(&link_if, header, frame->payload, frame->l3_bytes, count);
	frames++;
}

/* Flows take hosts in turn, then families, then the host's addresses; ports differ over all hosts, for NAT's sake. */
static struct frame flow_frame(uint64_t flow)
{
	unsigned int families = options.family[0] + options.family[1];
	uint64_t host = flow % options.hosts, turn = flow / options.hosts, pair = first_port + flow;
	bool six = families == 2 ? turn % 2 : options.family[1];
	size_t which = six ? 1 + turn / families % options.addresses6 : 0;
	uint8_t family = six ? 6 : 4;
	struct frame f = {
		.smac = hosts[host].mac,
		.dmac = options.gateway,
		.src = sources[host * sources_per_host() + which].addr,
		.dst = options.destination[six],
		.proto = options.proto,
		.sport = (uint16_t)(FIRST_PORT + pair % PORTS),
		.dport = (uint16_t)(FIRST_PORT + pair / PORTS % PORTS),
		.payload = (uint32_t)options.size - frame_overhead(family, options.proto),
	};

	if (options.proto == IPPROTO_ICMP) {
		f.proto = frame_icmp(family);
		f.kind = frame_echo_request(family);
		f.sport = f.dport = (uint16_t)pair;
	} else if (options.proto == IPPROTO_TCP) {
		f.kind = TCP_SYN;
		f.seq = TCP_ISN_ASKS;
		f.payload = 0;
	}
	return f;
}

/* What the client of a TCP flow says next: all it needs to know is in the server's segment. */
static void tcp_go_on(const struct frame *in, struct counter *sent)
{
	struct frame out = frame_turn(in);
	uint32_t data = (uint32_t)options.size - frame_overhead(in->src.family, IPPROTO_TCP);

	out.kind = TCP_ACK;
	out.seq = in->ack;
	out.ack = in->seq + in->payload + (in->kind & (TCP_SYN | TCP_FIN) ? 1 : 0);
	out.payload = 0;
	if (in->kind & (TCP_SYN | TCP_FIN))
		add_frame(&out, sent);
	if (in->kind & TCP_FIN)
		return;
	if (in->ack - TCP_ISN_ASKS - 1 < (uint64_t)data * options.packets) {
		out.kind = TCP_ACK | TCP_PSH;
		out.payload = data;
	} else {
		out.kind = TCP_ACK | TCP_FIN;
	}
	add_frame(&out, sent);
}

/* The server's side: one segment for each that asks for one. */
static bool tcp_answer(const struct frame *in, struct frame *out)
{
	if (in->kind & TCP_RST || !(in->kind & (TCP_SYN | TCP_FIN) || in->payload))
		return false;
	out->kind = TCP_ACK;
	out->seq = in->ack;
	out->ack = in->seq + in->payload + (in->kind & (TCP_SYN | TCP_FIN) ? 1 : 0);
	if (in->kind & TCP_SYN) {
		out->kind |= TCP_SYN;
		out->seq = TCP_ISN_ANSWERS;
	} else if (in->kind & TCP_FIN) {
		out->kind |= TCP_FIN;
	} else if (options.reply_packets) {
		out->kind |= TCP_PSH;
		return true;
	}
	out->payload = 0;
	return true;
}

/* --- Receiving */

static void count_received(struct counter *count, const struct frame *frame)
{
	count->packets++;
	count->bytes += frame->l3_bytes;
	total_received.packets++;
	total_received.bytes += frame->l3_bytes;
}

static void host_received(const struct frame *in)
{
	bool six = in->src.family == 6;
	uint8_t proto = options.proto == IPPROTO_ICMP ? frame_icmp(in->src.family) : options.proto;
	struct host *host = host_by_mac(&in->dmac);

	if (!host)
		return;
	if (in->proto != proto || !addr_equal(&in->src, &options.destination[six]) ||
		(options.proto == IPPROTO_ICMP && in->kind != frame_echo_reply(in->src.family))) {
		other.packets++;
		other.bytes += in->l3_bytes;
		return;
	}
	count_received(&host->received[six], in);
	if (in->proto == IPPROTO_TCP && in->kind & TCP_ACK && !(in->kind & TCP_RST) && frames < options.limit)
		tcp_go_on(in, &host->sent[six]);
}

static int reflect_one(const struct frame *in)
{
	uint32_t overhead = frame_overhead(in->src.family, in->proto);
	struct frame out = frame_turn(in);
	struct remote *remote;
	uint64_t copies = options.reply_packets;
	int error = 0;

	if (!addr_equal(&in->dst, &options.destination[in->dst.family == 6]) || !mac_equal(&in->dmac, &options.mac))
		return 0;
	if (in->proto == frame_icmp(in->src.family) && in->kind != frame_echo_request(in->src.family)) {
		other.packets++;
		other.bytes += in->l3_bytes;
		return 0;
	}
	remote = remote_find(&in->src);
	count_received(&remote->received, in);
	if (options.reply_size)
		out.payload = options.reply_size > overhead ? (uint32_t)options.reply_size - overhead : 0;
	if (in->proto == IPPROTO_TCP)
		copies = tcp_answer(in, &out);
	else if (in->proto != IPPROTO_UDP)
		out.kind = frame_echo_reply(in->src.family);
	for (; copies && frames < options.limit && !error; copies--) {
		add_frame(&out, &remote->sent);
		error = link_room(&link_if) ? 0 : link_flush(&link_if);
	}
	return error;
}

static int received(const uint8_t *data, size_t len)
{
	struct addr target;
	struct frame in;
	const struct mac *mac;

	if (frame_asks(data, len, &target)) {
		mac = mac_of(&target);
		if (mac && !addr_is_unspecified(&target)) {
			size_t size = frame_answer(link_headers(&link_if), data, &target, mac);

			link_add(&link_if, size, 0, (uint32_t)size - ETH_HLEN, &answered);
		}
		return 0;
	}
	if (!frame_parse(data, len, &in))
		return 0;
	if (options.reflect)
		return reflect_one(&in);
	host_received(&in);
	return 0;
}

/* Takes what came, but no more than a turn's worth. Returns the number of frames, or -errno. */
static int receive_turn(void)
{
	const uint8_t *data;
	size_t len;
	int n, error = 0;

	for (n = 0; n < TURN && !error && (data = link_receive(&link_if, &len)); n++) {
		if (!link_is_outgoing(&link_if))
			error = received(data, len);
		link_done(&link_if);
		/* An answer may take two places. */
		if (!error && link_if.held + 2 > LINK_BATCH)
			error = link_flush(&link_if);
	}
	if (!error)
		error = link_flush(&link_if);
	return error ? error : n;
}

static void progress(uint64_t now)
{
	if (now < next_progress || !isatty(STDERR_FILENO))
		return;
	next_progress = now + CLOCK_NS_PER_S;
	fprintf(stderr, "traffic: %" PRIu64 " packets sent, %" PRIu64 " received\n", frames, total_received.packets);
}

/* Sleeps until a frame comes or ns are over; sees the end of stdin if asked to. */
static void wait_for(uint64_t ns, bool watch_stdin)
{
	struct pollfd fds[] = { { .fd = link_if.fd, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN } };
	struct timespec timeout = { .tv_sec = (time_t)(ns / CLOCK_NS_PER_S), .tv_nsec = (long)(ns % CLOCK_NS_PER_S) };
	char rest[256];

	if (ppoll(fds, watch_stdin ? 2 : 1, &timeout, NULL) > 0 && watch_stdin && fds[1].revents &&
		read(STDIN_FILENO, rest, sizeof(rest)) <= 0)
		link_stop = 1;
}

/*
 * Sleeps for one flow's time, a millisecond at least. At high rates frames do not wake it: the ring holds them, and
 * waking up for each would take the processor from what is measured beside it.
 */
static void pause_until_due(void)
{
	uint64_t ns = CLOCK_NS_PER_S / options.rate;
	struct timespec time = { .tv_nsec = (long)CLOCK_NS_PER_MS };

	if (ns > 100 * CLOCK_NS_PER_MS)
		ns = 100 * CLOCK_NS_PER_MS;
	if (ns > CLOCK_NS_PER_MS)
		wait_for(ns, false);
	else
		nanosleep(&time, NULL);
}

/* --- The two roles */

/* Sends every flow at its time. 1 if all were sent, 0 if something ended it before, or -errno. */
static int send_all(void)
{
	bool tcp = options.proto == IPPROTO_TCP;
	uint64_t steps = tcp ? options.flows : options.flows * options.packets, step = 0, due = 0;
	uint64_t burst = tcp || options.concurrent ? 1 : options.packets;

	while (step < steps && !link_stop && frames < options.limit) {
		uint64_t now = clock_mono_ns(), elapsed = now - started;
		int n = receive_turn();

		if (n < 0)
			return n;
		if (elapsed >= options.duration * CLOCK_NS_PER_S)
			break;
		due = options.rate ? ((uint64_t)((double)elapsed * (double)options.rate / 1e9) + 1) * burst : steps;
		due = due < steps ? due : steps;
		while (step < due && link_room(&link_if) && frames < options.limit) {
			uint64_t flow = options.concurrent ? step % options.flows : step / burst;
			struct frame f = flow_frame(flow);

			f.seq = tcp ? f.seq : (uint32_t)(options.concurrent ? step / options.flows : step % burst);
			add_frame(&f, &hosts[flow % options.hosts].sent[f.src.family == 6]);
			step++;
		}
		n = link_flush(&link_if);
		if (n < 0)
			return n;
		progress(now);
		if (step == due && step < steps)
			pause_until_due();
	}
	return step == steps && !link_stop;
}

/* Answers until nothing came for --linger, stdin ended, or the time is over. 0 or -errno. */
static int answer(uint64_t idle_ns, uint64_t deadline)
{
	uint64_t now = clock_mono_ns(), last = now, seen = total_received.packets;

	while (!link_stop && now < deadline && now - last < idle_ns) {
		int n = receive_turn();

		if (n < 0)
			return n;
		if (n == 0)
			wait_for(CLOCK_NS_PER_S / 20, options.until_eof);
		now = clock_mono_ns();
		if (seen != total_received.packets)
			last = now;
		seen = total_received.packets;
		progress(now);
	}
	return 0;
}

static int run(bool *complete)
{
	uint64_t deadline, idle = options.linger * CLOCK_NS_PER_MS;
	int n = 1;

	fputs("traffic: ready\n", stderr);
	started = clock_mono_ns();
	deadline = started + options.duration * CLOCK_NS_PER_S;
	if (!options.reflect)
		n = send_all();
	finished = clock_mono_ns();
	if (n < 0)
		return n;
	*complete = n;
	fputs(options.reflect ? "" : "traffic: sent\n", stderr);
	if (options.until_eof)
		n = answer(UINT64_MAX, UINT64_MAX);
	else
		n = answer(options.reflect ? UINT64_MAX : idle, options.reflect ? deadline : UINT64_MAX);
	if (options.reflect)
		finished = clock_mono_ns();
	return n;
}

/* --- The report */

static void print_counter(const char *name, const struct counter *count, const char *end)
{
	printf("\"%s\": {\"packets\": %" PRIu64 ", \"bytes\": %" PRIu64 "}%s", name, count->packets, count->bytes, end);
}

static void add_total(const struct counter *count)
{
	total_sent.packets += count->packets;
	total_sent.bytes += count->bytes;
}

static void print_family(const struct host *host, bool six)
{
	const struct source *own = &sources[(size_t)(host - hosts) * sources_per_host() + six];
	char text[ADDR_TEXT];

	printf(", \"ipv%d\": {\"addresses\": [", six ? 6 : 4);
	for (size_t i = 0; i < (six ? options.addresses6 : 1); i++)
		printf("%s\"%s\"", i ? ", " : "", addr_format(&own[i].addr, text));
	printf("], ");
	print_counter("sent", &host->sent[six], ", ");
	print_counter("received", &host->received[six], "}");
	add_total(&host->sent[six]);
}

static void print_hosts(void)
{
	char text[MAC_TEXT];

	printf("{\"role\": \"generate\", \"hosts\": [");
	for (size_t i = 0; i < options.hosts; i++) {
		printf("%s\n  {\"mac\": \"%s\"", i ? "," : "", mac_format(&hosts[i].mac, text));
		for (int six = 0; six < 2; six++) {
			if (options.family[six])
				print_family(&hosts[i], six);
		}
		printf("}");
	}
}

static void print_remote(const struct remote *remote, const char *address, bool *first)
{
	if (!remote->received.packets)
		return;
	printf("%s\n  {\"address\": \"%s\", ", *first ? "" : ",", address);
	print_counter("received", &remote->received, ", ");
	print_counter("sent", &remote->sent, "}");
	add_total(&remote->sent);
	*first = false;
}

static void print_remotes(void)
{
	char text[ADDR_TEXT];
	bool first = true;

	printf("{\"role\": \"reflect\", \"remotes\": [");
	for (size_t i = 0; i < REMOTES; i++)
		print_remote(&remotes[i], addr_format(&remotes[i].addr, text), &first);
	print_remote(&other_remotes, "other", &first);
}

static void report(bool complete, uint64_t dropped_before)
{
	double seconds = (double)(finished - started) / 1e9;

	if (options.reflect)
		print_remotes();
	else
		print_hosts();
	printf("\n ],\n ");
	print_counter("sent", &total_sent, ",\n ");
	print_counter("received", &total_received, ",\n ");
	print_counter("other_received", &other, ",\n ");
	print_counter("neighbour_answers", &answered, ",\n ");
	printf("\"complete\": %s, \"flows\": %" PRIu64 ",\n ", complete ? "true" : "false",
		options.reflect ? 0 : options.flows);
	printf("\"seconds\": %.6f, \"packets_per_second\": %.0f,\n ", seconds,
		seconds > 0 ? (double)total_sent.packets / seconds : 0.0);
	printf("\"cpu_seconds\": %.6f,\n ", (double)clock_cpu_ns() / 1e9);
	printf("\"send_retries\": %" PRIu64 ", \"receive_drops\": %u, \"interface_tx_dropped\": %" PRIu64 "}\n",
		link_if.retries, link_drops(&link_if), link_interface_dropped(options.interface) - dropped_before);
}

static int prepare(void)
{
	const struct sigaction action = { .sa_handler = on_signal };
	int error = link_open(&link_if, options.interface);

	if (error)
		return error;
	if (options.size > link_if.mtu || options.reply_size > link_if.mtu)
		return -EMSGSIZE;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	if (!options.reflect)
		return hosts_make();
	remotes = calloc(REMOTES, sizeof(*remotes));
	return remotes ? 0 : -ENOMEM;
}

int main(int argc, char *argv[])
{
	bool complete = false;
	uint64_t dropped;
	int error;

	if (options_parse(argc, argv))
		return 2;
	if (options.help) {
		options_help();
		return 0;
	}
	error = prepare();
	if (!error) {
		dropped = link_interface_dropped(options.interface);
		error = run(&complete);
		report(complete, dropped);
	}
	if (error)
		fprintf(stderr, "traffic: %s: %s\n", options.interface, strerror(-error));
	free(hosts);
	free(sources);
	free(sorted);
	free(remotes);
	return error ? 1 : 0;
}
