/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ct_shape: where in a conntrack entry's attributes each value lies.
 *
 * The kernel writes every entry of one kind (family, protocol, what is switched on) in the same way: the same
 * attributes of the same lengths in the same order, some thirty headers and then other values between them. Where the
 * values lie depends on those headers and on nothing else. So they are walked over once for each kind; what is found is
 * a shape. Of every further entry it is only asked whether its headers are the shape's, word for word at the same
 * places: then a walk would lead to the same values, and every length has been checked already. Half of an entry's cost
 * was that walk.
 */
#ifndef HOSTMETER_DECODE_CT_SHAPE_H
#define HOSTMETER_DECODE_CT_SHAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The kernel has less than 50, where everything is switched on. They are compared four at once. */
enum { CT_SHAPE_HEADERS = 64, CT_SHAPE_AT_ONCE = 4 };

/* Values by where they begin, in bytes from the first attribute; 0: there is none, for a header lies there. */
struct ct_shape_tuple {
	uint16_t src, dst; /* 4 or 16 bytes, by the family */
	uint16_t proto, sport, dport, icmp_id, icmp_type, icmp_code, zone;
};

struct ct_shape {
	uint8_t family; /* 4 or 6 */
	bool has_counters;
	uint16_t len;     /* of all attributes; 0: matches nothing */
	uint16_t headers; /* rounded up to CT_SHAPE_AT_ONCE, the last one being repeated */
	uint16_t header_at[CT_SHAPE_HEADERS];
	uint32_t header[CT_SHAPE_HEADERS];
	struct ct_shape_tuple tuple[2];
	uint16_t id, status, zone, start_ns;
	uint16_t packets[2], bytes[2];
};

/*
 * Walks over the attributes of an entry of this family. 0; -EBADMSG if a length is wrong, there are more than 64 KiB or
 * more headers than CT_SHAPE_HEADERS in what is looked into, a tuple is missing or not of the family; *shape matches
 * nothing then. Follows ctnetlink_fill_info() and ctnetlink_conntrack_event() of net/netfilter/nf_conntrack_netlink.c.
 */
int ct_shape_learn(struct ct_shape *shape, uint8_t family, const void *attributes, size_t len);

/* Whether attributes of so many bytes have this shape. */
static inline bool ct_shape_matches(const struct ct_shape *shape, uint8_t family, const void *attributes, size_t len)
{
	const uint8_t *bytes = attributes;
	uint32_t difference = 0;

	if (shape->len != len || shape->family != family || !len)
		return false;
	for (unsigned int i = 0; i < shape->headers; i += CT_SHAPE_AT_ONCE) {
#pragma GCC unroll 4
		for (unsigned int j = i; j < i + CT_SHAPE_AT_ONCE; j++) {
			uint32_t header;

			memcpy(&header, bytes + shape->header_at[j], sizeof(header));
			difference |= header ^ shape->header[j];
		}
	}
	return !difference;
}

#endif
