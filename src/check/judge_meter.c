/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "judge_meter.h"

#include "judge_rules.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* Of the bytes between hosts and WAN so many may be nobody's. */
enum { UNKNOWN_PERCENT = 1 };

void judge_meter_answers(const struct check_facts *f, struct finding *finding)
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

void judge_meter_sources(const struct check_facts *f, struct finding *finding)
{
	for (enum source source = 0; source < SOURCE_COUNT; source++)
		if (!f->meter.source[source].up)
			finding_bad(finding, "%s%s", finding->text.len ? ", " : "not open: ", source_name(source));
	if (!finding->text.len)
		finding_good(finding, "all are open");
}

void judge_meter_overruns(const struct check_facts *f, struct finding *finding)
{
	for (enum source source = 0; source < SOURCE_COUNT; source++) {
		const struct check_source *s = &f->meter.source[source];

		if (s->overruns)
			finding_bad(finding, "%s%s: %" PRIu64 " time%s",
				finding->text.len ? ", " : "messages of the kernel were lost: ", source_name(source),
				s->overruns, finding_plural(s->overruns));
	}
	if (!finding->text.len)
		finding_good(finding, "none");
	else if (f->meter.source[SOURCE_EVENTS].buffer_asked)
		finding_fix(finding, "event-buffer = %" PRIu64, f->meter.source[SOURCE_EVENTS].buffer_asked);
}

void judge_meter_valve(const struct check_facts *f, struct finding *finding)
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

void judge_meter_ends(const struct check_facts *f, struct finding *finding)
{
	const struct check_meter *m = &f->meter;

	if (m->ends_unseen || m->ends_uncounted)
		finding_bad(finding,
			"%" PRIu64 " connections vanished without an event, %" PRIu64
			" ended without counters, %" PRIu64 " ended as they should",
			m->ends_unseen, m->ends_uncounted,
			m->ends > m->ends_uncounted ? m->ends - m->ends_uncounted : 0);
	else
		finding_good(finding, "none: %" PRIu64 " ended as they should", m->ends);
}

void judge_meter_unattributed(const struct check_facts *f, struct finding *finding)
{
	uint64_t unknown = f->meter.unknown_bytes, all = f->meter.wan_bytes;

	if (unknown && unknown >= all / 100 * UNKNOWN_PERCENT)
		finding_bad(finding, "%" PRIu64 " of %" PRIu64 " bytes are host=\"unknown\"", unknown, all);
	else
		finding_good(finding, "%" PRIu64 " of %" PRIu64 " bytes", unknown, all);
	if (finding->state == FINDING_BAD)
		judge_rules_fix(f, finding);
}

void judge_meter_zeroing(const struct check_facts *f, struct finding *finding)
{
	if (f->meter.resets)
		finding_bad(finding, "counters fell %" PRIu64 " time%s: another program zeroes them", f->meter.resets,
			finding_plural(f->meter.resets));
	else
		finding_good(finding, "no counter fell");
}

void judge_meter_dump(const struct check_facts *f, struct finding *finding)
{
	double age = f->meter.dump_age, interval = f->meter.dump_interval;

	if (age < 0)
		finding_unknown(finding, "the first reading of the connections is not in yet");
	else if (age > 3 * interval + 10)
		finding_bad(finding, "the connections were read %.0f s ago, and should be every %.1f s", age, interval);
	else
		finding_good(finding, "%.1f s, every %.1f s", age, interval);
}

void judge_meter_room(const struct check_facts *f, struct finding *finding)
{
	if (f->meter.refused || f->meter.sightings_lost)
		finding_bad(finding, "no room for %" PRIu64 " connections and %" PRIu64 " first packets",
			f->meter.refused, f->meter.sightings_lost);
	else
		finding_good(finding, "for all connections and first packets");
}

void judge_meter_damaged(const struct check_facts *f, struct finding *finding)
{
	if (f->meter.damaged)
		finding_bad(finding, "%" PRIu64 " message%s of the kernel could not be read", f->meter.damaged,
			finding_plural(f->meter.damaged));
	else
		finding_good(finding, "none");
}

void judge_meter_checkpoint(const struct check_facts *f, struct finding *finding)
{
	if (!f->meter.checkpoint_failures) {
		finding_good(finding, "saved each time");
		return;
	}
	finding_bad(finding, "%" PRIu64 " could not be saved: a restart may lose counts", f->meter.checkpoint_failures);
	finding_fix(finding, "mkdir -p %s && chown USER %s  # the meter's user", f->runtime_dir, f->runtime_dir);
}

void judge_meter_folded(const struct check_facts *f, struct finding *finding)
{
	if (f->meter.hosts_folded)
		finding_bad(finding, "%" PRIu64 " time%s a host found no room and was counted as host=\"other\"",
			f->meter.hosts_folded, finding_plural(f->meter.hosts_folded));
	else
		finding_good(finding, "each has series of its own");
}
