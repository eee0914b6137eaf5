/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "blob_file.h"

#include "hostmeter/base/hash.h"
#include "hostmeter/os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

struct output {
	int fd; /* -1: none; its position is size */
	uint64_t size, sections, generation, first_record;
};

struct blob_file {
	char *path, *new_path, *old_path, *bad_path;
	uint64_t id, generation, next_record; /* of the latest file; the record after it */
	bool damaged;                         /* the file at path */
	struct output begun, committed;
};

uint32_t blob_salt(uint64_t id, uint64_t generation)
{
	unsigned char bytes[16];

	le_store(bytes, id, 8);
	le_store(bytes + 8, generation, 8);
	return (uint32_t)crc32(crc32(0, NULL, 0), bytes, sizeof(bytes));
}

/* The CRC covers the length too: else a run of zeros would read as empty blobs. */
uint32_t blob_crc(uint32_t salt, const unsigned char *head, size_t head_len, const void *blob, size_t len)
{
	uLong crc = crc32(salt, head, (uInt)head_len);

	/* zlib takes NULL, which an empty blob may be, as a reset. */
	return (uint32_t)(len ? crc32(crc, blob, (uInt)len) : crc);
}

struct blob_file *blob_file_new(const char *path)
{
	struct blob_file *file = calloc(1, sizeof(*file));
	struct hash_key random;

	if (!file)
		return NULL;
	file->begun.fd = file->committed.fd = -1;
	if (!hash_key_random(&random))
		file->id = random.k[0];
	file->path = strdup(path);
	if (file->path && asprintf(&file->new_path, "%s.new", path) >= 0 &&
		asprintf(&file->old_path, "%s.old", path) >= 0 && asprintf(&file->bad_path, "%s.bad", path) >= 0)
		return file;
	blob_file_free(file);
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
	free(file->bad_path);
	free(file->old_path);
	free(file->new_path);
	free(file->path);
	free(file);
}

/* The head as the file is now; the position stays. */
static int output_put_head(const struct blob_file *file, const struct output *output)
{
	const uint64_t number[] = { file->id, output->generation, output->first_record, file->next_record,
		output->size };
	unsigned char head[BLOB_FILE_HEAD] = BLOB_MAGIC_2;
	ssize_t written;

	for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++)
		le_store(head + BLOB_MAGIC + 8 * i, number[i], 8);
	le_store(head + BLOB_FILE_HEAD - 4, blob_crc(0, head, BLOB_FILE_HEAD - 4, NULL, 0), 4);
	do {
		written = pwrite(output->fd, head, sizeof(head), 0);
	} while (written < 0 && errno == EINTR);
	if (written == (ssize_t)sizeof(head))
		return 0;
	return written < 0 ? -errno : -EIO;
}

int blob_file_begin(struct blob_file *file)
{
	int error;

	abandon(file);
	/* A killed writer may have left one. With O_EXCL no symbolic link is followed. */
	unlink(file->new_path);
	if (!file->damaged)
		unlink(file->old_path);
	file->begun = (struct output){ .fd = open(file->new_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600),
		.size = BLOB_FILE_HEAD,
		.generation = file->generation + 1,
		.first_record = file->next_record };
	if (file->begun.fd < 0)
		return -errno;
	error = output_put_head(file, &file->begun);
	if (!error && lseek(file->begun.fd, BLOB_FILE_HEAD, SEEK_SET) < 0)
		error = -errno;
	if (error)
		abandon(file);
	return error;
}

/* After an error the file is cut to its old end, or closed if that fails: nothing may follow half a blob. */
static int output_add(const struct blob_file *file, struct output *output, bool is_record, const void *blob, size_t len)
{
	unsigned char head[BLOB_HEAD];
	uint64_t number = is_record ? file->next_record : output->sections;
	int error;

	if (len > BLOB_FILE_BLOB_MAX)
		return -EMSGSIZE;
	le_store(head, len, 4);
	le_store(head + 4, number << 1 | is_record, 8);
	le_store(head + 12, blob_crc(blob_salt(file->id, output->generation), head, 12, blob, len), 4);
	error = file_write(output->fd, head, sizeof(head));
	if (!error)
		error = file_write(output->fd, blob, len);
	if (!error)
		output->size += sizeof(head) + len;
	else if (ftruncate(output->fd, (off_t)output->size) || lseek(output->fd, (off_t)output->size, SEEK_SET) < 0)
		output_close(output);
	return error;
}

int blob_file_add(struct blob_file *file, const void *blob, size_t len)
{
	int error;

	if (file->begun.fd < 0)
		return -EBADF;
	error = output_add(file, &file->begun, false, blob, len);
	if (error)
		abandon(file);
	else
		file->begun.sections++;
	return error;
}

/* By a second name, for there must be a file at path at any moment. A file system without hard links keeps none. */
static void keep(const struct blob_file *file)
{
	const char *kept = file->damaged ? file->bad_path : file->old_path;

	unlink(kept);
	if (link(file->path, kept) && file->damaged)
		rename(file->path, kept);
}

int blob_file_commit(struct blob_file *file)
{
	int error;

	if (file->begun.fd < 0)
		return -EBADF;
	error = output_put_head(file, &file->begun);
	if (!error) {
		keep(file);
		error = rename(file->new_path, file->path) ? -errno : 0;
	}
	if (error) {
		abandon(file);
		return error;
	}
	output_close(&file->committed);
	file->committed = file->begun;
	file->begun.fd = -1;
	file->generation = file->committed.generation;
	file->damaged = false;
	return 0;
}

int blob_file_append(struct blob_file *file, const void *blob, size_t len)
{
	int error = file->committed.fd < 0 ? 0 : output_add(file, &file->committed, true, blob, len);

	if (!error) {
		if (file->begun.fd >= 0)
			error = output_add(file, &file->begun, true, blob, len);
		file->next_record++; /* also after an error: the committed file has it */
		if (file->committed.fd >= 0 && !error)
			error = output_put_head(file, &file->committed);
	}
	if (error)
		abandon(file);
	return error;
}

void blob_file_follow(struct blob_file *file, const struct blob_file_state *state)
{
	if (state->version != 2)
		return;
	file->id = state->id;
	if (state->generation > file->generation)
		file->generation = state->generation;
	if (state->next_record > file->next_record)
		file->next_record = state->next_record;
}

int blob_file_adopt(struct blob_file *file, const struct blob_file_state *state)
{
	struct output old = {
		.size = state->end, .generation = state->generation, .first_record = state->first_record
	};

	old.fd = open(file->path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (old.fd < 0)
		return -errno;
	if (lseek(old.fd, (off_t)old.size, SEEK_SET) < 0) {
		int error = -errno;

		output_close(&old);
		return error;
	}
	blob_file_follow(file, state);
	output_close(&file->committed);
	file->committed = old;
	return 0;
}

void blob_file_is_damaged(struct blob_file *file)
{
	file->damaged = true;
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
