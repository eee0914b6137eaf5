/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * blob_file: a file of blobs, each with its length and CRC-32 (zlib's). A new file is written beside the old one and
 * renamed once it is complete, so a reader finds one of them whole; after that, blobs are appended to it.
 *
 *   file:  "hostmet1"  blob*        blob:  length (4 bytes, little-endian)  CRC-32 of length and bytes (4)  bytes
 *
 * Nothing is synced to a disk: files survive a crash of the process, not a loss of power.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* A longer blob is neither written (-EMSGSIZE) nor read. */
enum { BLOB_FILE_BLOB_MAX = 64 << 20 };

struct blob_file;

/* A writer for path; nothing is opened yet. NULL: out of memory. */
struct blob_file *blob_file_new(const char *path);
void blob_file_free(struct blob_file *file);

/* Begins a new file beside path, mode 0600; one that was begun before and not committed is removed. 0 or -errno. */
int blob_file_begin(struct blob_file *file);

/* Appends a blob to the file that was begun. 0, -EBADF if none was, or -errno and the file is removed. */
int blob_file_add(struct blob_file *file, const void *blob, size_t len);

/* Renames the file that was begun to path. 0, or -errno and the old file stays. */
int blob_file_commit(struct blob_file *file);

/*
 * Appends a blob to the file that was committed last and to the one that was begun, if there are any. 0, or -errno: the
 * file that was begun is removed, the committed one is as it was.
 */
int blob_file_append(struct blob_file *file, const void *blob, size_t len);

/*
 * Calls each for every blob in path, in order, until it returns something else than 0, which is then returned. A blob
 * that is cut by the end of the file (its writer was killed) is ignored. 0; -EBADMSG for a wrong CRC or another kind of
 * file; -errno.
 */
int blob_file_read(const char *path, int (*each)(void *ctx, const void *blob, size_t len), void *ctx);

/* Opens path as if it had been committed: blob_file_append() goes on behind its last whole blob. 0 or -errno. */
int blob_file_adopt(struct blob_file *file);

/* Renames a damaged file from path to path.bad. 0 or -errno. */
int blob_file_put_aside(const char *path);
