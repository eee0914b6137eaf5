/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gzip: a page compressed piece by piece as it is sent (zlib), so that a large one never holds up the loop; whoever
 * else reads it gets the pieces that are already there.
 */
#ifndef HOSTMETER_HTTP_GZIP_H
#define HOSTMETER_HTTP_GZIP_H

#include <stddef.h>
#include <stdint.h>

struct gzip;

/*
 * Of what read gives: bytes from offset on, at most room; how many, fewer than room only at the end, or -errno. It is
 * asked for each byte once, in order. NULL: out of memory. gzip_free(NULL) is fine.
 */
struct gzip *gzip_new(long (*read)(void *ctx, uint64_t offset, char *to, size_t room), void *ctx);
void gzip_free(struct gzip *gzip);

/*
 * Copies compressed bytes from offset on, as many as are there, at most room; what is missing is compressed first, a
 * bounded piece per call. How many; 0 at the end; or -ENOMEM or read's error, from then on.
 */
long gzip_read(struct gzip *gzip, uint64_t offset, void *to, size_t room);

#endif
