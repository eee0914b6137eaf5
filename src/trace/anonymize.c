/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/trace/anonymize.h"

#include "encode.h"
#include "hostmeter/decode/ct_decode.h"
#include "hostmeter/decode/nflog_decode.h"
#include "hostmeter/decode/nlattr.h"
#include "hostmeter/decode/rtnl_decode.h"
#include "pseudonym.h"

#include <linux/fib_rules.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>

struct anonymizer {
	struct pseudonyms *pseudonyms;
	uint64_t left_out;
};

struct anonymizer *anonymize_new(const struct hash_key *key)
{
	struct anonymizer *anonymizer = calloc(1, sizeof(*anonymizer));

	if (anonymizer)
		anonymizer->pseudonyms = pseudonyms_new(key);
	if (anonymizer && anonymizer->pseudonyms)
		return anonymizer;
	anonymize_free(anonymizer);
	return NULL;
}

void anonymize_free(struct anonymizer *anonymizer)
{
	if (!anonymizer)
		return;
	pseudonyms_free(anonymizer->pseudonyms);
	free(anonymizer);
}

uint64_t anonymize_left_out(const struct anonymizer *anonymizer)
{
	return anonymizer->left_out;
}

static void change(struct anonymizer *a, struct addr *addr)
{
	*addr = pseudonyms_addr(a->pseudonyms, addr);
}

/* --- Messages. Each function returns false if the message is left out. */

static bool do_flow(struct anonymizer *a, const struct nlmsghdr *message, union encode_message *out)
{
	struct ct_event event;

	if (ct_decode(message, &event))
		return false;
	for (int dir = 0; dir < 2; dir++) {
		change(a, &event.tuple[dir].src);
		change(a, &event.tuple[dir].dst);
	}
	encode_ct(out, message, &event);
	return true;
}

static bool do_packet(struct anonymizer *a, const struct nlmsghdr *message, union encode_message *out)
{
	struct sighting sighting;

	if (nflog_decode(message, &sighting))
		return false;
	change(a, &sighting.src);
	change(a, &sighting.dst);
	sighting.mac = pseudonyms_mac(a->pseudonyms, &sighting.mac);
	encode_sighting(out, message, &sighting);
	return true;
}

static bool do_network(struct anonymizer *a, const struct nlmsghdr *message, union encode_message *out)
{
	struct rtnl_event event;

	if (rtnl_decode(message, &event))
		return false;
	switch (event.type) {
	case RTNL_LINK:
		snprintf(event.link.name, sizeof(event.link.name), "if%u", event.ifindex);
		break;
	case RTNL_ADDR:
		pseudonyms_add_subnet(a->pseudonyms, &event.addr.addr, event.addr.prefix_len);
		change(a, &event.addr.addr);
		break;
	case RTNL_ROUTE:
		change(a, &event.route.dst.addr);
		event.route.dst = prefix_make(&event.route.dst.addr, event.route.dst.len);
		change(a, &event.route.gateway);
		for (int i = 0; i < event.route.others; i++)
			change(a, &event.route.other[i].gateway);
		break;
	case RTNL_RULE:
		if (!event.rule.to.len)
			break;
		change(a, &event.rule.to.addr);
		event.rule.to = prefix_make(&event.rule.to.addr, event.rule.to.len);
		break;
	default:
		change(a, &event.neigh.addr);
		event.neigh.mac = pseudonyms_mac(a->pseudonyms, &event.neigh.mac);
		break;
	}
	encode_rtnl(out, message, &event);
	return true;
}

/* Ends of dumps, errors, overruns. Of an error the number is kept, but not the copy of the request in it. */
static bool do_control(const struct nlmsghdr *message, union encode_message *out)
{
	bool has_number = message->nlmsg_type == NLMSG_DONE || message->nlmsg_type == NLMSG_ERROR;
	size_t number = has_number ? sizeof(int) : 0, have = message->nlmsg_len - NLMSG_HDRLEN;

	/* Programs expect a whole struct nlmsgerr; what follows the number is zero. */
	encode_plain(out, message, NLMSG_DATA(message), have < number ? have : number,
		message->nlmsg_type == NLMSG_ERROR ? sizeof(struct nlmsgerr) : number);
	return true;
}

/* Requests for dumps, by which the meter knows where a dump begins. Of the fixed header only the family is kept. */
static bool do_request(uint16_t protocol, const struct nlmsghdr *message, union encode_message *out)
{
	static const struct {
		uint16_t protocol, type;
		size_t len;
	} requests[] = {
		{ NETLINK_NETFILTER, NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_GET, sizeof(struct nfgenmsg) },
		{ NETLINK_ROUTE, RTM_GETLINK, sizeof(struct ifinfomsg) },
		{ NETLINK_ROUTE, RTM_GETADDR, sizeof(struct ifaddrmsg) },
		{ NETLINK_ROUTE, RTM_GETRULE, sizeof(struct fib_rule_hdr) },
		{ NETLINK_ROUTE, RTM_GETROUTE, sizeof(struct rtmsg) },
		{ NETLINK_ROUTE, RTM_GETNEIGH, sizeof(struct ndmsg) },
	};

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (requests[i].protocol == protocol && requests[i].type == message->nlmsg_type &&
			message->nlmsg_len > NLMSG_HDRLEN) {
			encode_plain(out, message, NLMSG_DATA(message), 1, requests[i].len);
			return true;
		}
	}
	return false;
}

static bool do_message(struct anonymizer *a, uint16_t protocol, bool outgoing, const struct nlmsghdr *message,
	union encode_message *out)
{
	if (protocol != NETLINK_NETFILTER && protocol != NETLINK_ROUTE)
		return false;
	if (outgoing)
		return do_request(protocol, message, out);
	if (message->nlmsg_type < NLMSG_MIN_TYPE)
		return do_control(message, out);
	if (protocol == NETLINK_ROUTE)
		return do_network(a, message, out);
	if (message->nlmsg_type >> 8 == NFNL_SUBSYS_ULOG)
		return do_packet(a, message, out);
	return do_flow(a, message, out);
}

void anonymize_datagram(struct anonymizer *anonymizer, uint16_t protocol, bool outgoing, const void *data, size_t len,
	struct buf *out)
{
	const struct nlmsghdr *message = data;

	while (nlattr_is_whole(message, len)) {
		size_t step = NLMSG_ALIGN((size_t)message->nlmsg_len);
		union encode_message changed;

		if (do_message(anonymizer, protocol, outgoing, message, &changed))
			buf_add(out, &changed, NLMSG_ALIGN(changed.head.nlmsg_len));
		else
			anonymizer->left_out++;
		if (step >= len)
			return;
		message = (const void *)((const char *)message + step);
		len -= step;
	}
	anonymizer->left_out += len > 0;
}
