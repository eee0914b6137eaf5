/* SPDX-License-Identifier: GPL-2.0-or-later */
/* child_of_ours: the process id of the test's only child; -1 if there is none. */
#pragma once

#include <stdio.h>
#include <unistd.h>

static inline pid_t child_of_ours(void)
{
	char path[64];
	int pid = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	file = fopen(path, "r");
	if (file && fscanf(file, "%d", &pid) != 1)
		pid = -1;
	if (file)
		fclose(file);
	return pid;
}
