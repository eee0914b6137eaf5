/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/blob_file.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAGIC_LEN = 8, HEAD_LEN = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned char sink;

/* Every byte is read, so that a length that is wrong is seen. */
static int touch(void *ctx, const void *blob, size_t len)
{
	size_t *total = ctx;
	const unsigned char *bytes = blob;

	for (size_t i = 0; i < len; i++)
		sink = bytes[i];
	*total += HEAD_LEN + len;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t total = MAGIC_LEN;
	char path[32];
	int error, fd = memfd_create("store", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, size) == (ssize_t)size) {
		error = blob_file_read(path, touch, &total);
		if ((error != 0 && error != -EBADMSG) || (total > size && !(error == -EBADMSG && total == MAGIC_LEN)))
			abort();
	}
	close(fd);
	return 0;
}
