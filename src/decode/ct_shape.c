/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/decode/ct_shape.h"

#include "hostmeter/decode/nlattr.h"

#include <linux/netfilter/nfnetlink_conntrack.h>

/* A walk in progress. */
struct learning {
	struct ct_shape *shape;
	const uint8_t *base;
	uint8_t family;
};

/* False if there is no more room. */
static bool note(struct ct_shape *shape, const uint8_t *base, uint16_t at)
{
	if (shape->headers == CT_SHAPE_HEADERS)
		return false;
	shape->header_at[shape->headers] = at;
	memcpy(&shape->header[shape->headers], base + at, sizeof(shape->header[0]));
	shape->headers++;
	return true;
}

/* As nlattr_next(), and notes the header. More of them than there is room for are damage: the kernel has not so many.
 */
static int next(struct learning *l, struct nlattr_walk *walk, struct nlattr_item *item)
{
	int ret = nlattr_next(walk, item);

	if (ret <= 0)
		return ret;
	return note(l->shape, l->base, (uint16_t)(item->data - NLA_HDRLEN - l->base)) ? 1 : -EBADMSG;
}

/* A value of exactly this size. 0 or -EBADMSG. */
static int place(const struct learning *l, const struct nlattr_item *item, size_t size, uint16_t *at)
{
	if (item->len != size)
		return -EBADMSG;
	*at = (uint16_t)(item->data - l->base);
	return 0;
}

static int learn_ip(struct learning *l, struct nlattr_walk walk, struct ct_shape_tuple *tuple)
{
	struct nlattr_item item;
	int ret;

	while ((ret = next(l, &walk, &item)) > 0) {
		switch (item.type) {
		case CTA_IP_V4_SRC:
			ret = l->family == 4 ? place(l, &item, 4, &tuple->src) : -EBADMSG;
			break;
		case CTA_IP_V4_DST:
			ret = l->family == 4 ? place(l, &item, 4, &tuple->dst) : -EBADMSG;
			break;
		case CTA_IP_V6_SRC:
			ret = l->family == 6 ? place(l, &item, 16, &tuple->src) : -EBADMSG;
			break;
		case CTA_IP_V6_DST:
			ret = l->family == 6 ? place(l, &item, 16, &tuple->dst) : -EBADMSG;
			break;
		}
		if (ret < 0)
			return ret;
	}
	return ret;
}

static int learn_proto(struct learning *l, struct nlattr_walk walk, struct ct_shape_tuple *tuple)
{
	struct nlattr_item item;
	int ret;

	tuple->proto = 0;
	while ((ret = next(l, &walk, &item)) > 0) {
		switch (item.type) {
		case CTA_PROTO_NUM:
			ret = place(l, &item, 1, &tuple->proto);
			break;
		case CTA_PROTO_SRC_PORT:
			ret = place(l, &item, 2, &tuple->sport);
			break;
		case CTA_PROTO_DST_PORT:
			ret = place(l, &item, 2, &tuple->dport);
			break;
		case CTA_PROTO_ICMP_ID:
		case CTA_PROTO_ICMPV6_ID:
			ret = place(l, &item, 2, &tuple->icmp_id);
			break;
		case CTA_PROTO_ICMP_TYPE:
		case CTA_PROTO_ICMPV6_TYPE:
			ret = place(l, &item, 1, &tuple->icmp_type);
			break;
		case CTA_PROTO_ICMP_CODE:
		case CTA_PROTO_ICMPV6_CODE:
			ret = place(l, &item, 1, &tuple->icmp_code);
			break;
		}
		if (ret < 0)
			return ret;
	}
	return ret < 0 || tuple->proto ? ret : -EBADMSG;
}

/* Each of these is whole by itself, so one that comes twice cannot lend to the other what it lacks. */
static int learn_tuple(struct learning *l, struct nlattr_walk walk, struct ct_shape_tuple *tuple)
{
	struct nlattr_item item;
	int ret;

	*tuple = (struct ct_shape_tuple){ 0 };
	while ((ret = next(l, &walk, &item)) > 0) {
		switch (item.type) {
		case CTA_TUPLE_IP:
			ret = learn_ip(l, nlattr_nested(&item), tuple);
			break;
		case CTA_TUPLE_PROTO:
			ret = learn_proto(l, nlattr_nested(&item), tuple);
			break;
		case CTA_TUPLE_ZONE:
			ret = place(l, &item, 2, &tuple->zone);
			break;
		}
		if (ret < 0)
			return ret;
	}
	return ret < 0 || (tuple->src && tuple->dst && tuple->proto) ? ret : -EBADMSG;
}

static int learn_counters(struct learning *l, struct nlattr_walk walk, int dir)
{
	struct ct_shape *shape = l->shape;
	struct nlattr_item item;
	int ret;

	shape->packets[dir] = shape->bytes[dir] = 0;
	while ((ret = next(l, &walk, &item)) > 0) {
		if (item.type == CTA_COUNTERS_PACKETS)
			ret = place(l, &item, 8, &shape->packets[dir]);
		else if (item.type == CTA_COUNTERS_BYTES)
			ret = place(l, &item, 8, &shape->bytes[dir]);
		if (ret < 0)
			return ret;
	}
	return ret < 0 || (shape->packets[dir] && shape->bytes[dir]) ? ret : -EBADMSG;
}

static int learn_timestamp(struct learning *l, struct nlattr_walk walk)
{
	struct nlattr_item item;
	int ret;

	while ((ret = next(l, &walk, &item)) > 0)
		if (item.type == CTA_TIMESTAMP_START && (ret = place(l, &item, 8, &l->shape->start_ns)) < 0)
			break;
	return ret;
}

static int learn_attribute(struct learning *l, const struct nlattr_item *item)
{
	struct ct_shape *shape = l->shape;

	switch (item->type) {
	case CTA_TUPLE_ORIG:
		return learn_tuple(l, nlattr_nested(item), &shape->tuple[0]);
	case CTA_TUPLE_REPLY:
		return learn_tuple(l, nlattr_nested(item), &shape->tuple[1]);
	case CTA_COUNTERS_ORIG:
		return learn_counters(l, nlattr_nested(item), 0);
	case CTA_COUNTERS_REPLY:
		return learn_counters(l, nlattr_nested(item), 1);
	case CTA_STATUS:
		return place(l, item, 4, &shape->status);
	case CTA_ID:
		return place(l, item, 4, &shape->id);
	case CTA_ZONE:
		return place(l, item, 2, &shape->zone);
	case CTA_TIMESTAMP:
		return learn_timestamp(l, nlattr_nested(item));
	default:
		return 0;
	}
}

int ct_shape_learn(struct ct_shape *shape, uint8_t family, const void *attributes, size_t len)
{
	struct learning l = { .shape = shape, .base = attributes, .family = family };
	struct nlattr_walk walk = { .at = attributes, .left = len };
	struct nlattr_item item;
	int ret;

	*shape = (struct ct_shape){ .family = family };
	if (len > UINT16_MAX)
		return -EBADMSG;
	while ((ret = next(&l, &walk, &item)) > 0) {
		ret = learn_attribute(&l, &item);
		if (ret < 0)
			return ret;
	}
	if (ret < 0 || !shape->tuple[0].proto || !shape->tuple[1].proto)
		return -EBADMSG;
	while (shape->headers % CT_SHAPE_AT_ONCE)
		note(shape, l.base, shape->header_at[shape->headers - 1]);
	shape->has_counters = shape->bytes[0] && shape->bytes[1];
	shape->len = (uint16_t)len;
	return 0;
}
