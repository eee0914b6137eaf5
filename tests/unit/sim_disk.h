/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * sim_disk: a disk in memory for SQLite, which fails when it is told to. A power cut keeps what was synced; of what was
 * written later, each sector is there or not. There is one disk, and it is SQLite's default VFS.
 */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DISK_FILES = 4, DISK_SECTOR = 512, DISK_BLOCK = 4096, DISK_MOST = 1 << 25 };

struct disk_data {
	unsigned char *bytes;
	sqlite3_int64 size;
};

struct disk_file {
	char name[128]; /* "": free */
	struct disk_data now, synced;
	bool locked;
};

static struct disk {
	struct disk_file file[DISK_FILES];
	int fail_after, fail_code; /* fail_after: -1 never */
	bool failed;
	int calls;
	unsigned long written, syncs;
} disk;

struct disk_handle {
	sqlite3_file base;
	struct disk_file *file;
	bool locks;
};

/* Whether a call that changes the disk fails now. */
static inline int disk_fails(void)
{
	disk.calls++;
	if (disk.fail_after < 0 || disk.calls <= disk.fail_after)
		return SQLITE_OK;
	disk.failed = true;
	return disk.fail_code;
}

static inline struct disk_file *disk_find(const char *name)
{
	for (int i = 0; i < DISK_FILES; i++)
		if (!strcmp(disk.file[i].name, name))
			return &disk.file[i];
	return NULL;
}

static inline void disk_copy(struct disk_data *to, const struct disk_data *from)
{
	memcpy(to->bytes, from->bytes, (size_t)from->size);
	to->size = from->size;
}

static inline void disk_resize(struct disk_data *data, sqlite3_int64 size)
{
	if (size > data->size)
		memset(data->bytes + data->size, 0, (size_t)(size - data->size));
	data->size = size;
}

/* --- SQLite's methods (sqlite.org/c3ref/io_methods.html) */

static inline int disk_close(sqlite3_file *file)
{
	struct disk_handle *h = (struct disk_handle *)file;

	if (h->locks)
		h->file->locked = false;
	return SQLITE_OK;
}

static inline int disk_read(sqlite3_file *file, void *to, int count, sqlite3_int64 offset)
{
	const struct disk_data *data = &((struct disk_handle *)file)->file->now;
	int there = offset >= data->size ? 0 : data->size - offset < count ? (int)(data->size - offset) : count;

	memcpy(to, data->bytes + offset, (size_t)there);
	memset((char *)to + there, 0, (size_t)(count - there));
	return there == count ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static inline int disk_write(sqlite3_file *file, const void *from, int count, sqlite3_int64 offset)
{
	struct disk_data *data = &((struct disk_handle *)file)->file->now;
	int error = disk_fails();

	if (error)
		return error;
	if (offset + count > DISK_MOST)
		return SQLITE_FULL;
	if (offset + count > data->size)
		disk_resize(data, offset + count);
	memcpy(data->bytes + offset, from, (size_t)count);
	return SQLITE_OK;
}

static inline int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int error = disk_fails();

	if (!error)
		disk_resize(&((struct disk_handle *)file)->file->now, size);
	return error;
}

/* Blocks that differ are what a file system has to write. */
static inline int disk_sync(sqlite3_file *file, int flags)
{
	struct disk_file *f = ((struct disk_handle *)file)->file;
	int error = disk_fails();

	(void)flags;
	if (error)
		return error;
	for (sqlite3_int64 at = 0; at < f->now.size; at += DISK_BLOCK) {
		sqlite3_int64 end = at + DISK_BLOCK < f->now.size ? at + DISK_BLOCK : f->now.size;

		if (end > f->synced.size || memcmp(f->now.bytes + at, f->synced.bytes + at, (size_t)(end - at)) != 0)
			disk.written += DISK_BLOCK;
	}
	disk.syncs++;
	disk_copy(&f->synced, &f->now);
	return SQLITE_OK;
}

static inline int disk_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
	*size = ((struct disk_handle *)file)->file->now.size;
	return SQLITE_OK;
}

/* Locks are of one level only: whoever asks for any has the file alone. */
static inline int disk_lock(sqlite3_file *file, int level)
{
	struct disk_handle *h = (struct disk_handle *)file;

	(void)level;
	if (h->locks)
		return SQLITE_OK;
	if (h->file->locked)
		return SQLITE_BUSY;
	h->locks = h->file->locked = true;
	return SQLITE_OK;
}

static inline int disk_unlock(sqlite3_file *file, int level)
{
	struct disk_handle *h = (struct disk_handle *)file;

	if (level == SQLITE_LOCK_NONE && h->locks)
		h->locks = h->file->locked = false;
	return SQLITE_OK;
}

/* Nobody else has one: who opens the file has it alone. */
static inline int disk_check_lock(sqlite3_file *file, int *locked)
{
	(void)file;
	*locked = 0;
	return SQLITE_OK;
}

static inline int disk_control(sqlite3_file *file, int op, void *arg)
{
	(void)file;
	(void)op;
	(void)arg;
	return SQLITE_NOTFOUND;
}

static inline int disk_sector_size(sqlite3_file *file)
{
	(void)file;
	return DISK_SECTOR;
}

static inline int disk_characteristics(sqlite3_file *file)
{
	(void)file;
	return 0;
}

static inline int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
	static const sqlite3_io_methods methods = { 1, disk_close, disk_read, disk_write, disk_truncate, disk_sync,
		disk_file_size, disk_lock, disk_unlock, disk_check_lock, disk_control, disk_sector_size,
		disk_characteristics, NULL, NULL, NULL, NULL, NULL, NULL };
	struct disk_handle *h = (struct disk_handle *)file;
	int error;

	(void)vfs;
	memset(h, 0, sizeof(*h));
	h->file = disk_find(name ? name : "temporary");
	if (!h->file) {
		error = flags & SQLITE_OPEN_CREATE ? disk_fails() : SQLITE_CANTOPEN;
		h->file = error ? NULL : disk_find("");
		if (!h->file)
			return error ? error : SQLITE_CANTOPEN;
		strncpy(h->file->name, name ? name : "temporary", sizeof(h->file->name) - 1);
	}
	if (out)
		*out = flags;
	h->base.pMethods = &methods;
	return SQLITE_OK;
}

static inline int disk_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	struct disk_file *file = disk_find(name);
	int error = disk_fails();

	(void)vfs;
	(void)sync;
	if (error)
		return error;
	if (!file)
		return SQLITE_IOERR_DELETE_NOENT;
	file->name[0] = 0;
	file->now.size = file->synced.size = 0;
	return SQLITE_OK;
}

static inline int disk_access(sqlite3_vfs *vfs, const char *name, int flags, int *there)
{
	(void)vfs;
	(void)flags;
	*there = disk_find(name) != NULL;
	return SQLITE_OK;
}

static inline int disk_full_path(sqlite3_vfs *vfs, const char *name, int size, char *to)
{
	(void)vfs;
	strncpy(to, name, (size_t)size);
	return SQLITE_OK;
}

static inline int disk_random(sqlite3_vfs *vfs, int count, char *to)
{
	(void)vfs;
	for (int i = 0; i < count; i++)
		to[i] = (char)random();
	return count;
}

static inline int disk_sleep(sqlite3_vfs *vfs, int us)
{
	(void)vfs;
	return us;
}

static inline int disk_time(sqlite3_vfs *vfs, double *days)
{
	(void)vfs;
	*days = (double)time(NULL) / 86400 + 2440587.5;
	return SQLITE_OK;
}

static inline int disk_error(sqlite3_vfs *vfs, int size, char *text)
{
	(void)vfs;
	(void)size;
	(void)text;
	return 0;
}

/* --- For tests */

static sqlite3_vfs disk_vfs = { .iVersion = 1,
	.szOsFile = sizeof(struct disk_handle),
	.mxPathname = 100,
	.zName = "sim_disk",
	.xOpen = disk_open,
	.xDelete = disk_delete,
	.xAccess = disk_access,
	.xFullPathname = disk_full_path,
	.xRandomness = disk_random,
	.xSleep = disk_sleep,
	.xCurrentTime = disk_time,
	.xGetLastError = disk_error };

/* An empty disk. */
static inline void disk_begin(void)
{
	memset(&disk, 0, sizeof(disk));
	disk.fail_after = -1;
	for (int i = 0; i < DISK_FILES; i++) {
		disk.file[i].now.bytes = calloc(1, DISK_MOST);
		disk.file[i].synced.bytes = calloc(1, DISK_MOST);
	}
	sqlite3_vfs_register(&disk_vfs, 1);
}

static inline void disk_end(void)
{
	sqlite3_vfs_unregister(&disk_vfs);
	for (int i = 0; i < DISK_FILES; i++) {
		free(disk.file[i].now.bytes);
		free(disk.file[i].synced.bytes);
	}
}

/* After so many more calls that change the disk, each fails with this code. -1: none does. */
static inline void disk_fail_after(int calls, int code)
{
	disk.calls = 0;
	disk.fail_after = calls;
	disk.fail_code = code;
	disk.failed = false;
}

/* What is there after the power came back. Whoever has files open must not use them any more. */
static inline void disk_power_cut(void)
{
	for (int i = 0; i < DISK_FILES; i++) {
		struct disk_file *f = &disk.file[i];
		sqlite3_int64 size = random() % 2 ? f->now.size : f->synced.size;

		/* What a file was extended by reads as zeros until it is written. */
		if (f->now.size > f->synced.size)
			disk_resize(&f->synced, f->now.size);
		for (sqlite3_int64 at = 0; at < f->now.size || at < f->synced.size; at += DISK_SECTOR)
			if (random() % 2)
				memcpy(f->synced.bytes + at, f->now.bytes + at, DISK_SECTOR);
		f->synced.size = size;
		disk_copy(&f->now, &f->synced);
		f->locked = false;
	}
	disk_fail_after(-1, SQLITE_OK);
}
