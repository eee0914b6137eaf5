/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * buf: a growing byte buffer to render into. A failed allocation is remembered, not reported per call: the writer goes
 * on, and the owner asks buf_error() once.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	char *data; /* not terminated; NULL while empty */
	size_t len;
	size_t size; /* allocated */
	int error;   /* 0 or -ENOMEM */
};

#define BUF_INIT ((struct buf){ 0 })

/* Appends; does nothing once an error is set. */
void buf_add(struct buf *b, const void *data, size_t len);
void buf_puts(struct buf *b, const char *text);
void buf_putc(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Appends decimal digits: the hot half of an exposition, several times quicker than buf_printf(). */
void buf_put_u64(struct buf *b, uint64_t value);

/* Makes room for more bytes and returns where they go, or NULL on error; buf_commit() then adds what was used. */
void *buf_reserve(struct buf *b, size_t more);
void buf_commit(struct buf *b, size_t used);

/* Copies bytes from offset on, at most room. Returns how many; 0 at the end; buf_error(). */
long buf_copy(const struct buf *b, uint64_t offset, void *to, size_t room);

/* Empties it and clears the error. Up to 128 KiB of memory are kept for the next use. */
void buf_reset(struct buf *b);

/* 0, or -ENOMEM if anything since the last reset was not stored. */
int buf_error(const struct buf *b);

/* The text itself with a NUL after it (not counted), or "" on error. Valid until the next call. */
const char *buf_text(struct buf *b);

void buf_free(struct buf *b);
