/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge_rows.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* More unattributed bytes than this share of all WAN bytes are bad. */
enum { UNKNOWN_PERCENT = 1 };

/* max-hosts, where more are needed, and the most that it may be. */
enum { PLACES_MORE = 16384, PLACES_MOST = 65000 };

/*
 * Where a WAN has more unseen bytes than these, and than those of its flows, something takes packets out of connection
 * tracking. What ARP, keepalives and the overhead of tunnels amount to is less than so many bytes a packet.
 */
enum { UNSEEN_LEAST = 8 << 20, OVERHEAD_MOST = 64 };

/* A count that is 0 where all is well: its text is before, the count, after. */
static void judge_count(struct finding *finding, uint64_t count, const char *good, const char *before, const char *noun,
	const char *after)
{
	if (count)
		finding_bad(finding, "%s%" PRIu64 " %s%s%s", before, count, noun, finding_plural(count), after);
	else
		finding_good(finding, "%s", good);
}

/* --- Sides */

/* Who is behind a bridge or port that Docker, libvirt and their like made, by their names for it. NULL: not known. */
static const char *guests_behind(const char *name)
{
	static const struct {
		const char *begins, *guests;
	} names[] = {
		{ "docker", "containers" },
		{ "podman", "containers" },
		{ "cni", "containers" },
		{ "lxcbr", "containers" },
		{ "lxdbr", "containers" },
		{ "incusbr", "containers" },
		{ "veth", "containers" },
		{ "virbr", "virtual machines" },
	};
	const char *hex = name + strlen("br-"); /* a network of Docker's, by its id */

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strncmp(name, names[i].begins, strlen(names[i].begins)))
			return names[i].guests;
	if (!strncmp(name, "br-", 3) && strlen(hex) == 12 && strspn(hex, "0123456789abcdef") == 12)
		return "containers";
	return NULL;
}

/* Each interface on a line of its own. */
static void judge_sides(const struct check_facts *f, struct finding *finding)
{
	if (f->meter.routes_dropped) {
		finding_bad(finding,
			"no room for %" PRIu64 " routes: addresses that they lead to may be on the wrong side",
			f->meter.routes_dropped);
	} else if (f->hides_next_hops) {
		finding_bad(finding, "nexthop_compat_mode=0: routes by nexthop objects do not tell their interfaces");
		finding_fix(finding, "sysctl -w net.ipv4.nexthop_compat_mode=1 && systemctl restart hostmeter");
	} else {
		finding_good(finding, "to say otherwise: lan, wan, carrier, transit or ignore in the configuration");
	}
	for (size_t i = 0; i < f->verdicts; i++) {
		const struct check_verdict *verdict = &f->verdict[i];
		const char *guests = strcmp(verdict->side, "lan") ? NULL : guests_behind(verdict->name);

		buf_printf(&finding->text, "\n%s: %s: %s%s%s", verdict->name, verdict->side, verdict->reason,
			*verdict->carries ? " " : "", verdict->carries);
		if (guests)
			buf_printf(&finding->text, "; ignore = {\"%s\"} leaves its %s out", verdict->name, guests);
	}
}

/* --- Sources and ends */

static void judge_sources(const struct check_facts *f, struct finding *finding)
{
	for (enum source source = 0; source < SOURCE_COUNT; source++)
		if (!f->meter.source[source].up)
			finding_bad(finding, "%s%s", finding->text.len ? ", " : "not open: ", source_name(source));
	if (!finding->text.len)
		finding_good(finding, "all sockets to the kernel are open");
}

static void judge_overruns(const struct check_facts *f, struct finding *finding)
{
	const struct check_source *source = f->meter.source;

	for (enum source i = 0; i < SOURCE_COUNT; i++)
		if (source[i].overruns)
			finding_bad(finding, "%s%s: %" PRIu64 " time%s",
				finding->text.len ? ", " : "messages of the kernel were lost: ", source_name(i),
				source[i].overruns, finding_plural(source[i].overruns));
	if (!finding->text.len)
		finding_good(finding, "no message of the kernel was lost");
	else if (source[SOURCE_EVENTS].buffer_asked)
		finding_fix(finding, "event-buffer = %" PRIu64, source[SOURCE_EVENTS].buffer_asked);
}

static void judge_reliability(const struct check_facts *f, struct finding *finding)
{
	if (!f->meter.reliable)
		finding_bad(finding, "ends of connections are not delivered reliably: the table is too full");
	else if (f->meter.switched_off)
		finding_bad(finding,
			"reliable delivery was given up %" PRIu64 " time%s, for a full table or a meter that hung",
			f->meter.switched_off, finding_plural(f->meter.switched_off));
	else
		finding_good(finding, "ends of connections are delivered reliably");
	if (finding->state == FINDING_BAD && f->table_limit != CHECK_NONE)
		finding_fix(finding, "sysctl -w net.netfilter.nf_conntrack_max=%" PRIu64, 2 * f->table_limit);
}

static void judge_ends(const struct check_facts *f, struct finding *finding)
{
	const struct check_meter *m = &f->meter;

	if (m->ends_unseen || m->ends_uncounted)
		finding_bad(finding,
			"%" PRIu64 " connection%s vanished without an event, %" PRIu64
			" ended without counters, %" PRIu64 " ended as they should",
			m->ends_unseen, finding_plural(m->ends_unseen), m->ends_uncounted,
			m->ends > m->ends_uncounted ? m->ends - m->ends_uncounted : 0);
	else
		finding_good(finding, "none: %" PRIu64 " ended as they should", m->ends);
}

static void judge_unattributed(const struct check_facts *f, struct finding *finding)
{
	uint64_t unknown = f->meter.unknown_bytes, all = f->meter.wan_bytes;
	bool bad = unknown && unknown >= all / 100 * UNKNOWN_PERCENT;

	finding_set(finding, bad ? FINDING_BAD : FINDING_OK, "%" PRIu64 " of %" PRIu64 " bytes are host=\"unknown\"",
		unknown, all);
	if (bad)
		judge_rules_fix(f, finding);
}

static void judge_unseen(const struct check_facts *f, struct finding *finding)
{
	for (size_t i = 0; i < f->wans; i++) {
		const struct check_wan *wan = &f->wan[i];

		if (wan->unseen <= UNSEEN_LEAST || wan->unseen <= wan->seen ||
			wan->unseen / OVERHEAD_MOST <= wan->packets)
			continue;
		finding_bad(finding, "%s%s: %" PRIu64 " of %" PRIu64 " bytes", finding->text.len ? ", " : "", wan->name,
			wan->unseen, wan->unseen + wan->seen);
	}
	if (finding->state != FINDING_BAD) {
		finding_good(finding, "no WAN has most of its bytes outside of counted connections");
		return;
	}
	finding_bad(finding,
		" are of no connection that is counted: there may be a notrack rule, a VRF, a flowtable without "
		"counter, or connections from before nf_conntrack_acct=1");
	finding_fix(finding, "nft list ruleset | grep notrack  # in iptables-save: CT --notrack; take the rule out");
	finding_fix(finding, "ip -br link show type vrf  # the connections of its interfaces may not be counted");
	if (f->firewall.uncounted.len)
		finding_fix(finding, "%s", JUDGE_FIX_COUNTER);
	if (f->flows_uncounted)
		finding_fix(finding, "conntrack -F  # or wait until the connections without counters end");
}

static void judge_zeroing(const struct check_facts *f, struct finding *finding)
{
	judge_count(finding, f->meter.resets, "no counter fell", "counters fell ", "time",
		": another program zeroes them");
}

static void judge_dump(const struct check_facts *f, struct finding *finding)
{
	double age = f->meter.dump_age, interval = f->meter.dump_interval;

	if (age < 0)
		finding_unknown(finding, "the first reading of the connections is not in yet");
	else if (age > 3 * interval + 10)
		finding_bad(finding, "the connections were read %.0f s ago, and should be every %.1f s", age, interval);
	else
		finding_good(finding, "%.1f s, every %.1f s", age, interval);
}

static void judge_capacity(const struct check_facts *f, struct finding *finding)
{
	if (f->meter.refused || f->meter.sightings_lost)
		finding_bad(finding, "no memory for %" PRIu64 " connection%s and %" PRIu64 " first packet%s",
			f->meter.refused, finding_plural(f->meter.refused), f->meter.sightings_lost,
			finding_plural(f->meter.sightings_lost));
	else
		finding_good(finding, "enough for all connections and first packets");
}

static void judge_damaged(const struct check_facts *f, struct finding *finding)
{
	judge_count(finding, f->meter.damaged, "no message of the kernel was damaged", "", "message",
		" of the kernel could not be read");
}

static void fix_checkpoint(const struct check_facts *f, struct finding *finding)
{
	static const struct {
		int error;
		const char *command, *rest;
	} fixes[] = {
		{ ENOENT, "mkdir -p ", "" },
		{ ENOENT, "chown USER ", "  # the meter's user" },
		{ EACCES, "chown -R USER ", "  # the meter's user" },
		{ EPERM, "chown -R USER ", "  # the meter's user" },
		{ ENOSPC, "df -h ",
			"  # make room there, or set runtime-dir; if it has room, inodes are short: df -i" },
		{ EDQUOT, "df -h ", "  # the meter's user has used up the quota there; or set runtime-dir" },
		{ EROFS, "mount -o remount,rw $(df -P ",
			" | awk 'END { print $6 }')  # dmesg may say why it is read-only" },
		{ EIO, "dmesg | grep -i error  # the disk of ", " fails" },
	};

	for (size_t i = 0; i < sizeof(fixes) / sizeof(fixes[0]); i++)
		if (!strcmp(f->meter.checkpoint_error, strerror(fixes[i].error)))
			finding_fix(finding, "%s%s%s", fixes[i].command, f->runtime_dir, fixes[i].rest);
	if (!finding->fix.len)
		finding_fix(finding, "ls -la %s  # what is in the way of the file checkpoint", f->runtime_dir);
}

static void judge_checkpoint(const struct check_facts *f, struct finding *finding)
{
	uint64_t failures = f->meter.checkpoint_failures, damages = f->meter.checkpoint_damages;

	if (failures && *f->meter.checkpoint_error) {
		finding_bad(finding,
			"%" PRIu64 " checkpoint%s could not be saved in %s: %s: a restart would lose counts", failures,
			finding_plural(failures), f->runtime_dir, f->meter.checkpoint_error);
		fix_checkpoint(f, finding);
	} else if (damages) {
		finding_bad(finding,
			"the start found %" PRIu64 " record%s damaged or missing: the log says whether counts are",
			damages, finding_plural(damages));
		finding_fix(finding, "journalctl -u hostmeter | grep checkpoint");
		finding_fix(finding,
			"ls -la %s  # checkpoint.bad is the damaged file; is this memory, or a disk that fails?",
			f->runtime_dir);
	} else if (failures) {
		finding_good(finding, "the latest is saved; %" PRIu64 " before could not be", failures);
	} else {
		finding_good(finding, "no failure");
	}
}

static void judge_made_up(const struct check_facts *f, struct finding *finding)
{
	const struct check_meter *m = &f->meter;
	const char *on = *m->made_up_on ? m->made_up_on : "a LAN";

	if (2 * m->places_unanswered > m->places_taken)
		finding_bad(finding,
			"somebody on %s makes up MAC addresses: %" PRIu64 " of %" PRIu64 " hosts never got a reply%s",
			on, m->places_unanswered, m->places_taken,
			m->places_taken >= m->places ? ", and all places are taken" : "");
	else
		finding_bad(finding,
			"somebody on %s made up MAC addresses: %" PRIu64 " hosts that never got a reply left again", on,
			m->left_unanswered);
	if (m->hosts_folded)
		finding_bad(finding, "; %" PRIu64 " time%s a host found no room and was counted as host=\"other\"",
			m->hosts_folded, finding_plural(m->hosts_folded));
	finding_fix(finding,
		"bridge -s fdb show br %s  # the port with most of the addresses; on a managed switch, its MAC table",
		*m->made_up_on ? m->made_up_on : "INTERFACE");
	finding_fix(finding, "limit the addresses of that port (port security, 802.1X), or take what is on it off");
	finding_fix(finding, "ignore = {\"%s\"}  # instead, meters none of its hosts",
		*m->made_up_on ? m->made_up_on : "INTERFACE");
}

static void judge_hosts(const struct check_facts *f, struct finding *finding)
{
	if (f->meter.made_up) {
		judge_made_up(f, finding);
		return;
	}
	judge_count(finding, f->meter.hosts_folded, "each has its own series", "", "time",
		" a host found no room and was counted as host=\"other\"");
	if (f->meter.hosts_folded)
		finding_fix(finding, "max-hosts = %d", f->meter.places < PLACES_MORE ? PLACES_MORE : PLACES_MOST);
}

static void judge_one_buffer(struct finding *finding, const char *name, const struct check_source *source,
	uint64_t *most)
{
	if (!source->buffer || source->buffer >= source->buffer_asked)
		return;
	finding_bad(finding, "%s%s: %" PRIu64 " bytes granted of %" PRIu64, finding->text.len ? ", " : "", name,
		source->buffer, source->buffer_asked);
	/* What is asked for is doubled by the kernel, socket(7); the limit is on what is asked for. */
	if (source->buffer_asked / 2 > *most)
		*most = source->buffer_asked / 2;
}

static void judge_buffers(const struct check_facts *f, struct finding *finding)
{
	uint64_t most = 0;

	for (enum source source = 0; source < SOURCE_COUNT; source++)
		judge_one_buffer(finding, source_name(source), &f->meter.source[source], &most);
	if (most)
		finding_fix(finding,
			"sysctl -w net.core.rmem_max=%" PRIu64 "  # or run the meter with the machine's CAP_NET_ADMIN",
			most);
	else
		finding_good(finding, "granted as requested");
}

static void judge_uncounted(const struct check_facts *f, struct finding *finding)
{
	if (!f->flows_uncounted) {
		finding_good(finding, "none of %" PRIu64 " live connection%s", f->flows, finding_plural(f->flows));
		return;
	}
	finding_bad(finding, "%" PRIu64 " of %" PRIu64 " live connection%s: they began before nf_conntrack_acct=1",
		f->flows_uncounted, f->flows, finding_plural(f->flows));
	if (!f->acct)
		finding_fix(finding, "sysctl -w net.netfilter.nf_conntrack_acct=1");
	finding_fix(finding, "conntrack -F  # or wait until they end");
}

/*
 * The meter sees that flows are offloaded, nft says whether they are counted all the same. Flows may also be offloaded
 * by tc, or be left over from a flowtable that is gone.
 */
static void judge_offloaded(const struct check_facts *f, struct finding *finding)
{
	const struct firewall *firewall = &f->firewall;

	if (!f->flows_offloaded) {
		finding_good(finding, "none of %" PRIu64 " live connection%s", f->flows, finding_plural(f->flows));
		return;
	}
	finding_unknown(finding, "%" PRIu64 " of %" PRIu64 " live connection%s offloaded", f->flows_offloaded, f->flows,
		f->flows == 1 ? " is" : "s are");
	if (!firewall->has_nft) {
		finding_unknown(finding, ": nft did not list the flowtables, which say whether they are counted");
	} else if (!firewall->flowtables) {
		finding_unknown(finding, ", and there is no flowtable: whether they are counted is not known");
	} else if (firewall_counts_offloaded(firewall)) {
		finding_good(finding, ", and their flowtables count them");
	} else if (firewall->uncounted.len) {
		finding_bad(finding, ", and not counted in %.*s: the flag counter is missing",
			(int)firewall->uncounted.len, firewall->uncounted.data);
		finding_fix(finding, "%s", JUDGE_FIX_COUNTER);
	} else {
		finding_bad(finding, ", by hardware in %.*s: their last bytes may be lost", (int)firewall->hardware.len,
			firewall->hardware.data);
		finding_fix(finding, "%s", JUDGE_FIX_HARDWARE);
	}
}

const struct judgement judge_meter_rows[] = {
	{ "sides", judge_sides, "lan = {\"INTERFACE\"}  # name the LANs, and the WANs with wan = {...}" },
	{ "sources", judge_sources, "journalctl -u hostmeter  # the log says why" },
	{ "buffers", judge_buffers, NULL },
	{ "overruns", judge_overruns, NULL },
	{ "uncounted", judge_uncounted, NULL },
	{ "offloaded", judge_offloaded, NULL },
	{ "reliability", judge_reliability, NULL },
	{ "lost-ends", judge_ends,
		"sysctl -w net.netfilter.nf_conntrack_events=1  # and let the meter run: what ends meanwhile shows "
		"here" },
	{ "unattributed", judge_unattributed, NULL },
	{ "unseen", judge_unseen, NULL },
	{ "zeroing", judge_zeroing, "pgrep -af 'nlbwmon|conntrack'  # stop what zeroes: nlbwmon, conntrack -z" },
	{ "dump-age", judge_dump, "dump-share = 20  # per cent of one core" },
	{ "capacity", judge_capacity, "sysctl -w net.netfilter.nf_conntrack_max=4194304  # the meter takes no more" },
	{ "damaged", judge_damaged, "report it with a trace: hostmeter --record FILE" },
	{ "checkpoint", judge_checkpoint, NULL },
	{ "hosts", judge_hosts, NULL },
	{ NULL, NULL, NULL },
};
