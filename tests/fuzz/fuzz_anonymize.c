/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A datagram behind one byte of flags (1: NETLINK_ROUTE, 2: sent by us). What comes out decodes to what went in, but
 * for the addresses.
 */
#include "hostmeter/decode/ct_decode.h"
#include "hostmeter/decode/nflog_decode.h"
#include "hostmeter/decode/nlattr.h"
#include "hostmeter/trace/anonymize.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
	if (!holds)
		abort();
}

static const struct nlmsghdr *next(const struct nlmsghdr *message, size_t *left)
{
	size_t step = NLMSG_ALIGN((size_t)message->nlmsg_len);

	*left -= step < *left ? step : *left;
	return (const void *)((const char *)message + step);
}

static void compare_flow(const struct ct_event *in, const struct ct_event *out)
{
	require(in->type == out->type && in->family == out->family && in->proto == out->proto && in->zone == out->zone);
	require(in->id == out->id && in->status == out->status && in->has_counters == out->has_counters);
	require(!in->has_counters || !memcmp(in->bytes, out->bytes, sizeof(in->bytes)));
	require(in->tuple[0].sport == out->tuple[0].sport && in->tuple[1].sport == out->tuple[1].sport);
}

/* In memory of exactly its size. */
static void check(uint16_t protocol, bool outgoing, const uint8_t *data, size_t size)
{
	static const struct hash_key key = { { 3, 4 } };
	struct anonymizer *a = anonymize_new(&key);
	struct buf out = BUF_INIT;
	void *datagram = malloc(size ? size : 1);
	const struct nlmsghdr *in = datagram, *changed;
	size_t left = size, left_out;

	require(a && datagram);
	memcpy(datagram, data, size);
	anonymize_datagram(a, protocol, outgoing, datagram, size, &out);
	changed = (const void *)out.data;
	left_out = out.len;
	while (left_out) {
		require(nlattr_is_whole(changed, left_out));
		changed = next(changed, &left_out);
	}
	changed = (const void *)out.data;
	left_out = out.len;
	while (protocol == NETLINK_NETFILTER && !outgoing && nlattr_is_whole(in, left)) {
		struct ct_event before, after;

		if (!ct_decode(in, &before)) {
			while (left_out && ct_decode(changed, &after))
				changed = next(changed, &left_out);
			require(left_out);
			compare_flow(&before, &after);
			changed = next(changed, &left_out);
		}
		in = next(in, &left);
	}
	buf_free(&out);
	free(datagram);
	anonymize_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size)
		check(data[0] & 1 ? NETLINK_ROUTE : NETLINK_NETFILTER, data[0] & 2, data + 1, size - 1);
	return 0;
}
