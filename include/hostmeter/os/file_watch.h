/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file_watch: follows files by inotify(7): written to, replaced by rename, removed, made later, in directories that are
 * made later. A path may end in a pattern of glob(7), for files of one kind that come and go.
 *
 * Changes that follow closely are told once: after 100 ms of peace, or 1 s after the first.
 */
#ifndef HOSTMETER_OS_FILE_WATCH_H
#define HOSTMETER_OS_FILE_WATCH_H

#include <stddef.h>

struct file_watch;
struct loop;

/*
 * Follows from now on: read first what file_watch_new() returned for. changed gets the index of a path; it must not
 * free the files. paths are copied; they are absolute, with wildcards in the last component only. NULL: errno.
 */
struct file_watch *file_watch_new(struct loop *loop, const char *const *paths, size_t count,
	void (*changed)(void *ctx, size_t path), void *ctx);
void file_watch_free(struct file_watch *files);

/* How many directories and files are watched. */
size_t file_watch_count(const struct file_watch *files);

#endif
