/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/audit/audit.h"

#include "hostmeter/decode/nfct.h"
#include "hostmeter/decode/rtnl_decode.h"
#include "hostmeter/netlink/nl.h"
#include "hostmeter/os/loop.h"
#include "state.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if_arp.h>
#include <stdlib.h>

enum { DRAIN_MAX = 200000, DUMP_TRIES = 5, EVENT_BUFFER = 64 << 20 };

struct audit_kernel {
	struct audit *audit;
	struct loop *loop;
	struct nl *nl;
	struct loop_timer *ended; /* done() is called by it, outside of the callbacks of nl */
	void (*done)(void *ctx, int error);
	void *ctx;
	int error;
	bool flows_asked, links_asked;
	unsigned int lost, tries;
	uint16_t link_request; /* the last type asked for, and its number */
	uint32_t link_seq;
	enum audit_end end;
	const struct audit_reported *reported; /* its links */
};

static void ended(struct audit_kernel *k, int error)
{
	k->error = error;
	loop_timer_set(k->ended, 0);
}

static void on_ended(void *ctx)
{
	struct audit_kernel *k = ctx;

	if (k->flows_asked) {
		/* The ends that the meter knows of were sent before this dump began: they wait in this socket too. */
		nl_drain(k->nl, SOURCE_EVENTS, DRAIN_MAX);
		if (!k->error)
			readings_dump_ended(k->audit->flows, loop_now_ns(k->loop));
	}
	k->flows_asked = k->links_asked = false;
	k->done(k->ctx, k->error);
}

/* --- Messages */

static const struct audit_reported_link *find_link(const struct audit_kernel *k, uint32_t ifindex)
{
	for (size_t i = 0; i < k->reported->links; i++)
		if (k->reported->link[i].ifindex == ifindex)
			return &k->reported->link[i];
	return NULL;
}

static void take_link(struct audit_kernel *k, const struct rtnl_event *event)
{
	const struct audit_reported_link *reported = find_link(k, event->ifindex);
	struct audit_link link = {
		.ifindex = event->ifindex,
		.has_mac = event->link.arphrd == ARPHRD_ETHER,
		.is_wireguard = event->link.kind == RTNL_KIND_WIREGUARD,
		.is_stacked = event->link.lower || event->link.arphrd == ARPHRD_PPP ||
			event->link.kind == RTNL_KIND_BRIDGE,
		.bytes = { event->link.rx_bytes, event->link.tx_bytes },
		.packets = { event->link.rx_packets, event->link.tx_packets },
	};

	if (reported && reported->is_wan)
		audit_take_link(k->audit, k->end, &link);
}

static void take_address(struct audit_kernel *k, const struct rtnl_event *event)
{
	struct by_address *addresses = k->audit->addresses;
	const struct audit_reported_link *link = find_link(k, event->ifindex);
	struct prefix prefix = prefix_make(&event->addr.addr, event->addr.prefix_len);
	struct addr last = prefix.addr;

	by_address_add(addresses, &event->addr.addr, ADDRESS_ROUTER, AUDIT_NOBODY);
	if (link && !link->is_wan && !addr_is_link_local(&event->addr.addr))
		by_address_add_lan(addresses, &prefix);
	if (last.family != 4 || prefix.len >= 31)
		return;
	for (unsigned int bit = prefix.len; bit < 32; bit++)
		last.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	by_address_add(addresses, &last, ADDRESS_GROUP, AUDIT_NOBODY); /* broadcast, RFC 919 */
}

static void take_route_message(struct audit_kernel *k, const struct nlmsghdr *message)
{
	struct rtnl_event event;

	if (!k->links_asked || message->nlmsg_seq != k->link_seq || rtnl_decode(message, &event) || event.gone)
		return;
	if (event.type == RTNL_LINK && event.link.has_stats)
		take_link(k, &event);
	else if (event.type == RTNL_ADDR)
		take_address(k, &event);
}

static void on_message(struct audit_kernel *k, enum source source, bool outgoing, const struct nlmsghdr *message)
{
	bool control = message->nlmsg_type < NLMSG_MIN_TYPE;
	struct ct_event event;

	if (source == SOURCE_RTNL && outgoing) {
		k->link_request = message->nlmsg_type;
		k->link_seq = message->nlmsg_seq;
	} else if (source == SOURCE_RTNL && !control) {
		take_route_message(k, message);
	} else if (source == SOURCE_RTNL) {
		if (k->links_asked && message->nlmsg_seq == k->link_seq && k->link_request == RTM_GETNEIGH)
			ended(k, 0); /* the last of the dumps */
	} else if (!outgoing && !control && !nfct_read(message, &event)) {
		readings_add(k->audit->flows, &event, loop_now_ns(k->loop));
	}
}

static void on_datagram(void *ctx, enum source source, bool outgoing, const void *data, size_t len)
{
	struct audit_kernel *k = ctx;
	int left = (int)len;

	for (const struct nlmsghdr *m = data; NLMSG_OK(m, left); m = NLMSG_NEXT(m, left))
		on_message(k, source, outgoing, m);
	if (source == SOURCE_DUMP && !outgoing && k->flows_asked && !nl_is_dumping(k->nl, SOURCE_DUMP))
		ended(k, 0);
}

static int ask_flows(struct audit_kernel *k)
{
	readings_dump_begins(k->audit->flows, loop_now_ns(k->loop));
	return nl_dump_conntrack(k->nl);
}

static void on_overrun(void *ctx, enum source source)
{
	struct audit_kernel *k = ctx;
	int error = -ENOBUFS;

	if (source == SOURCE_EVENTS) {
		k->lost++;
		return;
	}
	/* Once more: what is read again is only newer. */
	if (k->tries++ < DUMP_TRIES)
		error = source == SOURCE_DUMP ? ask_flows(k) : nl_dump_rtnl(k->nl);
	if (error)
		ended(k, error);
}

static void on_failed(void *ctx, enum source source, int error)
{
	(void)source;
	ended(ctx, error);
}

/* --- The whole */

struct audit_kernel *audit_kernel_new(struct loop *loop, struct audit *audit, void (*done)(void *ctx, int error),
	void *ctx)
{
	struct audit_kernel *k = calloc(1, sizeof(*k));
	const struct nl_callbacks callbacks = { k, on_datagram, on_overrun, on_failed };
	const struct nl_options options = { .receive_buffer[SOURCE_EVENTS] = EVENT_BUFFER };

	if (!k)
		return NULL;
	*k = (struct audit_kernel){ .audit = audit, .loop = loop, .done = done, .ctx = ctx };
	k->nl = nl_new(loop, &options, &callbacks);
	k->ended = loop_timer_add(loop, on_ended, k);
	if (k->nl && k->ended)
		return k;
	audit_kernel_free(k);
	return NULL;
}

void audit_kernel_free(struct audit_kernel *kernel)
{
	if (!kernel)
		return;
	loop_timer_del(kernel->ended);
	nl_free(kernel->nl);
	free(kernel);
}

int audit_kernel_open(struct audit_kernel *kernel)
{
	int error = nl_open_source(kernel->nl, SOURCE_EVENTS);

	error = error ? error : nl_set_reliable(kernel->nl, false);
	error = error ? error : nl_open_source(kernel->nl, SOURCE_DUMP);
	return error ? error : nl_open_source(kernel->nl, SOURCE_RTNL);
}

int audit_kernel_flows(struct audit_kernel *kernel)
{
	kernel->flows_asked = true;
	kernel->tries = 0;
	return ask_flows(kernel);
}

int audit_kernel_links(struct audit_kernel *kernel, enum audit_end end, const struct audit_reported *reported)
{
	kernel->links_asked = true;
	kernel->tries = 0;
	kernel->end = end;
	kernel->reported = reported;
	return nl_dump_rtnl(kernel->nl);
}

unsigned int audit_kernel_lost(const struct audit_kernel *kernel)
{
	return kernel->lost;
}
