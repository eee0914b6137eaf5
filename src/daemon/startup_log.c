/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "startup_log.h"

#include "hostmeter/base/buf.h"
#include "hostmeter/base/log.h"
#include "hostmeter/config/config.h"
#include "hostmeter/meter/topology.h"
#include "hostmeter/netlink/ifnames.h"
#include "hostmeter/os/ct_sysctl.h"

struct list {
	const struct ifnames *names;
	enum side side;
	struct buf text;
};

static void list_link(void *ctx, const struct topology_link *link)
{
	struct list *list = ctx;
	char name[IFNAMES_LEN];

	if (link->side != list->side || !link->is_up)
		return;
	buf_puts(&list->text, list->text.len ? ", " : "");
	buf_puts(&list->text, ifnames_name(list->names, link->ifindex, name) ? link->name : name);
}

static void log_links(const struct topology *topology, const struct ifnames *names, enum side side, const char *what,
	const char *none)
{
	struct list list = { .names = names, .side = side, .text = BUF_INIT };

	topology_each_link(topology, list_link, &list);
	log_info("%s: %s", what, list.text.len ? buf_text(&list.text) : none);
	buf_free(&list.text);
}

void startup_log_start(const struct config *config, const struct topology *topology, const struct ifnames *names,
	bool has_tls)
{
	log_info("hostmeter %s meters every host of this router by its MAC address", HOSTMETER_VERSION);
	log_links(topology, names, SIDE_WAN, "WAN", "none found: no default route and no --wan");
	log_links(topology, names, SIDE_LAN, "LAN", "none: this machine meters itself as host=\"router\"");
	for (size_t i = 0; i < config->listen.count; i++)
		log_info("metrics: %s://%s%s/metrics", has_tls ? "https" : "http",
			config->listen.item[i][0] == ':' ? "localhost" : "", config->listen.item[i]);
	log_info("metrics here: hostmeter --once --socket %s", config->socket);
}

void startup_log_switches(void)
{
	uint64_t events = ct_sysctl_read("nf_conntrack_events");

	if (ct_sysctl_read("nf_conntrack_acct") == 0)
		log_warning("the kernel does not count connections: sysctl net.netfilter.nf_conntrack_acct=1");
	if (events == 0)
		log_warning(
			"the kernel sends no events of ended connections: sysctl net.netfilter.nf_conntrack_events=1");
	else if (events == 2)
		log_warning("connections that begin while no meter runs will end unseen: "
			    "sysctl net.netfilter.nf_conntrack_events=1");
}
