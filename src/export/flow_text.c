/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/export/flow_text.h"

#include "hostmeter/base/protocol.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>

const char *flow_text_scope(const struct meter_flow *flow)
{
	static const char *const names[] = { [FLOW_UNDECIDED] = "undecided",
		[FLOW_IGNORED] = "none",
		[FLOW_LOCAL] = "local",
		[FLOW_WAN] = "wan",
		[FLOW_TUNNEL] = "tunnel" };

	return flow->scope == FLOW_WAN && flow->by == FLOW_BY_ROUTER ? "router" : names[flow->scope];
}

static bool is_address(const struct ct_event *event, const char *text)
{
	struct addr addr;

	return !addr_parse(&addr, text) &&
		(addr_equal(&addr, &event->tuple[CT_ORIGINAL].src) || addr_equal(&addr, &event->tuple[CT_REPLY].src));
}

bool flow_text_is_of(const char *host, const struct ct_event *event, const struct meter_flow *flow)
{
	return !strcasecmp(host, flow->host) || !strcasecmp(host, flow->peer) || !strcasecmp(host, flow->mac) ||
		!strcasecmp(host, flow->peer_mac) || is_address(event, host);
}

void flow_text_put(struct buf *out, const char *name, const char *word)
{
	buf_putc(out, ' ');
	buf_puts(out, name);
	buf_putc(out, '=');
	for (; *word; word++)
		buf_putc(out, *word == ' ' || *word == '=' ? '_' : *word);
}

void flow_text_put_hosts(struct buf *out, const struct meter_flow *flow)
{
	flow_text_put(out, "host", flow->host);
	flow_text_put(out, "mac", flow->mac);
	if (flow->peer[0]) {
		flow_text_put(out, "peer", flow->peer);
		flow_text_put(out, "peer_mac", flow->peer_mac);
	}
	flow_text_put(out, "by", flow_by_name(flow->by));
	flow_text_put(out, "scope", flow_text_scope(flow));
}

void flow_text_event(struct buf *out, const struct ct_event *event)
{
	bool icmp = event->proto == IPPROTO_ICMP || event->proto == IPPROTO_ICMPV6;
	char text[ADDR_TEXT];

	buf_printf(out, "%s %u", protocol_name(event->proto), event->proto);
	for (int dir = 0; dir < 2; dir++) {
		const struct ct_tuple *tuple = &event->tuple[dir];

		buf_printf(out, " src=%s", addr_format(&tuple->src, text));
		buf_printf(out, " dst=%s", addr_format(&tuple->dst, text));
		if (icmp && dir == CT_ORIGINAL)
			buf_printf(out, " type=%u code=%u", event->icmp_type, event->icmp_code);
		if (icmp)
			buf_printf(out, " id=%u", tuple->sport);
		else
			buf_printf(out, " sport=%u dport=%u", tuple->sport, tuple->dport);
		if (event->has_counters)
			buf_printf(out, " packets=%" PRIu64 " bytes=%" PRIu64, event->packets[dir], event->bytes[dir]);
	}
	if (event->zone)
		buf_printf(out, " zone=%u", event->zone);
}
