/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/file.h"

#include "hostmeter/base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int write_whole(int fd, const struct buf *out)
{
	for (size_t done = 0; done < out->len;) {
		ssize_t n = write(fd, out->data + done, out->len - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		done += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int output_replace(const char *path, const struct buf *out)
{
	mode_t mask = umask(0);
	char *fresh = NULL;
	int fd, error;

	umask(mask);
	if (buf_error(out) || asprintf(&fresh, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	/* The collector takes whatever ends in ".prom", so the name of the half-written file must not. */
	fd = mkostemp(fresh, O_CLOEXEC);
	if (fd < 0) {
		error = -errno;
		goto out;
	}
	error = write_whole(fd, out);
	if (!error && fchmod(fd, 0666 & ~mask))
		error = -errno;
	if (close(fd) && !error)
		error = -errno;
	if (!error && rename(fresh, path))
		error = -errno;
	if (error)
		unlink(fresh);
out:
	free(fresh);
	return error;
}
