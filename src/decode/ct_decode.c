/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/decode/ct_decode.h"

#include "hostmeter/decode/nlattr.h"

#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* --- Values, by where a shape says that they lie. 0 for what is not there. */

static inline uint8_t read_8(const uint8_t *base, uint16_t at)
{
	return at ? base[at] : 0;
}

static inline uint16_t read_be16(const uint8_t *base, uint16_t at)
{
	uint16_t value;

	memcpy(&value, base + at, sizeof(value));
	return at ? be16toh(value) : 0;
}

static inline uint32_t read_be32(const uint8_t *base, uint16_t at)
{
	uint32_t value;

	memcpy(&value, base + at, sizeof(value));
	return at ? be32toh(value) : 0;
}

static inline uint64_t read_be64(const uint8_t *base, uint16_t at)
{
	uint64_t value;

	memcpy(&value, base + at, sizeof(value));
	return at ? be64toh(value) : 0;
}

static inline void read_addr(const uint8_t *base, uint16_t at, uint8_t family, struct addr *addr)
{
	addr->family = family;
	if (family == 6) {
		memcpy(addr->b, base + at, 16);
		return;
	}
	memcpy(addr->b, base + at, 4);
	memset(addr->b + 4, 0, 12);
}

/*
 * An ICMP message has its id in both ports, so that a tuple needs no third kind of field. GRE has none: the kernel has
 * the call ids of PPTP in their place, one of them taken from the control connection. No packet shows both, so with
 * them no sighting would ever find its flow.
 */
static inline void read_tuple(const struct ct_shape *shape, const uint8_t *base, enum ct_dir dir, uint8_t proto,
	struct ct_tuple *tuple)
{
	const struct ct_shape_tuple *at = &shape->tuple[dir];

	read_addr(base, at->src, shape->family, &tuple->src);
	read_addr(base, at->dst, shape->family, &tuple->dst);
	if (at->icmp_id) {
		tuple->sport = tuple->dport = read_be16(base, at->icmp_id);
	} else if (proto == IPPROTO_GRE) {
		tuple->sport = tuple->dport = 0;
	} else {
		tuple->sport = read_be16(base, at->sport);
		tuple->dport = read_be16(base, at->dport);
	}
}

static void read_entry(const struct ct_shape *shape, const uint8_t *base, uint8_t type, struct ct_event *event)
{
	const struct ct_shape_tuple *original = &shape->tuple[CT_ORIGINAL];

	event->type = type;
	event->family = shape->family;
	event->proto = base[original->proto];
	event->has_counters = shape->has_counters;
	event->zone = read_be16(base, original->zone ? original->zone : shape->zone);
	event->icmp_type = read_8(base, original->icmp_type);
	event->icmp_code = read_8(base, original->icmp_code);
	event->id = read_be32(base, shape->id);
	event->status = read_be32(base, shape->status);
	event->key = 0;
	event->start_ns = read_be64(base, shape->start_ns);
	for (int dir = CT_ORIGINAL; dir <= CT_REPLY; dir++) {
		read_tuple(shape, base, dir, event->proto, &event->tuple[dir]);
		event->packets[dir] = read_be64(base, shape->packets[dir]);
		event->bytes[dir] = read_be64(base, shape->bytes[dir]);
	}
}

/* --- Messages */

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

/* Kinds of the same length take turns in one place: they are learned again and again, which is no more than slow. */
static struct ct_shape *place_of(struct ct_shapes *shapes, size_t len)
{
	return &shapes->shape[len / NLA_ALIGNTO % CT_SHAPES];
}

/* What kind of message it is, whose family, and its attributes. 0, -ENOMSG, -EBADMSG. */
static int open_message(const struct nlmsghdr *message, uint8_t *type, uint8_t *family, struct nlattr_walk *walk)
{
	int ret = event_type(message);

	if (ret < 0)
		return ret;
	*type = (uint8_t)ret;
	ret = nlattr_message(message, sizeof(struct nfgenmsg), walk);
	if (ret < 0)
		return ret;
	switch (((const struct nfgenmsg *)NLMSG_DATA(message))->nfgen_family) {
	case AF_INET:
		*family = 4;
		return 0;
	case AF_INET6:
		*family = 6;
		return 0;
	default:
		return -EBADMSG;
	}
}

int ct_decode_attributes(const void *attributes, size_t len, uint8_t family, struct ct_event *event)
{
	struct ct_shape shape;
	int ret = ct_shape_learn(&shape, family, attributes, len);

	if (!ret)
		read_entry(&shape, attributes, CT_NEW, event);
	return ret;
}

int ct_decode(const struct nlmsghdr *message, struct ct_event *event)
{
	struct nlattr_walk walk;
	uint8_t type, family;
	int ret = open_message(message, &type, &family, &walk);

	if (!ret)
		ret = ct_decode_attributes(walk.at, walk.left, family, event);
	if (!ret)
		event->type = type;
	return ret;
}

int ct_decode_with(struct ct_shapes *shapes, const struct nlmsghdr *message, struct ct_event *event)
{
	struct nlattr_walk walk;
	uint8_t type, family;
	int ret = open_message(message, &type, &family, &walk);
	struct ct_shape *shape;

	if (ret)
		return ret;
	shape = place_of(shapes, walk.left);
	if (!ct_shape_matches(shape, family, walk.at, walk.left)) {
		ret = ct_shape_learn(shape, family, walk.at, walk.left);
		if (ret)
			return ret;
	}
	read_entry(shape, walk.at, type, event);
	return 0;
}
