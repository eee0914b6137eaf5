/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/own_dir.h"

#include "hostmeter/os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char lock_name[] = "lock";

struct own_dir {
	char *path;
	uid_t user;
	int lock; /* descriptor of its lock, or -1 */
};

static int say(char fault[static OWN_DIR_FAULT], int error, const char *text)
{
	snprintf(fault, OWN_DIR_FAULT, "%s", text ? text : strerror(-error));
	return error;
}

/* --- Whose the directory is */

static int refuse_owner(const struct own_dir *dir, uid_t owner, char fault[static OWN_DIR_FAULT])
{
	char ours[64] = "root";
	const struct passwd *found = getpwuid(dir->user);

	if (found)
		snprintf(ours, sizeof(ours), "%s", found->pw_name);
	found = getpwuid(owner);
	snprintf(fault, OWN_DIR_FAULT,
		"belongs to user %s (%u), who could change the files in it: chown %s %s, or choose another directory",
		found ? found->pw_name : "without a name", (unsigned int)owner, ours, dir->path);
	return -EPERM;
}

/* Whether a meter that became its owner had it: then its lock is there. Root takes the directory back. */
static bool was_a_meters(int directory, uid_t owner)
{
	struct stat st;

	return geteuid() == 0 && !fstatat(directory, lock_name, &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode) &&
		st.st_uid == owner && st.st_nlink == 1;
}

static int refuse_mode(const struct own_dir *dir, mode_t mode, char fault[static OWN_DIR_FAULT])
{
	snprintf(fault, OWN_DIR_FAULT,
		"other users can write in it (mode %04o): chmod go-w %s, or choose another directory",
		(unsigned int)mode & 07777, dir->path);
	return -EPERM;
}

/* former: whether it may be the directory of a meter that was another user. */
static int check_directory(const struct own_dir *dir, int fd, bool former, char fault[static OWN_DIR_FAULT])
{
	struct stat st;

	if (fstat(fd, &st))
		return say(fault, -errno, NULL);
	if (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != dir->user &&
		!(former && was_a_meters(fd, st.st_uid)))
		return refuse_owner(dir, st.st_uid, fault);
	if (st.st_mode & (S_IWGRP | S_IWOTH))
		return refuse_mode(dir, st.st_mode, fault);
	return 0;
}

/* A descriptor of the directory, or -errno. */
static int open_directory(const struct own_dir *dir, bool former, char fault[static OWN_DIR_FAULT])
{
	int error, fd = open(dir->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0) {
		error = -errno;
		/* Who can change the link could lead us into any directory. */
		return say(fault, error,
			!lstat(dir->path, &st) && S_ISLNK(st.st_mode) ?
				"is a symbolic link, which is not followed: name the directory itself" :
				NULL);
	}
	error = check_directory(dir, fd, former, fault);
	if (!error)
		return fd;
	close(fd);
	return error;
}

/* --- The lock */

static int refuse_lock(int fd, char fault[static OWN_DIR_FAULT])
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	/* In another PID namespace its process has no number here. */
	if (!fcntl(fd, F_GETLK, &lock) && lock.l_type != F_UNLCK && lock.l_pid > 0)
		snprintf(fault, OWN_DIR_FAULT, "in use by another hostmeter (process %ld)", (long)lock.l_pid);
	else
		say(fault, 0, "in use by another hostmeter");
	return -EBUSY;
}

/* Whether the file called lock is still the one that is open. */
static bool is_current(int directory, int fd)
{
	struct stat ours, there;

	return !fstat(fd, &ours) && !fstatat(directory, lock_name, &there, AT_SYMLINK_NOFOLLOW) &&
		ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

static int try_lock(int fd, char fault[static OWN_DIR_FAULT])
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat st;

	if (fstat(fd, &st))
		return say(fault, -errno, NULL);
	if (!S_ISREG(st.st_mode))
		return say(fault, -EINVAL, "the file \"lock\" in it is not a regular file: remove it");
	if (!fcntl(fd, F_SETLK, &lock))
		return 0;
	return errno == EAGAIN || errno == EACCES ? refuse_lock(fd, fault) : say(fault, -errno, NULL);
}

/* Sets dir->lock. 0 or -errno. */
static int take_lock(struct own_dir *dir, int directory, char fault[static OWN_DIR_FAULT])
{
	int error;

	/* A file that was removed between opening and locking keeps nobody out: so once more. */
	do {
		dir->lock = openat(directory, lock_name,
			O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
		if (dir->lock < 0) {
			snprintf(fault, OWN_DIR_FAULT, "the file \"lock\" in it: %s", strerror(errno));
			return -errno;
		}
		error = try_lock(dir->lock, fault);
		if (!error && is_current(directory, dir->lock))
			return 0;
		close(dir->lock);
		dir->lock = -1;
	} while (!error);
	return error;
}

/* --- */

static int take(struct own_dir *dir, char fault[static OWN_DIR_FAULT])
{
	int directory = open_directory(dir, true, fault), error;

	if (directory < 0)
		return directory;
	error = take_lock(dir, directory, fault);
	close(directory);
	return error;
}

/* A slash at the end would lead through a symbolic link. */
static char *without_slashes(const char *path)
{
	char *copy = strdup(path);
	size_t len = copy ? strlen(copy) : 0;

	while (len > 1 && copy[len - 1] == '/')
		copy[--len] = '\0';
	return copy;
}

int own_dir_take(struct own_dir **out, const char *path, uid_t user, char fault[static OWN_DIR_FAULT])
{
	struct own_dir *dir = malloc(sizeof(*dir));
	int error;

	if (!dir)
		return say(fault, -ENOMEM, NULL);
	*dir = (struct own_dir){ .path = without_slashes(path), .user = user, .lock = -1 };
	error = dir->path ? file_make_parents(dir->path) : -ENOMEM;
	if (!error && mkdir(dir->path, 0755) && errno != EEXIST)
		error = -errno;
	error = error ? say(fault, error, NULL) : take(dir, fault);
	if (error)
		own_dir_free(dir);
	else
		*out = dir;
	return error;
}

int own_dir_check(struct own_dir *dir, uid_t user, char fault[static OWN_DIR_FAULT])
{
	int fd;

	dir->user = user;
	fd = open_directory(dir, false, fault);
	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

void own_dir_free(struct own_dir *dir)
{
	if (!dir)
		return;
	if (dir->lock >= 0)
		close(dir->lock);
	free(dir->path);
	free(dir);
}

int own_dir_keep(struct own_dir *dir, char fault[static OWN_DIR_FAULT])
{
	int error, before = dir->lock, directory = open(dir->path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool current;

	if (directory < 0)
		return 0;
	current = before >= 0 && is_current(directory, before);
	close(directory);
	if (current)
		return 0;
	error = take(dir, fault);
	/* Without the new one the old lock is as good as none, but harmless. */
	if (!error && before >= 0)
		close(before);
	else if (error)
		dir->lock = before;
	return error;
}
