/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge_meter.h"

#include "judge_rules.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Of the bytes between hosts and WAN so many may be nobody's. */
enum { UNKNOWN_PERCENT = 1 };

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

void check_meter_answers(const struct check_facts *f, struct check_line *line)
{
	int error = f->meter.error;

	if (f->meter.answers)
		check_line_good(line, "version %s answers on %s", f->meter.version, f->socket);
	else if (error == -ENOENT || error == -ECONNREFUSED)
		check_line_untold(line, "none runs (nobody answers on %s)", f->socket);
	else if (error == -EACCES)
		check_line_untold(line, "it may not be asked: %s: %s", f->socket, strerror(-error));
	else if (error < 0)
		check_line_bad(line, "%s: %s", f->socket, strerror(-error));
	else
		check_line_bad(line, "%s: HTTP status %d", f->socket, error);
}

void check_meter_sources(const struct check_facts *f, struct check_line *line)
{
	for (enum source source = 0; source < SOURCE_COUNT; source++)
		if (!f->meter.source[source].up)
			check_line_bad(line, "%s%s", line->text.len ? ", " : "not open: ", source_name(source));
	if (!line->text.len)
		check_line_good(line, "all are open");
}

void check_meter_overruns(const struct check_facts *f, struct check_line *line)
{
	for (enum source source = 0; source < SOURCE_COUNT; source++) {
		const struct check_source *s = &f->meter.source[source];

		if (s->overruns)
			check_line_bad(line, "%s%s: %" PRIu64 " time%s",
				line->text.len ? ", " : "messages of the kernel were lost: ", source_name(source),
				s->overruns, plural(s->overruns));
	}
	if (!line->text.len)
		check_line_good(line, "none");
	else if (f->meter.source[SOURCE_EVENTS].buffer_asked)
		check_line_mend(line, "event-buffer = %" PRIu64, f->meter.source[SOURCE_EVENTS].buffer_asked);
}

void check_meter_valve(const struct check_facts *f, struct check_line *line)
{
	if (!f->meter.reliable)
		check_line_bad(line, "ends of connections are not delivered reliably: the table is too full");
	else if (f->meter.switched_off)
		check_line_bad(line,
			"reliable delivery was given up %" PRIu64 " time%s, for a full table or a meter that hung",
			f->meter.switched_off, plural(f->meter.switched_off));
	else
		check_line_good(line, "ends of connections are delivered reliably");
	if (line->state == CHECK_BAD && f->table_limit != CHECK_NONE)
		check_line_mend(line, "sysctl -w net.netfilter.nf_conntrack_max=%" PRIu64, 2 * f->table_limit);
}

void check_meter_ends(const struct check_facts *f, struct check_line *line)
{
	const struct check_meter *m = &f->meter;

	if (m->ends_unseen || m->ends_uncounted)
		check_line_bad(line,
			"%" PRIu64 " connections vanished untold, %" PRIu64 " ended without counters, %" PRIu64
			" ended as they should",
			m->ends_unseen, m->ends_uncounted,
			m->ends > m->ends_uncounted ? m->ends - m->ends_uncounted : 0);
	else
		check_line_good(line, "none: %" PRIu64 " ended as they should", m->ends);
}

void check_meter_unattributed(const struct check_facts *f, struct check_line *line)
{
	uint64_t unknown = f->meter.unknown_bytes, all = f->meter.wan_bytes;

	if (unknown && unknown >= all / 100 * UNKNOWN_PERCENT)
		check_line_bad(line, "%" PRIu64 " of %" PRIu64 " bytes are host=\"unknown\"", unknown, all);
	else
		check_line_good(line, "%" PRIu64 " of %" PRIu64 " bytes", unknown, all);
	if (line->state == CHECK_BAD)
		check_rules_mend(f, line);
}

void check_meter_zeroing(const struct check_facts *f, struct check_line *line)
{
	if (f->meter.resets)
		check_line_bad(line, "counters fell %" PRIu64 " time%s: another program zeroes them", f->meter.resets,
			plural(f->meter.resets));
	else
		check_line_good(line, "no counter fell");
}

void check_meter_dump(const struct check_facts *f, struct check_line *line)
{
	double age = f->meter.dump_age, interval = f->meter.dump_interval;

	if (age < 0)
		check_line_untold(line, "the first reading of the connections is not in yet");
	else if (age > 3 * interval + 10)
		check_line_bad(line, "the connections were read %.0f s ago, and should be every %.1f s", age, interval);
	else
		check_line_good(line, "%.1f s, every %.1f s", age, interval);
}

void check_meter_room(const struct check_facts *f, struct check_line *line)
{
	if (f->meter.refused || f->meter.sightings_lost)
		check_line_bad(line, "no room for %" PRIu64 " connections and %" PRIu64 " first packets",
			f->meter.refused, f->meter.sightings_lost);
	else
		check_line_good(line, "for all connections and first packets");
}

void check_meter_damaged(const struct check_facts *f, struct check_line *line)
{
	if (f->meter.damaged)
		check_line_bad(line, "%" PRIu64 " message%s of the kernel could not be read", f->meter.damaged,
			plural(f->meter.damaged));
	else
		check_line_good(line, "none");
}

void check_meter_checkpoint(const struct check_facts *f, struct check_line *line)
{
	if (!f->meter.checkpoint_failures) {
		check_line_good(line, "saved each time");
		return;
	}
	check_line_bad(line, "%" PRIu64 " could not be saved: a restart may lose counts", f->meter.checkpoint_failures);
	check_line_mend(line, "mkdir -p %s && chown USER %s  # the meter's user", f->runtime_dir, f->runtime_dir);
}

void check_meter_folded(const struct check_facts *f, struct check_line *line)
{
	if (f->meter.hosts_folded)
		check_line_bad(line, "%" PRIu64 " time%s a host found no room and was counted as host=\"other\"",
			f->meter.hosts_folded, plural(f->meter.hosts_folded));
	else
		check_line_good(line, "each has series of its own");
}
