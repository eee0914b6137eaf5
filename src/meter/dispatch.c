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
	bool interrupted; /* NLM_F_DUMP_INTR: the table changed under it, so it may lack entries */
};

/* Entries of a dump on their way into the meter: while one is taken, the memory that those behind it need is fetched.
 */
enum { AHEAD = 8 };

struct ahead {
	const struct nlmsghdr *message;
	struct ct_event event;
};

struct intake {
	struct meter *meter;
	struct ct_shapes shapes;
	struct dump ct, rtnl;
	enum rtnl_type rtnl_type;
	uint8_t rtnl_family;
	bool topology_known;
	uint64_t dumps_ended;
	struct ahead ahead[AHEAD]; /* a ring; empty between datagrams, since messages are borrowed */
	unsigned int first, count;
	void (*watch)(void *ctx, const struct nlmsghdr *message, const struct ct_event *event);
	void *watch_ctx;
};

struct intake *intake_new(struct meter *meter)
{
	struct intake *intake = calloc(1, sizeof(*intake));

	if (intake)
		intake->meter = meter;
	return intake;
}

void intake_free(struct intake *intake)
{
	free(intake);
}

void intake_watch_entries(struct intake *intake,
	void (*watch)(void *ctx, const struct nlmsghdr *message, const struct ct_event *event), void *ctx)
{
	intake->watch = watch;
	intake->watch_ctx = ctx;
}

bool intake_topology_known(const struct intake *intake)
{
	return intake->topology_known;
}

uint64_t intake_dumps_ended(const struct intake *intake)
{
	return intake->dumps_ended;
}

static void ct_dump_ended(struct intake *intake, bool complete, uint64_t now)
{
	if (!intake->ct.seq)
		return;
	intake->ct.seq = 0;
	intake->dumps_ended++;
	meter_dump_end(intake->meter, complete, now);
}

void intake_dump_aborted(struct intake *intake, uint64_t now)
{
	ct_dump_ended(intake, false, now);
}

/* --- Requests of ours */

static void rtnl_request(struct intake *intake, const struct nlmsghdr *message, enum rtnl_type type)
{
	const uint8_t *family = mnl_nlmsg_get_payload(message);

	if (mnl_nlmsg_get_payload_len(message) < 1)
		return;
	intake->rtnl = (struct dump){ .seq = message->nlmsg_seq };
	intake->rtnl_type = type;
	intake->rtnl_family = *family == AF_INET ? 4 : *family == AF_INET6 ? 6 : 0;
	meter_rtnl_sync_begin(intake->meter, type, intake->rtnl_family);
}

static void requested(struct intake *intake, uint16_t protocol, const struct nlmsghdr *message, uint64_t now)
{
	if ((message->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		return;
	if (protocol == NETLINK_NETFILTER) {
		if (message->nlmsg_type != (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET))
			return;
		ct_dump_ended(intake, false, now); /* the last one never came to its end */
		intake->ct = (struct dump){ .seq = message->nlmsg_seq };
		meter_dump_begin(intake->meter, now);
		return;
	}
	switch (message->nlmsg_type) {
	case RTM_GETLINK:
		rtnl_request(intake, message, RTNL_LINK);
		break;
	case RTM_GETADDR:
		rtnl_request(intake, message, RTNL_ADDR);
		break;
	case RTM_GETROUTE:
		rtnl_request(intake, message, RTNL_ROUTE);
		break;
	case RTM_GETNEIGH:
		rtnl_request(intake, message, RTNL_NEIGH);
		break;
	default:
		break;
	}
}

/* --- What the kernel says */

static void dump_ended(struct intake *intake, uint16_t protocol, const struct nlmsghdr *message, bool complete,
	uint64_t now)
{
	struct dump *dump = protocol == NETLINK_NETFILTER ? &intake->ct : &intake->rtnl;

	if (!dump->seq || message->nlmsg_seq != dump->seq)
		return;
	complete = complete && !dump->interrupted;
	if (protocol == NETLINK_NETFILTER) {
		ct_dump_ended(intake, complete, now);
		return;
	}
	dump->seq = 0;
	if (!complete)
		return;
	meter_rtnl_sync_end(intake->meter, intake->rtnl_type, intake->rtnl_family);
	if (intake->rtnl_type == RTNL_NEIGH)
		intake->topology_known = true;
}

static void take_ct(struct intake *intake, struct ahead *a, uint64_t now)
{
	meter_ct(intake->meter, &a->event, now);
	if (intake->watch && a->event.type == CT_ENTRY)
		intake->watch(intake->watch_ctx, a->message, &a->event);
}

static void take_first(struct intake *intake, uint64_t now)
{
	struct ahead *a = &intake->ahead[intake->first];

	intake->first = (intake->first + 1) % AHEAD;
	intake->count--;
	take_ct(intake, a, now);
}

/* Whatever is on its way comes before anything that follows it. */
static void take_all(struct intake *intake, uint64_t now)
{
	while (intake->count)
		take_first(intake, now);
}

static void conntrack(struct intake *intake, const struct nlmsghdr *message, uint64_t now)
{
	struct ahead *a;
	int error;

	if (intake->count == AHEAD)
		take_first(intake, now);
	a = &intake->ahead[(intake->first + intake->count) % AHEAD];
	a->message = message;
	error = ct_decode_with(&intake->shapes, message, &a->event);
	if (error == -EBADMSG)
		meter_damaged(intake->meter, SOURCE_EVENTS);
	if (error)
		return;
	meter_expect(intake->meter, &a->event);
	intake->count++;
}

/* NETLINK_NETFILTER carries two subsystems of interest: 1 conntrack, 4 NFLOG. */
static void netfilter(struct intake *intake, const struct nlmsghdr *message, uint64_t now)
{
	struct sighting sighting;
	int error;

	if (message->nlmsg_type >> 8 == NFNL_SUBSYS_ULOG) {
		take_all(intake, now);
		error = nflog_decode(message, &sighting);
		if (!error)
			meter_sighting(intake->meter, &sighting, now);
		else if (error == -EBADMSG)
			meter_damaged(intake->meter, SOURCE_NFLOG);
		return;
	}
	conntrack(intake, message, now);
}

static void rtnetlink(struct intake *intake, const struct nlmsghdr *message, uint64_t now)
{
	struct rtnl_event event;
	int error = rtnl_decode(message, &event);

	if (!error)
		meter_rtnl(intake->meter, &event, now);
	else if (error == -EBADMSG)
		meter_damaged(intake->meter, SOURCE_RTNL);
}

static void received(struct intake *intake, uint16_t protocol, const struct nlmsghdr *message, uint64_t now)
{
	struct dump *dump = protocol == NETLINK_NETFILTER ? &intake->ct : &intake->rtnl;

	if (dump->seq && message->nlmsg_seq == dump->seq && (message->nlmsg_flags & NLM_F_DUMP_INTR))
		dump->interrupted = true;
	if (message->nlmsg_type < NLMSG_MIN_TYPE)
		take_all(intake, now);
	switch (message->nlmsg_type) {
	case NLMSG_NOOP:
		break;
	case NLMSG_DONE:
		dump_ended(intake, protocol, message, true, now);
		break;
	case NLMSG_ERROR:
		dump_ended(intake, protocol, message, false, now);
		break;
	case NLMSG_OVERRUN: /* as a trace records it; which socket it was is in the sequence number */
		if (message->nlmsg_seq < SOURCE_COUNT)
			meter_overrun(intake->meter, message->nlmsg_seq, now);
		if (message->nlmsg_seq == SOURCE_DUMP)
			intake_dump_aborted(intake, now);
		break;
	default:
		if (protocol == NETLINK_NETFILTER)
			netfilter(intake, message, now);
		else
			rtnetlink(intake, message, now);
	}
}

void intake_datagram(struct intake *intake, uint16_t protocol, bool outgoing, const void *data, size_t len,
	uint64_t now)
{
	const struct nlmsghdr *message = data;
	size_t left = len;

	while (nlattr_is_whole(message, left)) {
		size_t step = NLMSG_ALIGN((size_t)message->nlmsg_len);

		if (outgoing)
			requested(intake, protocol, message, now);
		else
			received(intake, protocol, message, now);
		if (step >= left) {
			left = 0;
			break;
		}
		message = (const void *)((const char *)message + step);
		left -= step;
	}
	take_all(intake, now);
	if (left) /* a length that is wrong, or a message that was cut */
		meter_damaged(intake->meter, protocol == NETLINK_ROUTE ? SOURCE_RTNL : SOURCE_EVENTS);
}
