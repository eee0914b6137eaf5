/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * encode: the way back from what the decoders gave to a netlink message that they decode to the same, with nothing in
 * it but that.
 */
#pragma once

#include "hostmeter/decode/ct_event.h"
#include "hostmeter/decode/rtnl_event.h"
#include "hostmeter/decode/sighting.h"

#include <linux/netlink.h>

/* Room for one message, whatever is in it. */
union encode_message {
	struct nlmsghdr head;
	char bytes[1024];
};

/*
 * Each takes type, flags, sequence number and port of the netlink header like, and fills in the rest. A sighting
 * becomes a packet of headers only: its ports are zero where its protocol has none. A link is called as its event says.
 */
void encode_ct(union encode_message *message, const struct nlmsghdr *like, const struct ct_event *event);
void encode_sighting(union encode_message *message, const struct nlmsghdr *like, const struct sighting *sighting);
void encode_rtnl(union encode_message *message, const struct nlmsghdr *like, const struct rtnl_event *event);

/* A message with payload_len bytes of payload, the first of them from payload (used bytes of it), the rest zero. */
void encode_plain(union encode_message *message, const struct nlmsghdr *like, const void *payload, size_t used,
	size_t payload_len);
