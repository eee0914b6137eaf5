/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/file_watch.h"

#include "hostmeter/base/hash.h"
#include "hostmeter/os/file.h"
#include "hostmeter/os/loop.h"

#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct followed {
	char *path;
	uint64_t state; /* state_of() when it was looked at last */
};

struct file_watch {
	struct loop_timer *timer;
	uint64_t every_ns;
	struct followed *followed;
	size_t count;
	void (*changed)(void *ctx, size_t path);
	void *ctx;
};

/*
 * A hash of the names and inodes that match, and of what changes with them. The change time (ctime) also moves when
 * somebody puts the modification time back, or makes a file readable.
 */
static uint64_t state_of(const char *path)
{
	static const struct hash_key key; /* nobody gains by a collision of his own files */
	glob_t found = { 0 };
	uint64_t state = 0;

	if (!glob(path, 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc && i < FILE_READ_MATCHES; i++) {
			const char *name = found.gl_pathv[i];
			struct stat st = { 0 };
			int error = stat(name, &st) ? errno : 0;
			const uint64_t facts[] = { state, hash_bytes(&key, name, strlen(name)), (uint64_t)error,
				st.st_dev, st.st_ino, (uint64_t)st.st_size, (uint64_t)st.st_mtim.tv_sec,
				(uint64_t)st.st_mtim.tv_nsec, (uint64_t)st.st_ctim.tv_sec,
				(uint64_t)st.st_ctim.tv_nsec };

			state = hash_bytes(&key, facts, sizeof(facts));
		}
	}
	globfree(&found);
	return state;
}

static void look(void *ctx)
{
	struct file_watch *watch = ctx;

	loop_timer_set(watch->timer, watch->every_ns);
	for (size_t i = 0; i < watch->count; i++) {
		uint64_t state = state_of(watch->followed[i].path);

		if (state == watch->followed[i].state)
			continue;
		watch->followed[i].state = state;
		watch->changed(watch->ctx, i);
	}
}

static int copy_paths(struct file_watch *watch, const char *const *paths, size_t count)
{
	watch->followed = calloc(count ? count : 1, sizeof(*watch->followed));
	if (!watch->followed)
		return -ENOMEM;
	for (; watch->count < count; watch->count++) {
		const char *path = paths[watch->count];
		char *copy;

		if (*path != '/' || strlen(path) >= PATH_MAX)
			return -EINVAL;
		copy = strdup(path);
		if (!copy)
			return -ENOMEM;
		watch->followed[watch->count] = (struct followed){ copy, state_of(path) };
	}
	return 0;
}

struct file_watch *file_watch_new(struct loop *loop, const char *const *paths, size_t count, uint64_t every_ns,
	void (*changed)(void *ctx, size_t path), void *ctx)
{
	struct file_watch *watch = calloc(1, sizeof(*watch));
	int error;

	if (!watch)
		return NULL;
	*watch = (struct file_watch){ .every_ns = every_ns, .changed = changed, .ctx = ctx };
	watch->timer = loop_timer_add(loop, look, watch);
	error = watch->timer ? copy_paths(watch, paths, count) : -ENOMEM;
	if (error) {
		file_watch_free(watch);
		errno = -error;
		return NULL;
	}
	if (count)
		loop_timer_set(watch->timer, every_ns);
	return watch;
}

void file_watch_free(struct file_watch *watch)
{
	if (!watch)
		return;
	loop_timer_del(watch->timer);
	for (size_t i = 0; i < watch->count; i++)
		free(watch->followed[i].path);
	free(watch->followed);
	free(watch);
}
