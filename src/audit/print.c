/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/audit/audit.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/json.h"

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
	[AUDIT_NO_COUNTERS] = { "no-counters", "of connections without counters" },
	[AUDIT_OFFLOADED] = { "offloaded", "of offloaded connections" },
	[AUDIT_NO_CONNECTION] = { "no-connection", "of no connection: ARP, neighbour discovery, not tracked" },
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
	size_t len = 0;

	for (; label[len] && len < sizeof(clean) - 1; len++)
		clean[len] = (unsigned char)label[len] < 0x20 || label[len] == 0x7f ? '?' : label[len];
	clean[len] = 0;
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

static void put_note(struct buf *out, uint64_t count, const char *text)
{
	if (count)
		buf_printf(out, "%" PRIu64 " %s\n", count, text);
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
	buf_printf(out, "%" PRIu64 " connections, %" PRIu64 " of them ended\n", report->flows, report->ended);
	put_note(out, report->uncounted,
		"connections without counters: nobody counts them (nf_conntrack_acct=1 was set later)");
	put_note(out, report->offloaded, "connections are offloaded: the kernel's own counts may lag");
	put_note(out, report->unknown,
		"connections came and went, and neither the meter nor their addresses say whose they were");
	put_note(out, report->zeroed, "connections had their counters zeroed by another program");
	put_note(out, report->vanished, "connections vanished without an event (nf_conntrack_events=1 was set later)");
	put_note(out, report->cut, "end of the meter's list is missing: it has more connections than it lists");
	if (report->refused)
		put_note(out, report->refused, "connections found no room: NOT EXPLAINED");
	if (report->unexplained)
		buf_printf(out, "NOT EXPLAINED: %" PRIu64 " of these lines\n", report->unexplained);
	else
		buf_puts(out, "every difference is explained\n");
}

/* --- For programs. json_pack() refuses NULL: a value that could not be made makes the whole fail. */

static json_t *json_of_reasons(const struct audit_line *line)
{
	json_t *list = json_array();

	for (enum audit_reason r = 0; r < AUDIT_REASONS; r++)
		if (line->reason[r])
			json_array_append_new(list,
				json_of_pair("reason", json_string(reasons[r].id), "bytes",
					json_of_u64(line->reason[r])));
	return list;
}

/* What a line of its kind does not have is NULL, which "s*" and "o*" leave out. */
static json_t *json_of_line(const struct audit_line *line)
{
	bool link = line->kind == AUDIT_LINK, host = line->kind == AUDIT_HOST;

	return json_pack("{so so so so ss so* so* so* ss*}", "meter", json_of_u64(line->meter), "kernel",
		json_of_u64(line->kernel), "reasons", json_of_reasons(line), "unexplained",
		json_of_u64(line->unexplained), "direction", (link ? link_directions : directions)[line->direction],
		"ipv", link ? NULL : json_integer(line->family == AUDIT_IPV6 ? 6 : 4), "host",
		host ? json_of_text(line->host) : NULL, "mac",
		!host                ? NULL :
			line->mac[0] ? json_of_text(line->mac) :
				       json_null(),
		"scope", host ? scopes[line->scope] : NULL);
}

void audit_print_json(struct buf *out, const struct audit_report *report, const struct audit_times *times)
{
	json_t *lists[] = { [AUDIT_HOST] = json_array(), [AUDIT_SUM] = json_array(), [AUDIT_LINK] = json_array() };

	for (size_t i = 0; i < report->lines; i++)
		json_array_append_new(lists[report->line[i].kind], json_of_line(&report->line[i]));
	json_write(out,
		json_pack("{si so so so so so so so so s{so so so so so so so so}}", "schema", AUDIT_SCHEMA, "begin",
			json_of_seconds(times->begin_ns), "end", json_of_seconds(times->end_ns), "begin_took_seconds",
			json_of_seconds(times->took_ns[AUDIT_BEGIN]), "end_took_seconds",
			json_of_seconds(times->took_ns[AUDIT_END]), "hosts", lists[AUDIT_HOST], "sums",
			lists[AUDIT_SUM], "wan", lists[AUDIT_LINK], "unexplained",
			json_of_u64(report->unexplained + (report->refused != 0)), "connections", "all",
			json_of_u64(report->flows), "ended", json_of_u64(report->ended), "without_counters",
			json_of_u64(report->uncounted), "offloaded", json_of_u64(report->offloaded), "unknown",
			json_of_u64(report->unknown), "zeroed", json_of_u64(report->zeroed), "vanished",
			json_of_u64(report->vanished), "refused", json_of_u64(report->refused)));
	buf_putc(out, '\n');
}
