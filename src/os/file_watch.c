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

#include "hostmeter/base/buf.h"
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
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

struct files {
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

static void forget_watch(struct files *files, size_t i)
{
	free(files->watch[i].path);
	files->watch[i] = files->watch[--files->watches];
}

static int remember_watch(struct files *files, int wd, const char *path)
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
static bool lay(struct files *files, const char *path, uint32_t events)
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

static void lay_way(struct files *files, const char *path)
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

static void lay_matches(struct files *files, const char *path)
{
	glob_t found = { 0 };

	if (!glob(path, 0, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc && i < FILES_MATCHES; i++)
			lay(files, found.gl_pathv[i], FILE_EVENTS);
	globfree(&found);
}

static bool wd_is_wanted(const struct files *files, int wd)
{
	for (size_t i = 0; i < files->watches; i++)
		if (files->watch[i].wd == wd && files->watch[i].wanted)
			return true;
	return false;
}

static void lay_all(struct files *files)
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

static void note(struct files *files, const char *path)
{
	for (size_t i = 0; i < files->count; i++)
		if (!path || concerns(files->followed[i].path, path))
			files->followed[i].changed = true;
}

static void take_event(struct files *files, const struct inotify_event *event)
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

static void tell_later(struct files *files)
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
	struct files *files = ctx;
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
	struct files *files = ctx;

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

static int copy_paths(struct files *files, const char *const *paths, size_t count)
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

struct files *files_new(struct loop *loop, const char *const *paths, size_t count,
	void (*changed)(void *ctx, size_t path), void *ctx)
{
	struct files *files = calloc(1, sizeof(*files));
	int error;

	if (!files)
		return NULL;
	*files = (struct files){ .loop = loop, .fd = -1, .changed = changed, .ctx = ctx };
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
	files_free(files);
	errno = -error;
	return NULL;
}

void files_free(struct files *files)
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

size_t files_watched(const struct files *files)
{
	return files->watches;
}

/* ---- Reading */

/*
 * In a directory that anybody may write to, a name may lead to a pipe or a device, which opening alone would block or
 * wake: so it is looked at before it is opened. -EINVAL if it is no regular file.
 */
static int open_regular(const char *path)
{
	int fd, look = open(path, O_PATH | O_CLOEXEC);
	char again[32];
	struct stat st;

	if (look < 0)
		return -errno;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", look);
	fd = fstat(look, &st) || !S_ISREG(st.st_mode) ? -EINVAL : open(again, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		fd = -errno;
	close(look);
	return fd;
}

int files_read_one(const char *path, size_t max, struct buf *text)
{
	int error = 0, fd = open_regular(path);
	size_t limit = text->len + max;
	ssize_t got = 1;

	if (fd < 0)
		return fd;
	while (!error && got > 0) {
		size_t want = limit - text->len;
		void *room = buf_reserve(text, 65536);

		/* One byte more than there is room for tells whether there is more. */
		got = room ? read(fd, room, want < 65536 ? want + 1 : 65536) : -1;
		if (got < 0)
			error = room ? -errno : -ENOMEM;
		else if ((size_t)got > want)
			error = -EFBIG;
		if (got > 0)
			buf_commit(text, (size_t)got > want ? want : (size_t)got);
	}
	close(fd);
	return error;
}

static int read_match(const char *path, struct buf *text, size_t limit)
{
	int error = files_read_one(path, limit > text->len ? limit - text->len : 0, text);

	if (error == -ENOENT || error == -EINVAL)
		return 0;
	/* The last line is not whole where the file was cut. */
	while (error == -EFBIG && text->len && text->data[text->len - 1] != '\n')
		text->len--;
	if (text->len && text->data[text->len - 1] != '\n')
		buf_putc(text, '\n');
	return error;
}

int files_read(const char *path, struct buf *text)
{
	size_t limit = text->len + FILES_BYTES;
	glob_t found = { 0 };
	int error = 0;

	if (!glob(path, 0, NULL, &found)) {
		for (size_t i = 0; i < found.gl_pathc && i < FILES_MATCHES; i++) {
			int ret = read_match(found.gl_pathv[i], text, limit);

			error = error ? error : ret;
		}
		if (found.gl_pathc > FILES_MATCHES && !error)
			error = -EFBIG;
	}
	globfree(&found);
	return error;
}
