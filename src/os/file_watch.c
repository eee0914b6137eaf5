/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For a path /a/b/c* the directories /, /a and /a/b are watched for what comes and goes in them, and every file that
 * matches for what is written to it. Whatever happened, the watches are laid afresh from the root down and the path
 * is reported: a watch is laid before its directory is looked into, so nothing slips between the two.
 *
 * Files have watches of their own, for two reasons: in a busy directory such as /tmp nobody wakes us for files that
 * are not ours, and what is written to a file through a symbolic link is seen.
 */
#include "hostmeter/os/file_watch.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/os/file.h"
#include "hostmeter/os/loop.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <glob.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

/* IN_ATTRIB: a file that could not be read, and so not be watched, may be one that can. */
#define DIR_EVENTS                                                                                                     \
	(IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR)
#define FILE_EVENTS (IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)
#define QUIET_NS (100 * CLOCK_NS_PER_MS)
#define AT_MOST_NS CLOCK_NS_PER_S

enum { READS_PER_TURN = 16 };

/* Two paths that lead to one inode have two of these with the same wd. */
struct watch {
	int wd;
	bool wanted;
	char *path;
};

struct followed {
	char *path;
	bool changed;
};

struct file_watch {
	struct loop *loop;
	struct loop_io *io;
	struct loop_timer *timer;
	int fd;
	struct followed *followed;
	size_t count;
	struct watch *watch;
	size_t watches;
	bool pending, warned;
	uint64_t first_ns; /* the first change that was not told yet */
	void (*changed)(void *ctx, size_t path);
	void *ctx;
};

/* ---- Watches */

static void forget_watch(struct file_watch *files, size_t i)
{
	free(files->watch[i].path);
	files->watch[i] = files->watch[--files->watches];
}

static int remember_watch(struct file_watch *files, int wd, const char *path)
{
	struct watch *bigger;
	char *copy;

	for (size_t i = 0; i < files->watches; i++) {
		if (files->watch[i].wd == wd && !strcmp(files->watch[i].path, path)) {
			files->watch[i].wanted = true;
			return 0;
		}
	}
	bigger = reallocarray(files->watch, files->watches + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	files->watch = bigger;
	copy = strdup(path);
	if (!copy)
		return -ENOMEM;
	bigger[files->watches++] = (struct watch){ .wd = wd, .wanted = true, .path = copy };
	return 0;
}

/* False if it is not there, or cannot be watched. */
static bool lay(struct file_watch *files, const char *path, uint32_t events)
{
	/* Adding, because one inode may be a directory on one way and a match on another. */
	int wd = inotify_add_watch(files->fd, path, events | IN_MASK_ADD);
	int error = wd < 0 ? -errno : remember_watch(files, wd, path);

	if (!error)
		return true;
	if (error != -ENOENT && error != -ENOTDIR && !files->warned) {
		files->warned = true;
		log_warning("%s cannot be followed: %s", path, strerror(-error));
	}
	return false;
}

static void lay_way(struct file_watch *files, const char *path)
{
	char dir[PATH_MAX];

	for (const char *slash = path; slash; slash = strchr(slash + 1, '/')) {
		size_t len = slash == path ? 1 : (size_t)(slash - path);

		memcpy(dir, path, len);
		dir[len] = '\0';
		if (!lay(files, dir, DIR_EVENTS))
			return;
	}
}

static void lay_matches(struct file_watch *files, const char *path)
{
	glob_t found = { 0 };

	if (!glob(path, 0, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc && i < FILE_READ_MATCHES; i++)
			lay(files, found.gl_pathv[i], FILE_EVENTS);
	globfree(&found);
}

static bool wd_is_wanted(const struct file_watch *files, int wd)
{
	for (size_t i = 0; i < files->watches; i++)
		if (files->watch[i].wd == wd && files->watch[i].wanted)
			return true;
	return false;
}

static void lay_all(struct file_watch *files)
{
	for (size_t i = 0; i < files->watches; i++)
		files->watch[i].wanted = false;
	for (size_t i = 0; i < files->count; i++) {
		lay_way(files, files->followed[i].path);
		lay_matches(files, files->followed[i].path);
	}
	for (size_t i = files->watches; i-- > 0;) {
		if (files->watch[i].wanted)
			continue;
		if (!wd_is_wanted(files, files->watch[i].wd))
			inotify_rm_watch(files->fd, files->watch[i].wd);
		forget_watch(files, i);
	}
}

/* ---- Events */

/* Whether what happened at path is about this one: it matches, or is a directory on its way. */
static bool concerns(const char *followed, const char *path)
{
	size_t len = strlen(path);

	if (!strcmp(path, "/"))
		return true;
	if (!strncmp(followed, path, len) && followed[len] == '/')
		return true;
	return !fnmatch(followed, path, FNM_PATHNAME | FNM_PERIOD);
}

static void note(struct file_watch *files, const char *path)
{
	for (size_t i = 0; i < files->count; i++)
		if (!path || concerns(files->followed[i].path, path))
			files->followed[i].changed = true;
}

static void take_event(struct file_watch *files, const struct inotify_event *event)
{
	char path[PATH_MAX + NAME_MAX + 2];

	if (event->mask & IN_Q_OVERFLOW)
		note(files, NULL);
	for (size_t i = files->watches; i-- > 0;) {
		const struct watch *watch = &files->watch[i];

		if (watch->wd != event->wd)
			continue;
		if (event->len)
			snprintf(path, sizeof(path), "%s/%s", strcmp(watch->path, "/") ? watch->path : "", event->name);
		else
			snprintf(path, sizeof(path), "%s", watch->path);
		note(files, path);
		if (event->mask & IN_IGNORED)
			forget_watch(files, i);
	}
}

static void tell_later(struct file_watch *files)
{
	uint64_t now = loop_now_ns(files->loop), left;
	bool any = false;

	for (size_t i = 0; i < files->count; i++)
		any |= files->followed[i].changed;
	if (!any)
		return;
	if (!files->pending)
		files->first_ns = now;
	files->pending = true;
	left = files->first_ns + AT_MOST_NS > now ? files->first_ns + AT_MOST_NS - now : 0;
	loop_timer_set(files->timer, left < QUIET_NS ? left : QUIET_NS);
}

static void on_events(void *ctx, int ready)
{
	struct file_watch *files = ctx;
	_Alignas(struct inotify_event) char events[4096];
	ssize_t got;

	(void)ready;
	for (int i = 0; i < READS_PER_TURN && (got = read(files->fd, events, sizeof(events))) > 0; i++) {
		for (char *p = events; p < events + got;) {
			const struct inotify_event *event = (const struct inotify_event *)p;

			take_event(files, event);
			p += sizeof(*event) + event->len;
		}
	}
	tell_later(files);
}

static void tell(void *ctx)
{
	struct file_watch *files = ctx;

	files->pending = false;
	lay_all(files);
	for (size_t i = 0; i < files->count; i++) {
		if (!files->followed[i].changed)
			continue;
		files->followed[i].changed = false;
		files->changed(files->ctx, i);
	}
}

/* ---- All of it */

static int copy_paths(struct file_watch *files, const char *const *paths, size_t count)
{
	files->followed = calloc(count ? count : 1, sizeof(*files->followed));
	if (!files->followed)
		return -ENOMEM;
	for (; files->count < count; files->count++) {
		const char *path = paths[files->count];

		if (*path != '/' || strlen(path) >= PATH_MAX)
			return -EINVAL;
		files->followed[files->count].path = strdup(path);
		if (!files->followed[files->count].path)
			return -ENOMEM;
	}
	return 0;
}

struct file_watch *file_watch_new(struct loop *loop, const char *const *paths, size_t count,
	void (*changed)(void *ctx, size_t path), void *ctx)
{
	struct file_watch *files = calloc(1, sizeof(*files));
	int error;

	if (!files)
		return NULL;
	*files = (struct file_watch){ .loop = loop, .fd = -1, .changed = changed, .ctx = ctx };
	error = copy_paths(files, paths, count);
	if (error)
		goto fail;
	files->fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (files->fd < 0) {
		error = -errno;
		goto fail;
	}
	files->io = loop_io_add(loop, files->fd, LOOP_READ, on_events, files);
	files->timer = loop_timer_add(loop, tell, files);
	if (!files->io || !files->timer) {
		error = -ENOMEM;
		goto fail;
	}
	lay_all(files);
	return files;
fail:
	file_watch_free(files);
	errno = -error;
	return NULL;
}

void file_watch_free(struct file_watch *files)
{
	if (!files)
		return;
	loop_io_del(files->io);
	loop_timer_del(files->timer);
	if (files->fd >= 0)
		close(files->fd);
	while (files->watches)
		forget_watch(files, files->watches - 1);
	free(files->watch);
	for (size_t i = 0; i < files->count; i++)
		free(files->followed[i].path);
	free(files->followed);
	free(files);
}

size_t file_watch_count(const struct file_watch *files)
{
	return files->watches;
}
