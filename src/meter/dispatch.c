/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/dispatch.h"

#include "hostmeter/decode/ct_decode.h"
#include "hostmeter/decode/nflog_decode.h"
#include "hostmeter/decode/nlattr.h"
#include "hostmeter/decode/rtnl_decode.h"
#include "hostmeter/meter/meter.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <sys/socket.h>

/* A dump that was requested and has not ended; seq 0: none. */
struct dump {
	uint32_t seq;
	bool interrupted; /* NLM_F_DUMP_INTR: the table changed meanwhile, so entries may be missing */
};

enum { BATCH = 32 };

/* Entries that are decoded and that the meter has not got yet, so that their records can be prefetched together. */
struct batch {
	size_t count;
	const struct nlmsghdr *message[BATCH];
	struct ct_event event[BATCH];
};

struct dispatch {
	struct meter *meter;
	struct dump ct, rtnl;
	enum rtnl_type rtnl_type;
	uint8_t rtnl_family;
	bool topology_known;
	bool topology_news, end_news, end_complete; /* for the listeners */
	struct dispatch_listener listener[DISPATCH_LISTENERS];
	size_t listeners;
	struct batch batch; /* empty between datagrams, since messages are borrowed */
};

struct dispatch *dispatch_new(struct meter *meter)
{
	struct dispatch *dispatch = calloc(1, sizeof(*dispatch));

	if (dispatch)
		dispatch->meter = meter;
	return dispatch;
}

void dispatch_free(struct dispatch *dispatch)
{
	free(dispatch);
}

/* --- Listeners */

int dispatch_subscribe(struct dispatch *dispatch, const struct dispatch_listener *listener)
{
	if (dispatch->listeners == DISPATCH_LISTENERS)
		return -ENOSPC;
	dispatch->listener[dispatch->listeners++] = *listener;
	return 0;
}

static void notify_begin(struct dispatch *dispatch, uint64_t now)
{
	for (size_t i = 0; i < dispatch->listeners; i++)
		if (dispatch->listener[i].dump_began)
			dispatch->listener[i].dump_began(dispatch->listener[i].ctx, now);
}

static void notify_entry(struct dispatch *dispatch, const struct nlmsghdr *message, const struct ct_event *event)
{
	for (size_t i = 0; i < dispatch->listeners; i++)
		if (dispatch->listener[i].entry)
			dispatch->listener[i].entry(dispatch->listener[i].ctx, message, event);
}

/* Called after the datagram: a listener may send requests, which pass through dispatch_datagram() too. */
static void notify_news(struct dispatch *dispatch, uint64_t now)
{
	const bool topology = dispatch->topology_news, end = dispatch->end_news;

	dispatch->topology_news = dispatch->end_news = false;
	for (size_t i = 0; (topology || end) && i < dispatch->listeners; i++) {
		const struct dispatch_listener *listener = &dispatch->listener[i];

		if (end && listener->dump_ended)
			listener->dump_ended(listener->ctx, dispatch->end_complete, now);
		if (topology && listener->topology_known)
			listener->topology_known(listener->ctx);
	}
}

static void ct_dump_ended(struct dispatch *dispatch, bool complete, uint64_t now)
{
	if (!dispatch->ct.seq)
		return;
	dispatch->ct.seq = 0;
	dispatch->end_news = true;
	dispatch->end_complete = complete;
	meter_dump_end(dispatch->meter, complete, now);
}

void dispatch_dump_aborted(struct dispatch *dispatch, uint64_t now)
{
	ct_dump_ended(dispatch, false, now);
	notify_news(dispatch, now);
}

/* --- Requests of ours */

static void rtnl_request(struct dispatch *dispatch, const struct nlmsghdr *message, enum rtnl_type type)
{
	const uint8_t *family = mnl_nlmsg_get_payload(message);

	if (mnl_nlmsg_get_payload_len(message) < 1)
		return;
	dispatch->rtnl = (struct dump){ .seq = message->nlmsg_seq };
	dispatch->rtnl_type = type;
	dispatch->rtnl_family = *family == AF_INET ? 4 : *family == AF_INET6 ? 6 : 0;
	meter_rtnl_sync_begin(dispatch->meter, type, dispatch->rtnl_family);
}

static void requested(struct dispatch *dispatch, uint16_t protocol, const struct nlmsghdr *message, uint64_t now)
{
	static const uint16_t requests[] = { [RTNL_LINK] = RTM_GETLINK,
		[RTNL_ADDR] = RTM_GETADDR,
		[RTNL_ROUTE] = RTM_GETROUTE,
		[RTNL_NEIGH] = RTM_GETNEIGH,
		[RTNL_RULE] = RTM_GETRULE };

	if ((message->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		return;
	if (protocol == NETLINK_NETFILTER) {
		if (message->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET))
			return;
		dispatch_dump_aborted(dispatch, now); /* the last one did not end */
		dispatch->ct = (struct dump){ .seq = message->nlmsg_seq };
		meter_dump_begin(dispatch->meter, now);
		notify_begin(dispatch, now);
		return;
	}
	for (enum rtnl_type type = RTNL_LINK; type <= RTNL_RULE; type++) {
		if (message->nlmsg_type == requests[type])
			rtnl_request(dispatch, message, type);
	}
}

/* --- Messages of the kernel */

static void dump_ended(struct dispatch *dispatch, uint16_t protocol, const struct nlmsghdr *message, bool complete,
	uint64_t now)
{
	struct dump *dump = protocol == NETLINK_NETFILTER ? &dispatch->ct : &dispatch->rtnl;

	if (!dump->seq || message->nlmsg_seq != dump->seq)
		return;
	complete = complete && !dump->interrupted;
	if (protocol == NETLINK_NETFILTER) {
		ct_dump_ended(dispatch, complete, now);
		return;
	}
	dump->seq = 0;
	if (!complete)
		return;
	meter_rtnl_sync_end(dispatch->meter, dispatch->rtnl_type, dispatch->rtnl_family, now);
	if (dispatch->rtnl_type == RTNL_NEIGH && !dispatch->topology_known)
		dispatch->topology_known = dispatch->topology_news = true;
}

/* To be called before the meter gets anything else: the order of messages stays. */
static void take_batch(struct dispatch *dispatch, uint64_t now)
{
	struct batch *batch = &dispatch->batch;

	meter_prefetch(dispatch->meter, batch->event, batch->count);
	for (size_t i = 0; i < batch->count; i++) {
		meter_ct(dispatch->meter, &batch->event[i], now);
		if (batch->event[i].type == CT_ENTRY)
			notify_entry(dispatch, batch->message[i], &batch->event[i]);
	}
	batch->count = 0;
}

static void conntrack(struct dispatch *dispatch, const struct nlmsghdr *message, uint64_t now)
{
	struct batch *batch = &dispatch->batch;
	int error = ct_decode(message, &batch->event[batch->count]);

	if (error == -EBADMSG)
		meter_damaged(dispatch->meter);
	if (error)
		return;
	batch->message[batch->count++] = message;
	if (batch->count == BATCH)
		take_batch(dispatch, now);
}

/* NETLINK_NETFILTER carries two subsystems of interest: 1 conntrack, 4 NFLOG. */
static void netfilter(struct dispatch *dispatch, const struct nlmsghdr *message, uint64_t now)
{
	struct sighting sighting;
	int error;

	if (message->nlmsg_type >> 8 == NFNL_SUBSYS_ULOG) {
		take_batch(dispatch, now);
		error = nflog_decode(message, &sighting);
		if (!error)
			meter_sighting(dispatch->meter, &sighting, now);
		else if (error == -EBADMSG)
			meter_damaged(dispatch->meter);
		return;
	}
	conntrack(dispatch, message, now);
}

static void rtnetlink(struct dispatch *dispatch, const struct nlmsghdr *message, uint64_t now)
{
	struct rtnl_event event;
	int error = rtnl_decode(message, &event);

	if (!error)
		meter_rtnl(dispatch->meter, &event, now);
	else if (error == -EBADMSG)
		meter_damaged(dispatch->meter);
}

static void received(struct dispatch *dispatch, uint16_t protocol, const struct nlmsghdr *message, uint64_t now)
{
	struct dump *dump = protocol == NETLINK_NETFILTER ? &dispatch->ct : &dispatch->rtnl;

	if (dump->seq && message->nlmsg_seq == dump->seq && (message->nlmsg_flags & NLM_F_DUMP_INTR))
		dump->interrupted = true;
	if (message->nlmsg_type < NLMSG_MIN_TYPE)
		take_batch(dispatch, now);
	switch (message->nlmsg_type) {
	case NLMSG_NOOP:
		break;
	case NLMSG_DONE:
		dump_ended(dispatch, protocol, message, true, now);
		break;
	case NLMSG_ERROR:
		dump_ended(dispatch, protocol, message, false, now);
		break;
	case NLMSG_OVERRUN: /* in a trace; the sequence number is the source */
		if (message->nlmsg_seq < SOURCE_COUNT)
			meter_overrun(dispatch->meter, message->nlmsg_seq, now);
		if (message->nlmsg_seq == SOURCE_DUMP)
			ct_dump_ended(dispatch, false, now);
		break;
	default:
		if (protocol == NETLINK_NETFILTER)
			netfilter(dispatch, message, now);
		else
			rtnetlink(dispatch, message, now);
	}
}

void dispatch_datagram(struct dispatch *dispatch, uint16_t protocol, bool outgoing, const void *data, size_t len,
	uint64_t now)
{
	const struct nlmsghdr *message = data;
	size_t left = len;

	while (nlattr_is_whole(message, left)) {
		size_t step = NLMSG_ALIGN((size_t)message->nlmsg_len);

		if (outgoing)
			requested(dispatch, protocol, message, now);
		else
			received(dispatch, protocol, message, now);
		if (step >= left) {
			left = 0;
			break;
		}
		message = (const void *)((const char *)message + step);
		left -= step;
	}
	take_batch(dispatch, now);
	if (left) /* a wrong length, or a cut message */
		meter_damaged(dispatch->meter);
	notify_news(dispatch, now);
}
