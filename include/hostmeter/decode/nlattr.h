/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * nlattr: a walk over netlink attributes (linux/netlink.h), every length checked. All inline: it runs about thirty
 * times per conntrack entry.
 */
#pragma once

#include <endian.h>
#include <errno.h>
#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct nlattr_walk {
	const uint8_t *at, *end;
};

/* One attribute; data is borrowed from the message and may be unaligned. */
struct nlattr_item {
	unsigned int type; /* without the flags for nested and byte order */
	size_t len;        /* of data */
	const uint8_t *data;
};

/* Whether a message lies within the bytes that are left. (mnl_nlmsg_ok() accepts lengths of 2 GiB and more.) */
static inline bool nlattr_is_whole(const struct nlmsghdr *message, size_t left)
{
	return left >= sizeof(*message) && message->nlmsg_len >= sizeof(*message) && message->nlmsg_len <= left;
}

/* The attributes of a message behind its fixed header of this size; -EBADMSG if the message is shorter. */
static inline int nlattr_message(const struct nlmsghdr *message, size_t fixed, struct nlattr_walk *walk)
{
	size_t header = NLMSG_HDRLEN + NLMSG_ALIGN(fixed);

	if (message->nlmsg_len < header)
		return -EBADMSG;
	walk->at = (const uint8_t *)message + header;
	walk->end = (const uint8_t *)message + message->nlmsg_len;
	return 0;
}

/* The attributes inside a nested one. */
static inline struct nlattr_walk nlattr_nested(const struct nlattr_item *item)
{
	return (struct nlattr_walk){ .at = item->data, .end = item->data + item->len };
}

/* The bytes that are left. */
static inline size_t nlattr_left(const struct nlattr_walk *walk)
{
	return (size_t)(walk->end - walk->at);
}

/* The next attribute: 1, 0 at the end, -EBADMSG if a length is wrong. The last one may lack its padding. */
static inline int nlattr_next(struct nlattr_walk *walk, struct nlattr_item *item)
{
	size_t left = nlattr_left(walk), step;
	struct nlattr head;

	if (left < NLA_HDRLEN)
		return left ? -EBADMSG : 0;
	memcpy(&head, walk->at, sizeof(head));
	step = NLA_ALIGN((size_t)head.nla_len);
	if (head.nla_len < NLA_HDRLEN)
		return -EBADMSG;
	if (step > left) { /* a branch and no minimum, which each step would wait for */
		if (head.nla_len > left)
			return -EBADMSG;
		step = left;
	}
	item->type = head.nla_type & NLA_TYPE_MASK;
	item->len = (size_t)head.nla_len - NLA_HDRLEN;
	item->data = walk->at + NLA_HDRLEN;
	walk->at += step;
	return 1;
}

/* Copies a value of exactly this size. 0, or -EBADMSG and *to untouched. */
static inline int nlattr_copy(const struct nlattr_item *item, void *to, size_t size)
{
	if (item->len != size)
		return -EBADMSG;
	memcpy(to, item->data, size);
	return 0;
}

/* Numbers in network byte order, as netfilter sends them. */
static inline int nlattr_be16(const struct nlattr_item *item, uint16_t *to)
{
	if (nlattr_copy(item, to, sizeof(*to)))
		return -EBADMSG;
	*to = be16toh(*to);
	return 0;
}

static inline int nlattr_be32(const struct nlattr_item *item, uint32_t *to)
{
	if (nlattr_copy(item, to, sizeof(*to)))
		return -EBADMSG;
	*to = be32toh(*to);
	return 0;
}

static inline int nlattr_be64(const struct nlattr_item *item, uint64_t *to)
{
	if (nlattr_copy(item, to, sizeof(*to)))
		return -EBADMSG;
	*to = be64toh(*to);
	return 0;
}
