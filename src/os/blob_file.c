/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/blob_file.h"

#include "hostmeter/base/le.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
#include <zlib.h>

enum { LENGTH_LEN = 4, HEAD_LEN = 8 };

static const char magic[8] = "hostmet1";

struct file {
	int fd; /* -1: none */
	off_t size;
};

struct blob_file {
	char *path, *new_path;
	struct file begun, committed;
};

/* The length is under the CRC too: else a run of zeros would read as empty blobs. */
static uint32_t blob_crc(const unsigned char *length, const void *blob, size_t len)
{
	uLong crc = crc32(crc32(0, NULL, 0), length, LENGTH_LEN);

	/* A NULL would reset the CRC, and an empty blob may have one. */
	return (uint32_t)(len ? crc32(crc, blob, (uInt)len) : crc);
}

static void put_le32(unsigned char *bytes, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		bytes[i] = (unsigned char)(value >> 8 * i);
}

static char *path_with(const char *path, const char *suffix)
{
	char *result;

	return asprintf(&result, "%s%s", path, suffix) < 0 ? NULL : result;
}

struct blob_file *blob_file_new(const char *path)
{
	struct blob_file *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->begun.fd = store->committed.fd = -1;
	store->path = strdup(path);
	store->new_path = path_with(path, ".new");
	if (!store->path || !store->new_path) {
		blob_file_free(store);
		return NULL;
	}
	return store;
}

static void file_close(struct file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

static void give_up(struct blob_file *store)
{
	if (store->begun.fd >= 0)
		unlink(store->new_path);
	file_close(&store->begun);
}

void blob_file_free(struct blob_file *store)
{
	if (!store)
		return;
	give_up(store);
	file_close(&store->committed);
	free(store->new_path);
	free(store->path);
	free(store);
}

/* Writes all the parts, however many calls it takes; they are used up. */
static int write_all(int fd, struct iovec *parts, int count)
{
	while (count) {
		ssize_t written;

		if (!parts->iov_len) {
			parts++, count--;
			continue;
		}
		written = writev(fd, parts, count);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return written ? -errno : -EIO;
		for (struct iovec *part = parts; written; part++) {
			size_t used = (size_t)written < part->iov_len ? (size_t)written : part->iov_len;

			part->iov_base = (char *)part->iov_base + used;
			part->iov_len -= used;
			written -= (ssize_t)used;
		}
	}
	return 0;
}

int blob_file_begin(struct blob_file *store)
{
	struct iovec part = { (void *)magic, sizeof(magic) };
	int error;

	give_up(store);
	/* A writer that was killed left one behind; and with O_EXCL nobody's link leads elsewhere. */
	unlink(store->new_path);
	store->begun.fd = open(store->new_path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (store->begun.fd < 0)
		return -errno;
	store->begun.size = sizeof(magic);
	error = write_all(store->begun.fd, &part, 1);
	if (error)
		give_up(store);
	return error;
}

/* After an error the file ends where it did before, or is closed if even that fails: nothing may follow half a blob. */
static int file_add(struct file *file, const void *blob, size_t len)
{
	unsigned char head[HEAD_LEN];
	struct iovec parts[] = { { head, sizeof(head) }, { (void *)blob, len } };
	int error;

	if (len > BLOB_FILE_BLOB_MAX)
		return -EMSGSIZE;
	put_le32(head, (uint32_t)len);
	put_le32(head + LENGTH_LEN, blob_crc(head, blob, len));
	error = write_all(file->fd, parts, 2);
	if (!error)
		file->size += (off_t)(sizeof(head) + len);
	else if (ftruncate(file->fd, file->size))
		file_close(file);
	return error;
}

int blob_file_add(struct blob_file *store, const void *blob, size_t len)
{
	int error;

	if (store->begun.fd < 0)
		return -EBADF;
	error = file_add(&store->begun, blob, len);
	if (error)
		give_up(store);
	return error;
}

int blob_file_commit(struct blob_file *store)
{
	if (store->begun.fd < 0)
		return -EBADF;
	if (rename(store->new_path, store->path)) {
		int error = -errno;

		give_up(store);
		return error;
	}
	file_close(&store->committed);
	store->committed = store->begun;
	store->begun.fd = -1;
	return 0;
}

int blob_file_append(struct blob_file *store, const void *blob, size_t len)
{
	int error = store->committed.fd < 0 ? 0 : file_add(&store->committed, blob, len);

	if (!error && store->begun.fd >= 0)
		error = file_add(&store->begun, blob, len);
	if (error)
		give_up(store);
	return error;
}

struct reading {
	FILE *in;
	uint64_t left; /* bytes of the file */
	unsigned char *blob;
	size_t size;
};

static int make_room(struct reading *reading, size_t len)
{
	unsigned char *blob;

	if (len <= reading->size)
		return 0;
	blob = realloc(reading->blob, len);
	if (!blob)
		return -ENOMEM;
	reading->blob = blob;
	reading->size = len;
	return 0;
}

/* 1; 0 where the file ends before it has len bytes more; -errno. */
static int read_bytes(struct reading *reading, void *bytes, size_t len)
{
	if (reading->left < len)
		return 0;
	if (fread(bytes, 1, len, reading->in) != len)
		return ferror(reading->in) ? -EIO : 0;
	reading->left -= len;
	return 1;
}

/* 1: a whole blob of *len bytes; 0: the end; -errno. */
static int read_blob(struct reading *reading, size_t *len)
{
	unsigned char head[HEAD_LEN];
	struct le_reader fields = le_reader(head, sizeof(head));
	uint32_t crc;
	int got = read_bytes(reading, head, sizeof(head));

	if (got <= 0)
		return got;
	*len = (size_t)le_get(&fields, LENGTH_LEN);
	crc = (uint32_t)le_get(&fields, HEAD_LEN - LENGTH_LEN);
	if (*len > BLOB_FILE_BLOB_MAX)
		return -EBADMSG;
	/* Asked before there is memory for it: a damaged length costs none. */
	if (*len > reading->left)
		return 0;
	got = make_room(reading, *len);
	if (!got)
		got = read_bytes(reading, reading->blob, *len);
	if (got > 0 && blob_crc(head, reading->blob, *len) != crc)
		return -EBADMSG;
	return got;
}

static int read_all(struct reading *reading, int (*each)(void *ctx, const void *blob, size_t len), void *ctx)
{
	char start[sizeof(magic)] = { 0 };
	size_t len;
	int got = read_bytes(reading, start, sizeof(start));

	if (got >= 0 && memcmp(start, magic, sizeof(magic)) != 0)
		return -EBADMSG;
	while (got > 0) {
		got = read_blob(reading, &len);
		if (got > 0) {
			int error = each(ctx, reading->blob, len);

			if (error)
				return error;
		}
	}
	return got;
}

int blob_file_read(const char *path, int (*each)(void *ctx, const void *blob, size_t len), void *ctx)
{
	struct reading reading = { 0 };
	struct stat status;
	/* Something else than a file may wait there, and a FIFO would be waited for. */
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	int error;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) || !S_ISREG(status.st_mode)) {
		close(fd);
		return -EBADMSG;
	}
	reading.left = (uint64_t)status.st_size;
	reading.in = fdopen(fd, "r");
	if (!reading.in) {
		close(fd);
		return -ENOMEM;
	}
	error = read_all(&reading, each, ctx);
	fclose(reading.in);
	free(reading.blob);
	return error;
}

static int measure(void *ctx, const void *blob, size_t len)
{
	off_t *end = ctx;

	(void)blob;
	*end += (off_t)(HEAD_LEN + len);
	return 0;
}

int blob_file_adopt(struct blob_file *store)
{
	struct file old = { .fd = -1, .size = sizeof(magic) };
	int error = blob_file_read(store->path, measure, &old.size);

	if (error)
		return error;
	old.fd = open(store->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (old.fd < 0)
		return -errno;
	if (ftruncate(old.fd, old.size)) {
		error = -errno;
		file_close(&old);
		return error;
	}
	file_close(&store->committed);
	store->committed = old;
	return 0;
}

int blob_file_put_aside(const char *path)
{
	char *bad_path = path_with(path, ".bad");
	int error = 0;

	if (!bad_path)
		return -ENOMEM;
	if (rename(path, bad_path))
		error = -errno;
	free(bad_path);
	return error;
}
