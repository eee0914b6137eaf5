/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/decode/rtnl_decode.h"

#include "hostmeter/base/utf8.h"
#include "hostmeter/decode/nlattr.h"

#include <inttypes.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
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
int rtnl_interface_name(char name[static IFNAME_LEN], const char *raw, size_t size, uint32_t ifindex)
{
	size_t len = strnlen(raw, size), used = 0, step, room;
	bool is_replaced = false;
	char suffix[12];

	if (!len || len >= IFNAME_LEN)
		return -EBADMSG;
	for (size_t at = 0; at < len; at += step ? step : 1) {
		uint32_t code = 0;

		step = utf8_char(raw + at, len - at, &code);
		if (step && code != ' ' && utf8_is_visible(code)) {
			memcpy(name + used, raw + at, step);
			used += step;
		} else {
			name[used++] = '?';
			is_replaced = true;
		}
	}
	name[used] = '\0';
	if (!is_replaced)
		return 0;
	room = IFNAME_LEN - 1 - (size_t)snprintf(suffix, sizeof(suffix), "#%" PRIu32, ifindex);
	while (used > room || (used && (name[used] & 0xc0) == 0x80)) /* not within a character */
		used--;
	strcpy(name + used, suffix);
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

static const char *const kind_names[] = {
	[RTNL_KIND_PLAIN] = "",
	[RTNL_KIND_BRIDGE] = "bridge",
	[RTNL_KIND_VRF] = "vrf",
	[RTNL_KIND_IFB] = "ifb",
	[RTNL_KIND_DUMMY] = "dummy",
	[RTNL_KIND_WIREGUARD] = "wireguard",
};

const char *rtnl_kind_name(enum rtnl_kind kind)
{
	return kind_names[kind];
}

static int copy_kind(const struct nlattr_item *item, uint8_t *kind)
{
	struct nlattr_walk walk = nlattr_nested(item);
	struct nlattr_item part;
	int ret;

	while ((ret = nlattr_next(&walk, &part)) > 0) {
		size_t len = strnlen((const char *)part.data, part.len);

		if (part.type != IFLA_INFO_KIND)
			continue;
		for (uint8_t i = RTNL_KIND_BRIDGE; i < sizeof(kind_names) / sizeof(kind_names[0]); i++) {
			if (len == strlen(kind_names[i]) && !memcmp(part.data, kind_names[i], len))
				*kind = i;
		}
	}
	return ret;
}

static int decode_link_attribute(const struct nlattr_item *item, uint32_t ifindex, struct rtnl_link *link,
	bool *elsewhere)
{
	switch (item->type) {
	case IFLA_LINK:
		return copy_u32(item, &link->lower);
	case IFLA_LINK_NETNSID:
		*elsewhere = true; /* IFLA_LINK is a number of another namespace */
		return 0;
	case IFLA_LINKINFO:
		return copy_kind(item, &link->kind);
	case IFLA_IFNAME:
		return rtnl_interface_name(link->name, (const char *)item->data, item->len, ifindex);
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
	bool elsewhere = false;
	int ret;

	/* Messages of other families have only a part of the link: bridge ports, IPv6 settings. */
	if (info->ifi_family != AF_UNSPEC)
		return -ENOMSG;
	event->ifindex = (uint32_t)info->ifi_index;
	event->link = (struct rtnl_link){ .flags = info->ifi_flags, .arphrd = info->ifi_type };
	while ((ret = nlattr_next(&walk, &item)) > 0) {
		ret = decode_link_attribute(&item, event->ifindex, &event->link, &elsewhere);
		if (ret < 0)
			return ret;
	}
	if (elsewhere || event->link.lower == event->ifindex)
		event->link.lower = 0;
	return ret < 0 || event->link.name[0] ? ret : -EBADMSG;
}

#define VALID_FOR_EVER UINT32_MAX /* INFINITY_LIFE_TIME of the kernel's net/addrconf.h */

/* On a point-to-point link IFA_ADDRESS is the other end; without IFA_LOCAL it is our own. */
static int decode_addr(const void *header, struct nlattr_walk walk, struct rtnl_event *event)
{
	const struct ifaddrmsg *info = header;
	uint8_t family = family_of(info->ifa_family);
	struct ifa_cacheinfo cache = { .ifa_valid = VALID_FOR_EVER };
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
		else if (item.type == IFA_CACHEINFO)
			ret = nlattr_copy(&item, &cache, sizeof(cache));
		if (ret < 0)
			return ret;
	}
	event->ifindex = info->ifa_index;
	event->addr = (struct rtnl_addr){
		.addr = local.family ? local : address,
		.prefix_len = info->ifa_prefixlen,
		.is_leased = family == 4 && cache.ifa_valid != VALID_FOR_EVER,
	};
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

/* One next hop: struct rtnexthop, then attributes. Moves the walk to the next one. */
static int decode_nexthop(struct nlattr_walk *walk, uint8_t family, struct rtnl_hop *to)
{
	struct nlattr_walk inside;
	struct nlattr_item item;
	struct rtnexthop hop;
	size_t step;
	int ret;

	if (nlattr_left(walk) < sizeof(hop))
		return -EBADMSG;
	memcpy(&hop, walk->at, sizeof(hop));
	if (hop.rtnh_len < sizeof(hop) || hop.rtnh_len > nlattr_left(walk))
		return -EBADMSG;
	*to = (struct rtnl_hop){ .ifindex = (uint32_t)hop.rtnh_ifindex };
	inside = (struct nlattr_walk){ .at = walk->at + sizeof(hop), .end = walk->at + hop.rtnh_len };
	while ((ret = nlattr_next(&inside, &item)) > 0) {
		if (item.type == RTA_GATEWAY)
			ret = copy_addr(&item, family, &to->gateway);
		else if (item.type == RTA_VIA)
			ret = copy_via(&item, &to->gateway);
		if (ret < 0)
			break;
	}
	step = RTNH_ALIGN((size_t)hop.rtnh_len);
	walk->at += step < nlattr_left(walk) ? step : nlattr_left(walk);
	return ret;
}

static int decode_nexthops(const struct nlattr_item *multipath, uint8_t family, struct rtnl_event *event)
{
	struct nlattr_walk walk = nlattr_nested(multipath);
	struct rtnl_route *route = &event->route;
	struct rtnl_hop hop;
	int ret = decode_nexthop(&walk, family, &hop);

	event->ifindex = hop.ifindex;
	route->gateway = hop.gateway;
	while (!ret && nlattr_left(&walk) && route->others < RTNL_OTHER_HOPS)
		ret = decode_nexthop(&walk, family, &route->other[route->others++]);
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
		return decode_nexthops(item, family, event);
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

/* What a rule asks of a packet, and so is no rule for all of them. */
static bool is_condition(const struct nlattr_item *item)
{
	switch (item->type) {
	case FRA_IIFNAME:
	case FRA_OIFNAME:
	case FRA_TUN_ID:
	case FRA_UID_RANGE:
	case FRA_IP_PROTO:
	case FRA_SPORT_RANGE:
	case FRA_DPORT_RANGE:
		return true;
	default:
		return false;
	}
}

static int decode_rule(const void *header, struct nlattr_walk walk, struct rtnl_event *event)
{
	const struct fib_rule_hdr *info = header;
	struct rtnl_rule *rule = &event->rule;
	bool asks_mark = false, asks_more = info->src_len || info->tos;
	uint32_t suppress = UINT32_MAX;
	struct nlattr_item item;
	int ret;

	*rule = (struct rtnl_rule){ .family = family_of(info->family), .table = info->table };
	if (!rule->family)
		return -ENOMSG;
	while ((ret = nlattr_next(&walk, &item)) > 0) {
		if (item.type == FRA_PRIORITY)
			ret = copy_u32(&item, &rule->priority);
		else if (item.type == FRA_TABLE)
			ret = copy_u32(&item, &rule->table);
		else if (item.type == FRA_SUPPRESS_PREFIXLEN)
			ret = copy_u32(&item, &suppress);
		else if (item.type == FRA_FWMARK)
			asks_mark = true;
		else if (item.type == FRA_L3MDEV)
			rule->is_vrf = true;
		else if (item.type == FRA_DST)
			ret = copy_addr(&item, rule->family, &rule->to.addr);
		else
			asks_more |= is_condition(&item);
		if (ret < 0)
			return ret;
	}
	if (info->action != FR_ACT_TO_TBL)
		rule->table = 0;
	if (info->dst_len > 8 * addr_len(rule->to.addr.family))
		return -EBADMSG;
	rule->to = prefix_make(&rule->to.addr, info->dst_len);
	asks_more |= info->dst_len && info->flags & FIB_RULE_INVERT;
	rule->suppress = suppress > 128 ? -1 : (int32_t)suppress;
	/* "not fwmark N": all but marked packets. */
	rule->is_general = !asks_more && (info->flags & FIB_RULE_INVERT ? asks_mark : !asks_mark) && !rule->is_vrf;
	return ret;
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
	{ RTM_NEWRULE, RTNL_RULE, sizeof(struct fib_rule_hdr), decode_rule },
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
