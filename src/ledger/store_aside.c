/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A damaged file is kept for whoever can read it, and makes room for a new one. */
#include "store.h"

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { KEPT = 3, PATH_MOST = 4096 };

/* Names end with the time, so they are in its order. */
static void remove_oldest(const char *path)
{
	char pattern[PATH_MOST];
	glob_t found;

	if ((size_t)snprintf(pattern, sizeof(pattern), "%s.bad-*", path) >= sizeof(pattern) ||
		glob(pattern, 0, NULL, &found))
		return;
	for (size_t i = 0; i + KEPT < found.gl_pathc + 1; i++)
		unlink(found.gl_pathv[i]);
	globfree(&found);
}

int store_put_aside(const char *path, int64_t now, char *aside, size_t size)
{
	char journal[PATH_MOST];

	if ((size_t)snprintf(aside, size, "%s.bad-%010lld", path, (long long)now) >= size ||
		(size_t)snprintf(journal, sizeof(journal), "%s-journal", path) >= sizeof(journal))
		return -ENAMETOOLONG;
	remove_oldest(path);
	if (rename(path, aside))
		return -errno;
	/* The journal of a file that is gone would damage the new one. */
	return unlink(journal) && errno != ENOENT ? -errno : 0;
}
