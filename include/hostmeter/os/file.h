/* SPDX-License-Identifier: GPL-2.0-or-later */
/* file: reads whole files, and replaces a file that other programs may read at any moment. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Limits of file_read_matching(). */
enum { FILE_READ_BYTES = 4 << 20, FILE_READ_MATCHES = 64 };

/* Opens a regular file for reading. A descriptor; -EINVAL for anything but a regular file; -errno. */
int file_open(const char *path);

/*
 * Appends all regular files that match a pattern of glob(7), in the order of their names, each ending with a newline.
 * 0, also if there is none; -EFBIG: the files or their number exceed the limits, the rest was left out; -errno: a file
 * could not be read, the others were; -EACCES also if file_is_hidden().
 */
int file_read_matching(const char *path, struct buf *text);

/* Whether this process may not look into the pattern's directory: glob() then finds nothing, and does not say why. */
bool file_is_hidden(const char *pattern);

/* Appends one regular file. 0; -EFBIG: it is longer than max bytes, which were appended; else as file_open(). */
int file_read(const char *path, size_t max, struct buf *text);

/* Writes all of data. 0 or -errno; then a part may be written. */
int file_write(int fd, const void *data, size_t len);

/*
 * Writes out to a temporary file beside path and renames it: a reader finds the old text or the new one. The mode is
 * that of any new file, so that other users can read it. 0, or -errno and the file is as it was.
 */
int file_replace(const char *path, const struct buf *out);
