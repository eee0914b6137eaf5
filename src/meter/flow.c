/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/flow.h"

#include <netinet/in.h>
#include <string.h>

/* What goes into a fingerprint, as words: a struct's padding must not get in, and whole words are hashed fastest. */
struct words {
	uint64_t word[8];
	size_t count;
};

static inline void put(struct words *w, uint64_t word)
{
	w->word[w->count++] = word;
}

/* The family is part of the first word, so two IPv4 addresses may share one. */
static inline void put_addresses(struct words *w, const struct addr *a, const struct addr *b)
{
	uint32_t four[2];

	if (a->family == 4) {
		memcpy(&four[0], a->b, sizeof(four[0]));
		memcpy(&four[1], b->b, sizeof(four[1]));
		put(w, four[0] | (uint64_t)four[1] << 32);
		return;
	}
	memcpy(&w->word[w->count], a->b, sizeof(a->b));
	memcpy(&w->word[w->count + 2], b->b, sizeof(b->b));
	w->count += 4;
}

/* 0 marks an empty slot of a table. */
static uint64_t fingerprint(const struct hash_key *hash, const struct words *w)
{
	uint64_t key = hash_bytes(hash, w->word, w->count * sizeof(w->word[0]));

	return key ? key : 1;
}

uint64_t flow_key(const struct hash_key *hash, const struct ct_event *event)
{
	const struct ct_tuple *tuple = &event->tuple[CT_ORIGINAL];
	struct words w = { .count = 0 };

	put(&w,
		event->family | event->proto << 8 | event->icmp_type << 16 | (uint64_t)event->icmp_code << 24 |
			(uint64_t)event->zone << 32);
	put(&w, event->id | (uint64_t)tuple->sport << 32 | (uint64_t)tuple->dport << 48);
	put_addresses(&w, &tuple->src, &tuple->dst);
	if (event->start_ns) /* the number of words tells whether it is there */
		put(&w, event->start_ns);
	return fingerprint(hash, &w);
}

uint64_t flow_pair(const struct hash_key *hash, uint8_t proto, uint16_t zone, const struct addr *a, uint16_t a_port,
	const struct addr *b, uint16_t b_port, bool *swapped)
{
	int order = addr_cmp(a, b);
	struct words w = { .count = 0 };

	*swapped = order > 0 || (order == 0 && a_port > b_port);
	put(&w,
		a->family | (uint64_t)proto << 8 | (uint64_t)(*swapped ? b_port : a_port) << 16 |
			(uint64_t)(*swapped ? a_port : b_port) << 32 | (uint64_t)zone << 48);
	put_addresses(&w, *swapped ? b : a, *swapped ? a : b);
	return fingerprint(hash, &w);
}

uint64_t flow_pair_of(const struct hash_key *hash, const struct ct_event *event, bool *swapped)
{
	const struct ct_tuple *original = &event->tuple[CT_ORIGINAL];
	const struct ct_tuple *reply = &event->tuple[CT_REPLY];
	/* Source NAT may change an ICMP id outside, but the forward hook always sees the one inside. */
	bool id = event->proto == IPPROTO_ICMP || event->proto == IPPROTO_ICMPV6;

	return flow_pair(hash, event->proto, event->zone, &original->src, original->sport, &reply->src,
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
