/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/cmd/cmd.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/base/url.h"
#include "hostmeter/check/judge.h"
#include "hostmeter/config/config.h"
#include "hostmeter/decode/rtnl_decode.h"
#include "hostmeter/http/client.h"
#include "hostmeter/http/listen.h"
#include "hostmeter/meter/names.h"
#include "hostmeter/names/follow.h"
#include "hostmeter/os/ct_sysctl.h"
#include "hostmeter/os/file.h"
#include "hostmeter/os/wall_clock.h"

#include <cap-ng.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_MS = 5000 };

static void ask_meter(struct check_facts *facts)
{
	struct buf body = BUF_INIT;
	int status = http_get(facts->socket, "/api/v1/status", &body, ANSWER_MS);

	if (status == 200)
		status = check_facts_read(facts, &body);
	facts->meter.error = status;
	buf_free(&body);
}

/* The first character of the file, 0 if there is none. */
static char switch_at(const char *path)
{
	struct buf text = BUF_INIT;
	char first;

	file_read_kernel(path, 1, &text);
	first = text.len ? text.data[0] : 0;
	buf_free(&text);
	return first;
}

static bool is_on(const char *path)
{
	char first = switch_at(path);

	return first && first != '0';
}

static void look_at_machine(struct check_facts *facts)
{
	facts->real_ns = clock_real_ns();
	facts->clock_set = wall_clock_ns(0) != 0;
	facts->privileged = capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN);
	facts->acct = ct_sysctl_read("nf_conntrack_acct");
	facts->events = ct_sysctl_read("nf_conntrack_events");
	facts->table_entries = ct_sysctl_read("nf_conntrack_count");
	facts->table_limit = ct_sysctl_read("nf_conntrack_max");
	facts->forwards[FIREWALL_IPV4] = is_on("/proc/sys/net/ipv4/ip_forward");
	facts->forwards[FIREWALL_IPV6] = is_on("/proc/sys/net/ipv6/conf/all/forwarding");
	facts->hides_next_hops = switch_at("/proc/sys/net/ipv4/nexthop_compat_mode") == '0';
}

/* --- Interfaces: the meter says which are LAN and WAN; where none runs, the configuration */

static bool is_listed(const char *name, const struct config_strings *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->item[i], name))
			return true;
	return false;
}

static void add_interface(struct check_facts *facts, const struct config *config, const char *name)
{
	struct check_link *link = &facts->link[facts->links];

	for (size_t i = 0; i < facts->links; i++)
		if (!strcmp(facts->link[i].name, name))
			return;
	if (facts->links == CHECK_MOST || !strcmp(name, "lo"))
		return;
	snprintf(link->name, sizeof(link->name), "%s", name);
	if (!facts->meter.answers && is_listed(name, &config->lan))
		link->side = CHECK_LAN;
	else if (!facts->meter.answers && is_listed(name, &config->wan))
		link->side = CHECK_WAN;
	facts->links++;
}

static const char *first_missing(const struct config_strings *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (!if_nametoindex(names->item[i]))
			return names->item[i];
	return NULL;
}

/* The meter's interfaces are there already. */
static int look_at_interfaces(struct check_facts *facts, const struct config *config)
{
	struct if_nameindex *all = if_nameindex();

	if (!all)
		return -errno;
	for (const struct if_nameindex *one = all; one->if_index; one++) {
		char name[IFNAME_LEN];

		if (!rtnl_interface_name(name, one->if_name, IFNAME_LEN, one->if_index))
			add_interface(facts, config, name);
	}
	if_freenameindex(all);
	facts->lan_missing = first_missing(&config->lan);
	facts->wan_missing = first_missing(&config->wan);
	return 0;
}

/* --- Files and ports */

static void try_files(struct check_facts *facts, const struct config_strings *paths)
{
	for (size_t i = 0; i < paths->count && facts->names_count < CHECK_MOST; i++) {
		struct check_names *names = &facts->names[facts->names_count++];
		int error = names_follow_try(paths->item[i]);

		snprintf(names->path, sizeof(names->path), "%s", paths->item[i]);
		if (error)
			snprintf(names->error, sizeof(names->error), "%s", names_error_text(error));
	}
}

/* How the owner is asked, if it is a hostmeter. */
static void find_socket(const struct socket_owner *owner, char path[static SOCKET_OWNER_PATH])
{
	if (owner->pid && !strcmp(owner->name, "hostmeter"))
		socket_owner_unix(owner->pid, path);
}

/* Whether the meter can listen there: if it does not yet, this listens for a moment. */
static void try_port(struct check_facts *facts, const char *where)
{
	struct check_port *port = &facts->port[facts->ports++];
	struct addr addr;
	uint16_t number;
	int fd;

	port->where = where;
	for (size_t i = 0; i < facts->listens; i++)
		port->is_meters |= !strcmp(facts->listen[i], where);
	if (!port->is_meters) {
		fd = listen_tcp(where);
		port->error = fd < 0 ? fd : close(fd);
	}
	if (port->error != -EADDRINUSE || url_read_port(where, &addr, &number) ||
		!socket_owner_tcp(number, &port->owner))
		return;
	find_socket(&port->owner, port->socket);
}

/* --- All of it */

static int collect(struct check_facts *facts, const struct config *config)
{
	ask_meter(facts);
	look_at_machine(facts);
	firewall_read(&facts->firewall, facts->nflog_group);
	facts->nflog_bound = socket_owner_nflog(facts->nflog_group, &facts->nflog_owner);
	find_socket(&facts->nflog_owner, facts->nflog_socket);
	/* Which files the meter could read counts, not which this process can. */
	if (!facts->meter.answers) {
		try_files(facts, &config->names_ethers);
		try_files(facts, &config->names_leases);
		try_files(facts, &config->names_odhcpd);
		try_files(facts, &config->names_hosts);
	}
	for (size_t i = 0; i < config->listen.count && i < CHECK_STATUS_MOST; i++)
		try_port(facts, config->listen.item[i]);
	return look_at_interfaces(facts, config);
}

static bool print(const struct check_facts *facts, const struct config *config, struct buf *out)
{
	struct finding finding[JUDGE_MOST];
	size_t count = judge_all(facts, finding);
	bool good = finding_none_bad(finding, count);

	if (config->json)
		finding_print_json(out, finding, count, facts->clock_set ? facts->real_ns : 0);
	else
		finding_print_text(out, finding, count);
	finding_clear(finding, count);
	return good;
}

int cmd_check(const struct config *config, struct buf *out)
{
	struct check_facts facts = {
		.socket = config->socket,
		.runtime_dir = config->runtime_dir,
		.nflog_group = config->nflog_group,
		.fill_percent = config->reliable_fill,
	};
	int error = collect(&facts, config), status = CMD_FAILED;

	if (error)
		log_error("--check: %s", strerror(-error));
	else if (print(&facts, config, out))
		status = CMD_OK;
	firewall_clear(&facts.firewall);
	return status;
}
