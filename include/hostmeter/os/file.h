/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file: reads whole files, and replaces a whole file that other programs read at any moment. */
#ifndef HOSTMETER_OS_FILE_H
#define HOSTMETER_OS_FILE_H

#include <stddef.h>

struct buf;

/* What file_read_matching() reads at most, of each pattern. */
enum { FILE_READ_BYTES = 4 << 20, FILE_READ_MATCHES = 64 };

/*
 * Appends what stands in all regular files that match, in the order of their names, each ending with a newline. 0,
 * also if there is none; -EFBIG: what is above the limits was left out; -errno: a file could not be read, the others
 * are there.
 */
int file_read_matching(const char *path, struct buf *text);

/*
 * Appends one file. 0; -EINVAL if it is no regular file; -EFBIG if it has more than max bytes: the first are there;
 * -errno.
 */
int file_read(const char *path, size_t max, struct buf *text);

/*
 * Puts out into the file by a temporary file beside it and rename(2): a reader finds the old text or the new, whole.
 * The mode is that of any new file, for the reader is another user. 0, or -errno: the file is as it was.
 */
int file_replace(const char *path, const struct buf *out);

#endif
