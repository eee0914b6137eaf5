/* SPDX-License-Identifier: GPL-2.0-or-later */
/* blob_file: the format of the files, for the writer (blob_file.c) and the reader (blob_read.c). */
#pragma once

#include "hostmeter/base/le.h"
#include "hostmeter/os/blob_file.h"

enum {
	BLOB_MAGIC = 8,
	BLOB_FILE_HEAD = BLOB_MAGIC + 5 * 8 + 4,
	BLOB_HEAD = 4 + 8 + 4,
	BLOB_HEAD_1 = 4 + 4 /* in files of version 1 */
};

#define BLOB_MAGIC_1 "hostmet1"
#define BLOB_MAGIC_2 "hostmet2"

/* What every CRC of a file begins with, so that a blob of another file does not pass. */
uint32_t blob_salt(uint64_t id, uint64_t generation);

/* The CRC of a blob; head: its first bytes, which say length and number. */
uint32_t blob_crc(uint32_t salt, const unsigned char *head, size_t head_len, const void *blob, size_t len);
