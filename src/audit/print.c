/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/audit/audit.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/json.h"
#include "hostmeter/base/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *id, *text;
} reasons[AUDIT_REASONS] = {
	[AUDIT_NOT_READ] = { "not-read", "passed between two readings" },
	[AUDIT_ENDED] = { "ended", "of connections that ended between two readings" },
	[AUDIT_PENDING] = { "pending", "not counted yet: their host is not known yet" },
	[AUDIT_UNKNOWN] = { "unknown", "of connections that came and went, whose host is not known" },
	[AUDIT_RESTARTED] = { "restarted", "the meter was restarted" },
	[AUDIT_LOST] = { "lost", "ends were lost or late: the meter's socket overran" },
	[AUDIT_VANISHED] = { "vanished", "of connections that vanished without an event" },
	[AUDIT_ZEROED] = { "zeroed", "another program zeroed the counters" },
	[AUDIT_LINK_HEADERS] = { "link-headers", "link headers" },
	[AUDIT_OVERHEAD] = { "tunnel-overhead", "WireGuard's own headers and padding" },
	[AUDIT_NO_COUNTERS] = { "no-counters", "of connections without counters" },
	[AUDIT_OFFLOADED] = { "offloaded", "of offloaded connections" },
	[AUDIT_NO_CONNECTION] = { "no-connection",
		"of no connection: ARP, neighbour discovery, not tracked, headers of merged packets" },
	[AUDIT_BYPASSED] = { "bypassed", "of offloaded connections: their flows count it, the interface does not" },
	[AUDIT_DROPPED] = { "dropped", "dropped by the router after it was counted" },
	[AUDIT_LINK_CHANGED] = { "link-changed", "an interface was added or removed" },
};

static const char *const scopes[AUDIT_SCOPES] = { "wan", "local" };
static const char *const directions[AUDIT_DIRECTIONS] = { "in", "out" };
static const char *const link_directions[AUDIT_DIRECTIONS] = { "rx", "tx" };

/* --- For people */

static void put_reasons(struct buf *out, const struct audit_line *line)
{
	const char *before = "";

	for (enum audit_reason r = 0; r < AUDIT_REASONS; r++) {
		if (!line->reason[r])
			continue;
		buf_printf(out, "%s%" PRIu64 " %s", before, line->reason[r], reasons[r].text);
		before = "; ";
	}
	if (line->unexplained)
		buf_printf(out, "%s%" PRIu64 " NOT EXPLAINED", before, line->unexplained);
}

/* Control bytes in what the meter reported must not move the cursor. */
static void put_host(struct buf *out, const char *label)
{
	char clean[AUDIT_LABEL];

	snprintf(clean, sizeof(clean), "%s", label);
	clean[utf8_disarm(clean, strlen(clean), false)] = '\0';
	buf_printf(out, "%-18s ", clean);
}

static void put_line(struct buf *out, const struct audit_line *line)
{
	bool less = line->meter < line->kernel;
	uint64_t difference = less ? line->kernel - line->meter : line->meter - line->kernel;
	char number[24];

	if (line->kind == AUDIT_SUM && !line->meter && !line->kernel)
		return;
	snprintf(number, sizeof(number), "%s%" PRIu64, less ? "-" : difference ? "+" : "", difference);
	put_host(out, line->kind == AUDIT_LINK ? "WAN interfaces" : line->kind == AUDIT_SUM ? "all hosts" : line->host);
	if (line->kind == AUDIT_LINK)
		buf_printf(out, "%-5s   - %-3s", "-", link_directions[line->direction]);
	else
		buf_printf(out, "%-5s IPv%d %-3s", scopes[line->scope], line->family == AUDIT_IPV6 ? 6 : 4,
			directions[line->direction]);
	buf_printf(out, " %14" PRIu64 " %14" PRIu64 " %12s  ", line->meter, line->kernel, number);
	if (difference)
		put_reasons(out, line);
	else
		buf_puts(out, "the same");
	buf_putc(out, '\n');
}

/* A count of connections and what is to be said of one, or of several. */
static void put_note(struct buf *out, uint64_t count, const char *one, const char *several)
{
	if (count)
		buf_printf(out, "%" PRIu64 " connection%s\n", count, count == 1 ? one : several);
}

static void put_notes(struct buf *out, const struct audit_report *report)
{
	buf_printf(out, "%" PRIu64 " connection%s, %" PRIu64 " of them ended\n", report->flows,
		report->flows == 1 ? "" : "s", report->ended);
	put_note(out, report->uncounted, " without counters: nobody counts it (nf_conntrack_acct=1 was set later)",
		"s without counters: nobody counts them (nf_conntrack_acct=1 was set later)");
	if (report->flowtables_count)
		put_note(out, report->offloaded, " is offloaded, and its flowtable counts it",
			"s are offloaded, and their flowtables count them");
	else
		put_note(out, report->offloaded,
			" is offloaded: without counter in its flowtable, or in hardware, it is not all counted",
			"s are offloaded: without counter in their flowtable, or in hardware, they are not all "
			"counted");
	put_note(out, report->unknown, " came and went, and neither the meter nor its addresses say whose it was",
		"s came and went, and neither the meter nor their addresses say whose they were");
	put_note(out, report->zeroed, " had its counters zeroed by another program",
		"s had their counters zeroed by another program");
	put_note(out, report->vanished, " vanished without an event (nf_conntrack_events=1 was set later)",
		"s vanished without an event (nf_conntrack_events=1 was set later)");
	if (report->cut)
		buf_printf(out, "%d end of the meter's list is missing: it has more connections than it lists\n",
			report->cut);
	put_note(out, report->refused, " found no room: NOT EXPLAINED", "s found no room: NOT EXPLAINED");
}

void audit_print_text(struct buf *out, const struct audit_report *report, const struct audit_times *times)
{
	buf_printf(out,
		"%.1f s; the meter and the kernel were read within %" PRIu64 " ms at the begin and %" PRIu64
		" ms at the end. Bytes:\n",
		(double)times->between_ns / (double)CLOCK_NS_PER_S, times->took_ns[AUDIT_BEGIN] / CLOCK_NS_PER_MS,
		times->took_ns[AUDIT_END] / CLOCK_NS_PER_MS);
	buf_printf(out, "%-18s %-5s %4s %-3s %14s %14s %12s  %s\n", "host", "scope", "", "", "meter", "kernel",
		"difference", "reason");
	for (size_t i = 0; i < report->lines; i++)
		put_line(out, &report->line[i]);
	put_notes(out, report);
	if (report->unexplained)
		buf_printf(out, "NOT EXPLAINED: %" PRIu64 " of these lines\n", report->unexplained);
	else
		buf_puts(out, "every difference is explained\n");
}

/* --- For programs */

static void put_json_line(struct buf *out, const struct audit_line *line)
{
	bool link = line->kind == AUDIT_LINK;

	json_begin(out, NULL, '{');
	json_put_u64(out, "meter", line->meter);
	json_put_u64(out, "kernel", line->kernel);
	json_begin(out, "reasons", '[');
	for (enum audit_reason r = 0; r < AUDIT_REASONS; r++) {
		if (!line->reason[r])
			continue;
		json_begin(out, NULL, '{');
		json_put_text(out, "reason", reasons[r].id);
		json_put_u64(out, "bytes", line->reason[r]);
		json_end(out, '}');
	}
	json_end(out, ']');
	json_put_u64(out, "unexplained", line->unexplained);
	json_put_text(out, "direction", (link ? link_directions : directions)[line->direction]);
	if (!link)
		json_put_u64(out, "ipv", line->family == AUDIT_IPV6 ? 6 : 4);
	if (line->kind == AUDIT_HOST) {
		json_put_text(out, "host", line->host);
		json_put_text(out, "mac", line->mac[0] ? line->mac : NULL);
		json_put_text(out, "scope", scopes[line->scope]);
	}
	json_end(out, '}');
}

void audit_print_json(struct buf *out, const struct audit_report *report, const struct audit_times *times)
{
	static const char *const lists[] = { [AUDIT_HOST] = "hosts", [AUDIT_SUM] = "sums", [AUDIT_LINK] = "wan" };

	json_begin(out, NULL, '{');
	json_put_u64(out, "schema", AUDIT_SCHEMA);
	json_put_seconds(out, "begin", times->begin_ns);
	json_put_seconds(out, "end", times->end_ns);
	json_put_seconds(out, "begin_took_seconds", times->took_ns[AUDIT_BEGIN]);
	json_put_seconds(out, "end_took_seconds", times->took_ns[AUDIT_END]);
	for (int kind = AUDIT_HOST; kind <= AUDIT_LINK; kind++) {
		json_begin(out, lists[kind], '[');
		for (size_t i = 0; i < report->lines; i++)
			if ((int)report->line[i].kind == kind)
				put_json_line(out, &report->line[i]);
		json_end(out, ']');
	}
	json_put_u64(out, "unexplained", report->unexplained + (report->refused != 0));
	json_begin(out, "connections", '{');
	json_put_u64(out, "all", report->flows);
	json_put_u64(out, "ended", report->ended);
	json_put_u64(out, "without_counters", report->uncounted);
	json_put_u64(out, "offloaded", report->offloaded);
	json_put_u64(out, "unknown", report->unknown);
	json_put_u64(out, "zeroed", report->zeroed);
	json_put_u64(out, "vanished", report->vanished);
	json_put_u64(out, "refused", report->refused);
	json_end(out, '}');
	json_end(out, '}');
	buf_putc(out, '\n');
}
