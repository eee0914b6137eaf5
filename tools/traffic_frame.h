/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traffic_frame: the few Ethernet frames that the traffic generator speaks, between bytes and a plain struct.
 *
 * UDP, TCP without options and ICMP echo over IPv4 and IPv6; payloads are zero bytes, so they never touch a checksum.
 * ARP and neighbour discovery go from question to answer in one step.
 */
#pragma once

#include "hostmeter/base/addr.h"

#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { FRAME_HEADERS = 128, IP4_HEADER = 20, IP6_HEADER = 40, HOP_LIMIT = 64, NDP_HOP_LIMIT = 255 };
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16, TCP_WINDOW = 65535 };

struct frame {
	struct mac smac, dmac;
	struct addr src, dst;
	uint8_t proto;         /* IPPROTO_UDP, _TCP, _ICMP or _ICMPV6 */
	uint8_t kind;          /* TCP: its flags; ICMP: its type */
	uint16_t sport, dport; /* ICMP echo: the identifier in both */
	uint32_t seq, ack;     /* TCP; an echo's sequence number stands in seq */
	uint32_t payload;      /* bytes after the last header */
	uint32_t l3_bytes;     /* from the IP header to the end: what conntrack counts; set by parse and build */
};

static inline void put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static inline void put32(uint8_t *to, uint32_t value)
{
	put16(to, value >> 16);
	put16(to + 2, value);
}

static inline uint16_t get16(const uint8_t *from)
{
	return (uint16_t)(from[0] << 8 | from[1]);
}

static inline uint32_t get32(const uint8_t *from)
{
	return (uint32_t)get16(from) << 16 | get16(from + 2);
}

/* One's complement sum of an even number of bytes, RFC 1071; not folded. */
static inline uint32_t checksum_add(uint32_t sum, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i += 2)
		sum += get16(data + i);
	return sum;
}

static inline uint16_t checksum_fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static inline uint8_t frame_icmp(uint8_t family)
{
	return family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6;
}

static inline uint8_t frame_echo_request(uint8_t family)
{
	return family == 4 ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
}

static inline uint8_t frame_echo_reply(uint8_t family)
{
	return family == 4 ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
}

/* IP and upper-layer headers together, without payload. */
static inline uint32_t frame_overhead(uint8_t family, uint8_t proto)
{
	return (family == 4 ? IP4_HEADER : IP6_HEADER) + (proto == IPPROTO_TCP ? 20 : 8);
}

/* Writes Ethernet and IP headers. Returns where the upper layer begins. */
static inline uint8_t *frame_ip(uint8_t *out, const struct frame *f, uint32_t l4_bytes, uint8_t hop_limit)
{
	uint8_t *ip = out + ETH_HLEN;

	memcpy(out, f->dmac.b, MAC_LEN);
	memcpy(out + MAC_LEN, f->smac.b, MAC_LEN);
	put16(out + 2 * MAC_LEN, f->src.family == 4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	if (f->src.family == 6) {
		put32(ip, UINT32_C(6) << 28);
		put16(ip + 4, l4_bytes);
		ip[6] = f->proto;
		ip[7] = hop_limit;
		memcpy(ip + 8, f->src.b, 16);
		memcpy(ip + 24, f->dst.b, 16);
		return ip + IP6_HEADER;
	}
	put32(ip, UINT32_C(0x45) << 24 | (IP4_HEADER + l4_bytes));
	put32(ip + 4, UINT32_C(0x4000)); /* don't fragment */
	put32(ip + 8, (uint32_t)hop_limit << 24 | (uint32_t)f->proto << 16);
	memcpy(ip + 12, f->src.b, 4);
	memcpy(ip + 16, f->dst.b, 4);
	put16(ip + 10, checksum_fold(checksum_add(0, ip, IP4_HEADER)));
	return ip + IP4_HEADER;
}

/* The checksum of headers whose own checksum field is zero; everything after them must be zero bytes. */
static inline uint16_t frame_checksum(const struct frame *f, const uint8_t *l4, size_t header, uint32_t l4_bytes)
{
	uint32_t sum = checksum_add(0, l4, header);

	if (f->proto != IPPROTO_ICMP) {
		sum = checksum_add(sum, f->src.b, 16); /* what IPv4 does not use is zero */
		sum = checksum_add(sum, f->dst.b, 16);
		sum += f->proto + l4_bytes;
	}
	return checksum_fold(sum);
}

/* Writes all headers of f. Returns their length; payload zero bytes belong after them. Sets f->l3_bytes. */
static inline size_t frame_build(uint8_t out[static FRAME_HEADERS], struct frame *f)
{
	size_t header = f->proto == IPPROTO_TCP ? 20 : 8;
	uint32_t l4_bytes = (uint32_t)header + f->payload;
	uint8_t *l4 = frame_ip(out, f, l4_bytes, HOP_LIMIT);
	uint16_t sum;

	f->l3_bytes = (uint32_t)(l4 - out) - ETH_HLEN + l4_bytes;
	memset(l4, 0, header);
	if (f->proto == IPPROTO_UDP || f->proto == IPPROTO_TCP) {
		put16(l4, f->sport);
		put16(l4 + 2, f->dport);
	}
	if (f->proto == IPPROTO_UDP) {
		put16(l4 + 4, l4_bytes);
		sum = frame_checksum(f, l4, header, l4_bytes);
		put16(l4 + 6, sum ? sum : 0xffff); /* 0 would say "no checksum" */
	} else if (f->proto == IPPROTO_TCP) {
		put32(l4 + 4, f->seq);
		put32(l4 + 8, f->ack);
		put32(l4 + 12, UINT32_C(5) << 28 | (uint32_t)f->kind << 16 | TCP_WINDOW);
		put16(l4 + 16, frame_checksum(f, l4, header, l4_bytes));
	} else {
		l4[0] = f->kind;
		put16(l4 + 4, f->sport);
		put16(l4 + 6, f->seq);
		put16(l4 + 2, frame_checksum(f, l4, header, l4_bytes));
	}
	return (size_t)(l4 - out) + header;
}

static inline bool frame_parse_l4(struct frame *f, const uint8_t *l4, size_t len, size_t l4_bytes)
{
	size_t header = 8;

	if (f->proto != IPPROTO_UDP && f->proto != IPPROTO_TCP && f->proto != frame_icmp(f->src.family))
		return false;
	if (f->proto == IPPROTO_TCP && len >= 20) {
		header = 4 * (size_t)(l4[12] >> 4);
		f->kind = l4[13] & 0x3f;
		f->seq = get32(l4 + 4);
		f->ack = get32(l4 + 8);
	}
	if (len < header || l4_bytes < header || (f->proto == IPPROTO_TCP && header < 20))
		return false;
	f->sport = get16(l4);
	f->dport = get16(l4 + 2);
	if (f->proto == IPPROTO_ICMP || f->proto == IPPROTO_ICMPV6) {
		f->kind = l4[0];
		f->sport = f->dport = get16(l4 + 4);
		f->seq = get16(l4 + 6);
	}
	f->payload = (uint32_t)(l4_bytes - header);
	return true;
}

/* Reads a captured frame; its headers must be there. False for all that frame_build() could not have written. */
static inline bool frame_parse(const uint8_t *in, size_t len, struct frame *f)
{
	const uint8_t *ip = in + ETH_HLEN;
	size_t left = len - ETH_HLEN, header = IP6_HEADER;

	*f = (struct frame){ 0 };
	if (len < ETH_HLEN + IP4_HEADER)
		return false;
	memcpy(f->dmac.b, in, MAC_LEN);
	memcpy(f->smac.b, in + MAC_LEN, MAC_LEN);
	if (get16(in + 2 * MAC_LEN) == ETHERTYPE_IP) {
		header = 4 * (size_t)(ip[0] & 15);
		f->l3_bytes = get16(ip + 2);
		f->proto = ip[9];
		f->src = addr_make(4, ip + 12, 4);
		f->dst = addr_make(4, ip + 16, 4);
		if (header < IP4_HEADER || get16(ip + 6) & 0x3fff) /* a fragment */
			return false;
	} else if (get16(in + 2 * MAC_LEN) == ETHERTYPE_IPV6 && left >= IP6_HEADER) {
		f->l3_bytes = (uint32_t)IP6_HEADER + get16(ip + 4);
		f->proto = ip[6];
		f->src = addr_make(6, ip + 8, 16);
		f->dst = addr_make(6, ip + 24, 16);
	} else {
		return false;
	}
	if (left < header || f->l3_bytes < header)
		return false;
	return frame_parse_l4(f, ip + header, left - header, f->l3_bytes - header);
}

/* The frame that goes back: ends exchanged, the rest as it was. */
static inline struct frame frame_turn(const struct frame *in)
{
	struct frame out = *in;

	out.smac = in->dmac;
	out.dmac = in->smac;
	out.src = in->dst;
	out.dst = in->src;
	out.sport = in->dport;
	out.dport = in->sport;
	return out;
}

/* Whether it is an ARP request (RFC 826) or a neighbour solicitation (RFC 4861), and for which address. */
static inline bool frame_asks(const uint8_t *in, size_t len, struct addr *target)
{
	const uint8_t *p = in + ETH_HLEN;

	if (len >= ETH_HLEN + 28 && get16(in + 12) == ETHERTYPE_ARP && get16(p + 6) == 1) {
		*target = addr_make(4, p + 24, 4);
		return true;
	}
	if (len >= ETH_HLEN + IP6_HEADER + 24 && get16(in + 12) == ETHERTYPE_IPV6 && p[6] == IPPROTO_ICMPV6 &&
		p[IP6_HEADER] == ND_NEIGHBOR_SOLICIT) {
		*target = addr_make(6, p + IP6_HEADER + 8, 16);
		return true;
	}
	return false;
}

/* Answers what frame_asks() found: "target is at mac". Returns the frame's length. */
static inline size_t frame_answer(uint8_t out[static FRAME_HEADERS], const uint8_t *in, const struct addr *target,
	const struct mac *mac)
{
	const uint8_t *p = in + ETH_HLEN;
	struct frame f = { .smac = *mac, .src = *target, .proto = IPPROTO_ICMPV6 };
	uint8_t *l4;

	memcpy(f.dmac.b, in + MAC_LEN, MAC_LEN);
	if (target->family == 4) {
		memcpy(out, f.dmac.b, MAC_LEN);
		memcpy(out + MAC_LEN, mac->b, MAC_LEN);
		memcpy(out + 12, in + 12, 8); /* EtherType and the ARP request's first three fields */
		put16(out + ETH_HLEN + 6, 2); /* reply */
		memcpy(out + ETH_HLEN + 8, mac->b, MAC_LEN);
		memcpy(out + ETH_HLEN + 14, target->b, 4);
		memcpy(out + ETH_HLEN + 18, p + 8, MAC_LEN + 4);
		return ETH_HLEN + 28;
	}
	f.dst = addr_make(6, p + 8, 16);
	l4 = frame_ip(out, &f, 32, NDP_HOP_LIMIT);
	memset(l4, 0, 32);
	l4[0] = ND_NEIGHBOR_ADVERT;
	l4[4] = 0x60; /* solicited, override */
	memcpy(l4 + 8, target->b, 16);
	l4[24] = ND_OPT_TARGET_LINKADDR;
	l4[25] = 1;
	memcpy(l4 + 26, mac->b, MAC_LEN);
	put16(l4 + 2, frame_checksum(&f, l4, 32, 32));
	return ETH_HLEN + IP6_HEADER + 32;
}
