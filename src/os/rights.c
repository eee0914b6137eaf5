/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/rights.h"

#include "syscall_filter.h"

#include <cap-ng.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of the process, as its credentials are. */
static struct {
	uid_t uid;
	gid_t gid;
	bool becomes; /* another user than it is */
	bool filter;
	char name[64];
} chosen;

/* --- Who */

void rights_stay(void)
{
	chosen.uid = geteuid();
	chosen.gid = getegid();
	chosen.becomes = false;
	if (chosen.uid)
		snprintf(chosen.name, sizeof(chosen.name), "user %u", (unsigned int)chosen.uid);
	else
		strcpy(chosen.name, "root");
}

int rights_choose(const char *user, bool filter)
{
	bool is_root = geteuid() == 0;
	const struct passwd *found;

	rights_stay();
	chosen.filter = filter;
	if (!user && !is_root)
		return 0;
	errno = 0;
	found = getpwnam(user ? user : RIGHTS_USER);
	if (!found)
		return user ? (errno ? -errno : -ENOENT) : 0;
	if (!is_root && found->pw_uid != geteuid())
		return -EPERM;
	chosen.uid = found->pw_uid;
	if (found->pw_uid != geteuid()) {
		chosen.gid = found->pw_gid;
		chosen.becomes = true;
	}
	snprintf(chosen.name, sizeof(chosen.name), "%s%s", found->pw_uid ? "user " : "", found->pw_name);
	return 0;
}

uid_t rights_uid(void)
{
	return chosen.uid;
}

const char *rights_name(void)
{
	return chosen.name;
}

/* --- Files */

/* A descriptor that reaches the file and nothing of its content; -errno. */
static int look_at(int directory, const char *name, struct stat *st)
{
	int fd = openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (!fstat(fd, st))
		return fd;
	close(fd);
	return -EIO;
}

/* Only a file with one name: a second one could be a link to somebody else's file. */
static int give(int directory, const char *name)
{
	struct stat st;
	int error = 0, fd = look_at(directory, name, &st);

	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	if (st.st_uid == chosen.uid && st.st_gid == chosen.gid)
		error = 0;
	else if (!(S_ISREG(st.st_mode) || S_ISSOCK(st.st_mode)) || st.st_nlink != 1)
		error = -EPERM;
	else if (fchownat(fd, "", chosen.uid, chosen.gid, AT_EMPTY_PATH))
		error = -errno;
	close(fd);
	return error;
}

static bool is_among(const char *const *names, const char *name)
{
	while (*names && strcmp(*names, name))
		names++;
	return *names;
}

/* Whether there is nothing in the directory but these names. fd: the directory. */
static bool has_only(int fd, const char *const *names)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *directory = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;
	bool only = directory;

	while (only && (entry = readdir(directory)))
		only = !strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") || is_among(names, entry->d_name);
	if (directory)
		closedir(directory);
	else if (copy >= 0)
		close(copy);
	return only;
}

int rights_give_directory(const char *path, const char *const *names)
{
	int error = 0, fd;
	struct stat st;

	if (geteuid())
		return 0;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	for (const char *const *name = names; *name && !error; name++)
		error = give(fd, *name);
	if (!error && !fstat(fd, &st) && (st.st_uid != chosen.uid || st.st_gid != chosen.gid) && has_only(fd, names) &&
		fchown(fd, chosen.uid, chosen.gid))
		error = -errno;
	close(fd);
	return error;
}

int rights_give_file(const char *path)
{
	return geteuid() ? 0 : give(AT_FDCWD, path);
}

/* --- Rights */

static int change_user(void)
{
	const capng_flags_t flags = CAPNG_INIT_SUPP_GRP | CAPNG_CLEAR_BOUNDING | CAPNG_CLEAR_AMBIENT;

	return capng_change_id((int)chosen.uid, (int)chosen.gid, flags) ? -EPERM : 0;
}

/* bounding: whether this process may drop what a program could have. */
static int stay_user(bool bounding)
{
	capng_clear(CAPNG_SELECT_BOUNDS);
	if (bounding && capng_apply(CAPNG_SELECT_BOUNDS))
		return -EPERM;
	if (capng_apply(CAPNG_SELECT_CAPS))
		return -EPERM;
	capng_clear(CAPNG_SELECT_AMBIENT);
	capng_apply(CAPNG_SELECT_AMBIENT); /* before Linux 4.3 there are none */
	return 0;
}

static int drop(bool keeps_net_admin)
{
	bool bounding;
	int error;

	if (capng_get_caps_process())
		return -EPERM;
	bounding = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP);
	if (keeps_net_admin && !capng_have_capability(CAPNG_PERMITTED, CAP_NET_ADMIN))
		return -EPERM;
	capng_clear(CAPNG_SELECT_CAPS);
	if (keeps_net_admin)
		capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_ADMIN);
	error = chosen.becomes && !geteuid() ? change_user() : stay_user(bounding);
	if (!error && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		error = -errno;
	return error;
}

int rights_try(const char *directory)
{
	int status = 0, error;
	pid_t child = fork();

	if (child < 0)
		return -errno;
	if (!child) {
		error = drop(true);
		if (!error && access(directory, W_OK | X_OK))
			error = -errno;
		_exit(-error);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -ECHILD;
}

int rights_drop(int *filtered)
{
	int parent_death = 0, error;

	/* Which signal comes when the parent ends is forgotten with a change of the user. */
	prctl(PR_GET_PDEATHSIG, &parent_death);
	error = drop(true);
	if (!error && parent_death && prctl(PR_SET_PDEATHSIG, parent_death))
		error = -errno;
	*filtered = chosen.filter && !error ? syscall_filter_load(SYSCALL_FILTER_METER) : 0;
	return error;
}

int rights_drop_all(void)
{
	return drop(false);
}

void rights_filter_child(void)
{
	if (chosen.filter)
		syscall_filter_load(SYSCALL_FILTER_CHILD);
}
