/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gzip: compresses a page (zlib) piece by piece while it is sent, so that a large one does not hold up the loop. The
 * compressed bytes are kept: several readers share them.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct gzip;

/* Bytes that a compressor takes until the page's end, besides the compressed bytes. */
enum { GZIP_MEMORY = 448 * 1024 };

/*
 * read gives the page: at most room bytes from offset on; how many, fewer than room only at the end; or -errno. It is
 * called for each byte once, in order. NULL: out of memory. gzip_free(NULL) is fine.
 */
struct gzip *gzip_new(long (*read)(void *ctx, uint64_t offset, char *to, size_t room), void *ctx);
void gzip_free(struct gzip *gzip);

/*
 * Copies compressed bytes from offset on, at most room, and compresses further pieces until there are some. How many;
 * 0 at the end; or -ENOMEM or the error of read, from then on.
 */
long gzip_read(struct gzip *gzip, uint64_t offset, void *to, size_t room);

/* What is read before this offset needs no work. */
uint64_t gzip_made(const struct gzip *gzip);

/* Bytes of memory in use. */
size_t gzip_memory(const struct gzip *gzip);
