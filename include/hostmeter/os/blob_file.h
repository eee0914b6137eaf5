/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blob_file: a file of blobs that prove themselves. Its sections are written first, to a new file beside the old one,
 * which is renamed once it is complete: a reader finds one of them whole. After that, records are appended to it. The
 * file before it is kept as path.old.
 *
 *   file:  head  blob*          all numbers little-endian, all CRCs CRC-32 (zlib's)
 *   head:  "hostmet2"  id (8 bytes)  generation (8)  first record (8)  next record (8)  size (8)  CRC of all this (4)
 *   blob:  length (4)  number * 2 + is_record (8)  CRC of id, generation, length, number and bytes (4)  bytes
 *
 * Sections are numbered from 0 in each file. Records are numbered on through all files of one id: one that was appended
 * while the next file was written is in both. Number and CRC tell blobs that are lost, repeated or of another file. The
 * head is written again after each record, so that a cut between two blobs is seen too: a writer that was killed leaves
 * at most a blob behind the size.
 *
 * Files of the older format, "hostmet1", are read as far as they are good. They have neither numbers nor a size.
 *
 * Nothing is synced to a disk: files survive a crash of the process, not a loss of power.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A longer blob is neither written (-EMSGSIZE) nor read. */
enum { BLOB_FILE_BLOB_MAX = 64 << 20 };

/* What a reader found, besides the blobs. */
struct blob_file_state {
	unsigned int version;    /* of the format, 2 or 1; 0: no such file */
	uint64_t id, generation; /* of the writers that went on from each other, and which of their files */
	uint64_t first_record, next_record;
	uint64_t lost_records; /* whose number is missing */
	uint64_t damages;      /* blobs that are damaged, missing or repeated; 1 for what cannot be told apart */
	uint64_t end;          /* bytes, up to the last whole blob */
	bool head_damaged;     /* so it is not known what is missing at the end */
	bool section_missing;  /* before the last section that was read */
};

struct blob_file_blob {
	const void *bytes;
	size_t len;
	bool is_record;
	uint64_t number;
};

struct blob_file;

/* A writer for path; nothing is opened yet. NULL: out of memory. */
struct blob_file *blob_file_new(const char *path);
void blob_file_free(struct blob_file *file);

/*
 * Begins a new file beside path, mode 0600; one that was begun before and not committed is removed, and path.old, so
 * that there are never three. 0 or -errno.
 */
int blob_file_begin(struct blob_file *file);

/* Adds a section to the file that was begun. 0, -EBADF if none was, or -errno and the file is removed. */
int blob_file_add(struct blob_file *file, const void *blob, size_t len);

/*
 * Renames the file that was begun to path, and the one that was there to path.old, where the file system has hard
 * links. 0, or -errno and the old file stays.
 */
int blob_file_commit(struct blob_file *file);

/*
 * Appends a record to the file that was committed last and to the one that was begun, if there are any. 0, or -errno:
 * the file that was begun is removed, the committed one is as it was.
 */
int blob_file_append(struct blob_file *file, const void *blob, size_t len);

/*
 * Calls each for every blob in path that is whole and was not delivered before, in order, until it returns something
 * else than 0, which is then returned. What is damaged is passed over and told in state. before: of the file before
 * this one, whose successor it is to be if its own head is damaged; or NULL. 0, also for a file without one good byte;
 * -EBADMSG: no regular file; -errno.
 */
int blob_file_read(const char *path, const struct blob_file_state *before, struct blob_file_state *state,
	int (*each)(void *ctx, const struct blob_file_blob *blob), void *ctx);

/* The head alone: version, id and generation. False if there is none, or a damaged one. */
bool blob_file_peek(const char *path, struct blob_file_state *state);

/* Goes on with the numbers of files that were read: their next file has this id, and higher numbers than those. */
void blob_file_follow(struct blob_file *file, const struct blob_file_state *state);

/*
 * Opens path, which was read without damage, as if it had been committed: blob_file_append() goes on behind its last
 * blob. Includes blob_file_follow(). 0 or -errno.
 */
int blob_file_adopt(struct blob_file *file, const struct blob_file_state *state);

/* The file at path is damaged: the next one keeps it as path.bad, and leaves path.old alone until then. */
void blob_file_is_damaged(struct blob_file *file);

/* Renames a damaged file from path to path.bad. 0 or -errno. */
int blob_file_put_aside(const char *path);
