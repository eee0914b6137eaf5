/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/flow.h"

#include <netinet/in.h>
#include <string.h>

/* Fields are laid out by hand: a struct's padding must not get into a fingerprint. */
struct writer {
	uint8_t bytes[64];
	size_t len;
};

static void put(struct writer *w, const void *data, size_t len)
{
	memcpy(w->bytes + w->len, data, len);
	w->len += len;
}

static void put_end(struct writer *w, const struct addr *addr, uint16_t port)
{
	put(w, addr->b, sizeof(addr->b));
	put(w, &port, sizeof(port));
}

/* 0 marks an empty slot of a table. */
static uint64_t fingerprint(const struct hash_key *hash, const struct writer *w)
{
	uint64_t key = hash_bytes(hash, w->bytes, w->len);

	return key ? key : 1;
}

uint64_t flow_key(const struct hash_key *hash, const struct ct_event *event)
{
	const struct ct_tuple *tuple = &event->tuple[CT_ORIGINAL];
	const uint8_t kind[4] = { event->family, event->proto, event->icmp_type, event->icmp_code };
	struct writer w = { .len = 0 };

	put(&w, kind, sizeof(kind));
	put(&w, &event->zone, sizeof(event->zone));
	put(&w, &event->id, sizeof(event->id));
	put(&w, &event->start_ns, sizeof(event->start_ns));
	put_end(&w, &tuple->src, tuple->sport);
	put_end(&w, &tuple->dst, tuple->dport);
	return fingerprint(hash, &w);
}

uint64_t flow_pair(const struct hash_key *hash, uint8_t proto, const struct addr *a, uint16_t a_port,
	const struct addr *b, uint16_t b_port, bool *swapped)
{
	int order = addr_cmp(a, b);
	const uint8_t kind[2] = { a->family, proto };
	struct writer w = { .len = 0 };

	*swapped = order > 0 || (order == 0 && a_port > b_port);
	put(&w, kind, sizeof(kind));
	put_end(&w, *swapped ? b : a, *swapped ? b_port : a_port);
	put_end(&w, *swapped ? a : b, *swapped ? a_port : b_port);
	return fingerprint(hash, &w);
}

uint64_t flow_pair_of(const struct hash_key *hash, const struct ct_event *event, bool *swapped)
{
	const struct ct_tuple *original = &event->tuple[CT_ORIGINAL];
	const struct ct_tuple *reply = &event->tuple[CT_REPLY];
	/* Source NAT may change an ICMP id outside, but the forward hook always sees the one inside. */
	bool id = event->proto == IPPROTO_ICMP || event->proto == IPPROTO_ICMPV6;

	return flow_pair(hash, event->proto, &original->src, original->sport, &reply->src,
		id ? original->sport : reply->sport, swapped);
}

const char *flow_by_name(enum flow_by by)
{
	static const char *const names[FLOW_BY_COUNT] = {
		[FLOW_BY_NONE] = "none",
		[FLOW_BY_NFLOG] = "nflog",
		[FLOW_BY_NEIGHBOUR] = "neighbour",
		[FLOW_BY_ADDRESS] = "address",
		[FLOW_BY_ROUTER] = "router",
	};

	return by < FLOW_BY_COUNT ? names[by] : names[FLOW_BY_NONE];
}
