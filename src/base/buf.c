/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/base/buf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_SIZE = 256, BUF_KEEP_SIZE = 128 << 10 };

static bool grow(struct buf *b, size_t need)
{
	size_t size = b->size ? b->size : BUF_FIRST_SIZE;
	char *data;

	while (size < need)
		size = size <= SIZE_MAX / 2 ? size * 2 : need;
	data = realloc(b->data, size);
	if (!data)
		return false;
	b->data = data;
	b->size = size;
	return true;
}

void *buf_reserve(struct buf *b, size_t more)
{
	if (b->error)
		return NULL;
	/* An empty request still gets a pointer, for NULL means an error. */
	if (b->data && more <= b->size - b->len)
		return b->data + b->len;
	if (more > SIZE_MAX - b->len || !grow(b, b->len + more)) {
		b->error = -ENOMEM;
		return NULL;
	}
	return b->data + b->len;
}

void buf_commit(struct buf *b, size_t used)
{
	if (!b->error)
		b->len += used;
}

void buf_add(struct buf *b, const void *data, size_t len)
{
	void *to = buf_reserve(b, len);

	if (!to || !len)
		return;
	memcpy(to, data, len);
	b->len += len;
}

void buf_puts(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_putc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

/* The terminator that vsnprintf() insists on lies in reserved room, and is not counted. */
void buf_printf(struct buf *b, const char *format, ...)
{
	char *to = buf_reserve(b, 1);
	va_list args;
	int len;

	if (!to)
		return;
	va_start(args, format);
	len = vsnprintf(to, b->size - b->len, format, args);
	va_end(args);
	if (len >= 0 && (size_t)len >= b->size - b->len) {
		to = buf_reserve(b, (size_t)len + 1);
		if (!to)
			return;
		va_start(args, format);
		len = vsnprintf(to, b->size - b->len, format, args);
		va_end(args);
	}
	if (len < 0)
		b->error = -ENOMEM;
	else
		b->len += (size_t)len;
}

void buf_put_u64(struct buf *b, uint64_t value)
{
	char digits[20];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	buf_add(b, digits + i, sizeof(digits) - i);
}

long buf_copy(const struct buf *b, uint64_t offset, void *to, size_t room)
{
	if (b->error || offset >= b->len)
		return b->error;
	if (room > b->len - offset)
		room = b->len - (size_t)offset;
	memcpy(to, b->data + offset, room);
	return (long)room;
}

void buf_reset(struct buf *b)
{
	if (b->size > BUF_KEEP_SIZE)
		buf_free(b);
	b->len = 0;
	b->error = 0;
}

int buf_error(const struct buf *b)
{
	return b->error;
}

const char *buf_text(struct buf *b)
{
	char *end = buf_reserve(b, 1);

	if (!end)
		return "";
	*end = '\0';
	return b->data;
}

void buf_free(struct buf *b)
{
	free(b->data);
	*b = BUF_INIT;
}
