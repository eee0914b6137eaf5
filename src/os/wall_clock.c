/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/wall_clock.h"

#include "hostmeter/base/clock.h"

#include <sys/stat.h>
#include <sys/timex.h>

/* The Makefile defines it, in seconds since 1970: the date of the source, so that a build can be repeated. */
#ifndef HOSTMETER_BUILT
#define HOSTMETER_BUILT UINT64_C(1735689600)
#endif

bool wall_clock_is_set(uint64_t real_ns, bool synchronized, uint64_t after_ns)
{
	return synchronized || (real_ns > HOSTMETER_BUILT * CLOCK_NS_PER_S && real_ns > after_ns);
}

bool wall_clock_synchronized(void)
{
	struct timex timex = { .modes = 0 };
	int state = adjtimex(&timex);

	return state >= 0 && state != TIME_ERROR && !(timex.status & STA_UNSYNC);
}

uint64_t wall_clock_ns(uint64_t after_ns)
{
	uint64_t now = clock_real_ns();

	return wall_clock_is_set(now, wall_clock_synchronized(), after_ns) ? now : 0;
}

uint64_t wall_clock_of_file(const char *path)
{
	struct stat status;

	if (stat(path, &status) || status.st_mtim.tv_sec < 0)
		return 0;
	return (uint64_t)status.st_mtim.tv_sec * CLOCK_NS_PER_S + (uint64_t)status.st_mtim.tv_nsec;
}
