/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pace.h"

#include "hostmeter/base/clock.h"

void pace_dumped(struct pace *pace, uint64_t began_ns, uint64_t cost_ns)
{
	pace->began_ns = began_ns;
	pace->cost_ns = cost_ns;
}

void pace_want(struct pace *pace, uint64_t interval_ns, uint64_t now_ns, uint64_t until_ns)
{
	if (interval_ns < CLOCK_NS_PER_S)
		interval_ns = CLOCK_NS_PER_S;
	/* Of several who wait, the most impatient: a wish that is over counts no more. */
	if (now_ns >= pace->wanted_until_ns || interval_ns <= pace->wanted_ns) {
		pace->wanted_ns = interval_ns;
		pace->wanted_until_ns = until_ns;
	}
}

uint64_t pace_interval(const struct pace *pace, uint64_t now_ns)
{
	uint64_t interval = pace->interval_ns;
	uint64_t affordable = (uint64_t)((double)pace->cost_ns * 100 / pace->share);

	if (now_ns < pace->wanted_until_ns && pace->wanted_ns < interval)
		interval = pace->wanted_ns;
	return interval > affordable ? interval : affordable;
}

uint64_t pace_delay(const struct pace *pace, uint64_t now_ns)
{
	uint64_t due = pace->began_ns + pace_interval(pace, now_ns);

	return due > now_ns ? due - now_ns : 0;
}
