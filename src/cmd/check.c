/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/cmd/cmd.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/base/url.h"
#include "hostmeter/check/firewall.h"
#include "hostmeter/check/judge.h"
#include "hostmeter/check/print.h"
#include "hostmeter/check/socket_owner.h"
#include "hostmeter/check/status.h"
#include "hostmeter/config/config.h"
#include "hostmeter/daemon/probe.h"
#include "hostmeter/http/client.h"
#include "hostmeter/http/listen.h"
#include "hostmeter/os/ct_sysctl.h"
#include "hostmeter/os/file_watch.h"

#include <cap-ng.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_MS = 5000 };

/* Where the facts' pointers lead. */
struct evidence {
	struct check_facts facts;
	struct check_status status; /* of the meter, all zero if it does not answer */
	struct firewall firewall;
	struct glance glance;
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
	if (e->facts.meter.answers)
		e->facts.nflog_group = e->facts.meter.nflog_group;
}

static bool is_on(const char *path)
{
	struct buf text = BUF_INIT;
	bool on;

	files_read(path, &text);
	on = text.len && text.data[0] != '0';
	buf_free(&text);
	return on;
}

static void look_at_machine(struct check_facts *facts)
{
	facts->real_ns = clock_real_ns();
	facts->privileged = capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_ADMIN);
	facts->acct = sysctl_read("nf_conntrack_acct");
	facts->events = sysctl_read("nf_conntrack_events");
	facts->table_entries = sysctl_read("nf_conntrack_count");
	facts->table_limit = sysctl_read("nf_conntrack_max");
	facts->forwards_ipv4 = is_on("/proc/sys/net/ipv4/ip_forward");
	facts->forwards_ipv6 = is_on("/proc/sys/net/ipv6/conf/all/forwarding");
}

static void look_at_rules(struct evidence *e)
{
	firewall_read(&e->firewall);
	e->facts.rules = &e->firewall.rules;
	e->facts.rules_read = e->firewall.read;
	e->facts.flowtables_read = e->firewall.flowtables_read;
	snprintf(e->facts.rules_failed, sizeof(e->facts.rules_failed), "%s",
		e->firewall.failed ? e->firewall.failed : "");
}

static void keep_owner(struct check_owner *to, const struct sockets_owner *from)
{
	to->pid = from->pid;
	snprintf(to->name, sizeof(to->name), "%s", from->name);
}

static void look_at_group(struct check_facts *facts)
{
	struct sockets_owner owner;

	facts->nflog_bound = sockets_nflog(facts->nflog_group, &owner);
	keep_owner(&facts->nflog_owner, &owner);
}

/* --- Interfaces: the meter's word on their sides, and what else there is */

static bool is_in(const struct check_link *link, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(link[i].name, name))
			return true;
	return false;
}

static enum check_side side_of(const struct topology_link *link)
{
	return link->side == SIDE_LAN ? CHECK_LAN : link->side == SIDE_WAN ? CHECK_WAN : CHECK_OTHER;
}

static int list_links(struct evidence *e)
{
	size_t known = e->status.links;

	e->link = calloc(known + e->glance.links + 1, sizeof(*e->link));
	if (!e->link)
		return -ENOMEM;
	memcpy(e->link, e->status.link, known * sizeof(*e->link));
	e->facts.links = known;
	for (size_t i = 0; i < e->glance.links; i++) {
		const struct topology_link *link = &e->glance.link[i];
		struct check_link *to = &e->link[e->facts.links];

		if (link->side == SIDE_NONE || is_in(e->link, known, link->name))
			continue;
		snprintf(to->name, sizeof(to->name), "%s", link->name);
		to->side = e->facts.meter.answers ? CHECK_OTHER : side_of(link);
		e->facts.links++;
	}
	e->facts.link = e->link;
	e->facts.links_known = e->glance.links_known || e->facts.meter.answers;
	return 0;
}

static const char *missing_link(const struct evidence *e, const struct config_strings *names)
{
	for (size_t i = 0; e->glance.links_known && i < names->count; i++) {
		bool found = false;

		for (size_t j = 0; j < e->glance.links; j++)
			found |= !strcmp(e->glance.link[j].name, names->item[i]);
		if (!found)
			return names->item[i];
	}
	return NULL;
}

static int look_at_network(struct evidence *e, const struct config *config)
{
	struct check_facts *facts = &e->facts;
	int error = glance_take(&e->glance, config, !facts->meter.answers);

	if (error)
		return error;
	facts->lan_missing = missing_link(e, &config->lan);
	facts->wan_missing = missing_link(e, &config->wan);
	facts->probe = (struct check_source){ .buffer = e->glance.buffer, .buffer_asked = e->glance.buffer_asked };
	facts->flows_known = facts->meter.answers || e->glance.flows_known;
	facts->flows = facts->meter.answers ? e->status.flows : e->glance.flows;
	facts->flows_uncounted = facts->meter.answers ? e->status.flows_uncounted : e->glance.flows_uncounted;
	facts->flows_offloaded = facts->meter.answers ? e->status.flows_offloaded : e->glance.flows_offloaded;
	return list_links(e);
}

/* --- Files and ports */

static void try_file(struct check_names *names, const char *path)
{
	struct buf text = BUF_INIT;
	int error = files_read(path, &text);

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
	struct sockets_owner owner = { 0 };
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
		sockets_tcp(number, &owner);
	keep_owner(&port->owner, &owner);
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
	look_at_rules(e);
	look_at_group(&e->facts);
	error = look_at_network(e, config);
	if (!error)
		error = look_at_names(e, config);
	return error ? error : look_at_ports(e, config);
}

static bool show(const struct check_facts *facts, const struct config *config, struct buf *out)
{
	struct check_line line[CHECK_MOST];
	size_t count = check_judge(facts, line);
	bool good = check_is_good(line, count);

	if (config->json)
		check_show_json(out, line, count, facts->real_ns);
	else
		check_show_text(out, line, count);
	check_clear(line, count);
	return good;
}

int cmd_check(const struct config *config, struct buf *out)
{
	struct evidence e = { 0 };
	int error = collect(&e, config), status = CMD_FAILED;

	if (error)
		log_error("--check: %s", strerror(-error));
	else if (show(&e.facts, config, out))
		status = CMD_OK;
	firewall_clear(&e.firewall);
	glance_clear(&e.glance);
	free(e.link);
	free(e.names);
	free(e.port);
	return status;
}
