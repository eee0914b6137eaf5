/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * file_watch: finds out with stat(2) whether files were written to, replaced, removed or made. A path may end in a
 * pattern of glob(7), for files of one kind that come and go.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Set path, zero the rest. The path stays the caller's. */
struct file_watch {
	const char *path;
	uint64_t state;
	bool recent; /* a file was written to just before the last look */
};

/*
 * True if the files are not as they were at the last look, or may not be; at the first look, true if there are any.
 * Read them after this returned: a later change is found by the next look.
 */
bool file_watch_look(struct file_watch *watch);
