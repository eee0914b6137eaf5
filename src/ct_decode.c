/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/ct_decode.h"

#include "hostmeter/nlattr.h"

#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* Which parts a message, or a nested attribute of it, had. */
enum {
	SEEN_ORIGINAL = 1,
	SEEN_REPLY = 2,
	SEEN_TUPLES = SEEN_ORIGINAL | SEEN_REPLY,
	SEEN_COUNTERS_ORIGINAL = 4,
	SEEN_COUNTERS_REPLY = 8,
	SEEN_COUNTERS = SEEN_COUNTERS_ORIGINAL | SEEN_COUNTERS_REPLY,
};

static inline int copy_addr(const struct nlattr_item *item, uint8_t family, size_t len, struct addr *addr)
{
	addr->family = family;
	return nlattr_copy(item, addr->b, len);
}

static int decode_ip(struct nlattr_walk walk, struct ct_tuple *tuple)
{
	struct nlattr_item item;
	int ret;

	while ((ret = nlattr_next(&walk, &item)) > 0) {
		switch (item.type) {
		case CTA_IP_V4_SRC:
			ret = copy_addr(&item, 4, 4, &tuple->src);
			break;
		case CTA_IP_V4_DST:
			ret = copy_addr(&item, 4, 4, &tuple->dst);
			break;
		case CTA_IP_V6_SRC:
			ret = copy_addr(&item, 6, 16, &tuple->src);
			break;
		case CTA_IP_V6_DST:
			ret = copy_addr(&item, 6, 16, &tuple->dst);
			break;
		}
		if (ret < 0)
			break;
	}
	return ret;
}

/* An ICMP message has its id in both ports, so that a tuple needs no third kind of field. */
static int decode_proto(struct nlattr_walk walk, struct ct_event *event, struct ct_tuple *tuple, bool original)
{
	struct nlattr_item item;
	bool has_number = false;
	uint8_t unused;
	int ret;

	while ((ret = nlattr_next(&walk, &item)) > 0) {
		switch (item.type) {
		case CTA_PROTO_NUM:
			has_number = true;
			ret = nlattr_copy(&item, original ? &event->proto : &unused, 1);
			break;
		case CTA_PROTO_SRC_PORT:
			ret = nlattr_be16(&item, &tuple->sport);
			break;
		case CTA_PROTO_DST_PORT:
			ret = nlattr_be16(&item, &tuple->dport);
			break;
		case CTA_PROTO_ICMP_ID:
		case CTA_PROTO_ICMPV6_ID:
			ret = nlattr_be16(&item, &tuple->sport);
			tuple->dport = tuple->sport;
			break;
		case CTA_PROTO_ICMP_TYPE:
		case CTA_PROTO_ICMPV6_TYPE:
			ret = nlattr_copy(&item, original ? &event->icmp_type : &unused, 1);
			break;
		case CTA_PROTO_ICMP_CODE:
		case CTA_PROTO_ICMPV6_CODE:
			ret = nlattr_copy(&item, original ? &event->icmp_code : &unused, 1);
			break;
		}
		if (ret < 0)
			return ret;
	}
	return ret < 0 || has_number ? ret : -EBADMSG;
}

static int decode_tuple(struct nlattr_walk walk, struct ct_event *event, enum ct_dir dir)
{
	struct ct_tuple *tuple = &event->tuple[dir];
	struct nlattr_item item;
	bool has_proto = false;
	int ret;

	while ((ret = nlattr_next(&walk, &item)) > 0) {
		switch (item.type) {
		case CTA_TUPLE_IP:
			ret = decode_ip(nlattr_nested(&item), tuple);
			break;
		case CTA_TUPLE_PROTO:
			has_proto = true;
			ret = decode_proto(nlattr_nested(&item), event, tuple, dir == CT_ORIGINAL);
			break;
		case CTA_TUPLE_ZONE:
			if (dir == CT_ORIGINAL)
				ret = nlattr_be16(&item, &event->zone);
			break;
		}
		if (ret < 0)
			return ret;
	}
	if (ret < 0)
		return ret;
	return has_proto && tuple->src.family == event->family && tuple->dst.family == event->family ? 0 : -EBADMSG;
}

static int decode_counters(struct nlattr_walk walk, struct ct_event *event, enum ct_dir dir)
{
	bool has_packets = false, has_bytes = false;
	struct nlattr_item item;
	int ret;

	while ((ret = nlattr_next(&walk, &item)) > 0) {
		switch (item.type) {
		case CTA_COUNTERS_PACKETS:
			has_packets = true;
			ret = nlattr_be64(&item, &event->packets[dir]);
			break;
		case CTA_COUNTERS_BYTES:
			has_bytes = true;
			ret = nlattr_be64(&item, &event->bytes[dir]);
			break;
		}
		if (ret < 0)
			return ret;
	}
	return ret < 0 || (has_packets && has_bytes) ? ret : -EBADMSG;
}

static int decode_timestamp(struct nlattr_walk walk, struct ct_event *event)
{
	struct nlattr_item item;
	int ret;

	while ((ret = nlattr_next(&walk, &item)) > 0)
		if (item.type == CTA_TIMESTAMP_START && (ret = nlattr_be64(&item, &event->start_ns)) < 0)
			break;
	return ret;
}

/* The parts of an entry that it cannot do without are reported in *seen. */
static int decode_attribute(const struct nlattr_item *item, struct ct_event *event, struct ct_reply *reply, unsigned int *seen)
{
	switch (item->type) {
	case CTA_TUPLE_ORIG:
		*seen |= SEEN_ORIGINAL;
		return decode_tuple(nlattr_nested(item), event, CT_ORIGINAL);
	case CTA_TUPLE_REPLY:
		*seen |= SEEN_REPLY;
		*reply = (struct ct_reply){ item->data, item->len };
		return 0;
	case CTA_COUNTERS_ORIG:
		*seen |= SEEN_COUNTERS_ORIGINAL;
		return decode_counters(nlattr_nested(item), event, CT_ORIGINAL);
	case CTA_COUNTERS_REPLY:
		*seen |= SEEN_COUNTERS_REPLY;
		return decode_counters(nlattr_nested(item), event, CT_REPLY);
	case CTA_STATUS:
		return nlattr_be32(item, &event->status);
	case CTA_ID:
		return nlattr_be32(item, &event->id);
	case CTA_ZONE:
		return nlattr_be16(item, &event->zone);
	case CTA_TIMESTAMP:
		return decode_timestamp(nlattr_nested(item), event);
	default:
		return 0;
	}
}

/*
 * The kernel has the call ids of PPTP's GRE in place of ports, one of them taken from the control connection. No packet
 * shows both, so with them no sighting would ever find its flow.
 */
static void drop_ports(struct ct_event *event, enum ct_dir dir)
{
	if (event->proto == IPPROTO_GRE)
		event->tuple[dir].sport = event->tuple[dir].dport = 0;
}

/*
 * A dump and an event that tells of a new flow have the same message type. A dump answers a request, so it carries that
 * request's sequence number; events carry 0. -ENOMSG for what is no conntrack entry.
 */
static int event_type(const struct nlmsghdr *message)
{
	switch (message->nlmsg_type) {
	case NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW:
		if (message->nlmsg_flags & NLM_F_MULTI || message->nlmsg_seq)
			return CT_ENTRY;
		return message->nlmsg_flags & NLM_F_CREATE ? CT_NEW : CT_UPDATE;
	case NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE:
		return CT_DESTROY;
	default:
		return -ENOMSG;
	}
}

static int decode_entry(struct nlattr_walk walk, struct ct_event *event, struct ct_reply *reply)
{
	struct nlattr_item item;
	unsigned int seen = 0;
	int ret;

	while ((ret = nlattr_next(&walk, &item)) > 0) {
		ret = decode_attribute(&item, event, reply, &seen);
		if (ret < 0)
			return ret;
	}
	if (ret < 0 || (seen & SEEN_TUPLES) != SEEN_TUPLES)
		return -EBADMSG;
	event->has_counters = (seen & SEEN_COUNTERS) == SEEN_COUNTERS;
	drop_ports(event, CT_ORIGINAL);
	return 0;
}

int ct_decode_reply(const struct ct_reply *reply, struct ct_event *event)
{
	int ret = decode_tuple((struct nlattr_walk){ .at = reply->attributes, .left = reply->len }, event, CT_REPLY);

	drop_ports(event, CT_REPLY);
	return ret;
}

int ct_decode_attributes(const void *attributes, size_t len, uint8_t family, struct ct_event *event)
{
	struct nlattr_walk walk = { .at = attributes, .left = len };
	struct ct_reply reply;
	int ret;

	*event = (struct ct_event){ .type = CT_NEW, .family = family };
	ret = decode_entry(walk, event, &reply);
	return ret < 0 ? ret : ct_decode_reply(&reply, event);
}

int ct_decode_original(const struct nlmsghdr *message, struct ct_event *event, struct ct_reply *reply)
{
	int type = event_type(message);
	struct nlattr_walk walk;
	uint8_t family;
	int ret;

	if (type < 0)
		return type;
	ret = nlattr_message(message, sizeof(struct nfgenmsg), &walk);
	if (ret < 0)
		return ret;
	family = ((const struct nfgenmsg *)NLMSG_DATA(message))->nfgen_family;
	if (family != AF_INET && family != AF_INET6)
		return -EBADMSG;

	*event = (struct ct_event){ .type = (uint8_t)type, .family = family == AF_INET ? 4 : 6 };
	return decode_entry(walk, event, reply);
}

int ct_decode(const struct nlmsghdr *message, struct ct_event *event)
{
	struct ct_reply reply;
	int ret = ct_decode_original(message, event, &reply);

	return ret < 0 ? ret : ct_decode_reply(&reply, event);
}
