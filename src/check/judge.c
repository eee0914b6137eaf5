/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/check/judge.h"

#include "hostmeter/base/clock.h"
#include "judge_meter.h"
#include "judge_rules.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

/* This program is younger: a clock that says otherwise was not set. 2025-01-01 */
#define BORN_NS (UINT64_C(1735689600) * CLOCK_NS_PER_S)

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* --- The machine */

static void judge_privileges(const struct check_facts *f, struct check_line *line)
{
	if (f->meter.answers)
		check_line_good(line, "the running meter has what it needs");
	else if (f->privileged)
		check_line_good(line, "CAP_NET_ADMIN");
	else
		check_line_bad(line, "CAP_NET_ADMIN is missing: neither the meter nor this check can read connections");
}

static void judge_clock(const struct check_facts *f, struct check_line *line)
{
	time_t seconds = (time_t)(f->real_ns / CLOCK_NS_PER_S);
	char text[32] = "?";
	struct tm tm;

	if (gmtime_r(&seconds, &tm))
		strftime(text, sizeof(text), "%Y-%m-%d %H:%M UTC", &tm);
	if (f->real_ns < BORN_NS)
		check_line_bad(line, "the clock says %s: it was not set", text);
	else
		check_line_good(line, "%s", text);
}

static void judge_accounting(const struct check_facts *f, struct check_line *line)
{
	if (f->acct == CHECK_NONE) {
		check_line_bad(line, "this kernel tracks no connections: nf_conntrack is not loaded");
		check_line_mend(line, "modprobe nf_conntrack");
		check_line_mend(line, "sysctl -w net.netfilter.nf_conntrack_acct=1");
	} else if (!f->acct) {
		check_line_bad(line, "nf_conntrack_acct=0: the kernel does not count connections");
	} else {
		check_line_good(line, "nf_conntrack_acct=%" PRIu64, f->acct);
	}
}

static void judge_events(const struct check_facts *f, struct check_line *line)
{
	if (f->events == CHECK_NONE)
		check_line_bad(line, "this kernel tells nothing of connections: no nf_conntrack_events");
	else if (f->events == 0)
		check_line_bad(line, "nf_conntrack_events=0: the kernel does not tell when connections end");
	else if (f->events == 2)
		check_line_bad(line, "nf_conntrack_events=2: connections that begin while no meter runs end unseen");
	else
		check_line_good(line, "nf_conntrack_events=%" PRIu64, f->events);
}

static void judge_table(const struct check_facts *f, struct check_line *line)
{
	double percent = f->table_limit ? 100.0 * (double)f->table_entries / (double)f->table_limit : 0;

	if (f->table_entries == CHECK_NONE || f->table_limit == CHECK_NONE) {
		check_line_untold(line, "the kernel does not say how full its connection table is");
	} else if (percent > f->fill_percent) {
		check_line_bad(line, "%" PRIu64 " of %" PRIu64 " connections, more than %g %%", f->table_entries,
			f->table_limit, f->fill_percent);
		check_line_mend(line, "sysctl -w net.netfilter.nf_conntrack_max=%" PRIu64, 2 * f->table_limit);
	} else {
		check_line_good(line, "%" PRIu64 " of %" PRIu64 " connections", f->table_entries, f->table_limit);
	}
}

static void say_flows_unknown(const struct check_facts *f, struct check_line *line)
{
	check_line_untold(line, "the connections could not be read%s",
		f->privileged ? "" : ": CAP_NET_ADMIN is missing");
}

static void judge_uncounted(const struct check_facts *f, struct check_line *line)
{
	if (!f->flows_known) {
		say_flows_unknown(f, line);
	} else if (f->flows_uncounted) {
		check_line_bad(line,
			"%" PRIu64 " of %" PRIu64 " live connections: they began before nf_conntrack_acct=1",
			f->flows_uncounted, f->flows);
		if (!f->acct)
			check_line_mend(line, "sysctl -w net.netfilter.nf_conntrack_acct=1");
		check_line_mend(line, "conntrack -F  # or wait until they end");
	} else {
		check_line_good(line, "none of %" PRIu64 " live connections", f->flows);
	}
}

static void judge_offloaded(const struct check_facts *f, struct check_line *line)
{
	if (!f->flows_known)
		say_flows_unknown(f, line);
	else if (f->flows_offloaded)
		check_line_bad(line,
			"%" PRIu64 " of %" PRIu64 " live connections take a short cut: their last bytes may be lost",
			f->flows_offloaded, f->flows);
	else
		check_line_good(line, "none of %" PRIu64 " live connections", f->flows);
}

/* --- Sockets, interfaces, files, ports */

static void judge_one_buffer(struct check_line *line, const char *name, const struct check_source *source,
	uint64_t *most)
{
	if (!source->buffer || source->buffer >= source->buffer_asked)
		return;
	check_line_bad(line, "%s%s: %" PRIu64 " bytes granted of %" PRIu64, line->text.len ? ", " : "", name,
		source->buffer, source->buffer_asked);
	/* What is asked for is doubled by the kernel, socket(7); the limit is on what is asked for. */
	if (source->buffer_asked / 2 > *most)
		*most = source->buffer_asked / 2;
}

static void judge_buffers(const struct check_facts *f, struct check_line *line)
{
	uint64_t most = 0;

	if (f->meter.answers) {
		for (enum source source = 0; source < SOURCE_COUNT; source++)
			judge_one_buffer(line, source_name(source), &f->meter.source[source], &most);
	} else if (!f->probe.buffer) {
		check_line_untold(line, "no socket could be opened to see what the kernel grants");
		return;
	} else {
		judge_one_buffer(line, source_name(SOURCE_EVENTS), &f->probe, &most);
	}
	if (most)
		check_line_mend(line,
			"sysctl -w net.core.rmem_max=%" PRIu64 "  # or run the meter with the machine's CAP_NET_ADMIN",
			most);
	else
		check_line_good(line, "granted as asked for");
}

static size_t put_links(const struct check_facts *f, struct check_line *line, bool all, enum check_side side)
{
	size_t found = 0;

	for (size_t i = 0; i < f->links; i++)
		if (all || f->link[i].side == side)
			buf_printf(&line->text, "%s%s", found++ ? ", " : "", f->link[i].name);
	return found;
}

static void judge_side(const struct check_facts *f, struct check_line *line, enum check_side side, const char *missing)
{
	const char *key = side == CHECK_LAN ? "lan" : "wan";

	if (!f->links_known) {
		check_line_untold(line, "the interfaces could not be read");
	} else if (missing) {
		check_line_bad(line, "there is no interface \"%s\" among ", missing);
		put_links(f, line, true, side);
	} else if (!put_links(f, line, false, side)) {
		check_line_bad(line,
			side == CHECK_LAN ? "none: no interface beside the WAN's among " :
					    "none: no default route leads to one of ");
		if (!put_links(f, line, true, side))
			buf_puts(&line->text, "no interface at all");
	}
	if (line->state == CHECK_BAD)
		check_line_mend(line, "%s = {\"INTERFACE\"}  # or --%s INTERFACE: one of these", key, key);
}

static void judge_lan(const struct check_facts *f, struct check_line *line)
{
	judge_side(f, line, CHECK_LAN, f->lan_missing);
}

static void judge_wan(const struct check_facts *f, struct check_line *line)
{
	judge_side(f, line, CHECK_WAN, f->wan_missing);
}

static void judge_names(const struct check_facts *f, struct check_line *line)
{
	for (size_t i = 0; i < f->names_count; i++) {
		if (!f->names[i].error[0])
			continue;
		check_line_bad(line, "%s%s: %s", line->text.len ? ", " : "", f->names[i].path, f->names[i].error);
		if (!strcmp(f->names[i].error, strerror(EACCES)))
			check_line_mend(line, "chmod a+r %s  # and a+rx its directories", f->names[i].path);
		else
			check_line_mend(line, "ls -lL %s  # which of them, and how large", f->names[i].path);
	}
	if (!line->text.len)
		check_line_good(line, "%zu path%s: all that is there can be read", f->names_count,
			plural(f->names_count));
}

static void judge_one_port(struct check_line *line, const struct check_port *port)
{
	check_line_bad(line, "%s%s: ", line->text.len ? ", " : "", port->where);
	if (port->error == -EADDRINUSE) {
		buf_puts(&line->text, "in use by ");
		check_line_owner(line, &port->owner);
	} else {
		buf_puts(&line->text, strerror(-port->error));
	}
	check_line_mend(line,
		port->error == -EADDRNOTAVAIL  ? "listen = {\":10060\"}  # or an address that this machine has" :
			port->error == -EACCES ? "listen = {\":10060\"}  # or another port above 1023" :
						 "listen = {\":10061\"}  # or another port that is free");
}

static void judge_port(const struct check_facts *f, struct check_line *line)
{
	for (size_t i = 0; i < f->ports; i++)
		if (f->port[i].error && !f->port[i].is_meters)
			judge_one_port(line, &f->port[i]);
	for (size_t i = 0; i < f->ports && line->state != CHECK_BAD; i++)
		check_line_good(line, "%s%s%s", i ? ", " : "", f->port[i].where,
			f->port[i].is_meters ? " is the running meter's" : " is free");
}

/* --- The table */

static const struct judgement {
	const char *name;
	void (*judge)(const struct check_facts *facts, struct check_line *line);
	bool of_meter;    /* only a running meter knows */
	const char *mend; /* unless the judge says another */
} judgements[] = {
	{ "privileges", judge_privileges, false,
		"sudo hostmeter --check  # or: setcap cap_net_admin=ep /usr/local/sbin/hostmeter" },
	{ "clock", judge_clock, false, "timedatectl set-ntp true  # or: date -s TIME" },
	{ "accounting", judge_accounting, false, "sysctl -w net.netfilter.nf_conntrack_acct=1" },
	{ "events", judge_events, false, "sysctl -w net.netfilter.nf_conntrack_events=1" },
	{ "table", judge_table, false, NULL },
	{ "uncounted", judge_uncounted, false, NULL },
	{ "offloaded", judge_offloaded, false, "nft list ruleset | grep 'flow add'  # the rule to take out" },
	{ "flowtable", check_rules_flowtable, false, "counter;  # in the flowtable's definition; load it anew" },
	{ "hardware", check_rules_hardware, false,
		"take \"flags offload;\" out of its definition  # OpenWrt: option flow_offloading_hw '0'" },
	{ "rules-ipv4", check_rules_ipv4, false, NULL },
	{ "rules-ipv6", check_rules_ipv6, false, NULL },
	{ "nflog-group", check_rules_nflog, false, NULL },
	{ "buffers", judge_buffers, false, NULL },
	{ "lan", judge_lan, false, NULL },
	{ "wan", judge_wan, false, NULL },
	{ "names", judge_names, false, NULL },
	{ "port", judge_port, false, NULL },
	{ "meter", check_meter_answers, false, "systemctl restart hostmeter  # or end it and start it again" },
	{ "sources", check_meter_sources, true, "journalctl -u hostmeter  # the log says why" },
	{ "overruns", check_meter_overruns, true, NULL },
	{ "valve", check_meter_valve, true, NULL },
	{ "lost-ends", check_meter_ends, true,
		"sysctl -w net.netfilter.nf_conntrack_events=1  # and let the meter run: what ends meanwhile shows "
		"here" },
	{ "unattributed", check_meter_unattributed, true, NULL },
	{ "zeroing", check_meter_zeroing, true,
		"pgrep -af 'nlbwmon|conntrack'  # stop what zeroes: nlbwmon, conntrack -z" },
	{ "dump-age", check_meter_dump, true, "dump-share = 20  # per cent of one core" },
	{ "room", check_meter_room, true,
		"sysctl -w net.netfilter.nf_conntrack_max=4194304  # the meter takes no more" },
	{ "damaged", check_meter_damaged, true, "report it with a trace: hostmeter --record FILE" },
	{ "checkpoint", check_meter_checkpoint, true, NULL },
	{ "hosts", check_meter_folded, true, "max-hosts = 16384" },
};

enum { JUDGEMENTS = sizeof(judgements) / sizeof(judgements[0]) };
_Static_assert((int)JUDGEMENTS <= (int)CHECK_MOST, "there is a line for each judgement");

size_t check_judge(const struct check_facts *facts, struct check_line line[static CHECK_MOST])
{
	for (size_t i = 0; i < JUDGEMENTS; i++) {
		const struct judgement *row = &judgements[i];

		line[i] = (struct check_line){ .name = row->name };
		if (row->of_meter && !facts->meter.answers)
			check_line_untold(&line[i], "only a running meter knows");
		else
			row->judge(facts, &line[i]);
		if (line[i].state == CHECK_BAD && !line[i].mend.len && row->mend)
			check_line_mend(&line[i], "%s", row->mend);
	}
	return JUDGEMENTS;
}

bool check_is_good(const struct check_line *line, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (line[i].state == CHECK_BAD)
			return false;
	return true;
}

void check_clear(struct check_line *line, size_t count)
{
	for (size_t i = 0; i < count; i++)
		check_line_clear(&line[i]);
}
