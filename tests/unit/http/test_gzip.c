/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/http/gzip.h"

#include "hostmeter/base/buf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

/* What zlib's own reader makes of it; it must be one member and nothing behind it. */
static char *inflated(const struct buf *gz, size_t size)
{
	z_stream stream = { .next_in = (Bytef *)gz->data, .avail_in = (uInt)gz->len };
	char *text = malloc(size + 1);

	assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
	stream.next_out = (Bytef *)text;
	stream.avail_out = (uInt)size + 1;
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	assert_int_equal(stream.total_out, size);
	assert_int_equal(stream.avail_in, 0);
	inflateEnd(&stream);
	return text;
}

static struct buf read_all(struct gzip *gzip, size_t room)
{
	struct buf out = BUF_INIT;
	long got;

	while ((got = gzip_read(gzip, out.len, buf_reserve(&out, room), room)) > 0)
		buf_commit(&out, (size_t)got);
	assert_int_equal(got, 0);
	return out;
}

static char *page(size_t size)
{
	char *text = malloc(size + 100);
	uint32_t random = 1;

	for (size_t i = 0; i < size;) {
		random = random * 1664525 + 1013904223;
		i += (size_t)sprintf(text + i, "host_bytes_total{host=\"h%u\"} %u\n", random >> 24, random);
	}
	return text;
}

/* A page that is there as a whole. */
struct whole {
	const char *text;
	size_t size;
};

static long read_whole(void *ctx, uint64_t offset, char *to, size_t room)
{
	const struct whole *whole = ctx;
	size_t left = whole->size - (size_t)offset;

	assert_in_range(offset, 0, whole->size);
	if (room > left)
		room = left;
	memcpy(to, whole->text + offset, room);
	return (long)room;
}

static void pages_of_all_sizes_come_back(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, 65536, 262143, 262144, 262145, 1 << 20, 3000001 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *text = page(sizes[i]), *back;
		struct whole whole = { text, sizes[i] };
		struct gzip *gzip = gzip_new(read_whole, &whole);
		struct buf out = read_all(gzip, i % 2 ? 16384 : 1000000);

		back = inflated(&out, sizes[i]);
		assert_memory_equal(back, text, sizes[i]);
		assert_in_range(out.len, 1, sizes[i] / 2 + 30);
		free(back);
		buf_free(&out);
		gzip_free(gzip);
		free(text);
	}
}

/* What does not get smaller needs more room than it has. */
static void noise_comes_back(void **state)
{
	size_t size = 1000000;
	char *text = malloc(size), *back;
	uint32_t random = 7;
	struct gzip *gzip;
	struct buf out;

	(void)state;
	for (size_t i = 0; i < size; i++) {
		random = random * 1664525 + 1013904223;
		text[i] = (char)(random >> 24);
	}
	gzip = gzip_new(read_whole, &(struct whole){ text, size });
	out = read_all(gzip, 4096);
	back = inflated(&out, size);
	assert_memory_equal(back, text, size);
	free(back);
	buf_free(&out);
	gzip_free(gzip);
	free(text);
}

static void two_readers_get_the_same(void **state)
{
	char *text = page(1000000);
	struct whole whole = { text, 1000000 };
	struct gzip *gzip = gzip_new(read_whole, &whole);
	struct buf quick = BUF_INIT, slow = BUF_INIT;
	long got = 1, more = 1;

	(void)state;
	while (got || more) {
		got = gzip_read(gzip, quick.len, buf_reserve(&quick, 30000), 30000);
		assert_true(got >= 0);
		buf_commit(&quick, (size_t)got);
		more = gzip_read(gzip, slow.len, buf_reserve(&slow, 7), 7);
		assert_true(more >= 0);
		buf_commit(&slow, (size_t)more);
	}
	assert_int_equal(quick.len, slow.len);
	assert_memory_equal(quick.data, slow.data, slow.len);
	buf_free(&quick);
	buf_free(&slow);
	gzip_free(gzip);
	free(text);
}

static long fail_at_the_third(void *ctx, uint64_t offset, char *to, size_t room)
{
	int *calls = ctx;

	(void)offset;
	memset(to, 'x', room);
	return ++*calls == 3 ? -ENOMEM : (long)room;
}

/* What fails half way must not look whole. */
static void an_error_of_the_page_is_told(void **state)
{
	int calls = 0;
	struct gzip *gzip = gzip_new(fail_at_the_third, &calls);
	char bytes[1000];
	uint64_t offset = 0;
	long got;

	(void)state;
	while ((got = gzip_read(gzip, offset, bytes, sizeof(bytes))) > 0)
		offset += (uint64_t)got;
	assert_int_equal(got, -ENOMEM);
	assert_int_equal(gzip_read(gzip, 0, bytes, sizeof(bytes)), -ENOMEM);
	assert_int_equal(calls, 3);
	gzip_free(gzip);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_of_all_sizes_come_back),
		cmocka_unit_test(noise_comes_back),
		cmocka_unit_test(two_readers_get_the_same),
		cmocka_unit_test(an_error_of_the_page_is_told),
	};

	gzip_free(NULL);
	return cmocka_run_group_tests_name("gzip", tests, NULL, NULL);
}
