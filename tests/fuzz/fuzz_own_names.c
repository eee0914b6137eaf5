/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A Host header, and behind a NUL the file resolv.conf: a name that goes on elsewhere is never ours. */
#include "export/own_names.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, 0, size);
	size_t len = end ? (size_t)(end - data) : size, rest = size - len - (end != NULL);
	char path[32], host[4200], longer[4300];
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("resolv.conf", 0);
	if (fd < 0 || len >= sizeof(host) || ftruncate(fd, 0) ||
		pwrite(fd, data + size - rest, rest, 0) != (ssize_t)rest)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	memcpy(host, data, len);
	host[len] = '\0';
	snprintf(longer, sizeof(longer), "%s.evil.example", host);
	own_names_match(host, path);
	/* Unless the file itself has that domain. */
	if (own_names_match(longer, path) && !memmem(data, size, "evil.example", 12))
		abort();
	return 0;
}
