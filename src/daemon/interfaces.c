/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "interfaces.h"

#include "hostmeter/base/buf.h"
#include "hostmeter/base/log.h"
#include "hostmeter/base/url.h"
#include "hostmeter/config/config.h"
#include "hostmeter/decode/pppoe_parse.h"
#include "hostmeter/decode/rtnl_decode.h"
#include "hostmeter/meter/meter.h"
#include "hostmeter/meter/topology.h"
#include "hostmeter/netlink/ifnames.h"
#include "hostmeter/netlink/wireguard.h"
#include "hostmeter/os/file.h"
#include "hostmeter/os/loop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PPPOE_FILE "/proc/self/net/pppoe"

enum { PPPOE_BYTES = 16384, LISTEN_LINES = 8 };

/* --- The log */

struct link_list {
	const struct ifnames *names;
	enum side side;
	struct buf text;
};

static void list_link(void *ctx, const struct topology_link *link)
{
	struct link_list *list = ctx;
	char raw[IFNAMES_LEN], name[IFNAME_LEN];

	if (link->side != list->side || !link->is_up)
		return;
	buf_puts(&list->text, list->text.len ? ", " : "");
	if (ifnames_name(list->names, link->ifindex, raw) || rtnl_interface_name(name, raw, sizeof(raw), link->ifindex))
		memcpy(name, link->name, sizeof(name));
	buf_puts(&list->text, name);
}

/* Whether there are any. */
static bool log_links(const struct interfaces *interfaces, enum side side, const char *what, const char *none)
{
	struct link_list list = { .names = interfaces->names, .side = side, .text = BUF_INIT };
	bool found;

	topology_each_link(meter_topology(interfaces->meter), list_link, &list);
	found = list.text.len > 0;
	log_info("%s: %s", what, found ? buf_text(&list.text) : none);
	buf_free(&list.text);
	return found;
}

/* An address and port that is listened on, and how often it was logged. */
struct listen_list {
	const struct interfaces *interfaces;
	const char *scheme;
	struct addr addr;
	uint16_t port;
	size_t count;
};

static void log_listen(void *ctx, const struct addr *addr, uint32_t ifindex)
{
	struct listen_list *list = ctx;
	const struct topology *topology = meter_topology(list->interfaces->meter);
	bool all = !list->addr.family || addr_is_unspecified(&list->addr);
	bool fits = all ? !list->addr.family || list->addr.family == addr->family : addr_equal(&list->addr, addr);
	char text[ADDR_TEXT];

	if (!fits || topology_interface(topology, ifindex) != SIDE_LAN || addr_is_link_local(addr) ||
		list->count++ >= LISTEN_LINES)
		return;
	log_info("metrics: %s://%s%s%s:%u/metrics (LAN %s)", list->scheme, addr->family == 6 ? "[" : "",
		addr_format(addr, text), addr->family == 6 ? "]" : "", list->port, topology_name(topology, ifindex));
}

size_t interfaces_log_listen(const struct interfaces *interfaces, const char *scheme, const char *listen)
{
	struct listen_list list = { .interfaces = interfaces, .scheme = scheme };

	if (!url_read_port(listen, &list.addr, &list.port))
		topology_each_address(meter_topology(interfaces->meter), log_listen, &list);
	return list.count;
}

static void on_change(void *ctx, const struct topology_link *link, enum side before)
{
	(void)ctx;
	log_info("interface %s: %s, before: %s: %s%s%s", link->name, topology_side_name(link->side),
		topology_side_name(before), topology_reason_text(link->reason), *link->because_of ? " " : "",
		link->because_of);
}

void interfaces_start(struct interfaces *interfaces)
{
	bool wan_is_known = log_links(interfaces, SIDE_WAN, "WAN", "none found: no default route and no --wan");

	log_links(interfaces, SIDE_LAN, "LAN",
		wan_is_known ? "none: this machine meters itself as host=\"router\"" :
			       "none: no interface is a LAN until a WAN is known, or --lan names it");
	meter_watch_sides(interfaces->meter, on_change, NULL);
}

static void warn_of_missing(const struct interfaces *interfaces, const char *option, const struct config_strings *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (!topology_has(meter_topology(interfaces->meter), names->item[i]))
			log_warning("%s: there is no interface \"%s\" yet: it is metered when it comes", option,
				names->item[i]);
}

void interfaces_warn(const struct interfaces *interfaces, const struct config *config)
{
	warn_of_missing(interfaces, "lan", &config->lan);
	warn_of_missing(interfaces, "wan", &config->wan);
}

/* --- PPPoE */

static void read_pppoe(struct interfaces *interfaces)
{
	size_t links = topology_ppp_links(meter_topology(interfaces->meter));
	char port[TOPOLOGY_PPPOE_MOST][IFNAME_LEN] = { { 0 } };
	struct buf text = BUF_INIT;

	if (links == interfaces->ppp_links)
		return;
	interfaces->ppp_links = links;
	/* Without PPPoE in the kernel there is no such file. */
	if (!file_read_kernel(PPPOE_FILE, PPPOE_BYTES, &text) && !buf_error(&text))
		meter_pppoe(interfaces->meter, port, pppoe_parse(buf_text(&text), port, TOPOLOGY_PPPOE_MOST),
			loop_now_ns(interfaces->loop));
	buf_free(&text);
}

/* --- WireGuard */

static void on_port(void *ctx, uint32_t ifindex, uint16_t port)
{
	const struct interfaces *interfaces = ctx;

	meter_tunnel_port(interfaces->meter, ifindex, port);
}

void interfaces_ask(struct interfaces *interfaces)
{
	uint32_t ifindex[WIREGUARD_MOST];

	interfaces->wireguards = meter_wireguards(interfaces->meter, ifindex, WIREGUARD_MOST);
	wireguard_ask(interfaces->wireguard, ifindex, interfaces->wireguards);
}

void interfaces_turn(struct interfaces *interfaces)
{
	read_pppoe(interfaces);
	if (meter_wireguards(interfaces->meter, NULL, 0) != interfaces->wireguards)
		interfaces_ask(interfaces);
}

/* --- Begin and end */

int interfaces_make(struct interfaces *interfaces, struct loop *loop, struct meter *meter, const struct ifnames *names)
{
	*interfaces = (struct interfaces){ .loop = loop, .meter = meter, .names = names };
	interfaces->wireguard = wireguard_new(loop, on_port, interfaces);
	return interfaces->wireguard ? 0 : -ENOMEM;
}

void interfaces_free(struct interfaces *interfaces)
{
	wireguard_free(interfaces->wireguard);
}
