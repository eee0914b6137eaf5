/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/store.h"

#include "hostmeter/le.h"

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

struct store {
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

static char *path_with(const char *path, const char *suffix)
{
	char *result;

	return asprintf(&result, "%s%s", path, suffix) < 0 ? NULL : result;
}

struct store *store_new(const char *path)
{
	struct store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->begun.fd = store->committed.fd = -1;
	store->path = strdup(path);
	store->new_path = path_with(path, ".new");
	if (!store->path || !store->new_path) {
		store_free(store);
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

static void give_up(struct store *store)
{
	if (store->begun.fd >= 0)
		unlink(store->new_path);
	file_close(&store->begun);
}

void store_free(struct store *store)
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

int store_begin(struct store *store)
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

/* After an error the file ends where it ended before, or is closed if even that fails: nothing may follow half a blob. */
static int file_add(struct file *file, const void *blob, size_t len)
{
	unsigned char head[HEAD_LEN];
	struct iovec parts[] = { { head, sizeof(head) }, { (void *)blob, len } };
	int error;

	if (len > STORE_BLOB_MAX)
		return -EMSGSIZE;
	le_store(head, len, LENGTH_LEN);
	le_store(head + LENGTH_LEN, blob_crc(head, blob, len), HEAD_LEN - LENGTH_LEN);
	error = write_all(file->fd, parts, 2);
	if (!error)
		file->size += (off_t)(sizeof(head) + len);
	else if (ftruncate(file->fd, file->size))
		file_close(file);
	return error;
}

int store_add(struct store *store, const void *blob, size_t len)
{
	int error;

	if (store->begun.fd < 0)
		return -EBADF;
	error = file_add(&store->begun, blob, len);
	if (error)
		give_up(store);
	return error;
}

int store_commit(struct store *store)
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

int store_append(struct store *store, const void *blob, size_t len)
{
	int committed = store->committed.fd < 0 ? 0 : file_add(&store->committed, blob, len);
	int begun = store->begun.fd < 0 ? 0 : store_add(store, blob, len);

	return committed ? committed : begun;
}

/* --- Reading */

/* Reads len bytes unless the file ends before: 1, 0 at its end (also inside), or -errno. */
static int read_whole(FILE *file, void *data, size_t len)
{
	if (fread(data, 1, len, file) == len)
		return 1;
	return ferror(file) ? -EIO : 0;
}

/* One blob into *data, which grows. 1, 0 at the end, or -errno. */
static int read_blob(FILE *file, off_t file_size, unsigned char **data, size_t *size, size_t *len)
{
	unsigned char head[HEAD_LEN];
	struct le_reader in = le_reader(head, sizeof(head));
	int got = read_whole(file, head, sizeof(head));

	if (got <= 0)
		return got;
	*len = le_get(&in, LENGTH_LEN);
	if (*len > STORE_BLOB_MAX)
		return -EBADMSG;
	/* A length is only believed as far as there is a file: no memory for what cannot come. */
	if ((off_t)*len > file_size)
		return 0;
	if (*len > *size) {
		unsigned char *bigger = realloc(*data, *len);

		if (!bigger)
			return -ENOMEM;
		*data = bigger;
		*size = *len;
	}
	got = read_whole(file, *data, *len);
	if (got <= 0)
		return *len ? got : 1;
	return le_get(&in, HEAD_LEN - LENGTH_LEN) == blob_crc(head, *data, *len) ? 1 : -EBADMSG;
}

int store_read(const char *path, int (*each)(void *ctx, const void *blob, size_t len), void *ctx)
{
	FILE *file = fopen(path, "rbe");
	unsigned char *data = NULL;
	char start[sizeof(magic)];
	size_t size = 0, len;
	struct stat state;
	int got;

	if (!file)
		return -errno;
	got = fstat(fileno(file), &state) ? -errno : 1;
	if (got > 0 && !S_ISREG(state.st_mode))
		got = -EBADMSG;
	if (got > 0)
		got = read_whole(file, start, sizeof(start));
	if (got == 0 || (got > 0 && memcmp(start, magic, sizeof(magic))))
		got = -EBADMSG;
	while (got > 0) {
		got = read_blob(file, state.st_size, &data, &size, &len);
		if (got > 0) {
			int error = each(ctx, data, len);

			if (error)
				got = error < 0 ? error : -error;
		}
	}
	free(data);
	fclose(file);
	return got;
}

int store_put_aside(const char *path)
{
	char *bad = path_with(path, ".bad");
	int error = bad ? 0 : -ENOMEM;

	if (!error && rename(path, bad))
		error = -errno;
	free(bad);
	return error;
}
