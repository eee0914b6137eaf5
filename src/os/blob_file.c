/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/os/blob_file.h"

#include "hostmeter/base/buf.h"
#include "hostmeter/base/le.h"
#include "hostmeter/os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { LENGTH_LEN = 4, HEAD_LEN = 8 };

static const char magic[8] = "hostmet1";

struct output {
	int fd; /* -1: none */
	off_t size;
};

struct blob_file {
	char *path, *new_path;
	struct output begun, committed;
};

/* The CRC covers the length too: else a run of zeros would read as empty blobs. */
static uint32_t blob_crc(const unsigned char *length, const void *blob, size_t len)
{
	uLong crc = crc32(crc32(0, NULL, 0), length, LENGTH_LEN);

	/* zlib takes NULL, which an empty blob may be, as a reset. */
	return (uint32_t)(len ? crc32(crc, blob, (uInt)len) : crc);
}

struct blob_file *blob_file_new(const char *path)
{
	struct blob_file *file = calloc(1, sizeof(*file));

	if (!file)
		return NULL;
	file->begun.fd = file->committed.fd = -1;
	file->path = strdup(path);
	if (file->path && asprintf(&file->new_path, "%s.new", path) >= 0)
		return file;
	free(file->path);
	free(file);
	return NULL;
}

static void output_close(struct output *output)
{
	if (output->fd >= 0)
		close(output->fd);
	output->fd = -1;
}

static void abandon(struct blob_file *file)
{
	if (file->begun.fd >= 0)
		unlink(file->new_path);
	output_close(&file->begun);
}

void blob_file_free(struct blob_file *file)
{
	if (!file)
		return;
	abandon(file);
	output_close(&file->committed);
	free(file->new_path);
	free(file->path);
	free(file);
}

int blob_file_begin(struct blob_file *file)
{
	int error;

	abandon(file);
	/* A killed writer may have left one. With O_EXCL no symbolic link is followed. */
	unlink(file->new_path);
	file->begun.fd = open(file->new_path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file->begun.fd < 0)
		return -errno;
	file->begun.size = sizeof(magic);
	error = file_write(file->begun.fd, magic, sizeof(magic));
	if (error)
		abandon(file);
	return error;
}

/* After an error the file is cut to its old end, or closed if that fails: nothing may follow half a blob. */
static int output_add(struct output *output, const void *blob, size_t len)
{
	unsigned char head[HEAD_LEN];
	int error;

	if (len > BLOB_FILE_BLOB_MAX)
		return -EMSGSIZE;
	le_store(head, len, LENGTH_LEN);
	le_store(head + LENGTH_LEN, blob_crc(head, blob, len), HEAD_LEN - LENGTH_LEN);
	error = file_write(output->fd, head, sizeof(head));
	if (!error)
		error = file_write(output->fd, blob, len);
	if (!error)
		output->size += (off_t)(sizeof(head) + len);
	else if (ftruncate(output->fd, output->size))
		output_close(output);
	return error;
}

int blob_file_add(struct blob_file *file, const void *blob, size_t len)
{
	int error;

	if (file->begun.fd < 0)
		return -EBADF;
	error = output_add(&file->begun, blob, len);
	if (error)
		abandon(file);
	return error;
}

int blob_file_commit(struct blob_file *file)
{
	if (file->begun.fd < 0)
		return -EBADF;
	if (rename(file->new_path, file->path)) {
		int error = -errno;

		abandon(file);
		return error;
	}
	output_close(&file->committed);
	file->committed = file->begun;
	file->begun.fd = -1;
	return 0;
}

int blob_file_append(struct blob_file *file, const void *blob, size_t len)
{
	int error = file->committed.fd < 0 ? 0 : output_add(&file->committed, blob, len);

	if (!error && file->begun.fd >= 0)
		error = output_add(&file->begun, blob, len);
	if (error)
		abandon(file);
	return error;
}

struct reading {
	FILE *in;
	uint64_t left; /* bytes of the file */
	struct buf blob;
};

/* 1; 0 if fewer than len bytes are left; -errno. */
static int read_bytes(struct reading *reading, void *bytes, size_t len)
{
	if (reading->left < len)
		return 0;
	if (fread(bytes, 1, len, reading->in) != len)
		return ferror(reading->in) ? -EIO : 0;
	reading->left -= len;
	return 1;
}

/* 1 and a whole blob; 0 at the end; -errno. */
static int read_blob(struct reading *reading, const void **blob, size_t *len)
{
	unsigned char head[HEAD_LEN];
	struct le_reader fields;
	void *room;
	uint32_t crc;
	int got = read_bytes(reading, head, sizeof(head));

	if (got <= 0)
		return got;
	fields = le_reader(head, sizeof(head));
	*len = (size_t)le_get(&fields, LENGTH_LEN);
	crc = (uint32_t)le_get(&fields, HEAD_LEN - LENGTH_LEN);
	if (*len > BLOB_FILE_BLOB_MAX)
		return -EBADMSG;
	/* Before memory is allocated: a damaged length costs none. */
	if (*len > reading->left)
		return 0;
	room = buf_reserve(&reading->blob, *len);
	if (!room)
		return -ENOMEM;
	*blob = room;
	got = read_bytes(reading, room, *len);
	return got > 0 && blob_crc(head, room, *len) != crc ? -EBADMSG : got;
}

static int read_all(struct reading *reading, int (*each)(void *ctx, const void *blob, size_t len), void *ctx)
{
	char start[sizeof(magic)] = { 0 };
	const void *blob;
	size_t len;
	int error = 0, got = read_bytes(reading, start, sizeof(start));

	if (got >= 0 && memcmp(start, magic, sizeof(magic)) != 0)
		return -EBADMSG;
	while (got > 0 && !error) {
		got = read_blob(reading, &blob, &len);
		if (got > 0)
			error = each(ctx, blob, len);
	}
	return error ? error : got;
}

int blob_file_read(const char *path, int (*each)(void *ctx, const void *blob, size_t len), void *ctx)
{
	struct reading reading = { 0 };
	struct stat status;
	int error, fd = file_open(path);

	if (fd < 0)
		return fd == -EINVAL ? -EBADMSG : fd;
	if (!fstat(fd, &status))
		reading.left = (uint64_t)status.st_size;
	reading.in = fdopen(fd, "r");
	if (!reading.in) {
		close(fd);
		return -ENOMEM;
	}
	error = read_all(&reading, each, ctx);
	fclose(reading.in);
	buf_free(&reading.blob);
	return error;
}

static int measure(void *ctx, const void *blob, size_t len)
{
	off_t *end = ctx;

	(void)blob;
	*end += (off_t)(HEAD_LEN + len);
	return 0;
}

int blob_file_adopt(struct blob_file *file)
{
	struct output old = { .fd = -1, .size = sizeof(magic) };
	int error = blob_file_read(file->path, measure, &old.size);

	if (error)
		return error;
	old.fd = open(file->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (old.fd < 0)
		return -errno;
	if (ftruncate(old.fd, old.size)) {
		error = -errno;
		output_close(&old);
		return error;
	}
	output_close(&file->committed);
	file->committed = old;
	return 0;
}

int blob_file_put_aside(const char *path)
{
	char *bad_path;
	int error;

	if (asprintf(&bad_path, "%s.bad", path) < 0)
		return -ENOMEM;
	error = rename(path, bad_path) ? -errno : 0;
	free(bad_path);
	return error;
}
