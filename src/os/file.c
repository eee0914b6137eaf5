/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/file.h"

#include "hostmeter/base/buf.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* --- Opening for reading */

/*
 * The file systems whose files the kernel makes up: reading one may wait for ever (/proc/kmsg, trace_pipe) or act. They
 * are told by what was opened, not by its path. <linux/magic.h> does not have all of them everywhere.
 */
static const uint32_t made_up[] = {
	0x00009fa0, /* proc */
	0x62656572, /* sysfs */
	0x64626720, /* debugfs */
	0x74726163, /* tracefs */
	0x73636673, /* securityfs */
	0x62656570, /* configfs */
	0x0027e0eb, /* cgroup */
	0x63677270, /* cgroup2 */
	0xcafe4a11, /* bpf */
	0x6165676c, /* pstore */
	0xde5e81e4, /* efivarfs */
	0xf97cff8c, /* selinuxfs */
	0x43415d53, /* smackfs */
	0x42494e4d, /* binfmt_misc */
	0x00001cd1, /* devpts */
	0x19800202, /* mqueue */
	0x67596969, /* rpc_pipefs */
	0x07655821, /* resctrl */
	0x6e736673, /* nsfs */
};

static bool is_made_up(int fd)
{
	struct statfs fs;

	if (fstatfs(fd, &fs))
		return true;
	for (size_t i = 0; i < sizeof(made_up) / sizeof(made_up[0]); i++)
		if ((uint32_t)fs.f_type == made_up[i])
			return true;
	return false;
}

/* 0 if what was opened with O_PATH may be read. /dev/null is what people write where they want no file. */
static int check_readable(int look)
{
	struct stat st;

	if (fstat(look, &st))
		return -errno;
	if (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3))
		return 0;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
	return is_made_up(look) ? -EOPNOTSUPP : 0;
}

/*
 * Opening a pipe can block, opening a device can act on it: what it is, is looked at before. O_NONBLOCK: else opening
 * waits while another program has a lease (fcntl(2)) on the file.
 */
static int open_readable(const char *path)
{
	int error, fd = -1, look = open(path, O_PATH | O_CLOEXEC);
	char again[32];

	if (look < 0)
		return -errno;
	error = check_readable(look);
	if (!error) {
		snprintf(again, sizeof(again), "/proc/self/fd/%d", look);
		fd = open(again, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		error = fd < 0 ? -errno : 0;
	}
	close(look);
	return error ? error : fd;
}

int file_open(const char *path)
{
	int fd = open_readable(path);

	return fd == -EISDIR ? -EINVAL : fd;
}

/* --- Reading a file as a whole */

/* Closes fd. */
static int read_all(int fd, size_t max, struct buf *text)
{
	size_t limit = text->len + max;
	ssize_t got = 1;
	int error = 0;

	while (!error && got > 0) {
		size_t want = limit - text->len;
		void *room = buf_reserve(text, 65536);

		/* One byte more than is wanted shows whether the file is longer. */
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

int file_read(const char *path, size_t max, struct buf *text)
{
	int fd = file_open(path);

	return fd < 0 ? fd : read_all(fd, max, text);
}

int file_read_kernel(const char *path, size_t max, struct buf *text)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : read_all(fd, max, text);
}

/* --- Reading all that match a pattern, in pieces */

bool file_is_hidden(const char *pattern)
{
	const char *slash = strrchr(pattern, '/');
	char *directory = slash ? strndup(pattern, (size_t)(slash - pattern) + 1) : NULL;
	bool hidden = directory && access(directory, strpbrk(pattern, "*?[") ? R_OK | X_OK : X_OK) && errno == EACCES;

	free(directory);
	return hidden;
}

struct file_matches {
	glob_t found;
	size_t count, next; /* of its paths: the next to be opened */
	int fd;             /* of the one that is read, or -1 */
	char last;          /* the byte read last of it; '\n' at its start */
	size_t left;        /* bytes that may still be read */
	int error;
};

struct file_matches *file_matches_new(const char *path)
{
	struct file_matches *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->fd = -1;
	m->left = FILE_READ_BYTES;
	if (!glob(path, 0, NULL, &m->found))
		m->count = m->found.gl_pathc;
	else if (file_is_hidden(path))
		m->error = -EACCES;
	if (m->count > FILE_READ_MATCHES)
		m->count = FILE_READ_MATCHES;
	return m;
}

int file_matches_free(struct file_matches *m)
{
	int error;

	if (!m)
		return 0;
	error = !m->error && m->found.gl_pathc > FILE_READ_MATCHES ? -EFBIG : m->error;
	if (m->fd >= 0)
		close(m->fd);
	globfree(&m->found);
	free(m);
	return error;
}

static void note_error(struct file_matches *m, int error)
{
	/* It has gone since, or the pattern also matches directories. */
	if (!m->error && error != -ENOENT && error != -EISDIR)
		m->error = error;
}

static void close_match(struct file_matches *m)
{
	close(m->fd);
	m->fd = -1;
}

/* Opens the next file unless one is open. False: there is no further one. */
static bool open_match(struct file_matches *m)
{
	while (m->fd < 0 && m->next < m->count) {
		m->fd = open_readable(m->found.gl_pathv[m->next++]);
		m->last = '\n';
		if (m->fd < 0)
			note_error(m, m->fd);
	}
	return m->fd >= 0;
}

/* Nothing more is read, and the line that was cut is dropped as far as it is in this text. */
static void cut(struct file_matches *m, struct buf *text)
{
	note_error(m, -EFBIG);
	close_match(m);
	m->next = m->count;
	while (text->len && text->data[text->len - 1] != '\n')
		text->len--;
}

static void read_match(struct file_matches *m, struct buf *text, size_t max)
{
	void *room = buf_reserve(text, max + 1);
	/* One byte more than may be read shows whether the file is longer. */
	ssize_t got = room ? read(m->fd, room, max <= m->left ? max : m->left + 1) : -1;
	size_t bytes = got < 0 ? 0 : (size_t)got < m->left ? (size_t)got : m->left;

	if (bytes)
		m->last = ((const char *)room)[bytes - 1];
	buf_commit(text, bytes);
	m->left -= bytes;
	if (got > 0 && (size_t)got == bytes)
		return;
	if (got > 0) {
		cut(m, text);
		return;
	}
	if (got < 0)
		note_error(m, room ? -errno : -ENOMEM);
	if (m->last != '\n')
		buf_putc(text, '\n');
	close_match(m);
}

bool file_matches_read(struct file_matches *m, struct buf *text, size_t max)
{
	const size_t end = text->len + max;

	while (text->len < end && open_match(m))
		read_match(m, text, end - text->len);
	return m->fd >= 0 || m->next < m->count;
}

/* --- Writing */

int file_write(int fd, const void *data, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(fd, (const char *)data + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int replace(const char *path, const struct buf *out)
{
	mode_t mask = umask(0);
	char *fresh = NULL;
	int fd, error;

	umask(mask);
	/* The node exporter reads all files that end in ".prom": the name of the unfinished file must not. */
	if (asprintf(&fresh, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkostemp(fresh, O_CLOEXEC);
	if (fd < 0) {
		error = -errno;
		goto out;
	}
	error = file_write(fd, out->data, out->len);
	if (!error && fchmod(fd, 0666 & ~mask))
		error = -errno;
	if (close(fd) && !error)
		error = -errno;
	if (!error && rename(fresh, path))
		error = -errno;
	if (error)
		unlink(fresh);
out:
	free(fresh);
	return error;
}

static bool is_stream(const struct stat *st)
{
	return S_ISCHR(st->st_mode) || S_ISFIFO(st->st_mode);
}

/* A FIFO that nobody reads gives -ENXIO; without O_NONBLOCK opening it would wait for a reader. */
static int write_into(const char *path, const struct buf *out)
{
	int error = 0, fd = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || fcntl(fd, F_SETFL, O_WRONLY))
		error = -errno;
	else if (!is_stream(&st))
		error = -EINVAL;
	if (!error)
		error = file_write(fd, out->data, out->len);
	if (close(fd) && !error)
		error = -errno;
	return error;
}

int file_replace(const char *path, const struct buf *out)
{
	struct stat st;

	if (buf_error(out))
		return -ENOMEM;
	if (lstat(path, &st))
		return errno == ENOENT ? replace(path, out) : -errno;
	if (S_ISREG(st.st_mode))
		return replace(path, out);
	if (is_stream(&st))
		return write_into(path, out);
	return S_ISLNK(st.st_mode) ? -ELOOP : S_ISDIR(st.st_mode) ? -EISDIR : -EINVAL;
}

/* 0; -ELOOP, -EISDIR, -EINVAL, -EEXIST as file_create() has them. */
static int check_ours(const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return -ELOOP;
	if (S_ISDIR(st->st_mode))
		return -EISDIR;
	if (S_ISCHR(st->st_mode))
		return 0;
	if (!S_ISREG(st->st_mode))
		return -EINVAL;
	/* A second name of it may be one that somebody wants to see overwritten. */
	return st->st_uid == geteuid() && st->st_nlink == 1 ? 0 : -EEXIST;
}

/* The name may have another file since the first look: the second is at what was opened. */
static int open_ours(const char *path)
{
	struct stat st;
	int fd, error = lstat(path, &st) ? -errno : check_ours(&st);

	if (error)
		return error;
	fd = open(path, O_WRONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	error = fstat(fd, &st) ? -errno : check_ours(&st);
	if (!error && S_ISREG(st.st_mode) && (fchmod(fd, 0600) || ftruncate(fd, 0)))
		error = -errno;
	if (!error)
		return fd;
	close(fd);
	return error;
}

int file_create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno == EEXIST ? open_ours(path) : -errno;
	return fd;
}

int file_make_parents(const char *path)
{
	char *copy = strdup(path);
	int error = copy ? 0 : -ENOMEM;

	for (char *slash = copy ? strchr(copy, '/') : NULL; slash && !error; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		if (*copy && mkdir(copy, 0755) && errno != EEXIST)
			error = -errno;
		*slash = '/';
	}
	free(copy);
	return error;
}
