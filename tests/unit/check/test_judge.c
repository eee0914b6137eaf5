/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each judgement: good where all is well, bad for each cause, with what mends it. No kernel: the facts are made up. */
#include "hostmeter/check/judge.h"
#include "hostmeter/check/print.h"
#include "hostmeter/check/ruleset.h"
#include "ruleset_iptables.h"
#include "ruleset_nft.h"

#include <errno.h>
#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)

/* --- A router and a meter without a fault */

static const char rules_text[] =
	"*mangle\n:FORWARD ACCEPT [0:0]\n:HOSTMETER - [0:0]\n-A FORWARD -j HOSTMETER\n"
	"-A HOSTMETER -m conntrack --ctdir ORIGINAL -m connbytes --connbytes 1:1 -j NFLOG --nflog-group 60\n"
	"-A HOSTMETER -m conntrack --ctdir REPLY -m connbytes --connbytes 1:1 -j NFLOG --nflog-group 60\nCOMMIT\n";

struct world {
	struct check_facts facts;
	struct ruleset rules;
	struct check_link link[4];
	struct check_names names[2];
	struct check_port port[2];
};

static void load_iptables(struct world *w, const char *text)
{
	ruleset_clear(&w->rules);
	assert_int_equal(ruleset_iptables(&w->rules, "iptables", RULESET_IPV4, text, strlen(text)), 0);
	assert_int_equal(ruleset_iptables(&w->rules, "ip6tables", RULESET_IPV6, text, strlen(text)), 0);
}

static void make_world(struct world *w)
{
	*w = (struct world){
		.link = { { "eth0", CHECK_WAN }, { "br-lan", CHECK_LAN }, { "wg0", CHECK_LAN }, { "eth1", CHECK_OTHER } },
		.names = { { "/etc/ethers", "" }, { "/tmp/hosts/odhcpd*", "" } },
		.port = { { .where = ":10060", .is_meters = true }, { .where = "[::1]:10061" } },
		.facts = {
			.socket = "/run/hm.sock", .runtime_dir = "/run/hm", .nflog_group = 60, .fill_percent = 90,
			.real_ns = 1795000000 * S, .privileged = true, .acct = 1, .events = 1, .table_entries = 900, .table_limit = 1000,
			.forwards_ipv4 = true, .forwards_ipv6 = true, .probe = { .buffer = 2000, .buffer_asked = 2000 },
			.rules_read = 1, .flowtables_read = true, .nflog_bound = 1, .flows_known = true, .flows = 40,
			.links = 4, .links_known = true, .names_count = 2, .ports = 2,
			.meter = { .answers = true, .version = "1.2.3", .nflog_group = 60, .reliable = true, .ends = 1000,
				.wan_bytes = 100000, .unknown_bytes = 999, .dump_age = 40, .dump_interval = 10 },
		},
	};
	for (enum source source = 0; source < SOURCE_COUNT; source++)
		w->facts.meter.source[source] = (struct check_source){ true, 0, 2000, 2000 };
	load_iptables(w, rules_text);
}

/* The pointers lead into the world, wherever it is. */
static size_t judge(struct world *w, struct check_line line[static CHECK_MOST])
{
	w->facts.rules = &w->rules;
	w->facts.link = w->link;
	w->facts.names = w->names;
	w->facts.port = w->port;
	return check_judge(&w->facts, line);
}

static struct check_line *find(struct check_line *line, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(line[i].name, name))
			return &line[i];
	fail_msg("there is no line %s", name);
	return NULL;
}

static void all_is_well(void **state)
{
	struct check_line line[CHECK_MOST];
	struct world w;
	size_t count;

	(void)state;
	make_world(&w);
	count = judge(&w, line);
	for (size_t i = 0; i < count; i++) {
		if (line[i].state != CHECK_OK || line[i].mend.len || !line[i].text.len)
			fail_msg("%s: %s", line[i].name, buf_text(&line[i].text));
	}
	assert_true(check_is_good(line, count));
	check_clear(line, count);
	ruleset_clear(&w.rules);
}

/* --- One fault at a time */

static void no_meter(struct world *w)
{
	w->facts.meter = (struct check_meter){ .error = -ENOENT };
	w->facts.nflog_bound = 0;
	w->port[0].is_meters = false;
}

#define FAULT(name, ...)                                                                                               \
	static void name(struct world *w)                                                                              \
	{                                                                                                              \
		__VA_ARGS__;                                                                                           \
	}

FAULT(unprivileged, no_meter(w), w->facts.privileged = false)
FAULT(clock_of_1970, w->facts.real_ns = 86400 * S)
FAULT(acct_off, w->facts.acct = 0)
FAULT(no_conntrack, w->facts.acct = CHECK_NONE)
FAULT(events_0, w->facts.events = 0)
FAULT(events_2, w->facts.events = 2)
FAULT(no_events, w->facts.events = CHECK_NONE)
FAULT(table_full, w->facts.table_entries = 901)
FAULT(table_unknown, w->facts.table_entries = CHECK_NONE)
FAULT(uncounted, w->facts.flows_uncounted = 7)
FAULT(uncounted_acct_off, w->facts.flows_uncounted = 7, w->facts.acct = 0)
FAULT(flows_unknown, w->facts.flows_known = false)
FAULT(offloaded, w->facts.flows_offloaded = 3)
FAULT(rules_gone, load_iptables(w, ""))
FAULT(rules_gone_without_nft, load_iptables(w, ""), w->facts.flowtables_read = false)
FAULT(rules_of_another_group, w->facts.nflog_group = 61)
FAULT(rules_of_one_family, ruleset_clear(&w->rules);
	ruleset_iptables(&w->rules, "iptables", RULESET_IPV4, rules_text, strlen(rules_text)))
FAULT(rules_aside,
	load_iptables(w, "*mangle\n:FORWARD ACCEPT\n:HOSTMETER - [0:0]\n-A HOSTMETER -j NFLOG --nflog-group 60\n"))
FAULT(rules_shadowed,
	load_iptables(w, "*mangle\n:FORWARD ACCEPT\n-A FORWARD -j ACCEPT\n-A FORWARD -j NFLOG --nflog-group 60\n"))
FAULT(rules_dropped,
	load_iptables(w, "*mangle\n:FORWARD DROP\n*filter\n:FORWARD ACCEPT\n-A FORWARD -j NFLOG --nflog-group 60\n"))
FAULT(rules_bypassed,
	load_iptables(w, "*filter\n:FORWARD DROP\n-A FORWARD -i lan -j ACCEPT\n-A FORWARD -j NFLOG --nflog-group 60\n"))
FAULT(rules_partly, load_iptables(w, "*filter\n:FORWARD DROP\n-A FORWARD -i lan -j NFLOG --nflog-group 60\n"))
FAULT(rules_tangled, load_iptables(w, "*filter\n:FORWARD DROP\n:a -\n-A FORWARD -j a\n-A a -j a\n"))
FAULT(rules_unreadable, load_iptables(w, ""), snprintf(w->facts.rules_failed, CHECK_NAME, "nft"))
FAULT(no_firewall_programs, load_iptables(w, ""), w->facts.rules_read = 0, w->facts.flowtables_read = false)
FAULT(nothing_forwarded, load_iptables(w, ""), w->facts.forwards_ipv4 = false)
FAULT(group_taken, no_meter(w), w->facts.nflog_bound = 1, w->facts.nflog_owner = ((struct check_owner){ 123, "ulogd" }))
FAULT(group_taken_from_meter, w->facts.meter.source[SOURCE_NFLOG].up = false,
	w->facts.nflog_owner = ((struct check_owner){ 0 }))
FAULT(group_unknown, no_meter(w), w->facts.nflog_bound = -ENOENT)
FAULT(group_lost, w->facts.meter.source[SOURCE_NFLOG].up = false, w->facts.nflog_bound = 0)
FAULT(buffer_capped, w->facts.meter.source[SOURCE_EVENTS].buffer = 416,
	w->facts.meter.source[SOURCE_NFLOG].buffer = 1999)
FAULT(buffer_capped_here, no_meter(w), w->facts.probe.buffer = 416)
FAULT(no_probe, no_meter(w), w->facts.probe.buffer = 0)
FAULT(no_lan, w->link[1].side = w->link[2].side = CHECK_OTHER)
FAULT(no_wan, w->link[0].side = CHECK_OTHER)
FAULT(lan_missing, w->facts.lan_missing = "br-0")
FAULT(wan_missing, w->facts.wan_missing = "ppp0")
FAULT(no_links, w->facts.links = 0)
FAULT(links_unknown, w->facts.links_known = false)
FAULT(names_unreadable, snprintf(w->names[0].error, CHECK_NAME, "Permission denied"))
FAULT(names_too_long, snprintf(w->names[1].error, CHECK_NAME, "File too large"))
FAULT(port_taken, no_meter(w), w->port[0].error = -EADDRINUSE,
	w->port[0].owner = ((struct check_owner){ 77, "prometheus" }))
FAULT(port_not_ours, w->port[1].error = -EADDRNOTAVAIL)
FAULT(port_forbidden, w->port[1].error = -EACCES)
FAULT(meter_hangs, no_meter(w), w->facts.meter.error = -ETIMEDOUT)
FAULT(meter_ill, no_meter(w), w->facts.meter.error = 500)
FAULT(meter_forbidden, no_meter(w), w->facts.meter.error = -EACCES)
FAULT(source_down, w->facts.meter.source[SOURCE_RTNL].up = w->facts.meter.source[SOURCE_DUMP].up = false)
FAULT(overrun, w->facts.meter.source[SOURCE_EVENTS].overruns = 1, w->facts.meter.source[SOURCE_NFLOG].overruns = 5)
FAULT(valve_open, w->facts.meter.reliable = false)
FAULT(valve_was_open, w->facts.meter.switched_off = 2)
FAULT(ends_unseen, w->facts.meter.ends_unseen = 4)
FAULT(ends_uncounted, w->facts.meter.ends_uncounted = 5)
FAULT(unattributed, w->facts.meter.unknown_bytes = 1000)
FAULT(zeroed, w->facts.meter.resets = 6)
FAULT(stale, w->facts.meter.dump_age = 40.1)
FAULT(no_dump_yet, w->facts.meter.dump_age = -1)
FAULT(no_room, w->facts.meter.refused = 8)
FAULT(no_room_for_sightings, w->facts.meter.sightings_lost = 9)
FAULT(damaged, w->facts.meter.damaged = 10)
FAULT(not_saved, w->facts.meter.checkpoint_failures = 11)
FAULT(folded, w->facts.meter.hosts_folded = 12)

static void flowtable_listed(struct world *w, const char *flags)
{
	char text[256];

	snprintf(text, sizeof(text),
		"table inet fw4 {\n\tflowtable ft {\n\t\thook ingress priority filter\n\t\tdevices = { eth0 "
		"}\n%s\t}\n}\n",
		flags);
	assert_int_equal(ruleset_nft_flowtables(&w->rules, text, strlen(text)), 0);
}

FAULT(flowtable_without_counter, flowtable_listed(w, ""))
FAULT(flowtable_with_counter, flowtable_listed(w, "\t\tcounter\n"))
FAULT(flowtable_in_hardware, flowtable_listed(w, "\t\tflags offload\n\t\tcounter\n"))

static const struct fault {
	void (*make)(struct world *w);
	const char *name;
	enum check_state state;
	const char *text, *mend; /* words in it */
} faults[] = {
	{ unprivileged, "privileges", CHECK_BAD, "CAP_NET_ADMIN", "sudo hostmeter" },
	{ clock_of_1970, "clock", CHECK_BAD, "1970-01-02", "set-ntp" },
	{ acct_off, "accounting", CHECK_BAD, "nf_conntrack_acct=0", "sysctl -w net.netfilter.nf_conntrack_acct=1" },
	{ no_conntrack, "accounting", CHECK_BAD, "not loaded", "modprobe nf_conntrack\nsysctl" },
	{ events_0, "events", CHECK_BAD, "nf_conntrack_events=0", "sysctl -w net.netfilter.nf_conntrack_events=1" },
	{ events_2, "events", CHECK_BAD, "nf_conntrack_events=2", "sysctl -w net.netfilter.nf_conntrack_events=1" },
	{ no_events, "events", CHECK_BAD, "no nf_conntrack_events", "sysctl" },
	{ table_full, "table", CHECK_BAD, "901 of 1000", "nf_conntrack_max=2000" },
	{ table_unknown, "table", CHECK_UNTOLD, "does not say", NULL },
	{ uncounted, "uncounted", CHECK_BAD, "7 of 40", "conntrack -F" },
	{ uncounted_acct_off, "uncounted", CHECK_BAD, "7 of 40", "nf_conntrack_acct=1\nconntrack -F" },
	{ flows_unknown, "uncounted", CHECK_UNTOLD, "could not be read", NULL },
	{ flows_unknown, "offloaded", CHECK_UNTOLD, "could not be read", NULL },
	{ offloaded, "offloaded", CHECK_BAD, "3 of 40", "flow add" },
	{ flowtable_without_counter, "flowtable", CHECK_BAD, "inet fw4 ft", "counter;" },
	{ flowtable_without_counter, "hardware", CHECK_OK, "off", NULL },
	{ flowtable_with_counter, "flowtable", CHECK_OK, "all count", NULL },
	{ flowtable_in_hardware, "flowtable", CHECK_OK, "all count", NULL },
	{ flowtable_in_hardware, "hardware", CHECK_BAD, "inet fw4 ft", "flags offload" },
	{ no_firewall_programs, "flowtable", CHECK_UNTOLD, "nft did not", NULL },
	{ no_firewall_programs, "hardware", CHECK_UNTOLD, "nft did not", NULL },
	{ rules_gone, "rules-ipv4", CHECK_BAD, "no rule logs", "hostmeter --print-rules | nft -f -" },
	{ rules_gone, "rules-ipv6", CHECK_BAD, "no rule logs", "hostmeter --print-rules | nft -f -" },
	{ rules_gone_without_nft, "rules-ipv6", CHECK_BAD, "no rule logs",
		"hostmeter --print-rules=iptables | iptables-restore -w --noflush\nhostmeter --print-rules=iptables | "
		"ip6tables-restore" },
	{ rules_of_another_group, "rules-ipv4", CHECK_BAD, "group 61", "--nflog-group 61 --print-rules" },
	{ rules_of_one_family, "rules-ipv4", CHECK_OK, "iptables mangle HOSTMETER", NULL },
	{ rules_of_one_family, "rules-ipv6", CHECK_BAD, "no rule logs", "--print-rules" },
	{ rules_aside, "rules-ipv4", CHECK_BAD, "iptables mangle HOSTMETER, rule 1",
		"iptables -w -t mangle -I FORWARD -j HOSTMETER" },
	{ rules_shadowed, "rules-ipv6", CHECK_BAD, "shadowed by an earlier verdict: ip6tables mangle FORWARD, rule 1",
		"--print-rules" },
	{ rules_dropped, "rules-ipv4", CHECK_BAD, "shadowed by an earlier verdict: iptables mangle FORWARD, its policy",
		"iptables -w -t mangle -vnL FORWARD" },
	{ rules_bypassed, "rules-ipv4", CHECK_BAD, "accepts: iptables filter FORWARD, rule 1", "--print-rules" },
	{ rules_partly, "rules-ipv4", CHECK_UNTOLD, "iptables filter FORWARD, rule 1", NULL },
	{ rules_tangled, "rules-ipv4", CHECK_UNTOLD, "tangled", NULL },
	{ rules_unreadable, "rules-ipv4", CHECK_UNTOLD, "nft did not list", NULL },
	{ no_firewall_programs, "rules-ipv4", CHECK_UNTOLD, "neither nft nor iptables-save", NULL },
	{ nothing_forwarded, "rules-ipv4", CHECK_OK, "forwarding is off", NULL },
	{ nothing_forwarded, "rules-ipv6", CHECK_BAD, "no rule logs", "nft -f -" },
	{ group_taken, "nflog-group", CHECK_BAD, "group 60 is taken by ulogd (process 123)", "nflog-group = 61" },
	{ group_taken_from_meter, "nflog-group", CHECK_BAD, "cannot be seen from here", "nflog-group = 61" },
	{ group_unknown, "nflog-group", CHECK_UNTOLD, "not loaded", NULL },
	{ group_lost, "nflog-group", CHECK_UNTOLD, "every 10 s", NULL },
	{ no_meter, "nflog-group", CHECK_OK, "is free", NULL },
	{ buffer_capped, "buffers", CHECK_BAD, "events: 416 bytes granted of 2000, nflog: 1999", "rmem_max=1000" },
	{ buffer_capped_here, "buffers", CHECK_BAD, "events: 416 bytes granted of 2000", "rmem_max=1000" },
	{ no_probe, "buffers", CHECK_UNTOLD, "no socket", NULL },
	{ no_lan, "lan", CHECK_BAD, "none: no interface beside the WAN's among eth0, br-lan, wg0, eth1", "lan = {" },
	{ no_wan, "wan", CHECK_BAD, "leads to one of eth0, br-lan, wg0, eth1", "wan = {" },
	{ lan_missing, "lan", CHECK_BAD, "no interface \"br-0\" among eth0, br-lan", "--lan" },
	{ wan_missing, "wan", CHECK_BAD, "no interface \"ppp0\" among eth0, br-lan", "--wan" },
	{ no_links, "wan", CHECK_BAD, "no interface at all", "wan = {" },
	{ links_unknown, "lan", CHECK_UNTOLD, "could not be read", NULL },
	{ names_unreadable, "names", CHECK_BAD, "/etc/ethers: Permission denied", "chmod a+r /etc/ethers" },
	{ names_too_long, "names", CHECK_BAD, "/tmp/hosts/odhcpd*: File too large", "ls -lL /tmp/hosts/odhcpd*" },
	{ port_taken, "port", CHECK_BAD, ":10060: in use by prometheus (process 77)", "listen = {" },
	{ port_not_ours, "port", CHECK_BAD, "[::1]:10061: Cannot assign", "an address that this machine has" },
	{ port_forbidden, "port", CHECK_BAD, "Permission denied", "above 1023" },
	{ meter_hangs, "meter", CHECK_BAD, "timed out", "restart" },
	{ meter_ill, "meter", CHECK_BAD, "HTTP status 500", "restart" },
	{ meter_forbidden, "meter", CHECK_UNTOLD, "Permission denied", NULL },
	{ no_meter, "meter", CHECK_UNTOLD, "none runs", NULL },
	{ no_meter, "overruns", CHECK_UNTOLD, "only a running meter knows", NULL },
	{ source_down, "sources", CHECK_BAD, "not open: dump, rtnetlink", "journalctl" },
	{ overrun, "overruns", CHECK_BAD, "events: 1 time, nflog: 5 times", "event-buffer = 2000" },
	{ valve_open, "valve", CHECK_BAD, "not delivered reliably", "nf_conntrack_max=2000" },
	{ valve_was_open, "valve", CHECK_BAD, "2 times", "nf_conntrack_max=2000" },
	{ ends_unseen, "lost-ends", CHECK_BAD, "4 connections vanished untold, 0 ended without",
		"nf_conntrack_events=1" },
	{ ends_uncounted, "lost-ends", CHECK_BAD, "5 ended without counters, 995 ended", "nf_conntrack_events=1" },
	{ unattributed, "unattributed", CHECK_BAD, "1000 of 100000", "--print-rules" },
	{ zeroed, "zeroing", CHECK_BAD, "fell 6 times", "conntrack -z" },
	{ stale, "dump-age", CHECK_BAD, "40 s ago", "dump-share" },
	{ no_dump_yet, "dump-age", CHECK_UNTOLD, "not in yet", NULL },
	{ no_room, "room", CHECK_BAD, "8 connections", "nf_conntrack_max" },
	{ no_room_for_sightings, "room", CHECK_BAD, "9 first packets", "nf_conntrack_max" },
	{ damaged, "damaged", CHECK_BAD, "10 messages", "--record" },
	{ not_saved, "checkpoint", CHECK_BAD, "11 could not be saved", "mkdir -p /run/hm" },
	{ folded, "hosts", CHECK_BAD, "12 times", "max-hosts" },
};

static void check_fault(const struct fault *fault)
{
	struct check_line line[CHECK_MOST], *one;
	struct world w;
	size_t count;
	bool said;

	make_world(&w);
	fault->make(&w);
	count = judge(&w, line);
	one = find(line, count, fault->name);
	said = strstr(buf_text(&one->text), fault->text);
	said &= fault->mend ? !!strstr(buf_text(&one->mend), fault->mend) : !one->mend.len;
	if (one->state != fault->state || !said)
		fail_msg("%s is %s: %s\nmend: %s", fault->name, check_show_state(one->state), buf_text(&one->text),
			buf_text(&one->mend));
	if (fault->state == CHECK_BAD)
		assert_false(check_is_good(line, count));
	for (size_t i = 0; i < count; i++)
		assert_true((line[i].state == CHECK_BAD) == (line[i].mend.len > 0));
	check_clear(line, count);
	ruleset_clear(&w.rules);
}

static void faults_are_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		check_fault(&faults[i]);
}

/* No judgement without a fault that makes it bad. */
static void each_judgement_can_be_bad(void **state)
{
	struct check_line line[CHECK_MOST];
	struct world w;
	size_t count;

	(void)state;
	make_world(&w);
	count = judge(&w, line);
	for (size_t i = 0; i < count; i++) {
		bool found = false;

		for (size_t j = 0; j < sizeof(faults) / sizeof(faults[0]); j++)
			found |= faults[j].state == CHECK_BAD && !strcmp(faults[j].name, line[i].name);
		if (!found)
			fail_msg("no fault makes %s bad", line[i].name);
	}
	check_clear(line, count);
	ruleset_clear(&w.rules);
}

/* --- How it is shown */

static size_t make_lines(struct check_line line[static 3])
{
	line[0] = (struct check_line){ .name = "accounting" };
	line[1] = (struct check_line){ .name = "port" };
	line[2] = (struct check_line){ .name = "zeroing" };
	check_line_good(&line[0], "nf_conntrack_acct=%d", 1);
	check_line_bad(&line[1], ":80 by \"\x1b[31mx\"\xff");
	check_line_mend(&line[1], "kill %d", 1);
	check_line_mend(&line[1], "and again");
	check_line_untold(&line[2], "who knows");
	return 3;
}

static void as_text(void **state)
{
	struct check_line line[3];
	struct buf out = BUF_INIT;

	(void)state;
	make_lines(line);
	check_show_text(&out, line, 3);
	assert_string_equal(buf_text(&out),
		"ok   accounting    nf_conntrack_acct=1\n"
		"BAD  port          :80 by \"?[31mx\"\xff\n"
		"     mend: kill 1\n"
		"     mend: and again\n"
		"?    zeroing       who knows\n");
	check_clear(line, 3);
	buf_free(&out);
}

static void as_json(void **state)
{
	struct check_line line[3];
	struct buf out = BUF_INIT;
	json_t *all, *port;

	(void)state;
	make_lines(line);
	check_show_json(&out, line, 3, 1700000000 * S + S / 2);
	assert_int_equal(buf_error(&out), 0);
	all = json_loadb(out.data, out.len, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(all);
	assert_int_equal(json_integer_value(json_object_get(all, "schema")), CHECK_SCHEMA);
	assert_true(json_real_value(json_object_get(all, "time")) == 1700000000.5);
	assert_true(json_is_false(json_object_get(all, "good")));
	assert_int_equal(json_array_size(json_object_get(all, "checks")), 3);
	port = json_array_get(json_object_get(all, "checks"), 1);
	assert_string_equal(json_string_value(json_object_get(port, "name")), "port");
	assert_string_equal(json_string_value(json_object_get(port, "state")), "bad");
	assert_string_equal(json_string_value(json_object_get(port, "text")), "?"); /* no UTF-8 */
	assert_int_equal(json_array_size(json_object_get(port, "mend")), 2);
	assert_string_equal(json_string_value(json_array_get(json_object_get(port, "mend"), 1)), "and again");
	json_decref(all);
	check_clear(line, 3);
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(faults_are_told),
		cmocka_unit_test(each_judgement_can_be_bad),
		cmocka_unit_test(as_text),
		cmocka_unit_test(as_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
