/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "warnings.h"

#include "hostmeter/base/clock.h"

/* Each says how many of what makes the numbers incomplete; 0: nothing to warn of. */

static uint64_t sources_down(const struct snapshot *snapshot)
{
	uint64_t down = 0;

	for (enum source source = 0; source < SOURCE_COUNT; source++)
		down += !snapshot->source[source].up;
	return down;
}

static uint64_t overruns(const struct snapshot *snapshot)
{
	uint64_t all = 0;

	for (enum source source = 0; source < SOURCE_COUNT; source++)
		all += snapshot->source[source].overruns;
	return all;
}

static uint64_t all_uncounted(const struct snapshot *snapshot)
{
	return snapshot->flows_uncounted && snapshot->flows_uncounted == snapshot->flows ? snapshot->flows_uncounted :
											   0;
}

static uint64_t some_uncounted(const struct snapshot *snapshot)
{
	return all_uncounted(snapshot) ? 0 : snapshot->flows_uncounted;
}

static uint64_t offloaded(const struct snapshot *snapshot)
{
	return snapshot->flows_offloaded;
}

static uint64_t unreliable(const struct snapshot *snapshot)
{
	return snapshot->ready && snapshot->process.running && !snapshot->process.reliable;
}

/* Late by more than dumps ever are. */
static uint64_t stale(const struct snapshot *snapshot)
{
	uint64_t allowed = 3 * snapshot->process.dump_interval_ns + 10 * CLOCK_NS_PER_S;

	return snapshot->process.running && snapshot->last_dump_end &&
		snapshot->now - snapshot->last_dump_end > allowed;
}

static uint64_t not_saved(const struct snapshot *snapshot)
{
	return snapshot->process.checkpoint_failures;
}

static uint64_t folded(const struct snapshot *snapshot)
{
	return snapshot->stats.hosts_folded;
}

/* One or two may be missed; this many in a row are not. */
static uint64_t unsighted(const struct snapshot *snapshot)
{
	enum { MISSED_MOST = 4 };

	return snapshot->source[SOURCE_NFLOG].up && snapshot->stats.unsighted > MISSED_MOST ?
		snapshot->stats.unsighted :
		0;
}

static const struct row {
	const char *id;
	uint64_t (*count)(const struct snapshot *snapshot);
	const char *text;
} rows[] = {
	{ "source-down", sources_down,
		"sources of the kernel's news that are not open: hosts or counts may be missing" },
	{ "accounting-off", all_uncounted,
		"live connections, all of them, that the kernel does not count: sysctl "
		"net.netfilter.nf_conntrack_acct=1" },
	{ "flows-without-counters", some_uncounted,
		"live connections that the kernel does not count: they began before nf_conntrack_acct=1" },
	{ "no-rules", unsighted,
		"new connections in a row whose first packet no rule told of: load what hostmeter --print-rules "
		"prints" },
	{ "offloaded-flows", offloaded,
		"live connections in a flowtable or in hardware: counted only as far as connection tracking is told" },
	{ "overruns", overruns, "times since the start that the kernel dropped messages for a full socket" },
	{ "unreliable-ends", unreliable, "the ends of connections are not delivered reliably: some may be lost" },
	{ "stale-dump", stale, "the connections have not been read for too long: what still lives lags behind" },
	{ "checkpoint-failed", not_saved, "writes of the checkpoint that failed: a restart may lose counts" },
	{ "hosts-folded", folded, "times that a host found no room and was counted as other: see max-hosts" },
};

bool warnings_next(const struct snapshot *snapshot, size_t *i, struct warning *warning)
{
	while (*i < sizeof(rows) / sizeof(rows[0])) {
		const struct row *row = &rows[(*i)++];

		*warning = (struct warning){ row->id, row->count(snapshot), row->text };
		if (warning->count)
			return true;
	}
	return false;
}
