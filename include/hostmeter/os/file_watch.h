/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file_watch: follows files that are written to, replaced, removed, or made later. It looks at them with stat(2) at an
 * interval. A path may end in a pattern of glob(7), for files of one kind that come and go.
 */
#ifndef HOSTMETER_OS_FILE_WATCH_H
#define HOSTMETER_OS_FILE_WATCH_H

#include <stddef.h>
#include <stdint.h>

struct file_watch;
struct loop;

/*
 * Looks at the files now, and from then on every every_ns: read them after this returned. changed gets the index of a
 * path whose files are no longer as they were; it must not free the watch. paths are copied; they are absolute, with
 * wildcards in the last component only. NULL: errno.
 */
struct file_watch *file_watch_new(struct loop *loop, const char *const *paths, size_t count, uint64_t every_ns,
	void (*changed)(void *ctx, size_t path), void *ctx);
void file_watch_free(struct file_watch *watch);

#endif
