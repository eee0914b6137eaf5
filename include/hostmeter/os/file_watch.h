/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * files: follows files by inotify(7): written to, replaced by rename, removed, made later, in directories that are made
 * later. A path may end in a pattern of glob(7), for files of one kind that come and go.
 *
 * Changes that follow closely are told once: after 100 ms of peace, or 1 s after the first.
 */
#ifndef HOSTMETER_OS_FILE_WATCH_H
#define HOSTMETER_OS_FILE_WATCH_H

#include <stddef.h>

struct buf;
struct files;
struct loop;

/* What files_read() reads at most, of each pattern. */
enum { FILES_BYTES = 4 << 20, FILES_MATCHES = 64 };

/*
 * Follows from now on: read first what files_new() returned for. changed gets the index of a path; it must not free
 * the files. paths are copied; they are absolute, with wildcards in the last component only. NULL: errno.
 */
struct files *files_new(struct loop *loop, const char *const *paths, size_t count,
	void (*changed)(void *ctx, size_t path), void *ctx);
void files_free(struct files *files);

/* How many directories and files are watched. */
size_t files_watched(const struct files *files);

/*
 * Appends what stands in all regular files that match, in the order of their names, each ending with a newline. 0,
 * also if there is none; -EFBIG: what is above the limits was left out; -errno: a file could not be read, the others
 * are there.
 */
int files_read(const char *path, struct buf *text);

/*
 * Appends one file. 0; -EINVAL if it is no regular file; -EFBIG if it has more than max bytes: the first are there;
 * -errno.
 */
int files_read_one(const char *path, size_t max, struct buf *text);

#endif
