/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/meter/tunnels.h"

#include <netinet/in.h>
#include <stdlib.h>

enum { WIREGUARDS_MOST = 64, PROTO_L2TP = 115 };

struct wireguard {
	uint32_t ifindex;
	uint16_t port;
	bool is_known, listed;
};

struct tunnels {
	struct tunnels_config config;
	struct wireguard wireguard[WIREGUARDS_MOST];
	size_t wireguards;
};

struct tunnels *tunnels_new(const struct tunnels_config *config)
{
	struct tunnels *tunnels = calloc(1, sizeof(*tunnels));

	if (tunnels)
		tunnels->config = *config;
	return tunnels;
}

void tunnels_free(struct tunnels *tunnels)
{
	free(tunnels);
}

void tunnels_configure(struct tunnels *tunnels, const struct tunnels_config *config)
{
	tunnels->config = *config;
}

static struct wireguard *find(struct tunnels *t, uint32_t ifindex)
{
	for (size_t i = 0; i < t->wireguards; i++) {
		if (t->wireguard[i].ifindex == ifindex)
			return &t->wireguard[i];
	}
	return NULL;
}

void tunnels_rtnl(struct tunnels *tunnels, const struct rtnl_event *event)
{
	struct wireguard *known;

	if (event->type != RTNL_LINK)
		return;
	known = find(tunnels, event->ifindex);
	if (event->gone) {
		if (known)
			*known = tunnels->wireguard[--tunnels->wireguards];
		return;
	}
	if (!known && event->link.kind == RTNL_KIND_WIREGUARD && tunnels->wireguards < WIREGUARDS_MOST) {
		known = &tunnels->wireguard[tunnels->wireguards++];
		*known = (struct wireguard){ .ifindex = event->ifindex };
	}
	if (known)
		known->listed = true;
}

void tunnels_sync_begin(struct tunnels *tunnels)
{
	for (size_t i = 0; i < tunnels->wireguards; i++)
		tunnels->wireguard[i].listed = false;
}

void tunnels_sync_end(struct tunnels *tunnels)
{
	for (size_t i = tunnels->wireguards; i--;) {
		if (!tunnels->wireguard[i].listed)
			tunnels->wireguard[i] = tunnels->wireguard[--tunnels->wireguards];
	}
}

void tunnels_port(struct tunnels *tunnels, uint32_t ifindex, uint16_t port)
{
	struct wireguard *known = find(tunnels, ifindex);

	if (!known)
		return;
	known->port = port;
	known->is_known = true;
}

size_t tunnels_wireguards(const struct tunnels *tunnels, uint32_t *ifindex, size_t size)
{
	for (size_t i = 0; i < tunnels->wireguards && i < size; i++)
		ifindex[i] = tunnels->wireguard[i].ifindex;
	return tunnels->wireguards;
}

/* IPv4 and IPv6 in IP, GRE, IPsec, EtherIP, L2TPv3. */
static bool is_tunnel_proto(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_IPIP:
	case IPPROTO_IPV6:
	case IPPROTO_GRE:
	case IPPROTO_ESP:
	case IPPROTO_AH:
	case IPPROTO_ENCAP:
	case 97:
	case PROTO_L2TP:
		return true;
	default:
		return false;
	}
}

/* Of the service name and port number registry. */
static bool is_tunnel_port(uint8_t proto, uint16_t port)
{
	switch (port) {
	case 1194: /* OpenVPN */
		return true;
	case 1701: /* L2TP */
	case 4500: /* IPsec behind NAT */
	case 4789: /* VXLAN */
	case 6081: /* Geneve */
		return proto == IPPROTO_UDP;
	default:
		return false;
	}
}

enum tunnels_answer tunnels_carries(const struct tunnels *tunnels, const struct tunnels_flow *flow)
{
	bool has_ports = flow->proto == IPPROTO_UDP || flow->proto == IPPROTO_TCP, may = false;

	if (is_tunnel_proto(flow->proto))
		return TUNNELS_YES;
	for (size_t i = 0; i < tunnels->config.peers; i++) {
		const struct tunnels_peer *peer = &tunnels->config.peer[i];

		if ((!peer->addr.family || addr_equal(&peer->addr, flow->other)) &&
			(!peer->port ||
				(has_ports && (peer->port == flow->own_port || peer->port == flow->other_port))))
			return TUNNELS_YES;
	}
	if (!has_ports)
		return TUNNELS_NO;
	if (is_tunnel_port(flow->proto, flow->own_port) || is_tunnel_port(flow->proto, flow->other_port))
		return TUNNELS_YES;
	for (size_t i = 0; i < tunnels->wireguards && flow->proto == IPPROTO_UDP; i++) {
		if (tunnels->wireguard[i].is_known && tunnels->wireguard[i].port == flow->own_port)
			return TUNNELS_YES;
		may |= !tunnels->wireguard[i].is_known;
	}
	return may ? TUNNELS_MAYBE : TUNNELS_NO;
}
