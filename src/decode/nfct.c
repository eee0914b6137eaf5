/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/decode/nfct.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnetfilter_conntrack/libnetfilter_conntrack.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

enum { LINE = 1024 }; /* conntrack(8) takes as much */

/* The attributes of one direction. */
static const struct direction {
	enum nf_conntrack_attr src4, dst4, src6, dst6, sport, dport, bytes, packets;
} directions[2] = {
	{ ATTR_ORIG_IPV4_SRC, ATTR_ORIG_IPV4_DST, ATTR_ORIG_IPV6_SRC, ATTR_ORIG_IPV6_DST, ATTR_ORIG_PORT_SRC,
		ATTR_ORIG_PORT_DST, ATTR_ORIG_COUNTER_BYTES, ATTR_ORIG_COUNTER_PACKETS },
	{ ATTR_REPL_IPV4_SRC, ATTR_REPL_IPV4_DST, ATTR_REPL_IPV6_SRC, ATTR_REPL_IPV6_DST, ATTR_REPL_PORT_SRC,
		ATTR_REPL_PORT_DST, ATTR_REPL_COUNTER_BYTES, ATTR_REPL_COUNTER_PACKETS },
};

static void copy_address(struct addr *to, const struct nf_conntrack *ct, uint8_t family, enum nf_conntrack_attr attr)
{
	const void *bytes = nfct_attr_is_set(ct, attr) > 0 ? nfct_get_attr(ct, attr) : NULL;

	*to = bytes ? addr_make(family, bytes, addr_len(family)) : (struct addr){ 0 };
}

static void copy_direction(struct ct_event *event, const struct nf_conntrack *ct, enum ct_dir dir)
{
	const struct direction *d = &directions[dir];
	struct ct_tuple *tuple = &event->tuple[dir];
	bool four = event->family == 4;

	copy_address(&tuple->src, ct, event->family, four ? d->src4 : d->src6);
	copy_address(&tuple->dst, ct, event->family, four ? d->dst4 : d->dst6);
	if (nfct_attr_is_set(ct, ATTR_ICMP_ID) > 0) {
		tuple->sport = tuple->dport = ntohs(nfct_get_attr_u16(ct, ATTR_ICMP_ID));
	} else {
		tuple->sport = ntohs(nfct_get_attr_u16(ct, d->sport));
		tuple->dport = ntohs(nfct_get_attr_u16(ct, d->dport));
	}
	event->bytes[dir] = nfct_get_attr_u64(ct, d->bytes);
	event->packets[dir] = nfct_get_attr_u64(ct, d->packets);
}

static int copy(struct ct_event *event, const struct nf_conntrack *ct)
{
	uint8_t l3 = nfct_get_attr_u8(ct, ATTR_ORIG_L3PROTO);

	if (l3 != AF_INET && l3 != AF_INET6)
		return -EBADMSG;
	event->family = l3 == AF_INET ? 4 : 6;
	event->proto = nfct_get_attr_u8(ct, ATTR_ORIG_L4PROTO);
	event->zone = nfct_attr_is_set(ct, ATTR_ORIG_ZONE) > 0 ? nfct_get_attr_u16(ct, ATTR_ORIG_ZONE) :
								 nfct_get_attr_u16(ct, ATTR_ZONE);
	event->id = nfct_get_attr_u32(ct, ATTR_ID);
	event->status = nfct_get_attr_u32(ct, ATTR_STATUS);
	event->has_counters = nfct_attr_is_set(ct, ATTR_ORIG_COUNTER_BYTES) > 0 &&
		nfct_attr_is_set(ct, ATTR_REPL_COUNTER_BYTES) > 0;
	copy_direction(event, ct, CT_ORIGINAL);
	copy_direction(event, ct, CT_REPLY);
	return 0;
}

int nfct_read(const struct nlmsghdr *message, struct ct_event *event)
{
	struct nf_conntrack *ct;
	int error = -EBADMSG;

	memset(event, 0, sizeof(*event));
	if (message->nlmsg_type == (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW))
		event->type = CT_ENTRY;
	else if (message->nlmsg_type == (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE))
		event->type = CT_DESTROY;
	else
		return -ENOMSG;
	ct = nfct_new();
	if (!ct)
		return -ENOMEM;
	if (nfct_nlmsg_parse(message, ct) >= 0)
		error = copy(event, ct);
	nfct_destroy(ct);
	return error;
}

int nfct_print(struct buf *out, const struct nlmsghdr *message)
{
	struct nf_conntrack *ct = nfct_new();
	char line[LINE];
	int len = -1;

	if (!ct)
		return -ENOMEM;
	if (nfct_nlmsg_parse(message, ct) >= 0)
		len = nfct_snprintf(line, sizeof(line), ct, NFCT_T_UNKNOWN, NFCT_O_DEFAULT, NFCT_OF_SHOW_LAYER3);
	nfct_destroy(ct);
	if (len < 0)
		return -EBADMSG;
	buf_add(out, line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1);
	return 0;
}
