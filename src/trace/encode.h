/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * encode: the inverse of the decoders: makes a netlink message that decodes to this event, and has nothing else in it.
 */
#pragma once

#include "hostmeter/decode/ct_event.h"
#include "hostmeter/decode/rtnl_event.h"
#include "hostmeter/decode/sighting.h"

#include <linux/netlink.h>

/* Room for the largest message. */
union encode_message {
	struct nlmsghdr head;
	char bytes[1024];
};

/*
 * Each copies the type, flags, sequence number and port of the netlink header like. The packet of a sighting has
 * headers only.
 */
void encode_ct(union encode_message *message, const struct nlmsghdr *like, const struct ct_event *event);
void encode_sighting(union encode_message *message, const struct nlmsghdr *like, const struct sighting *sighting);
void encode_rtnl(union encode_message *message, const struct nlmsghdr *like, const struct rtnl_event *event);

/* A message with payload_len bytes of payload, at most 64: first used bytes of payload, then zeros. */
void encode_plain(union encode_message *message, const struct nlmsghdr *like, const void *payload, size_t used,
	size_t payload_len);
