/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file: opens and reads files whose paths people have written, and writes files beside which others may write. What an
 * error means in words: base/file_error.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct buf;

/* Limits of struct file_matches. */
enum { FILE_READ_BYTES = 4 << 20, FILE_READ_MATCHES = 64 };

/*
 * Opens a regular file, or /dev/null, for reading, and never waits for another program. Symbolic links are followed;
 * what counts is what was opened. A descriptor; -EINVAL for anything but a regular file; -EOPNOTSUPP for a file that
 * the kernel makes up (in /proc, /sys and their kin), since reading it may never end; -errno.
 */
int file_open(const char *path);

/* Appends one file. 0; -EFBIG: it is longer than max bytes, which were appended; else as file_open(). */
int file_read(const char *path, size_t max, struct buf *text);

/* The same for a path that we know: a file of the kernel that is read at once. */
int file_read_kernel(const char *path, size_t max, struct buf *text);

/*
 * All regular files that match a pattern of glob(7), in the order of their names, each ending with a newline, read in
 * pieces. NULL: out of memory.
 */
struct file_matches;
struct file_matches *file_matches_new(const char *path);

/* Appends the next bytes, at most max and a newline. False: that was all. */
bool file_matches_read(struct file_matches *matches, struct buf *text, size_t max);

/*
 * 0, also if nothing matches; -EFBIG: the files or their number exceed the limits, the rest was left out; as
 * file_open(): a file could not be read, the others were; -EACCES also if file_is_hidden(). NULL is fine.
 */
int file_matches_free(struct file_matches *matches);

/* Whether this process may not look into the pattern's directory: glob() then finds nothing, and does not say why. */
bool file_is_hidden(const char *pattern);

/* Writes all of data. 0 or -errno; then a part may be written. */
int file_write(int fd, const void *data, size_t len);

/*
 * Writes out to a temporary file beside path and renames it: a reader finds the old text or the new one. The mode is
 * that of any new file, so that other users can read it. A character device or FIFO is not replaced but written into,
 * which may wait for its reader; -ENXIO: a FIFO has none. 0, or -errno and a file is as it was: -ELOOP for a symbolic
 * link, -EISDIR, -EINVAL for anything else.
 */
int file_replace(const char *path, const struct buf *out);

/*
 * Makes or empties a file that only its owner can read, mode 0600, for writing. A character device is opened as it is.
 * A descriptor, or -errno: -ELOOP for a symbolic link; -EEXIST for a file that belongs to another user or has a second
 * name; -EISDIR; -EINVAL for anything else that is there.
 */
int file_create(const char *path);

/* Makes the directories above path that are missing. 0 or -errno. */
int file_make_parents(const char *path);
