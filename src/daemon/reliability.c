/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reliability.h"

#include "hang_guard.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/meter/snapshot.h"
#include "hostmeter/netlink/nl.h"
#include "hostmeter/os/ct_sysctl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SILENCE_MS = 2000 }; /* without a beat for so long the meter hangs */

struct reliability {
	struct nl *nl;
	struct hang_guard *guard;
	uint64_t guard_again; /* when to try once more, after it could not be started; 0: not at all */
	struct reliability_valve valve;
	int count_fd, max_fd; /* of the connection table */
	uint64_t count, max;  /* as read last; CT_SYSCTL_NONE: cannot be read */
	struct log_limit guard_failed, guard_gone, full;
};

bool reliability_valve_update(struct reliability_valve *valve, uint64_t count, uint64_t max)
{
	double fill = max ? (double)count * 100 / (double)max : 0;
	double back = valve->fill_percent < RELIABILITY_BACK_PERCENT ? valve->fill_percent : RELIABILITY_BACK_PERCENT;
	bool open = valve->open ? fill >= back : fill > valve->fill_percent;

	if (open == valve->open)
		return false;
	valve->open = open;
	valve->openings += open;
	return true;
}

struct reliability *reliability_new(struct nl *nl, double fill_percent)
{
	struct reliability *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	*r = (struct reliability){
		.nl = nl,
		.valve = { .fill_percent = fill_percent },
		.count_fd = ct_sysctl_open("nf_conntrack_count"),
		.max_fd = ct_sysctl_open("nf_conntrack_max"),
	};
	return r;
}

void reliability_free(struct reliability *reliability)
{
	if (!reliability)
		return;
	hang_guard_free(reliability->guard);
	if (reliability->count_fd >= 0)
		close(reliability->count_fd);
	if (reliability->max_fd >= 0)
		close(reliability->max_fd);
	free(reliability);
}

void reliability_closed(struct reliability *r)
{
	hang_guard_free(r->guard);
	r->guard = NULL;
	r->guard_again = 0;
}

static void start_guard(struct reliability *r)
{
	const struct hang_guard_watch watch = {
		.socket = nl_fd(r->nl, SOURCE_EVENTS),
		.count_fd = r->count_fd,
		.max_fd = r->max_fd,
		.fill_percent = r->valve.fill_percent,
		.silence_ms = SILENCE_MS,
	};
	int error;

	reliability_closed(r);
	error = hang_guard_start(&r->guard, &watch);
	if (!error)
		return;
	r->guard_again = clock_mono_ns() + CLOCK_NS_PER_S;
	log_repeated(&r->guard_failed, LOG_PERIOD_NS, clock_mono_ns(), "no guard against a hung meter: %s",
		strerror(-error));
}

void reliability_opened(struct reliability *r)
{
	r->valve.open = false; /* a new socket is reliable */
	start_guard(r);
}

static void update_valve(struct reliability *r)
{
	r->count = ct_sysctl_read_fd(r->count_fd);
	r->max = ct_sysctl_read_fd(r->max_fd);
	if (r->count == CT_SYSCTL_NONE || r->max == CT_SYSCTL_NONE || !nl_is_open(r->nl, SOURCE_EVENTS))
		return;
	if (!r->valve.open && !nl_is_reliable(r->nl)) {
		r->valve.open = true;
		r->valve.openings++;
		log_warning("this process was stopped while the connection table filled up: reliable delivery was "
			    "switched off by its guard, and ends of connections may have been lost");
	}
	if (!reliability_valve_update(&r->valve, r->count, r->max))
		return;
	nl_set_reliable(r->nl, !r->valve.open);
	if (r->valve.open)
		log_repeated(&r->full, LOG_PERIOD_NS, clock_mono_ns(),
			"the connection table is nearly full (%" PRIu64 " of %" PRIu64 "): ends of connections are "
			"delivered unreliably until it has drained",
			r->count, r->max);
	else
		log_info("ends of connections are delivered reliably again (%" PRIu64 " of %" PRIu64 " connections)",
			r->count, r->max);
}

void reliability_tick(struct reliability *r)
{
	if (hang_guard_beat(r->guard)) {
		log_repeated(&r->guard_gone, LOG_PERIOD_NS, clock_mono_ns(),
			"the guard against a hung meter is gone: started again");
		start_guard(r);
	} else if (r->guard_again && clock_mono_ns() >= r->guard_again) {
		start_guard(r);
	}
	update_valve(r);
}

void reliability_describe(const struct reliability *r, struct snapshot_process *process)
{
	process->reliable = nl_is_open(r->nl, SOURCE_EVENTS) && !r->valve.open;
	process->reliable_losses = r->valve.openings;
	process->conntrack_entries = r->count == CT_SYSCTL_NONE ? 0 : r->count;
	process->conntrack_limit = r->max == CT_SYSCTL_NONE ? 0 : r->max;
}
