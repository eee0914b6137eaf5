/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/blob_file.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { HEAD_LEN = 8 }; /* of a blob, in the shorter one of both formats */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned char sink;

/* Every byte is read, so that a length that is wrong is seen. */
static int touch(void *ctx, const struct blob_file_blob *blob)
{
	size_t *total = ctx;
	const unsigned char *bytes = blob->bytes;

	for (size_t i = 0; i < blob->len; i++)
		sink = bytes[i];
	*total += HEAD_LEN + blob->len;
	return 0;
}

/* Also as the successor of a file, which a damaged head takes its id from. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct blob_file_state before = { .version = 2, .id = 1, .generation = 1 };
	struct blob_file_state state;
	char path[32];
	int fd = memfd_create("store", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, size) == (ssize_t)size) {
		for (int i = 0; i < 2; i++) {
			size_t total = 0;

			if (blob_file_read(path, i ? &before : NULL, &state, touch, &total) || total > size)
				abort();
			if (state.end > size && !state.damages)
				abort();
		}
	}
	close(fd);
	return 0;
}
