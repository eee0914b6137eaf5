/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/trace/trace.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned char sink;

/* Every byte is read, so that a length that is wrong is seen. */
static void touch(const struct trace_datagram *datagram)
{
	const unsigned char *bytes = datagram->data;

	for (size_t i = 0; i < datagram->len; i++)
		sink = bytes[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct trace_reader *reader;
	struct trace_datagram datagram;
	char path[32];
	int fd = memfd_create("trace", MFD_CLOEXEC);

	if (fd < 0)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (write(fd, data, size) == (ssize_t)size && trace_open(&reader, path) == 0) {
		while (trace_read(reader, &datagram) == 1)
			touch(&datagram);
		if (trace_offset(reader) > size)
			abort();
		trace_reader_free(reader);
	}
	close(fd);
	return 0;
}
