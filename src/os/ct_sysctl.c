/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/ct_sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int ct_sysctl_open(const char *name)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/netfilter/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

uint64_t ct_sysctl_read_fd(int fd)
{
	char text[24], *end;
	ssize_t got = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);
	uint64_t number;

	if (got <= 0)
		return CT_SYSCTL_NONE;
	text[got] = 0;
	number = strtoull(text, &end, 10);
	return end == text ? CT_SYSCTL_NONE : number;
}

uint64_t ct_sysctl_read(const char *name)
{
	int fd = ct_sysctl_open(name);
	uint64_t number = ct_sysctl_read_fd(fd);

	if (fd >= 0)
		close(fd);
	return number;
}
