/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * message_of: a fuzzer's input as one netlink message in memory of exactly its size.
 */
#pragma once

#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>

/* NULL if the input holds no header. That nlmsg_len is right is the caller's word to a decoder, so it is made so. */
static inline struct nlmsghdr *message_of(const unsigned char *data, size_t size)
{
	struct nlmsghdr *message = size < NLMSG_HDRLEN ? NULL : malloc(size);

	if (message) {
		memcpy(message, data, size);
		message->nlmsg_len = (__u32)size;
	}
	return message;
}
