/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/file.h"

#include "hostmeter/base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Opening a pipe can block, opening a device can act on it: the type is checked before. */
int file_open(const char *path)
{
	int fd, look = open(path, O_PATH | O_CLOEXEC);
	char again[32];
	struct stat st;

	if (look < 0)
		return -errno;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", look);
	fd = fstat(look, &st) || !S_ISREG(st.st_mode) ? -EINVAL : open(again, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		fd = -errno;
	close(look);
	return fd;
}

int file_read(const char *path, size_t max, struct buf *text)
{
	int error = 0, fd = file_open(path);
	size_t limit = text->len + max;
	ssize_t got = 1;

	if (fd < 0)
		return fd;
	while (!error && got > 0) {
		size_t want = limit - text->len;
		void *room = buf_reserve(text, 65536);

		/* One byte more than is wanted shows whether the file is longer. */
		got = room ? read(fd, room, want < 65536 ? want + 1 : 65536) : -1;
		if (got < 0)
			error = room ? -errno : -ENOMEM;
		else if ((size_t)got > want)
			error = -EFBIG;
		if (got > 0)
			buf_commit(text, (size_t)got > want ? want : (size_t)got);
	}
	close(fd);
	return error;
}

static int read_match(const char *path, struct buf *text, size_t limit)
{
	int error = file_read(path, limit > text->len ? limit - text->len : 0, text);

	if (error == -ENOENT || error == -EINVAL)
		return 0;
	/* Drop the line that was cut. */
	while (error == -EFBIG && text->len && text->data[text->len - 1] != '\n')
		text->len--;
	if (text->len && text->data[text->len - 1] != '\n')
		buf_putc(text, '\n');
	return error;
}

bool file_is_hidden(const char *pattern)
{
	const char *slash = strrchr(pattern, '/');
	char *directory = slash ? strndup(pattern, (size_t)(slash - pattern) + 1) : NULL;
	bool hidden = directory && access(directory, strpbrk(pattern, "*?[") ? R_OK | X_OK : X_OK) && errno == EACCES;

	free(directory);
	return hidden;
}

int file_read_matching(const char *path, struct buf *text)
{
	size_t limit = text->len + FILE_READ_BYTES;
	glob_t found = { 0 };
	int error = 0;

	if (!glob(path, 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc && i < FILE_READ_MATCHES; i++) {
			int ret = read_match(found.gl_pathv[i], text, limit);

			error = error ? error : ret;
		}
		if (found.gl_pathc > FILE_READ_MATCHES && !error)
			error = -EFBIG;
	} else if (file_is_hidden(path)) {
		error = -EACCES;
	}
	globfree(&found);
	return error;
}

int file_write(int fd, const void *data, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, (const char *)data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

int file_replace(const char *path, const struct buf *out)
{
	mode_t mask = umask(0);
	char *fresh = NULL;
	int fd, error;

	umask(mask);
	if (buf_error(out) || asprintf(&fresh, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	/* The node exporter reads all files that end in ".prom": the name of the unfinished file must not. */
	fd = mkostemp(fresh, O_CLOEXEC);
	if (fd < 0) {
		error = -errno;
		goto out;
	}
	error = file_write(fd, out->data, out->len);
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
