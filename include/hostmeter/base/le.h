/* SPDX-License-Identifier: GPL-2.0-or-later */
/* le: little-endian numbers in files, independent of the layout of structs. */
#pragma once

#include "hostmeter/base/buf.h"

#include <stdbool.h>
#include <string.h>

/* Writes the low len (1 to 8) bytes of value. */
static inline void le_store(unsigned char *bytes, uint64_t value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (unsigned char)(value >> 8 * i);
}

/* Appends them. */
static inline void le_put(struct buf *out, uint64_t value, size_t len)
{
	unsigned char bytes[8];

	le_store(bytes, value, len);
	buf_add(out, bytes, len);
}

/* After a read past the end, ran_out is set and all reads return 0. */
struct le_reader {
	const unsigned char *at;
	size_t left;
	bool ran_out;
};

static inline struct le_reader le_reader(const void *data, size_t len)
{
	return (struct le_reader){ .at = data, .left = len };
}

static inline const unsigned char *le_bytes(struct le_reader *in, size_t len)
{
	const unsigned char *at = in->at;

	if (in->ran_out || in->left < len) {
		in->ran_out = true;
		return NULL;
	}
	in->at += len;
	in->left -= len;
	return at;
}

static inline uint64_t le_get(struct le_reader *in, size_t len)
{
	const unsigned char *bytes = le_bytes(in, len);
	uint64_t value = 0;

	for (size_t i = 0; bytes && i < len; i++)
		value |= (uint64_t)bytes[i] << 8 * i;
	return value;
}

static inline void le_get_bytes(struct le_reader *in, void *out, size_t len)
{
	const unsigned char *bytes = le_bytes(in, len);

	if (bytes)
		memcpy(out, bytes, len);
	else
		memset(out, 0, len);
}
