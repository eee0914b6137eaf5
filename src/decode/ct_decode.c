/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Follows ctnetlink_fill_info() and ctnetlink_conntrack_event() of net/netfilter/nf_conntrack_netlink.c. */
#include "hostmeter/decode/ct_decode.h"

#include "hostmeter/decode/nlattr.h"

#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* The other fields of a tuple. */
struct tuple_rest {
	uint8_t proto, icmp_type, icmp_code;
	bool has_zone;
	uint16_t zone;
};

static int decode_addresses(struct nlattr_walk walk, uint8_t family, struct ct_tuple *tuple)
{
	const uint16_t src = family == 4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC;
	const uint16_t dst = family == 4 ? CTA_IP_V4_DST : CTA_IP_V6_DST;
	struct nlattr_item item;
	int ret;

	tuple->src.family = tuple->dst.family = 0;
	while ((ret = nlattr_next(&walk, &item)) > 0) {
		struct addr *addr = item.type == src ? &tuple->src : &tuple->dst;

		if (item.type != src && item.type != dst)
			continue;
		addr->family = family;
		if (family == 4 ? nlattr_copy(&item, addr->b, 4) : nlattr_copy(&item, addr->b, 16))
			return -EBADMSG;
	}
	return ret;
}

/*
 * Both ports of ICMP hold its id. GRE gets no ports: the kernel puts PPTP's call ids there, but no packet has both ids,
 * so a sighting could not be joined to its flow by them.
 */
static int decode_proto(struct nlattr_walk walk, struct ct_tuple *tuple, struct tuple_rest *rest)
{
	struct nlattr_item item;
	bool has_number = false;
	int ret;

	while ((ret = nlattr_next(&walk, &item)) > 0) {
		switch (item.type) {
		case CTA_PROTO_NUM:
			has_number = true;
			ret = nlattr_copy(&item, &rest->proto, 1);
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
			ret = nlattr_copy(&item, &rest->icmp_type, 1);
			break;
		case CTA_PROTO_ICMP_CODE:
		case CTA_PROTO_ICMPV6_CODE:
			ret = nlattr_copy(&item, &rest->icmp_code, 1);
			break;
		}
		if (ret < 0)
			return ret;
	}
	if (rest->proto == IPPROTO_GRE)
		tuple->sport = tuple->dport = 0;
	return ret < 0 || has_number ? ret : -EBADMSG;
}

/* 0 only if the tuple is complete; a repeated tuple cannot complete the other one. */
static int decode_tuple(struct nlattr_walk walk, uint8_t family, struct ct_tuple *tuple, struct tuple_rest *rest)
{
	struct nlattr_item item;
	bool has_proto = false;
	int ret;

	*tuple = (struct ct_tuple){ 0 };
	*rest = (struct tuple_rest){ 0 };
	while ((ret = nlattr_next(&walk, &item)) > 0) {
		switch (item.type) {
		case CTA_TUPLE_IP:
			ret = decode_addresses(nlattr_nested(&item), family, tuple);
			break;
		case CTA_TUPLE_PROTO:
			has_proto = true;
			ret = decode_proto(nlattr_nested(&item), tuple, rest);
			break;
		case CTA_TUPLE_ZONE:
			rest->has_zone = true;
			ret = nlattr_be16(&item, &rest->zone);
			break;
		}
		if (ret < 0)
			return ret;
	}
	return ret < 0 || (tuple->src.family && tuple->dst.family && has_proto) ? ret : -EBADMSG;
}

static int decode_counters(struct nlattr_walk walk, uint64_t *packets, uint64_t *bytes)
{
	bool has_packets = false, has_bytes = false;
	struct nlattr_item item;
	int ret;

	while ((ret = nlattr_next(&walk, &item)) > 0) {
		if (item.type == CTA_COUNTERS_PACKETS) {
			has_packets = true;
			ret = nlattr_be64(&item, packets);
		} else if (item.type == CTA_COUNTERS_BYTES) {
			has_bytes = true;
			ret = nlattr_be64(&item, bytes);
		}
		if (ret < 0)
			return ret;
	}
	return ret < 0 || (has_packets && has_bytes) ? ret : -EBADMSG;
}

static int decode_timestamp(struct nlattr_walk walk, uint64_t *start_ns)
{
	struct nlattr_item item;
	int ret;

	while ((ret = nlattr_next(&walk, &item)) > 0) {
		if (item.type == CTA_TIMESTAMP_START && nlattr_be64(&item, start_ns))
			return -EBADMSG;
	}
	return ret;
}

struct entry {
	struct ct_event *event;
	struct tuple_rest rest[2];
	bool has_counters[2];
};

/* Each direction has a call of its own: with one for both, all becomes one function, which runs out of registers. */
static int decode_attribute(const struct nlattr_item *item, struct entry *entry)
{
	struct ct_event *event = entry->event;

	switch (item->type) {
	case CTA_TUPLE_ORIG:
		return decode_tuple(nlattr_nested(item), event->family, &event->tuple[CT_ORIGINAL],
			&entry->rest[CT_ORIGINAL]);
	case CTA_TUPLE_REPLY:
		return decode_tuple(nlattr_nested(item), event->family, &event->tuple[CT_REPLY],
			&entry->rest[CT_REPLY]);
	case CTA_COUNTERS_ORIG:
		entry->has_counters[CT_ORIGINAL] = true;
		return decode_counters(nlattr_nested(item), &event->packets[CT_ORIGINAL], &event->bytes[CT_ORIGINAL]);
	case CTA_COUNTERS_REPLY:
		entry->has_counters[CT_REPLY] = true;
		return decode_counters(nlattr_nested(item), &event->packets[CT_REPLY], &event->bytes[CT_REPLY]);
	case CTA_STATUS:
		return nlattr_be32(item, &event->status);
	case CTA_ID:
		return nlattr_be32(item, &event->id);
	case CTA_ZONE:
		return nlattr_be16(item, &event->zone);
	case CTA_TIMESTAMP:
		return decode_timestamp(nlattr_nested(item), &event->start_ns);
	default:
		return 0;
	}
}

int ct_decode_attributes(const void *attributes, size_t len, uint8_t family, struct ct_event *event)
{
	struct nlattr_walk walk = { .at = attributes, .end = (const uint8_t *)attributes + len };
	struct entry entry = { .event = event };
	const struct tuple_rest *original = &entry.rest[CT_ORIGINAL];
	struct nlattr_item item;
	int ret;

	memset(event, 0, offsetof(struct ct_event, tuple)); /* decode_tuple() writes the rest */
	event->type = CT_NEW;
	event->family = family;
	event->tuple[CT_ORIGINAL].src.family = event->tuple[CT_REPLY].src.family = 0; /* not seen yet */
	while ((ret = nlattr_next(&walk, &item)) > 0) {
		if (decode_attribute(&item, &entry))
			return -EBADMSG;
	}
	if (ret || !event->tuple[CT_ORIGINAL].src.family || !event->tuple[CT_REPLY].src.family)
		return -EBADMSG;
	event->proto = original->proto;
	event->icmp_type = original->icmp_type;
	event->icmp_code = original->icmp_code;
	if (original->has_zone)
		event->zone = original->zone;
	event->has_counters = entry.has_counters[CT_ORIGINAL] && entry.has_counters[CT_REPLY];
	return 0;
}

/*
 * An entry of a dump and a NEW event have the same message type. The dump has the sequence number of its request;
 * events have 0. -ENOMSG: not a conntrack entry.
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

int ct_decode(const struct nlmsghdr *message, struct ct_event *event)
{
	struct nlattr_walk walk;
	int type = event_type(message), ret;
	uint8_t family;

	if (type < 0)
		return type;
	ret = nlattr_message(message, sizeof(struct nfgenmsg), &walk);
	if (ret)
		return ret;
	family = ((const struct nfgenmsg *)NLMSG_DATA(message))->nfgen_family;
	if (family != AF_INET && family != AF_INET6)
		return -EBADMSG;
	ret = ct_decode_attributes(walk.at, nlattr_left(&walk), family == AF_INET ? 4 : 6, event);
	event->type = (uint8_t)type;
	return ret;
}
