/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/cmd/cmd.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/base/url.h"
#include "hostmeter/check/judge.h"
#include "hostmeter/check/print.h"
#include "hostmeter/check/socket_owner.h"
#include "hostmeter/check/status.h"
#include "hostmeter/config/config.h"
#include "hostmeter/http/client.h"
#include "hostmeter/http/listen.h"
#include "hostmeter/os/ct_sysctl.h"
#include "hostmeter/os/file.h"

#include <cap-ng.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_MS = 5000 };

/* Where the facts' pointers lead. */
struct evidence {
	struct check_facts facts;
	struct check_status status; /* of the meter, all zero if it does not answer */
	struct check_link *link;
	struct check_names *names;
	struct check_port *port;
};

/* --- One after the other */

static void ask_meter(struct evidence *e, const struct config *config)
{
	struct buf body = BUF_INIT;
	int status = http_get(config->socket, "/api/v1/status", &body, ANSWER_MS);

	if (status == 200)
		status = check_status_read(&e->status, &body);
	buf_free(&body);
	e->facts.meter = e->status.meter;
	e->facts.meter.error = status;
	e->facts.flows = e->status.flows;
	e->facts.flows_uncounted = e->status.flows_uncounted;
	e->facts.flows_offloaded = e->status.flows_offloaded;
	if (e->facts.meter.answers)
		e->facts.nflog_group = e->facts.meter.nflog_group;
}

static bool is_on(const char *path)
{
	struct buf text = BUF_INIT;
	bool on;

	file_read_matching(path, &text);
	on = text.len && text.data[0] != '0';
	buf_free(&text);
	return on;
}

static void look_at_machine(struct check_facts *facts)
{
	facts->real_ns = clock_real_ns();
	facts->privileged = capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN);
	facts->acct = ct_sysctl_read("nf_conntrack_acct");
	facts->events = ct_sysctl_read("nf_conntrack_events");
	facts->table_entries = ct_sysctl_read("nf_conntrack_count");
	facts->table_limit = ct_sysctl_read("nf_conntrack_max");
	facts->forwards[FIREWALL_IPV4] = is_on("/proc/sys/net/ipv4/ip_forward");
	facts->forwards[FIREWALL_IPV6] = is_on("/proc/sys/net/ipv6/conf/all/forwarding");
}

static void look_at_firewall(struct check_facts *facts)
{
	firewall_read(&facts->firewall, facts->nflog_group);
	facts->nflog_bound = socket_owner_nflog(facts->nflog_group, &facts->nflog_owner);
}

/* --- Interfaces: their sides are what the meter says, or the configuration where none runs */

static bool is_listed(const char *name, const struct config_strings *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (!strcmp(names->item[i], name))
			return true;
	return false;
}

static bool is_known(const struct check_status *status, const char *name)
{
	for (size_t i = 0; i < status->links; i++)
		if (!strcmp(status->link[i].name, name))
			return true;
	return false;
}

static enum check_side configured_side(const struct config *config, const char *name)
{
	return is_listed(name, &config->lan) ? CHECK_LAN : is_listed(name, &config->wan) ? CHECK_WAN : CHECK_OTHER;
}

static const char *first_missing(const struct config_strings *names)
{
	for (size_t i = 0; i < names->count; i++)
		if (!if_nametoindex(names->item[i]))
			return names->item[i];
	return NULL;
}

/* The meter's interfaces, and what else there is. */
static int look_at_interfaces(struct evidence *e, const struct config *config)
{
	struct if_nameindex *all = if_nameindex();
	size_t count = 0;

	if (!all)
		return -errno;
	while (all[count].if_index)
		count++;
	e->link = calloc(e->status.links + count + 1, sizeof(*e->link));
	if (e->link) {
		memcpy(e->link, e->status.link, e->status.links * sizeof(*e->link));
		e->facts.links = e->status.links;
	}
	for (size_t i = 0; e->link && i < count; i++) {
		struct check_link *link = &e->link[e->facts.links];

		if (!strcmp(all[i].if_name, "lo") || is_known(&e->status, all[i].if_name))
			continue;
		snprintf(link->name, sizeof(link->name), "%s", all[i].if_name);
		link->side = e->facts.meter.answers ? CHECK_OTHER : configured_side(config, link->name);
		e->facts.links++;
	}
	if_freenameindex(all);
	e->facts.link = e->link;
	e->facts.lan_missing = first_missing(&config->lan);
	e->facts.wan_missing = first_missing(&config->wan);
	return e->link ? 0 : -ENOMEM;
}

/* --- Files and ports */

static void try_file(struct check_names *names, const char *path)
{
	struct buf text = BUF_INIT;
	int error = file_read_matching(path, &text);

	snprintf(names->path, sizeof(names->path), "%s", path);
	snprintf(names->error, sizeof(names->error), "%s", error ? strerror(-error) : "");
	buf_free(&text);
}

/* What the meter could read says more than what we can. */
static int look_at_names(struct evidence *e, const struct config *config)
{
	const struct config_strings *const lists[] = { &config->names_ethers, &config->names_leases,
		&config->names_odhcpd, &config->names_hosts };
	size_t most = 0;

	e->facts.names = e->status.names;
	e->facts.names_count = e->status.names_count;
	if (e->facts.meter.answers)
		return 0;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		most += lists[i]->count;
	e->names = calloc(most + 1, sizeof(*e->names));
	if (!e->names)
		return -ENOMEM;
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (size_t j = 0; j < lists[i]->count; j++)
			try_file(&e->names[e->facts.names_count++], lists[i]->item[j]);
	e->facts.names = e->names;
	return 0;
}

static void try_port(const struct evidence *e, struct check_port *port, const char *where)
{
	struct addr addr;
	uint16_t number;
	int fd;

	port->where = where;
	for (size_t i = 0; i < e->status.listens; i++)
		port->is_meters |= !strcmp(e->status.listen[i], where);
	/* Whether the meter could: this listens for a moment. */
	if (!port->is_meters) {
		fd = listen_tcp(where);
		port->error = fd < 0 ? fd : close(fd);
	}
	if (port->error == -EADDRINUSE && !url_read_port(where, &addr, &number))
		socket_owner_tcp(number, &port->owner);
}

static int look_at_ports(struct evidence *e, const struct config *config)
{
	e->port = calloc(config->listen.count + 1, sizeof(*e->port));
	if (!e->port)
		return -ENOMEM;
	for (size_t i = 0; i < config->listen.count; i++)
		try_port(e, &e->port[i], config->listen.item[i]);
	e->facts.port = e->port;
	e->facts.ports = config->listen.count;
	return 0;
}

/* --- All of it */

static int collect(struct evidence *e, const struct config *config)
{
	int error;

	e->facts = (struct check_facts){
		.socket = config->socket,
		.runtime_dir = config->runtime_dir,
		.nflog_group = config->nflog_group,
		.fill_percent = config->reliable_fill,
	};
	ask_meter(e, config);
	look_at_machine(&e->facts);
	look_at_firewall(&e->facts);
	error = look_at_interfaces(e, config);
	if (!error)
		error = look_at_names(e, config);
	return error ? error : look_at_ports(e, config);
}

static bool print(const struct check_facts *facts, const struct config *config, struct buf *out)
{
	struct finding finding[JUDGE_MOST];
	size_t count = judge_all(facts, finding);
	bool good = finding_none_bad(finding, count);

	if (config->json)
		check_print_json(out, finding, count, facts->real_ns);
	else
		check_print_text(out, finding, count);
	finding_clear(finding, count);
	return good;
}

int cmd_check(const struct config *config, struct buf *out)
{
	struct evidence e = { 0 };
	int error = collect(&e, config), status = CMD_FAILED;

	if (error)
		log_error("--check: %s", strerror(-error));
	else if (print(&e.facts, config, out))
		status = CMD_OK;
	firewall_clear(&e.facts.firewall);
	free(e.link);
	free(e.names);
	free(e.port);
	return status;
}
