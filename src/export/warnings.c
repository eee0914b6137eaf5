/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "warnings.h"

#include "hostmeter/base/clock.h"

/* One or two first packets may be missed; this many in a row are not. */
enum { MISSED_MOST = 4 };

/* So many hosts that never get a reply are not devices that only send. */
enum { MADE_UP_LEAST = 100 };

/*
 * Hosts that somebody made up, now or since the start: places of hosts that never got a reply, and times that such a
 * host found none, if these are most of all. 0: it does not look so.
 */
static uint64_t made_up(const struct hosts_stats *places)
{
	uint64_t now = 2 * places->unanswered > places->taken ? places->unanswered : 0;
	uint64_t refused = 2 * places->folded_unanswered > places->folded ? places->folded_unanswered : 0;

	return now + refused >= MADE_UP_LEAST ? now + refused : 0;
}

/* Late by more than dumps ever are. */
static bool is_stale(const struct snapshot *snapshot)
{
	uint64_t allowed = 3 * snapshot->process.dump_interval_ns + 10 * CLOCK_NS_PER_S;

	return snapshot->process.running && snapshot->last_dump_end &&
		snapshot->now - snapshot->last_dump_end > allowed;
}

bool warnings_next(const struct snapshot *snapshot, size_t *i, struct warning *warning)
{
	const struct snapshot_process *process = &snapshot->process;
	uint64_t down = 0, overruns = 0, unsighted = snapshot->stats.unsighted, uncounted = snapshot->flows_uncounted;
	bool all = uncounted == snapshot->flows;

	for (enum source source = 0; source < SOURCE_COUNT; source++) {
		down += !snapshot->source[source].up;
		overruns += snapshot->source[source].overruns;
	}
	/* Each has the count of what makes the numbers incomplete; 0: nothing to warn of. */
	const struct warning rows[] = {
		{ "source-down", down,
			"sources of the kernel's news that are not open: hosts or counts may be missing" },
		{ "accounting-off", all ? uncounted : 0,
			"live connections, all of them, that the kernel does not count: sysctl "
			"net.netfilter.nf_conntrack_acct=1" },
		{ "flows-without-counters", all ? 0 : uncounted,
			"live connections that the kernel does not count: they began before nf_conntrack_acct=1" },
		{ "no-rules", snapshot->source[SOURCE_NFLOG].up && unsighted > MISSED_MOST ? unsighted : 0,
			"new connections in a row whose first packet no rule told of: load what hostmeter "
			"--print-rules prints" },
		{ "offloaded-flows", snapshot->flows_offloaded,
			"live connections in a flowtable or in hardware: hostmeter --check says whether they are "
			"counted" },
		{ "overruns", overruns, "times since the start that the kernel dropped messages for a full socket" },
		{ "unreliable-ends", snapshot->ready && process->running && !process->reliable,
			"the ends of connections are not delivered reliably: some may be lost" },
		{ "stale-dump", is_stale(snapshot),
			"the connections have not been read for too long: what still lives lags behind" },
		{ "checkpoint-damaged", process->checkpoint_damages,
			"records of the checkpoint that the start found damaged or missing: the log says what that "
			"means" },
		{ "checkpoint-failed", process->checkpoint_failures,
			"writes of the checkpoint that failed: a restart may lose counts" },
		{ "transparent-proxy", snapshot->proxied,
			"a route of type local may hand connections to a transparent proxy, and no rule tells which: "
			"they count for the host and for the router; load what hostmeter --print-rules prints" },
		{ "interface-missing", snapshot->interfaces_missing,
			"interfaces that lan or wan names and that are not there: metered when they come" },
		{ "listen-waiting", process->waitings,
			"addresses of listen that cannot be listened on yet: tried again, and the log says why" },
		{ "hosts-folded", snapshot->stats.hosts_folded,
			"times that a host found no room and was counted as other: see max-hosts" },
		{ "made-up-hosts", made_up(&snapshot->places),
			"hosts that never got a reply: somebody may be making up MAC addresses; see hostmeter "
			"--check" },
	};

	while (*i < sizeof(rows) / sizeof(rows[0])) {
		*warning = rows[(*i)++];
		if (warning->count)
			return true;
	}
	return false;
}
