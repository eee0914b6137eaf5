/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/proc_self.h"

#include "hostmeter/base/clock.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* proc_pid_stat(5). The fields are counted from behind the name, which may have anything in it. */
static void read_stat(struct proc_self *usage, uint64_t *start_ticks)
{
	FILE *file = fopen("/proc/self/stat", "re");
	char text[1024], *at;
	uint64_t resident_pages;

	if (!file)
		return;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	at = strrchr(text, ')');
	if (!at)
		return;
	/* State is field 3; starttime, vsize and rss are 22 to 24. */
	if (sscanf(at + 1,
		    " %*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %" SCNu64 " %" SCNu64
		    " %" SCNu64,
		    start_ticks, &usage->virtual_bytes, &resident_pages) == 3)
		usage->resident_bytes = resident_pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* When the machine was booted, in seconds since 1970: a line far down in /proc/stat. 0: unknown. */
static uint64_t boot_time(void)
{
	FILE *file = fopen("/proc/stat", "re");
	uint64_t seconds = 0;
	char *line = NULL;
	size_t size = 0;

	while (file && getline(&line, &size, file) >= 0 && sscanf(line, "btime %" SCNu64, &seconds) != 1)
		;
	free(line);
	if (file)
		fclose(file);
	return seconds;
}

static uint64_t count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	uint64_t count = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count - 1; /* the directory itself */
}

void proc_self_read(struct proc_self *usage)
{
	uint64_t start_ticks = 0, boot = boot_time();
	struct rlimit limit;

	*usage = (struct proc_self){ .cpu_ns = clock_cpu_ns(), .open_fds = count_fds() };
	read_stat(usage, &start_ticks);
	if (boot)
		usage->start_real_ns = boot * CLOCK_NS_PER_S +
			start_ticks * (CLOCK_NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		usage->max_fds = limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}
