/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/decode/nflog_decode.h"

#include "hostmeter/decode/ct_decode.h"
#include "hostmeter/decode/nlattr.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

enum { IP4_HEADER = 20, IP6_HEADER = 40, ICMP_WITH_ID = 6, PROTO_DCCP = 33 };

/* The rest of a packet. */
struct bytes {
	const uint8_t *at;
	size_t left;
};

static inline uint16_t be16_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void skip(struct bytes *b, size_t n)
{
	b->at += n;
	b->left -= n;
}

/* Cuts off padding of the link layer. 0 stands for a length of more than 16 bits. */
static void trim(struct bytes *b, size_t len)
{
	if (len && len < b->left)
		b->left = len;
}

/* The types with an id in bytes 4 and 5, as in nf_conntrack_proto_icmp.c and …_icmpv6.c. */
static const uint8_t icmp_with_id[] = { ICMP_ECHO, ICMP_ECHOREPLY, ICMP_TIMESTAMP, ICMP_TIMESTAMPREPLY,
	ICMP_INFO_REQUEST, ICMP_INFO_REPLY, ICMP_ADDRESS, ICMP_ADDRESSREPLY };
static const uint8_t icmp6_with_id[] = { ICMP6_ECHO_REQUEST, ICMP6_ECHO_REPLY, 139, 140 /* RFC 4620 */ };

static void set_ports(struct sighting *s, uint16_t sport, uint16_t dport)
{
	s->sport = sport;
	s->dport = dport;
	s->has_ports = true;
}

static void read_ports(struct bytes b, struct sighting *s)
{
	switch (s->proto) {
	case IPPROTO_TCP:
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
	case IPPROTO_SCTP:
	case PROTO_DCCP:
		if (b.left >= 4)
			set_ports(s, be16_at(b.at), be16_at(b.at + 2));
		break;
	case IPPROTO_ICMP:
		if (b.left >= ICMP_WITH_ID && memchr(icmp_with_id, b.at[0], sizeof(icmp_with_id)))
			set_ports(s, be16_at(b.at + 4), be16_at(b.at + 4));
		break;
	case IPPROTO_ICMPV6:
		if (b.left >= ICMP_WITH_ID && memchr(icmp6_with_id, b.at[0], sizeof(icmp6_with_id)))
			set_ports(s, be16_at(b.at + 4), be16_at(b.at + 4));
		break;
	}
}

static int decode_ip4(struct bytes b, struct sighting *s)
{
	bool later_fragment;
	size_t header;

	if (b.left < IP4_HEADER)
		return -EBADMSG;
	header = (b.at[0] & 15) * 4u;
	if (header < IP4_HEADER)
		return -EBADMSG;
	trim(&b, be16_at(b.at + 2));
	s->family = 4;
	s->proto = b.at[9];
	s->src = addr_make(4, b.at + 12, 4);
	s->dst = addr_make(4, b.at + 16, 4);
	later_fragment = be16_at(b.at + 6) & 0x1fff;
	if (later_fragment || b.left < header)
		return 0;
	skip(&b, header);
	read_ports(b, s);
	return 0;
}

/* The length of an extension header of this kind, from its first two bytes; 0 if it is an upper-layer protocol. */
static size_t extension_len(uint8_t kind, const uint8_t *p)
{
	switch (kind) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_DSTOPTS:
		return (p[1] + 1u) * 8;
	case IPPROTO_FRAGMENT:
		return 8;
	case IPPROTO_AH:
		return (p[1] + 2u) * 4;
	default:
		return 0;
	}
}

/*
 * Skips the headers that the kernel's ipv6_skip_exthdr() skips, so that proto is what conntrack calls the protocol.
 * Each takes at least 8 bytes, so the packet's length bounds the loop. False: cut, or a later fragment.
 */
static bool skip_extensions(struct bytes *b, struct sighting *s)
{
	for (;;) {
		size_t len;

		if (b->left < 2)
			return false;
		len = extension_len(s->proto, b->at);
		if (!len)
			return true;
		if (b->left < len)
			return false;
		if (s->proto == IPPROTO_FRAGMENT && be16_at(b->at + 2) & 0xfff8) {
			s->proto = b->at[0];
			return false;
		}
		s->proto = b->at[0];
		skip(b, len);
	}
}

static int decode_ip6(struct bytes b, struct sighting *s)
{
	size_t payload;

	if (b.left < IP6_HEADER)
		return -EBADMSG;
	payload = be16_at(b.at + 4);
	trim(&b, payload ? IP6_HEADER + payload : 0);
	s->family = 6;
	s->proto = b.at[6];
	s->src = addr_make(6, b.at + 8, 16);
	s->dst = addr_make(6, b.at + 24, 16);
	skip(&b, IP6_HEADER);
	if (skip_extensions(&b, s))
		read_ports(b, s);
	return 0;
}

int nflog_decode_packet(const void *packet, size_t len, struct sighting *sighting)
{
	struct bytes b = { .at = packet, .left = len };

	sighting->has_ports = false;
	sighting->sport = sighting->dport = 0;
	switch (len ? b.at[0] >> 4 : 0) {
	case 4:
		return decode_ip4(b, sighting);
	case 6:
		return decode_ip6(b, sighting);
	default:
		return -EBADMSG;
	}
}

/* Tunnels have 4 bytes here, loopback has zeros. */
static int decode_hwaddr(const struct nlattr_item *item, struct sighting *s)
{
	struct nfulnl_msg_packet_hw hw;

	if (nlattr_copy(item, &hw, sizeof(hw)))
		return -EBADMSG;
	if (be16toh(hw.hw_addrlen) != MAC_LEN)
		return 0;
	memcpy(s->mac.b, hw.hw_addr, MAC_LEN);
	s->has_mac = mac_is_host(&s->mac);
	return 0;
}

/* The conntrack entry in the message (NFULNL_CFG_F_CONNTRACK). */
struct entry {
	const void *attributes; /* NULL: none */
	size_t len;
	uint32_t info; /* enum ip_conntrack_info */
};

static int decode_attribute(const struct nlattr_item *item, struct sighting *s, struct entry *entry)
{
	switch (item->type) {
	case NFULA_IFINDEX_INDEV:
		return nlattr_be32(item, &s->indev);
	case NFULA_IFINDEX_OUTDEV:
		return nlattr_be32(item, &s->outdev);
	case NFULA_HWADDR:
		return decode_hwaddr(item, s);
	case NFULA_PAYLOAD:
		return nflog_decode_packet(item->data, item->len, s);
	case NFULA_CT:
		entry->attributes = item->data;
		entry->len = item->len;
		return 0;
	case NFULA_CT_INFO:
		return nlattr_be32(item, &entry->info);
	default:
		return 0;
	}
}

/*
 * The entry has the flow's ends where the packet has not: later fragments, ICMP ids that NAT changed, other protocols.
 * An ICMP error has the entry of another flow: the one that it is about.
 */
static int take_entry(const struct entry *entry, struct sighting *s)
{
	bool icmp = s->proto == IPPROTO_ICMP || s->proto == IPPROTO_ICMPV6;
	struct ct_event event;
	const struct ct_tuple *original = &event.tuple[CT_ORIGINAL], *reply = &event.tuple[CT_REPLY];
	bool is_reply = entry->info >= IP_CT_IS_REPLY;

	if (ct_decode_attributes(entry->attributes, entry->len, s->family, &event))
		return -EBADMSG;
	s->zone = event.zone;
	if (icmp && !s->has_ports)
		return 0;
	/* The copy may end before the header of the protocol. An ICMP error would be RELATED to the entry. */
	if (!s->has_ports && entry->info % IP_CT_IS_REPLY != IP_CT_RELATED)
		s->proto = event.proto;
	s->src = is_reply ? reply->src : original->src;
	s->dst = is_reply ? original->src : reply->src;
	s->sport = is_reply && !icmp ? reply->sport : original->sport;
	s->dport = is_reply || icmp ? original->sport : reply->sport;
	s->has_ports = true;
	return 0;
}

int nflog_decode(const struct nlmsghdr *message, struct sighting *sighting)
{
	struct entry entry = { .attributes = NULL };
	struct nlattr_walk walk;
	struct nlattr_item item;
	int ret;

	if (message->nlmsg_type != (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET))
		return -ENOMSG;
	ret = nlattr_message(message, sizeof(struct nfgenmsg), &walk);
	if (ret < 0)
		return ret;
	*sighting = (struct sighting){ 0 };
	while ((ret = nlattr_next(&walk, &item)) > 0) {
		ret = decode_attribute(&item, sighting, &entry);
		if (ret < 0)
			return ret;
	}
	if (ret < 0 || !sighting->family) /* without a payload nobody was seen */
		return -EBADMSG;
	return entry.attributes ? take_entry(&entry, sighting) : 0;
}
