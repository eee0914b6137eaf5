/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/netlink/nl.h"

#include "dump.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/netlink/socket.h"
#include "hostmeter/os/loop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnetfilter_log/libnetfilter_log.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
	DATAGRAM_MAX =
		65536, /* dumps have 32 KiB; a link with many virtual functions or an NFLOG batch may have more */
	REQUEST_MAX = 256,
	ACK_TIMEOUT_MS = 1000,
	CONFIG_ATTEMPTS = 5,
	EVENTS_FIRST = 1024,   /* at most so many before each datagram of another source */
	NFLOG_COPY = 128,      /* IPv6 with extension headers and the ports */
	NFLOG_BATCH = 32768,   /* bytes */
	NFLOG_THRESHOLD = 100, /* messages */
	NFLOG_TIMEOUT = 10,    /* 1/100 s */
};

/*
 * A wake-up costs as much as several events: a socket that was read empty rests, and what came meanwhile is read at
 * once. After an overrun its buffer is too small for that, and it does not rest for a while.
 */
#define REST_NS (10 * CLOCK_NS_PER_MS)
#define RESTLESS_NS CLOCK_NS_PER_S

/* The longest time that one socket is read in a turn of the loop. */
#define TURN_NS (4 * CLOCK_NS_PER_MS)

/* A dump without a datagram for so long will never end. */
#define DUMP_STALL_NS (10 * CLOCK_NS_PER_S)

struct reader {
	struct nl *nl;
	enum source id;
	struct mnl_socket *socket; /* NULL: closed */
	struct loop_io *io;
	struct loop_timer *rest; /* while it is set, io is paused */
	uint64_t restless_until;
	bool overrun; /* seen, not reported yet */
	struct nl_dump dump;
	struct loop_timer *stalled; /* set anew with each datagram of a dump */
};

struct nl {
	struct loop *loop;
	struct nl_options options;
	struct nl_callbacks call;
	struct reader source[SOURCE_COUNT];
	uint32_t seq;
};

static const struct {
	uint16_t protocol;
	uint16_t datagrams_per_turn;
	uint32_t receive_buffer;
	uint32_t datagram_max;
	bool rests;
} source_table[SOURCE_COUNT] = {
	/* An event is one connection: some 400 bytes, with the longest security context less than a page. */
	[SOURCE_EVENTS] = { NETLINK_NETFILTER, 256, 8 << 20, DATAGRAM_MAX / NL_SOCKET_MANY, true },
	[SOURCE_DUMP] = { NETLINK_NETFILTER, 8, 512 << 10, DATAGRAM_MAX, false },
	[SOURCE_NFLOG] = { NETLINK_NETFILTER, 16, 4 << 20, DATAGRAM_MAX, true },
	[SOURCE_RTNL] = { NETLINK_ROUTE, 16, 1 << 20, DATAGRAM_MAX, false },
};

/* A datagram is borrowed for one call: one buffer is enough. */
static _Alignas(8) unsigned char datagram_buffer[DATAGRAM_MAX];

uint16_t nl_source_protocol(enum source source)
{
	return source_table[source].protocol;
}

/* --- Opening and closing */

static void source_close(struct reader *source)
{
	if (!source->socket)
		return;
	nl_dump_stop(&source->dump);
	loop_timer_stop(source->rest);
	loop_io_del(source->io);
	mnl_socket_close(source->socket);
	source->io = NULL;
	source->socket = NULL;
	source->overrun = false;
}

static void source_failed(struct reader *source, int error)
{
	source_close(source);
	source->nl->call.failed(source->nl->call.ctx, source->id, error);
}

static void dump_stalled(void *ctx)
{
	struct reader *source = ctx;

	if (nl_dump_runs(&source->dump))
		source_failed(source, -ETIMEDOUT);
}

static void rest_is_over(void *ctx);

struct nl *nl_new(struct loop *loop, const struct nl_options *options, const struct nl_callbacks *callbacks)
{
	struct nl *nl = calloc(1, sizeof(*nl));

	if (!nl)
		return NULL;
	*nl = (struct nl){ .loop = loop, .options = *options, .call = *callbacks };
	for (enum source id = 0; id < SOURCE_COUNT; id++) {
		struct reader *source = &nl->source[id];

		source->nl = nl;
		source->id = id;
		source->stalled = loop_timer_add(loop, dump_stalled, source);
		source->rest = loop_timer_add(loop, rest_is_over, source);
		if (!source->stalled || !source->rest) {
			nl_free(nl);
			return NULL;
		}
	}
	return nl;
}

void nl_free(struct nl *nl)
{
	if (!nl)
		return;
	for (enum source id = 0; id < SOURCE_COUNT; id++) {
		source_close(&nl->source[id]);
		loop_timer_del(nl->source[id].rest);
		loop_timer_del(nl->source[id].stalled);
	}
	free(nl);
}

/* --- Sending */

static uint32_t next_seq(struct nl *nl)
{
	return ++nl->seq ? nl->seq : ++nl->seq; /* 0 is the sequence number of events */
}

static int request_send(struct reader *source, const struct nlmsghdr *message)
{
	const struct nl_callbacks *call = &source->nl->call;

	if (mnl_socket_sendto(source->socket, message, message->nlmsg_len) < 0)
		return -errno;
	/* The answer is read later, so a recorder still gets the request first. */
	call->datagram(call->ctx, source->id, true, message, message->nlmsg_len);
	return 0;
}

static int dump_request(struct reader *source)
{
	_Alignas(8) char buffer[NL_DUMP_REQUEST_MAX];

	loop_timer_set(source->stalled, DUMP_STALL_NS);
	return request_send(source, nl_dump_request(&source->dump, buffer, next_seq(source->nl)));
}

static int dump_start(struct reader *source, unsigned int step, unsigned int end)
{
	int error;

	if (!source->socket)
		return -ENOTCONN;
	if (nl_dump_runs(&source->dump))
		return -EBUSY;
	nl_dump_start(&source->dump, step, end);
	error = dump_request(source);
	if (error)
		nl_dump_stop(&source->dump);
	return error;
}

int nl_dump_conntrack(struct nl *nl)
{
	return dump_start(&nl->source[SOURCE_DUMP], NL_DUMP_CONNTRACK, NL_DUMP_CONNTRACK + 1);
}

int nl_dump_rtnl(struct nl *nl)
{
	return dump_start(&nl->source[SOURCE_RTNL], NL_DUMP_LINK, NL_DUMP_STEPS);
}

bool nl_is_dumping(const struct nl *nl, enum source source)
{
	return nl_dump_runs(&nl->source[source].dump);
}

int nl_dump_links(struct nl *nl)
{
	return dump_start(&nl->source[SOURCE_RTNL], NL_DUMP_LINK, NL_DUMP_ADDR);
}

/* --- Receiving */

/* The dump ends before its last datagram is delivered, so that the receiver may start another. */
static void deliver(struct reader *source, const void *datagram, size_t len)
{
	const struct nl_callbacks *call = &source->nl->call;
	enum nl_dump_told dump = NL_DUMP_GOES_ON;

	if (nl_dump_runs(&source->dump)) {
		dump = nl_dump_take(&source->dump, datagram, len);
		loop_timer_set(source->stalled, DUMP_STALL_NS);
	}
	call->datagram(call->ctx, source->id, false, datagram, len);
	if (dump == NL_DUMP_REFUSED || (dump == NL_DUMP_NEXT && dump_request(source) < 0))
		source->overrun = true;
}

/* The kernel drops messages until the socket has been read empty: only then a new dump is of use. */
static void report_overrun(struct reader *source)
{
	if (!source->overrun || nl_socket_wait(source->socket, 0))
		return;
	source->overrun = false;
	nl_dump_stop(&source->dump);
	source->nl->call.overrun(source->nl->call.ctx, source->id);
}

static bool is_loss(ssize_t received)
{
	return received == -ENOBUFS || received == -EMSGSIZE;
}

/*
 * The end of a flow must be read before a dump or a first packet shows the next flow between the same ends, and before
 * a neighbour shows that the address is now another host's. The kernel writes a datagram of a dump while the one before
 * it is read, so the events read here are younger than the datagram that follows.
 */
static void read_events_first(struct reader *source)
{
	if (source->id != SOURCE_EVENTS)
		nl_drain(source->nl, SOURCE_EVENTS, EVENTS_FIRST);
}

static void note_loss(struct reader *source)
{
	source->overrun = true;
	source->restless_until = loop_now_ns(source->nl->loop) + RESTLESS_NS;
}

/* Reads as many datagrams as fit into the buffer. How many there were, or -errno. */
static int read_once(struct reader *source, unsigned int datagrams)
{
	const size_t size = source_table[source->id].datagram_max;
	ssize_t got[NL_SOCKET_MANY];
	int count;

	if (datagrams > DATAGRAM_MAX / size)
		datagrams = (unsigned int)(DATAGRAM_MAX / size);
	count = nl_socket_receive(source->socket, datagram_buffer, size, datagrams, got);
	for (int i = 0; i < count; i++) {
		if (got[i] > 0)
			deliver(source, datagram_buffer + (size_t)i * size, (size_t)got[i]);
		else if (got[i] < 0)
			note_loss(source);
	}
	return count;
}

/* Reads at most so many datagrams, and none after that time. True if there may be more. */
static bool read_some(struct reader *source, unsigned int datagrams, uint64_t until)
{
	while (datagrams && clock_mono_ns() < until) {
		int count;

		read_events_first(source);
		if (!source->socket)
			return false;
		count = read_once(source, datagrams);
		if (count > 0) {
			datagrams -= (unsigned int)count;
		} else if (is_loss(count)) {
			note_loss(source);
			datagrams--;
		} else if (count == -EAGAIN) {
			report_overrun(source);
			return false;
		} else if (count != -EINTR) {
			source_failed(source, count);
			return false;
		}
	}
	return true;
}

/* The source was read empty. */
static void rest(struct reader *source)
{
	if (!source->io)
		return;
	if (source_table[source->id].rests && loop_now_ns(source->nl->loop) >= source->restless_until) {
		loop_io_pause(source->io);
		loop_timer_set(source->rest, REST_NS);
	} else {
		loop_io_resume(source->io);
	}
}

static void read_turn(struct reader *source)
{
	bool more = read_some(source, source_table[source->id].datagrams_per_turn, clock_mono_ns() + TURN_NS);

	if (more)
		report_overrun(source);
	if (more && source->io)
		loop_io_resume(source->io);
	if (more || !source->socket)
		return;
	rest(source);
	rest(&source->nl->source[SOURCE_EVENTS]); /* which was read with it */
}

static void source_ready(void *ctx, int events)
{
	(void)events;
	read_turn(ctx);
}

static void rest_is_over(void *ctx)
{
	struct reader *source = ctx;

	if (nl_socket_wait(source->socket, 0))
		read_turn(source);
	else
		loop_io_resume(source->io);
}

bool nl_drain(struct nl *nl, enum source id, unsigned int datagrams)
{
	return nl->source[id].socket && read_some(&nl->source[id], datagrams, UINT64_MAX);
}

/* --- Subscribing */

static int subscribe_ct_events(struct reader *source)
{
	static const int groups[] = { NFNLGRP_CONNTRACK_DESTROY };
	int error = nl_socket_set(source->socket, NETLINK_NO_ENOBUFS, false);

	if (!error)
		error = nl_socket_set(source->socket, NETLINK_BROADCAST_ERROR, true);
	return error ? error : nl_socket_join(source->socket, groups, 1);
}

static int subscribe_rtnl(struct reader *source)
{
	static const int groups[] = {
		RTNLGRP_LINK,
		RTNLGRP_NEIGH,
		RTNLGRP_IPV4_IFADDR,
		RTNLGRP_IPV6_IFADDR,
		RTNLGRP_IPV4_ROUTE,
		RTNLGRP_IPV6_ROUTE,
		RTNLGRP_IPV4_RULE,
		RTNLGRP_IPV6_RULE,
	};

	/* Since Linux 4.20; without it a dump of routes lists cached ones as well, which decoding passes over. */
	nl_socket_set(source->socket, NETLINK_GET_STRICT_CHK, true);
	return nl_socket_join(source->socket, groups, sizeof(groups) / sizeof(*groups));
}

/* Waits for the acknowledgement of a request, at the opening only; other datagrams are delivered. */
static int wait_for_ack(struct reader *source, uint32_t seq)
{
	uint64_t deadline = clock_mono_ns() + ACK_TIMEOUT_MS * CLOCK_NS_PER_MS;

	while (clock_mono_ns() < deadline) {
		const struct nlmsghdr *message = (const struct nlmsghdr *)datagram_buffer;
		ssize_t len;
		int count = nl_socket_receive(source->socket, datagram_buffer, sizeof(datagram_buffer), 1, &len);

		if (count == -EAGAIN)
			nl_socket_wait(source->socket, ACK_TIMEOUT_MS);
		else if (is_loss(count) || (count > 0 && is_loss(len)))
			source->overrun = true;
		else if (count < 0 && count != -EINTR)
			return count;
		if (count <= 0 || len <= 0)
			continue;
		deliver(source, datagram_buffer, (size_t)len);
		if (mnl_nlmsg_ok(message, (int)len) && message->nlmsg_type == NLMSG_ERROR &&
			message->nlmsg_seq == seq && mnl_nlmsg_get_payload_len(message) >= sizeof(struct nlmsgerr))
			return ((const struct nlmsgerr *)mnl_nlmsg_get_payload(message))->error;
	}
	return -ETIMEDOUT;
}

/*
 * All settings in one message, so that the group is never bound without them. No NFULNL_CFG_CMD_PF_BIND: a rule with a
 * group number needs no default logger, and a default logger would get the router's log of invalid packets too.
 */
static int subscribe_nflog(struct reader *source)
{
	uint16_t flags = NFULNL_CFG_F_CONNTRACK; /* each message has the entry: an exact join */
	int error = -EAGAIN;

	/* EAGAIN: the kernel has just loaded the module. EOPNOTSUPP: it is built without NETFILTER_NETLINK_GLUE_CT. */
	for (int i = 0; i < CONFIG_ATTEMPTS && (error == -EAGAIN || (error == -EOPNOTSUPP && flags)); i++) {
		_Alignas(8) char buffer[REQUEST_MAX];
		struct nlmsghdr *message = nflog_nlmsg_put_header(buffer, NFULNL_MSG_CONFIG, AF_UNSPEC,
			source->nl->options.nflog_group);

		message->nlmsg_flags |= NLM_F_ACK;
		message->nlmsg_seq = next_seq(source->nl);
		nflog_attr_put_cfg_cmd(message, NFULNL_CFG_CMD_BIND);
		nflog_attr_put_cfg_mode(message, NFULNL_COPY_PACKET, NFLOG_COPY);
		mnl_attr_put_u32(message, NFULA_CFG_NLBUFSIZ, htonl(NFLOG_BATCH));
		mnl_attr_put_u32(message, NFULA_CFG_TIMEOUT, htonl(NFLOG_TIMEOUT));
		mnl_attr_put_u32(message, NFULA_CFG_QTHRESH, htonl(NFLOG_THRESHOLD));
		if (error == -EOPNOTSUPP)
			flags = 0;
		if (flags)
			mnl_attr_put_u16(message, NFULA_CFG_FLAGS, htons(flags));
		error = request_send(source, message);
		if (!error)
			error = wait_for_ack(source, message->nlmsg_seq);
	}
	return error;
}

static size_t wanted_buffer(const struct nl *nl, enum source id)
{
	size_t wanted = nl->options.receive_buffer[id];

	return wanted ? wanted : source_table[id].receive_buffer;
}

int nl_open_source(struct nl *nl, enum source id)
{
	static int (*const subscribe[SOURCE_COUNT])(struct reader * source) = {
		[SOURCE_EVENTS] = subscribe_ct_events, [SOURCE_NFLOG] = subscribe_nflog, [SOURCE_RTNL] = subscribe_rtnl
	};
	struct reader *source = &nl->source[id];
	int error;

	if (source->socket)
		return -EALREADY;
	error = nl_socket_open(&source->socket, source_table[id].protocol, wanted_buffer(nl, id));
	if (!error && subscribe[id])
		error = subscribe[id](source);
	if (!error) {
		source->io = loop_io_add(nl->loop, nl_fd(nl, id), LOOP_READ, source_ready, source);
		error = source->io ? 0 : -ENOMEM;
	}
	if (error)
		source_close(source);
	return error;
}

bool nl_is_open(const struct nl *nl, enum source source)
{
	return nl->source[source].socket;
}

size_t nl_receive_buffer(const struct nl *nl, enum source source)
{
	int bytes = 0;
	socklen_t len = sizeof(bytes);

	getsockopt(nl_fd(nl, source), SOL_SOCKET, SO_RCVBUF, &bytes, &len);
	return (size_t)bytes;
}

size_t nl_receive_buffer_asked(const struct nl *nl, enum source source)
{
	return 2 * wanted_buffer(nl, source); /* socket(7): the kernel doubles it, and caps it silently */
}

int nl_fd(const struct nl *nl, enum source source)
{
	return nl_is_open(nl, source) ? mnl_socket_get_fd(nl->source[source].socket) : -1;
}

bool nl_is_reliable(const struct nl *nl)
{
	int on = 0;
	socklen_t len = sizeof(on);

	return !getsockopt(nl_fd(nl, SOURCE_EVENTS), SOL_NETLINK, NETLINK_BROADCAST_ERROR, &on, &len) && on;
}

int nl_set_reliable(struct nl *nl, bool on)
{
	struct reader *source = &nl->source[SOURCE_EVENTS];

	return source->socket ? nl_socket_set(source->socket, NETLINK_BROADCAST_ERROR, on) : -ENOTCONN;
}
