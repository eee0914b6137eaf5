/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/check/judge.h"

#include "hostmeter/base/clock.h"
#include "judge_rows.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

/* --- The machine */

static void judge_privileges(const struct check_facts *f, struct finding *finding)
{
	if (f->meter.answers)
		finding_good(finding, "the running meter has what it needs");
	else if (f->privileged)
		finding_good(finding, "CAP_NET_ADMIN");
	else
		finding_bad(finding,
			"CAP_NET_ADMIN is missing: a meter cannot read connections, and this check cannot list rules");
}

static void judge_clock(const struct check_facts *f, struct finding *finding)
{
	time_t seconds = (time_t)(f->real_ns / CLOCK_NS_PER_S);
	char text[32] = "?";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm);
	if (!f->clock_set)
		finding_bad(finding, "the date is unknown: the clock says %s: it was not set", text);
	else
		finding_good(finding, "%s", text);
}

static void judge_accounting(const struct check_facts *f, struct finding *finding)
{
	if (f->acct == CHECK_NONE) {
		finding_bad(finding, "this kernel tracks no connections: nf_conntrack is not loaded");
		finding_fix(finding, "modprobe nf_conntrack");
		finding_fix(finding, "sysctl -w net.netfilter.nf_conntrack_acct=1");
	} else if (!f->acct) {
		finding_bad(finding, "nf_conntrack_acct=0: the kernel does not count connections");
	} else {
		finding_good(finding, "nf_conntrack_acct=%" PRIu64, f->acct);
	}
}

static void judge_events(const struct check_facts *f, struct finding *finding)
{
	if (f->events == CHECK_NONE)
		finding_bad(finding, "this kernel reports no events of connections: there is no nf_conntrack_events");
	else if (f->events == 0)
		finding_bad(finding, "nf_conntrack_events=0: the kernel does not report when connections end");
	else if (f->events == 2)
		finding_bad(finding,
			"nf_conntrack_events=2: the ends of connections that began without a meter are not reported");
	else
		finding_good(finding, "nf_conntrack_events=%" PRIu64, f->events);
}

static void judge_table(const struct check_facts *f, struct finding *finding)
{
	double percent = f->table_limit ? 100.0 * (double)f->table_entries / (double)f->table_limit : 0;

	if (f->table_entries == CHECK_NONE || f->table_limit == CHECK_NONE) {
		finding_unknown(finding, "the kernel does not say how full its connection table is");
	} else if (percent > f->fill_percent) {
		finding_bad(finding, "%" PRIu64 " of %" PRIu64 " connections, more than %g %%", f->table_entries,
			f->table_limit, f->fill_percent);
		finding_fix(finding, "sysctl -w net.netfilter.nf_conntrack_max=%" PRIu64, 2 * f->table_limit);
	} else {
		finding_good(finding, "%" PRIu64 " of %" PRIu64 " connections", f->table_entries, f->table_limit);
	}
}

/* --- Interfaces, files, ports, the meter itself */

/* Appends the names of all interfaces, or of those on a side. How many there are. */
static size_t put_links(const struct check_facts *f, struct finding *finding, bool all, enum check_side side)
{
	size_t found = 0;

	for (size_t i = 0; i < f->links; i++)
		if (all || f->link[i].side == side)
			buf_printf(&finding->text, "%s%s", found++ ? ", " : "", f->link[i].name);
	return found;
}

/* The finding has the name of the side's option. */
static void judge_side(const struct check_facts *f, struct finding *finding)
{
	enum check_side side = strcmp(finding->name, "lan") ? CHECK_WAN : CHECK_LAN;
	const char *missing = side == CHECK_LAN ? f->lan_missing : f->wan_missing;

	if (!missing && put_links(f, finding, false, side))
		return;
	if (!missing && !f->meter.answers) {
		finding_unknown(finding, "only a running meter knows: none is configured");
		return;
	}
	if (missing)
		finding_bad(finding, "there is no interface \"%s\" among ", missing);
	else
		finding_bad(finding,
			side == CHECK_LAN ? "none: no interface beside the WAN's among " :
					    "none: no default route leads to one of ");
	if (!put_links(f, finding, true, side))
		buf_puts(&finding->text, "no interface at all");
	finding_fix(finding, "%s = {\"INTERFACE\"}  # or --%s INTERFACE: one of these", finding->name, finding->name);
}

static void judge_names(const struct check_facts *f, struct finding *finding)
{
	for (size_t i = 0; i < f->names_count; i++) {
		if (!f->names[i].error[0])
			continue;
		finding_bad(finding, "%s%s: %s", finding->text.len ? ", " : "", f->names[i].path, f->names[i].error);
		if (!strcmp(f->names[i].error, strerror(EACCES)))
			finding_fix(finding, "chmod a+r %s  # and a+rx its directories", f->names[i].path);
		else if (!strcmp(f->names[i].error, "no line of it could be used"))
			finding_fix(finding, "head -n 3 %s  # hostmeter.conf(5) has the formats", f->names[i].path);
		else
			finding_fix(finding, "ls -lL %s  # which of them, and how large", f->names[i].path);
	}
	if (!finding->text.len)
		finding_good(finding, "%zu path%s: each file that exists can be read", f->names_count,
			finding_plural(f->names_count));
}

/* A hostmeter has the port: the one that answers, which listens elsewhere, or another, which was not asked. */
static void judge_port_of_hostmeter(const struct check_facts *f, struct finding *finding, const struct check_port *port)
{
	int pid = (int)port->owner.pid;

	if (f->meter.answers && !strcmp(port->socket, f->socket)) {
		finding_bad(finding, "the running meter (process %d) has this port, at another address", pid);
		finding_fix(finding, "systemctl restart hostmeter  # it takes the addresses of its configuration");
		return;
	}
	finding_bad(finding, "another hostmeter (process %d) serves there; this check did not ask it", pid);
	if (*port->socket)
		finding_fix(finding, "hostmeter --check --socket %s  # asks it", port->socket);
	else
		finding_fix(finding, "tr '\\0' ' ' < /proc/%d/cmdline  # check with these options, to ask it", pid);
}

static void judge_one_port(const struct check_facts *f, struct finding *finding, const struct check_port *port)
{
	finding_bad(finding, "%s%s: ", finding->text.len ? ", " : "", port->where);
	if (port->error == -EADDRINUSE && !strcmp(port->owner.name, "hostmeter")) {
		judge_port_of_hostmeter(f, finding, port);
		return;
	}
	if (port->error == -EADDRINUSE) {
		buf_puts(&finding->text, "in use by ");
		finding_put_owner(finding, &port->owner);
	} else {
		buf_puts(&finding->text, strerror(-port->error));
	}
	finding_fix(finding,
		port->error == -EADDRNOTAVAIL  ? "listen = {\":10060\"}  # or an address that this machine has" :
			port->error == -EACCES ? "listen = {\":10060\"}  # or another port above 1023" :
						 "listen = {\":10061\"}  # or another port that is free");
}

static void judge_port(const struct check_facts *f, struct finding *finding)
{
	for (size_t i = 0; i < f->ports; i++)
		if (f->port[i].error && !f->port[i].is_meters)
			judge_one_port(f, finding, &f->port[i]);
	for (size_t i = 0; i < f->ports && finding->state != FINDING_BAD; i++)
		finding_good(finding, "%s%s%s", i ? ", " : "", f->port[i].where,
			f->port[i].is_meters ? " is the running meter's" : " is free");
}

static void judge_answers(const struct check_facts *f, struct finding *finding)
{
	int error = f->meter.error;

	if (f->meter.answers)
		finding_good(finding, "version %s answers on %s", f->meter.version, f->socket);
	else if (error == -ENOENT || error == -ECONNREFUSED)
		finding_unknown(finding,
			"none runs (nobody answers on %s): start one with systemctl start hostmeter, or hostmeter",
			f->socket);
	else if (error == -EACCES)
		finding_unknown(finding, "this user may not ask it: %s: %s", f->socket, strerror(-error));
	else if (error < 0)
		finding_bad(finding, "%s: %s", f->socket, strerror(-error));
	else
		finding_bad(finding, "%s: HTTP status %d", f->socket, error);
}

/* --- The table */

static const struct judgement rows[] = {
	{ "privileges", judge_privileges,
		"sudo hostmeter --check  # or: setcap cap_net_admin=ep /usr/local/sbin/hostmeter" },
	{ "clock", judge_clock, "timedatectl set-ntp true  # or: date -s TIME" },
	{ "accounting", judge_accounting, "sysctl -w net.netfilter.nf_conntrack_acct=1" },
	{ "events", judge_events, "sysctl -w net.netfilter.nf_conntrack_events=1" },
	{ "table", judge_table, NULL },
	{ "lan", judge_side, NULL },
	{ "wan", judge_side, NULL },
	{ "names", judge_names, NULL },
	{ "port", judge_port, NULL },
	{ "meter", judge_answers, "systemctl restart hostmeter  # or end it and start it again" },
	{ NULL, NULL, NULL },
};

size_t judge_all(const struct check_facts *facts, struct finding finding[static JUDGE_MOST])
{
	const struct judgement *const tables[] = { rows, judge_rules_rows, judge_meter_rows };
	size_t count = 0;

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		for (const struct judgement *row = tables[i]; row->name; row++) {
			struct finding *one = &finding[count++];

			assert(count <= JUDGE_MOST);
			*one = (struct finding){ .name = row->name };
			if (tables[i] == judge_meter_rows && !facts->meter.answers)
				finding_unknown(one, "only a running meter knows");
			else
				row->judge(facts, one);
			if (one->state == FINDING_BAD && !one->fix.len && row->fix)
				finding_fix(one, "%s", row->fix);
		}
	}
	return count;
}
