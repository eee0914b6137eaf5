/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each judgement: good where all is well, bad for each cause, with what fixes it. No kernel: the facts are made up. */
#include "hostmeter/check/judge.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)

/* --- A router and a meter without a fault */

static void make_world(struct check_facts *w)
{
	*w = (struct check_facts){
		.link = { { "eth0", CHECK_WAN }, { "br-lan", CHECK_LAN }, { "wg0", CHECK_LAN },
			{ "eth1", CHECK_OTHER } },
		.names = { { "/etc/ethers", "" }, { "/tmp/hosts/odhcpd*", "" } },
		.port = { { .where = ":10060", .is_meters = true }, { .where = "[::1]:10061" } },
		.socket = "/run/hm.sock",
		.runtime_dir = "/run/hm",
		.nflog_group = 60,
		.fill_percent = 90,
		.real_ns = 1795000000 * S,
		.clock_set = true,
		.privileged = true,
		.acct = 1,
		.events = 1,
		.table_entries = 900,
		.table_limit = 1000,
		.forwards = { true, true },
		.firewall = { .has_nft = true, .read = true, .rules = { "nft inet hostmeter", "nft inet hostmeter" } },
		.nflog_bound = 1,
		.flows = 40,
		.links = 4,
		.names_count = 2,
		.ports = 2,
		.meter = { .answers = true,
			.version = "1.2.3",
			.nflog_group = 60,
			.reliable = true,
			.ends = 1000,
			.wan_bytes = 100000,
			.unknown_bytes = 999,
			.dump_age = 40,
			.dump_interval = 10 },
	};
	for (enum source source = 0; source < SOURCE_COUNT; source++)
		w->meter.source[source] = (struct check_source){ true, 0, 2000, 2000 };
}

static struct finding *find(struct finding *line, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(line[i].name, name))
			return &line[i];
	fail_msg("there is no line %s", name);
	return NULL;
}

static void all_is_well(void **state)
{
	struct finding line[JUDGE_MOST];
	struct check_facts w;
	size_t count;

	(void)state;
	make_world(&w);
	count = judge_all(&w, line);
	for (size_t i = 0; i < count; i++) {
		if (line[i].state != FINDING_OK || line[i].fix.len || !line[i].text.len)
			fail_msg("%s: %s", line[i].name, buf_text(&line[i].text));
	}
	assert_true(finding_none_bad(line, count));
	finding_clear(line, count);
	firewall_clear(&w.firewall);
}

/* --- One fault at a time */

static void no_meter(struct check_facts *w)
{
	w->meter = (struct check_meter){ .error = -ENOENT };
	w->nflog_bound = 0;
	w->port[0].is_meters = false;
}

#define FAULT(name, ...)                                                                                               \
	static void name(struct check_facts *w)                                                                        \
	{                                                                                                              \
		__VA_ARGS__;                                                                                           \
	}

FAULT(unprivileged, no_meter(w), w->privileged = false)
FAULT(clock_of_1970, w->real_ns = 86400 * S; w->clock_set = false)
FAULT(acct_off, w->acct = 0)
FAULT(no_conntrack, w->acct = CHECK_NONE)
FAULT(events_0, w->events = 0)
FAULT(events_2, w->events = 2)
FAULT(no_events, w->events = CHECK_NONE)
FAULT(table_full, w->table_entries = 901)
FAULT(table_unknown, w->table_entries = CHECK_NONE)
FAULT(uncounted, w->flows_uncounted = 7)
FAULT(uncounted_acct_off, w->flows_uncounted = 7, w->acct = 0)
FAULT(offloaded, w->flows_offloaded = 3)
FAULT(rules_gone, memset(w->firewall.rules, 0, sizeof(w->firewall.rules)))
FAULT(rules_gone_without_nft, rules_gone(w), w->firewall.has_nft = false)
FAULT(rules_of_another_group, rules_gone(w), w->nflog_group = 61)
FAULT(rules_of_one_family, w->firewall.rules[FIREWALL_IPV6] = NULL, w->meter.sighted = 9)
FAULT(rules_unreadable, no_meter(w), rules_gone(w), w->firewall.failed = "nft")
FAULT(no_firewall_programs, no_meter(w), rules_gone(w), w->firewall.read = w->firewall.has_nft = false)
FAULT(rules_without_effect, w->meter.unsighted = 7)
FAULT(rules_of_others, rules_gone(w), w->meter.sighted = 9)
FAULT(nothing_forwarded, rules_gone(w), w->forwards[FIREWALL_IPV4] = false)
FAULT(group_taken, no_meter(w), w->nflog_bound = 1, w->nflog_owner = ((struct socket_owner){ 123, "ulogd" }))
FAULT(group_of_another_meter, group_taken(w), snprintf(w->nflog_socket, SOCKET_OWNER_PATH, "/run/other.sock"))
FAULT(group_taken_from_meter, w->meter.source[SOURCE_NFLOG].up = false, w->nflog_owner = ((struct socket_owner){ 0 }))
FAULT(group_unknown, no_meter(w), w->nflog_bound = -ENOENT)
FAULT(group_lost, w->meter.source[SOURCE_NFLOG].up = false, w->nflog_bound = 0)
FAULT(buffer_capped, w->meter.source[SOURCE_EVENTS].buffer = 416, w->meter.source[SOURCE_NFLOG].buffer = 1999)
FAULT(no_lan, w->link[1].side = w->link[2].side = CHECK_OTHER)
FAULT(no_wan, w->link[0].side = CHECK_OTHER)
FAULT(lan_missing, w->lan_missing = "br-0")
FAULT(wan_missing, w->wan_missing = "ppp0")
FAULT(no_links, w->links = 0)
FAULT(sides_unknown, no_meter(w), no_lan(w), no_wan(w))
FAULT(names_unreadable, snprintf(w->names[0].error, CHECK_NAME, "Permission denied"))
FAULT(names_useless, snprintf(w->names[1].error, CHECK_NAME, "no line of it could be used"))
FAULT(names_too_long, snprintf(w->names[1].error, CHECK_NAME, "File too large"))
FAULT(port_taken, no_meter(w), w->port[0].error = -EADDRINUSE,
	w->port[0].owner = ((struct socket_owner){ 77, "prometheus" }))
FAULT(port_of_another_meter, no_meter(w), w->port[0].error = -EADDRINUSE,
	w->port[0].owner = ((struct socket_owner){ 78, "hostmeter" }),
	snprintf(w->port[0].socket, SOCKET_OWNER_PATH, "/run/other.sock"))
FAULT(port_of_a_meter_unseen, port_of_another_meter(w), w->port[0].socket[0] = '\0')
FAULT(port_of_this_meter, w->port[1].error = -EADDRINUSE, w->port[1].owner = ((struct socket_owner){ 79, "hostmeter" }),
	snprintf(w->port[1].socket, SOCKET_OWNER_PATH, "/run/hm.sock"))
FAULT(port_not_ours, w->port[1].error = -EADDRNOTAVAIL)
FAULT(port_forbidden, w->port[1].error = -EACCES)
FAULT(meter_hangs, no_meter(w), w->meter.error = -ETIMEDOUT)
FAULT(meter_ill, no_meter(w), w->meter.error = 500)
FAULT(meter_forbidden, no_meter(w), w->meter.error = -EACCES)
FAULT(routes_dropped, w->meter.routes_dropped = 13)
FAULT(next_hops_hidden, w->hides_next_hops = true)
FAULT(source_down, w->meter.source[SOURCE_RTNL].up = w->meter.source[SOURCE_DUMP].up = false)
FAULT(overrun, w->meter.source[SOURCE_EVENTS].overruns = 1, w->meter.source[SOURCE_NFLOG].overruns = 5)
FAULT(reliability_off, w->meter.reliable = false)
FAULT(reliability_was_off, w->meter.switched_off = 2)
FAULT(ends_unseen, w->meter.ends_unseen = 4)
FAULT(ends_uncounted, w->meter.ends_uncounted = 5)
FAULT(unseen, w->wans = 2, w->wan[0] = ((struct check_wan){ "eth0", 5, 20000000, 20000 }),
	w->wan[1] = ((struct check_wan){ "ppp0", 7, 30000000, 30000 }))
FAULT(unseen_in_flowtable, unseen(w), buf_puts(&w->firewall.uncounted, "inet fw4 ft"))
FAULT(unseen_and_uncounted, unseen(w), w->flows_uncounted = 7)
FAULT(unattributed, w->meter.unknown_bytes = 1000)
FAULT(zeroed, w->meter.resets = 6)
FAULT(stale, w->meter.dump_age = 40.1)
FAULT(no_dump_yet, w->meter.dump_age = -1)
FAULT(no_room, w->meter.refused = 8)
FAULT(no_room_for_sightings, w->meter.sightings_lost = 9)
FAULT(damaged, w->meter.damaged = 10)

static void not_saved_for(struct check_facts *w, int error)
{
	w->meter.checkpoint_failures = 11;
	snprintf(w->meter.checkpoint_error, sizeof(w->meter.checkpoint_error), "%s", strerror(error));
}

static void make_up(struct check_facts *w)
{
	w->meter.made_up = 4000;
	w->meter.places = w->meter.places_taken = 4096;
	w->meter.places_unanswered = 3999;
	snprintf(w->meter.made_up_on, sizeof(w->meter.made_up_on), "br-lan");
}

FAULT(not_saved, not_saved_for(w, ENOENT))
FAULT(not_saved_for_rights, not_saved_for(w, EACCES))
FAULT(not_saved_for_room, not_saved_for(w, ENOSPC))
FAULT(not_saved_read_only, not_saved_for(w, EROFS))
FAULT(not_saved_disk, not_saved_for(w, EIO))
FAULT(not_saved_else, not_saved_for(w, EISDIR))
FAULT(saved_again, w->meter.checkpoint_failures = 11)
FAULT(found_damaged, w->meter.checkpoint_damages = 3)

FAULT(folded, w->meter.hosts_folded = 12)
FAULT(made_up, make_up(w), w->meter.hosts_folded = 12)
FAULT(made_up_with_room, make_up(w), *w->meter.made_up_on = '\0', w->meter.places_taken--)
FAULT(made_up_before, make_up(w), w->meter.places_unanswered = 2, w->meter.left_unanswered = 3997)

FAULT(flowtable_without_counter, w->firewall.flowtables = 1, buf_puts(&w->firewall.uncounted, "inet fw4 ft"))
FAULT(flowtable_with_counter, w->firewall.flowtables = 1)
FAULT(flowtable_in_hardware, w->firewall.flowtables = 1, buf_puts(&w->firewall.hardware, "inet fw4 ft"))

FAULT(offloaded_unlisted, offloaded(w), w->firewall.has_nft = false)
FAULT(offloaded_counted, offloaded(w), flowtable_with_counter(w))
FAULT(offloaded_uncounted, offloaded(w), flowtable_without_counter(w))
FAULT(offloaded_in_hardware, offloaded(w), flowtable_in_hardware(w))

static const struct fault {
	void (*make)(struct check_facts *w);
	const char *name;
	enum finding_state state;
	const char *text, *fix; /* words in it */
} faults[] = {
	{ unprivileged, "privileges", FINDING_BAD, "CAP_NET_ADMIN", "sudo hostmeter" },
	{ clock_of_1970, "clock", FINDING_BAD, "1970-01-02", "set-ntp" },
	{ acct_off, "accounting", FINDING_BAD, "nf_conntrack_acct=0", "sysctl -w net.netfilter.nf_conntrack_acct=1" },
	{ no_conntrack, "accounting", FINDING_BAD, "not loaded", "modprobe nf_conntrack\nsysctl" },
	{ events_0, "events", FINDING_BAD, "nf_conntrack_events=0", "sysctl -w net.netfilter.nf_conntrack_events=1" },
	{ events_2, "events", FINDING_BAD, "nf_conntrack_events=2", "sysctl -w net.netfilter.nf_conntrack_events=1" },
	{ no_events, "events", FINDING_BAD, "no nf_conntrack_events", "sysctl" },
	{ table_full, "table", FINDING_BAD, "901 of 1000", "nf_conntrack_max=2000" },
	{ table_unknown, "table", FINDING_UNKNOWN, "does not say", NULL },
	{ uncounted, "uncounted", FINDING_BAD, "7 of 40", "conntrack -F" },
	{ uncounted_acct_off, "uncounted", FINDING_BAD, "7 of 40", "nf_conntrack_acct=1\nconntrack -F" },
	{ offloaded, "offloaded", FINDING_UNKNOWN, "3 of 40 live connections are offloaded, and there is no flowtable",
		NULL },
	{ offloaded_unlisted, "offloaded", FINDING_UNKNOWN, "offloaded: nft did not list", NULL },
	{ offloaded_counted, "offloaded", FINDING_OK,
		"3 of 40 live connections are offloaded, and their flowtables count", NULL },
	{ offloaded_uncounted, "offloaded", FINDING_BAD,
		"3 of 40 live connections are offloaded, and not counted in inet fw4 ft", "counter;" },
	{ offloaded_in_hardware, "offloaded", FINDING_BAD,
		"3 of 40 live connections are offloaded, by hardware in inet fw4 ft", "flags offload" },
	{ flowtable_without_counter, "offloaded", FINDING_OK, "none of 40", NULL },
	{ flowtable_without_counter, "flowtable", FINDING_BAD, "inet fw4 ft", "counter;" },
	{ flowtable_without_counter, "hardware", FINDING_OK, "off", NULL },
	{ flowtable_with_counter, "flowtable", FINDING_OK, "all count", NULL },
	{ flowtable_in_hardware, "flowtable", FINDING_OK, "all count", NULL },
	{ flowtable_in_hardware, "hardware", FINDING_BAD, "inet fw4 ft", "flags offload" },
	{ no_firewall_programs, "flowtable", FINDING_UNKNOWN, "nft did not", NULL },
	{ no_firewall_programs, "hardware", FINDING_UNKNOWN, "nft did not", NULL },
	{ rules_gone, "rules-ipv4", FINDING_BAD, "are not loaded", "hostmeter --print-rules | nft -f -" },
	{ rules_gone, "rules-ipv6", FINDING_BAD, "are not loaded", "hostmeter --print-rules | nft -f -" },
	{ rules_gone_without_nft, "rules-ipv6", FINDING_BAD, "are not loaded",
		"hostmeter --print-rules=iptables | iptables-restore -w --noflush\nhostmeter --print-rules=iptables | "
		"ip6tables-restore" },
	{ rules_of_another_group, "rules-ipv4", FINDING_BAD, "group 61", "--nflog-group 61 --print-rules" },
	{ rules_of_one_family, "rules-ipv4", FINDING_OK, "nft inet hostmeter", NULL },
	{ rules_of_one_family, "rules-ipv6", FINDING_BAD, "are not loaded", "--print-rules" },
	{ rules_unreadable, "rules-ipv4", FINDING_UNKNOWN, "nft did not list", NULL },
	{ rules_without_effect, "rules-ipv4", FINDING_BAD, "last 7 new connections no first packet", "--print-rules" },
	{ rules_of_others, "rules-ipv6", FINDING_UNKNOWN, "not loaded, but first packets arrived", NULL },
	{ no_firewall_programs, "rules-ipv4", FINDING_UNKNOWN, "neither nft nor iptables-save", NULL },
	{ nothing_forwarded, "rules-ipv4", FINDING_OK, "forwarding is off", NULL },
	{ nothing_forwarded, "rules-ipv6", FINDING_BAD, "are not loaded", "nft -f -" },
	{ group_taken, "nflog-group", FINDING_BAD, "group 60 is taken by ulogd (process 123)", "nflog-group = 61" },
	{ group_of_another_meter, "nflog-group", FINDING_BAD, "group 60 is taken by",
		"hostmeter --check --socket /run/other.sock  # asks that one\nnflog-group = 61" },
	{ group_taken_from_meter, "nflog-group", FINDING_BAD, "cannot be seen from here", "nflog-group = 61" },
	{ group_unknown, "nflog-group", FINDING_UNKNOWN, "not loaded", NULL },
	{ group_lost, "nflog-group", FINDING_UNKNOWN, "every 10 s", NULL },
	{ no_meter, "nflog-group", FINDING_OK, "is free", NULL },
	{ buffer_capped, "buffers", FINDING_BAD, "events: 416 bytes granted of 2000, nflog: 1999", "rmem_max=1000" },
	{ no_lan, "lan", FINDING_BAD, "none: no interface beside the WAN's among eth0, br-lan, wg0, eth1", "lan = {" },
	{ no_wan, "wan", FINDING_BAD, "leads to one of eth0, br-lan, wg0, eth1", "wan = {" },
	{ lan_missing, "lan", FINDING_BAD, "no interface \"br-0\" among eth0, br-lan", "--lan" },
	{ wan_missing, "wan", FINDING_BAD, "no interface \"ppp0\" among eth0, br-lan", "--wan" },
	{ no_links, "wan", FINDING_BAD, "no interface at all", "wan = {" },
	{ sides_unknown, "lan", FINDING_UNKNOWN, "only a running meter knows", NULL },
	{ sides_unknown, "wan", FINDING_UNKNOWN, "none is configured", NULL },
	{ names_unreadable, "names", FINDING_BAD, "/etc/ethers: Permission denied", "chmod a+r /etc/ethers" },
	{ names_useless, "names", FINDING_BAD, "/tmp/hosts/odhcpd*: no line of it could be used",
		"head -n 3 /tmp/hosts/odhcpd*" },
	{ names_too_long, "names", FINDING_BAD, "/tmp/hosts/odhcpd*: File too large", "ls -lL /tmp/hosts/odhcpd*" },
	{ port_taken, "port", FINDING_BAD, ":10060: in use by prometheus (process 77)", "listen = {" },
	{ port_of_another_meter, "port", FINDING_BAD,
		":10060: another hostmeter (process 78) serves there; this check did not ask it",
		"hostmeter --check --socket /run/other.sock  # asks it" },
	{ port_of_a_meter_unseen, "port", FINDING_BAD, ":10060: another hostmeter (process 78)", "/proc/78/cmdline" },
	{ port_of_this_meter, "port", FINDING_BAD,
		"[::1]:10061: the running meter (process 79) has this port, at another",
		"systemctl restart hostmeter" },
	{ port_not_ours, "port", FINDING_BAD, "[::1]:10061: Cannot assign", "an address that this machine has" },
	{ port_forbidden, "port", FINDING_BAD, "Permission denied", "above 1023" },
	{ meter_hangs, "meter", FINDING_BAD, "timed out", "restart" },
	{ meter_ill, "meter", FINDING_BAD, "HTTP status 500", "restart" },
	{ meter_forbidden, "meter", FINDING_UNKNOWN, "Permission denied", NULL },
	{ no_meter, "meter", FINDING_UNKNOWN, "none runs", NULL },
	{ no_meter, "meter", FINDING_UNKNOWN, "start one with systemctl start hostmeter", NULL },
	{ no_meter, "overruns", FINDING_UNKNOWN, "only a running meter knows", NULL },
	{ no_meter, "uncounted", FINDING_UNKNOWN, "only a running meter knows", NULL },
	{ no_meter, "offloaded", FINDING_UNKNOWN, "only a running meter knows", NULL },
	{ no_meter, "buffers", FINDING_UNKNOWN, "only a running meter knows", NULL },
	{ routes_dropped, "sides", FINDING_BAD, "no room for 13 routes", "lan = {" },
	{ next_hops_hidden, "sides", FINDING_BAD, "nexthop_compat_mode=0", "sysctl -w net.ipv4.nexthop_compat_mode=1" },
	{ source_down, "sources", FINDING_BAD, "not open: dump, rtnetlink", "journalctl" },
	{ overrun, "overruns", FINDING_BAD, "events: 1 time, nflog: 5 times", "event-buffer = 2000" },
	{ reliability_off, "reliability", FINDING_BAD, "not delivered reliably", "nf_conntrack_max=2000" },
	{ reliability_was_off, "reliability", FINDING_BAD, "2 times", "nf_conntrack_max=2000" },
	{ ends_unseen, "lost-ends", FINDING_BAD, "4 connections vanished without an event, 0 ended without",
		"nf_conntrack_events=1" },
	{ ends_uncounted, "lost-ends", FINDING_BAD, "5 ended without counters, 995 ended", "nf_conntrack_events=1" },
	{ unattributed, "unattributed", FINDING_BAD, "1000 of 100000", "--print-rules" },
	{ unseen, "unseen", FINDING_BAD,
		"eth0: 20000000 of 20000005 bytes, ppp0: 30000000 of 30000007 bytes are of no connection that is "
		"counted: "
		"there may be a notrack rule, a VRF",
		"nft list ruleset | grep notrack" },
	{ unseen, "unseen", FINDING_BAD, "of no connection", "ip -br link show type vrf" },
	{ unseen_in_flowtable, "unseen", FINDING_BAD, "of no connection", "counter;" },
	{ unseen_and_uncounted, "unseen", FINDING_BAD, "of no connection", "conntrack -F" },
	{ zeroed, "zeroing", FINDING_BAD, "fell 6 times", "conntrack -z" },
	{ stale, "dump-age", FINDING_BAD, "40 s ago", "dump-share" },
	{ no_dump_yet, "dump-age", FINDING_UNKNOWN, "not in yet", NULL },
	{ no_room, "capacity", FINDING_BAD, "8 connections", "nf_conntrack_max" },
	{ no_room_for_sightings, "capacity", FINDING_BAD, "9 first packets", "nf_conntrack_max" },
	{ damaged, "damaged", FINDING_BAD, "10 messages", "--record" },
	{ not_saved, "checkpoint", FINDING_BAD, "11 checkpoints could not be saved", "mkdir -p /run/hm" },
	{ not_saved, "checkpoint", FINDING_BAD,
		"saved in /run/hm: No such file or directory: a restart would lose counts", "chown USER /run/hm" },
	{ not_saved_for_rights, "checkpoint", FINDING_BAD, "/run/hm: Permission denied", "chown -R USER /run/hm" },
	{ not_saved_for_room, "checkpoint", FINDING_BAD, "/run/hm: No space left on device", "df -h /run/hm" },
	{ not_saved_read_only, "checkpoint", FINDING_BAD, "/run/hm: Read-only file system",
		"mount -o remount,rw $(df -P /run/hm | awk" },
	{ not_saved_disk, "checkpoint", FINDING_BAD, "/run/hm: Input/output error", "dmesg" },
	{ not_saved_else, "checkpoint", FINDING_BAD, "/run/hm: Is a directory", "ls -la /run/hm" },
	{ found_damaged, "checkpoint", FINDING_BAD, "found 3 records damaged", "journalctl" },
	{ saved_again, "checkpoint", FINDING_OK, "the latest is saved; 11 before", NULL },
	{ folded, "hosts", FINDING_BAD, "12 times", "max-hosts" },
	{ made_up, "hosts", FINDING_BAD,
		"somebody on br-lan makes up MAC addresses: 3999 of 4096 hosts never got a reply, and all places are "
		"taken; 12 times a host found no room",
		"bridge -s fdb show br br-lan" },
	{ made_up_with_room, "hosts", FINDING_BAD, "a LAN makes up MAC addresses: 3999 of 4095 hosts never got a reply",
		"ignore = {\"INTERFACE\"}" },
	{ made_up_before, "hosts", FINDING_BAD,
		"br-lan made up MAC addresses: 3997 hosts that never got a reply left again", "bridge -s fdb" },
};

static void check_fault(const struct fault *fault)
{
	struct finding line[JUDGE_MOST], *one;
	struct check_facts w;
	size_t count;
	bool said;

	make_world(&w);
	fault->make(&w);
	count = judge_all(&w, line);
	one = find(line, count, fault->name);
	said = strstr(buf_text(&one->text), fault->text);
	said &= fault->fix ? !!strstr(buf_text(&one->fix), fault->fix) : !one->fix.len;
	if (one->state != fault->state || !said)
		fail_msg("%s is %d: %s\nfix: %s", fault->name, one->state, buf_text(&one->text), buf_text(&one->fix));
	if (fault->state == FINDING_BAD)
		assert_false(finding_none_bad(line, count));
	for (size_t i = 0; i < count; i++)
		assert_true((line[i].state == FINDING_BAD) == (line[i].fix.len > 0));
	finding_clear(line, count);
	firewall_clear(&w.firewall);
}

static void faults_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		check_fault(&faults[i]);
}

/* No judgement without a fault that makes it bad. */
static void each_judgement_can_be_bad(void **state)
{
	struct finding line[JUDGE_MOST];
	struct check_facts w;
	size_t count;

	(void)state;
	make_world(&w);
	count = judge_all(&w, line);
	for (size_t i = 0; i < count; i++) {
		bool found = false;

		for (size_t j = 0; j < sizeof(faults) / sizeof(faults[0]); j++)
			found |= faults[j].state == FINDING_BAD && !strcmp(faults[j].name, line[i].name);
		if (!found)
			fail_msg("no fault makes %s bad", line[i].name);
	}
	finding_clear(line, count);
	firewall_clear(&w.firewall);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_well),
		cmocka_unit_test(faults_are_found),
		cmocka_unit_test(each_judgement_can_be_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
