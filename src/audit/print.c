/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/audit/print.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_MS 1000000
#define NS_PER_S 1e9

static const char *const scopes[AUDIT_SCOPES] = { "wan", "local" };
static const char *const directions[AUDIT_DIRECTIONS] = { "in", "out" };
static const char *const link_directions[AUDIT_DIRECTIONS] = { "rx", "tx" };

static unsigned int ipv(const struct audit_line *line)
{
	return line->family == AUDIT_IPV6 ? 6 : 4;
}

/* --- For people */

static void put_reasons(struct buf *out, const struct audit_line *line)
{
	const char *before = "";

	for (enum audit_reason r = 0; r < AUDIT_REASONS; r++) {
		if (!line->reason[r])
			continue;
		buf_printf(out, "%s%" PRIu64 " %s", before, line->reason[r], audit_reason_text(r));
		before = "; ";
	}
	if (line->unexplained)
		buf_printf(out, "%s%" PRIu64 " NOT EXPLAINED", before, line->unexplained);
}

/* Of what is said over the socket no byte moves the cursor. */
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
		buf_printf(out, "%-5s IPv%u %-3s", scopes[line->scope], ipv(line), directions[line->direction]);
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
		(double)times->between_ns / NS_PER_S, times->took_ns[AUDIT_BEGIN] / NS_PER_MS,
		times->took_ns[AUDIT_END] / NS_PER_MS);
	buf_printf(out, "%-18s %-5s %4s %-3s %14s %14s %12s  %s\n", "host", "scope", "", "", "meter", "kernel",
		"difference", "reason");
	for (size_t i = 0; i < report->lines; i++)
		put_line(out, &report->line[i]);
	buf_printf(out, "%" PRIu64 " connections, %" PRIu64 " of them ended\n", report->flows, report->ended);
	put_note(out, report->uncounted,
		"connections without counters: nobody counts them (nf_conntrack_acct=1 was set later)");
	put_note(out, report->offloaded, "connections are offloaded: the kernel's own counts may lag");
	put_note(out, report->unknown,
		"connections came and went, and neither the meter nor their addresses tell whose");
	put_note(out, report->zeroed, "connections had their counters zeroed by another program");
	put_note(out, report->unheard, "connections went without a word (nf_conntrack_events=1 was set later)");
	put_note(out, report->cut, "end of the meter's list is missing: it has more connections than it lists");
	if (report->refused)
		put_note(out, report->refused, "connections found no room: NOT EXPLAINED");
	if (report->unexplained)
		buf_printf(out, "NOT EXPLAINED: %" PRIu64 " of these lines\n", report->unexplained);
	else
		buf_puts(out, "every difference is explained\n");
}

/* --- For programs. A value that could not be made makes the whole fail. */

static json_t *number(uint64_t value)
{
	return json_integer((json_int_t)(value > INT64_MAX ? INT64_MAX : value));
}

static json_t *seconds(uint64_t ns)
{
	return json_real((double)(ns / NS_PER_MS) / 1e3);
}

static json_t *text(const char *value)
{
	json_t *string = json_string(value);

	return string ? string : json_string("?"); /* not UTF-8 */
}

static json_t *reasons(const struct audit_line *line)
{
	json_t *list = json_array();

	for (enum audit_reason r = 0; r < AUDIT_REASONS; r++)
		if (line->reason[r])
			json_array_append_new(list,
				json_pack("{ss so}", "reason", audit_reason_id(r), "bytes", number(line->reason[r])));
	return list;
}

static json_t *line_object(const struct audit_line *line)
{
	bool link = line->kind == AUDIT_LINK, host = line->kind == AUDIT_HOST;
	json_t *object = json_pack("{so so so so}", "meter", number(line->meter), "kernel", number(line->kernel),
		"reasons", reasons(line), "unexplained", number(line->unexplained));

	json_object_set_new(object, "direction", json_string((link ? link_directions : directions)[line->direction]));
	if (!link)
		json_object_set_new(object, "ipv", json_integer(ipv(line)));
	if (host) {
		json_object_set_new(object, "host", text(line->host));
		json_object_set_new(object, "mac", line->mac[0] ? text(line->mac) : json_null());
		json_object_set_new(object, "scope", json_string(scopes[line->scope]));
	}
	return object;
}

static int append(const char *data, size_t len, void *ctx)
{
	buf_add(ctx, data, len);
	return buf_error(ctx);
}

void audit_print_json(struct buf *out, const struct audit_report *report, const struct audit_times *times)
{
	json_t *lists[] = { [AUDIT_HOST] = json_array(), [AUDIT_SUM] = json_array(), [AUDIT_LINK] = json_array() },
	       *all;

	for (size_t i = 0; i < report->lines; i++)
		json_array_append_new(lists[report->line[i].kind], line_object(&report->line[i]));
	all = json_pack("{si so so so so so so so so}", "schema", AUDIT_SCHEMA, "begin", seconds(times->begin_ns),
		"end", seconds(times->end_ns), "begin_took_seconds", seconds(times->took_ns[AUDIT_BEGIN]),
		"end_took_seconds", seconds(times->took_ns[AUDIT_END]), "hosts", lists[AUDIT_HOST], "sums",
		lists[AUDIT_SUM], "wan", lists[AUDIT_LINK], "unexplained",
		number(report->unexplained + (report->refused != 0)));
	json_object_set_new(all, "connections",
		json_pack("{so so so so so so so so}", "all", number(report->flows), "ended", number(report->ended),
			"without_counters", number(report->uncounted), "offloaded", number(report->offloaded),
			"unknown", number(report->unknown), "zeroed", number(report->zeroed), "unheard",
			number(report->unheard), "refused", number(report->refused)));
	if (!all || json_dump_callback(all, append, out, JSON_COMPACT | JSON_REAL_PRECISION(15)) != 0)
		out->error = -ENOMEM;
	json_decref(all);
	buf_putc(out, '\n');
}
