/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * store: a file of blobs, each with its length and CRC-32 (zlib's). A new file is written beside the old one and
 * takes its place by rename(2) once it is whole, so a reader finds either; after that it grows by what is appended.
 * It knows nothing of what is in a blob.
 *
 *   file:  "hostmet1"  blob*        blob:  length (4 bytes, little-endian)  CRC-32 of length and bytes (4)  bytes
 *
 * Nothing is synced to a disk: a file outlives its process, not a loss of power.
 */
#ifndef HOSTMETER_OS_BLOB_FILE_H
#define HOSTMETER_OS_BLOB_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* A longer blob is neither written (-EMSGSIZE) nor read. */
enum { BLOB_FILE_BLOB_MAX = 64 << 20 };

struct blob_file;

/* A writer for path; nothing is opened yet. NULL: out of memory. blob_file_free(NULL) is fine. */
struct blob_file *blob_file_new(const char *path);
void blob_file_free(struct blob_file *store);

/* Begins a new file beside path, mode 0600; one that was begun and not committed is given up. 0 or -errno. */
int blob_file_begin(struct blob_file *store);

/* Appends a blob to the file that was begun. 0 or -errno (-EBADF: none was); after an error the file is given up. */
int blob_file_add(struct blob_file *store, const void *blob, size_t len);

/* Puts the file that was begun in the place of path. 0 or -errno, and then the old one stays. */
int blob_file_commit(struct blob_file *store);

/*
 * Appends a blob to the file that was committed last and to the one that was begun, if any: so neither misses what
 * happens in between. Without either it does nothing. 0 or -errno; after an error the file that was begun is given
 * up, and the committed one is as it was before.
 */
int blob_file_append(struct blob_file *store, const void *blob, size_t len);

/*
 * Reads path, calling each for every whole blob in order; each returns 0, or an error that ends the reading. A file
 * that ends inside a blob (its writer was killed) is read up to there: that is no error. 0; -ENOENT; -EBADMSG for a
 * wrong CRC or another kind of file, an empty one too; -errno; or what each returned.
 */
int blob_file_read(const char *path, int (*each)(void *ctx, const void *blob, size_t len), void *ctx);

/*
 * Takes path itself for the file that was committed last: blob_file_append() goes on behind its last whole blob; what a
 * killed writer left half is cut off. 0 or -errno.
 */
int blob_file_adopt(struct blob_file *store);

/* Renames a file that could not be read to path with ".bad" behind it, for a person to look at. 0 or -errno. */
int blob_file_put_aside(const char *path);

#endif
