/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/decode/rtnl_decode.h"

#include "hostmeter/decode/nlattr.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

/* rtnetlink's numbers are in host byte order. */
static inline int copy_u32(const struct nlattr_item *item, uint32_t *to)
{
	return nlattr_copy(item, to, sizeof(*to));
}

static uint8_t family_of(uint8_t af)
{
	return af == AF_INET ? 4 : af == AF_INET6 ? 6 : 0;
}

static int copy_addr(const struct nlattr_item *item, uint8_t family, struct addr *to)
{
	*to = addr_make(family, item->data, item->len);
	return to->family ? 0 : -EBADMSG;
}

/* The kernel forbids only '/', ':' and blanks in a name; the rest would reach terminals and metrics. */
static int copy_name(const struct nlattr_item *item, char name[static IFNAME_LEN])
{
	size_t len = strnlen((const char *)item->data, item->len);

	if (!len || len >= IFNAME_LEN)
		return -EBADMSG;
	for (size_t i = 0; i < len; i++)
		name[i] = item->data[i] > 0x20 && item->data[i] < 0x7f ? (char)item->data[i] : '?';
	name[len] = '\0';
	return 0;
}

/* Only the counters at its beginning are needed: the struct grows with the kernel. */
static int copy_stats(const struct nlattr_item *item, struct rtnl_link *link)
{
	struct rtnl_link_stats64 stats;

	if (item->len < offsetof(struct rtnl_link_stats64, rx_errors))
		return -EBADMSG;
	memcpy(&stats, item->data, offsetof(struct rtnl_link_stats64, rx_errors));
	link->has_stats = true;
	link->rx_packets = stats.rx_packets;
	link->tx_packets = stats.tx_packets;
	link->rx_bytes = stats.rx_bytes;
	link->tx_bytes = stats.tx_bytes;
	return 0;
}

static int decode_link_attribute(const struct nlattr_item *item, struct rtnl_link *link)
{
	switch (item->type) {
	case IFLA_IFNAME:
		return copy_name(item, link->name);
	case IFLA_MASTER:
		return copy_u32(item, &link->master);
	case IFLA_STATS64:
		return copy_stats(item, link);
	case IFLA_WIRELESS:
		/* A wireless event: it has no master, and would take the port off its bridge. */
		return -ENOMSG;
	default:
		return 0;
	}
}

static int decode_link(const void *header, struct nlattr_walk walk, struct rtnl_event *event)
{
	const struct ifinfomsg *info = header;
	struct nlattr_item item;
	int ret;

	/* Messages of other families have only a part of the link: bridge ports, IPv6 settings. */
	if (info->ifi_family != AF_UNSPEC)
		return -ENOMSG;
	event->ifindex = (uint32_t)info->ifi_index;
	event->link = (struct rtnl_link){ .flags = info->ifi_flags, .arphrd = info->ifi_type };
	while ((ret = nlattr_next(&walk, &item)) > 0) {
		ret = decode_link_attribute(&item, &event->link);
		if (ret < 0)
			return ret;
	}
	return ret < 0 || event->link.name[0] ? ret : -EBADMSG;
}

/* On a point-to-point link IFA_ADDRESS is the other end; without IFA_LOCAL it is our own. */
static int decode_addr(const void *header, struct nlattr_walk walk, struct rtnl_event *event)
{
	const struct ifaddrmsg *info = header;
	uint8_t family = family_of(info->ifa_family);
	struct addr address = { 0 }, local = { 0 };
	struct nlattr_item item;
	int ret;

	if (!family)
		return -ENOMSG;
	while ((ret = nlattr_next(&walk, &item)) > 0) {
		if (item.type == IFA_ADDRESS)
			ret = copy_addr(&item, family, &address);
		else if (item.type == IFA_LOCAL)
			ret = copy_addr(&item, family, &local);
		if (ret < 0)
			return ret;
	}
	event->ifindex = info->ifa_index;
	event->addr = (struct rtnl_addr){ .addr = local.family ? local : address, .prefix_len = info->ifa_prefixlen };
	if (ret < 0 || !event->addr.addr.family || info->ifa_prefixlen > 8 * addr_len(family))
		return -EBADMSG;
	return 0;
}

/* RTA_VIA: a gateway of the other family than its route's. A family unknown here leaves the route without one. */
static int copy_via(const struct nlattr_item *item, struct addr *gateway)
{
	__kernel_sa_family_t af;
	uint8_t family;

	if (item->len < sizeof(af))
		return -EBADMSG;
	memcpy(&af, item->data, sizeof(af));
	family = af > UINT8_MAX ? 0 : family_of((uint8_t)af);
	*gateway = addr_make(family, item->data + sizeof(af), item->len - sizeof(af));
	return family && !gateway->family ? -EBADMSG : 0;
}

/* The interface and gateway of a multipath route's first path: struct rtnexthop, then attributes. */
static int decode_nexthop(const struct nlattr_item *multipath, uint8_t family, struct rtnl_event *event)
{
	struct nlattr_walk walk = nlattr_nested(multipath);
	struct nlattr_item item;
	struct rtnexthop hop;
	int ret;

	if (walk.left < sizeof(hop))
		return -EBADMSG;
	memcpy(&hop, walk.at, sizeof(hop));
	if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > walk.left)
		return -EBADMSG;
	event->ifindex = (uint32_t)hop.rtnh_ifindex;
	walk = (struct nlattr_walk){ .at = walk.at + sizeof(hop), .left = hop.rtnh_len - sizeof(hop) };
	while ((ret = nlattr_next(&walk, &item)) > 0) {
		if (item.type == RTA_GATEWAY)
			ret = copy_addr(&item, family, &event->route.gateway);
		else if (item.type == RTA_VIA)
			ret = copy_via(&item, &event->route.gateway);
		if (ret < 0)
			break;
	}
	return ret;
}

static int decode_route_attribute(const struct nlattr_item *item, uint8_t family, struct rtnl_event *event)
{
	struct rtnl_route *route = &event->route;

	switch (item->type) {
	case RTA_DST:
		return copy_addr(item, family, &route->dst.addr);
	case RTA_OIF:
		return copy_u32(item, &event->ifindex);
	case RTA_TABLE:
		return copy_u32(item, &route->table);
	case RTA_PRIORITY:
		return copy_u32(item, &route->metric);
	case RTA_GATEWAY:
		return copy_addr(item, family, &route->gateway);
	case RTA_VIA:
		return copy_via(item, &route->gateway);
	case RTA_MULTIPATH:
		return decode_nexthop(item, family, event);
	default:
		return 0;
	}
}

static int decode_route(const void *header, struct nlattr_walk walk, struct rtnl_event *event)
{
	const struct rtmsg *info = header;
	uint8_t family = family_of(info->rtm_family);
	struct rtnl_route *route = &event->route;
	struct nlattr_item item;
	int ret;

	if (!family || info->rtm_flags & RTM_F_CLONED)
		return -ENOMSG;
	*route = (struct rtnl_route){ .table = info->rtm_table, .kind = info->rtm_type };
	while ((ret = nlattr_next(&walk, &item)) > 0) {
		ret = decode_route_attribute(&item, family, event);
		if (ret < 0)
			return ret;
	}
	if (ret < 0 || info->rtm_dst_len > 8 * addr_len(family) || (info->rtm_dst_len && !route->dst.addr.family))
		return -EBADMSG;
	/* A default route comes without RTA_DST. */
	route->dst.addr.family = family;
	route->dst = prefix_make(&route->dst.addr, info->rtm_dst_len);
	return 0;
}

static int decode_neigh(const void *header, struct nlattr_walk walk, struct rtnl_event *event)
{
	const struct ndmsg *info = header;
	uint8_t family = family_of(info->ndm_family);
	struct rtnl_neigh *neigh = &event->neigh;
	struct nlattr_item item;
	int ret;

	if (!family)
		return -ENOMSG;
	event->ifindex = (uint32_t)info->ndm_ifindex;
	*neigh = (struct rtnl_neigh){ .state = info->ndm_state };
	while ((ret = nlattr_next(&walk, &item)) > 0) {
		if (item.type == NDA_DST)
			ret = copy_addr(&item, family, &neigh->addr);
		else if (item.type == NDA_LLADDR && nlattr_copy(&item, neigh->mac.b, MAC_LEN) == 0)
			neigh->has_mac = mac_is_host(&neigh->mac);
		if (ret < 0)
			return ret;
	}
	return ret < 0 || neigh->addr.family ? ret : -EBADMSG;
}

/* In the order of the kernel's numbers: NEW and DEL of one kind differ by one. */
static const struct {
	uint16_t new_type;
	uint8_t type;
	size_t header;
	int (*decode)(const void *header, struct nlattr_walk walk, struct rtnl_event *event);
} kinds[] = {
	{ RTM_NEWLINK, RTNL_LINK, sizeof(struct ifinfomsg), decode_link },
	{ RTM_NEWADDR, RTNL_ADDR, sizeof(struct ifaddrmsg), decode_addr },
	{ RTM_NEWROUTE, RTNL_ROUTE, sizeof(struct rtmsg), decode_route },
	{ RTM_NEWNEIGH, RTNL_NEIGH, sizeof(struct ndmsg), decode_neigh },
};

int rtnl_decode(const struct nlmsghdr *message, struct rtnl_event *event)
{
	struct nlattr_walk walk;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (message->nlmsg_type != kinds[i].new_type && message->nlmsg_type != kinds[i].new_type + 1)
			continue;
		if (nlattr_message(message, kinds[i].header, &walk))
			return -EBADMSG;
		*event = (struct rtnl_event){
			.type = kinds[i].type,
			.gone = message->nlmsg_type != kinds[i].new_type,
			.replaces = message->nlmsg_flags & NLM_F_REPLACE,
		};
		return kinds[i].decode(NLMSG_DATA(message), walk, event);
	}
	return -ENOMSG;
}
