/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pages.h"

#include "hostmeter/export/api.h"
#include "hostmeter/export/endpoints.h"
#include "hostmeter/export/prometheus.h"
#include "hostmeter/http/server.h"
#include "hostmeter/meter/snapshot.h"
#include "hostmeter/os/loop.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include <cmocka.h>

enum { MANY = 4000, MIB = 1024 * 1024 };

/* A meter with so many hosts, whose counts tell which snapshot it is. */
struct fixture {
	struct loop *loop;
	struct loop_timer *timer;
	struct pages *pages;
	struct endpoints_source source;
	size_t hosts;
	unsigned int snapshots;
	bool is_ready;
};

static void make_snapshot(struct snapshot *out, size_t hosts, unsigned int number)
{
	*out = (struct snapshot){ .hosts = hosts, .addresses = hosts, .ready = true, .now = 1000 * CLOCK_NS_PER_S };
	out->stats.dumps = number;
	out->host = calloc(hosts, sizeof(*out->host));
	out->address = calloc(hosts, sizeof(*out->address));
	for (size_t i = 0; i < hosts; i++) {
		struct snapshot_host *host = &out->host[i];

		snprintf(host->label, sizeof(host->label), "host-%zu", i);
		snprintf(host->mac, sizeof(host->mac), "02:00:00:00:%02x:%02x", (unsigned int)i >> 8 & 255,
			(unsigned int)i & 255);
		host->wan.of[0][0].bytes = i * 1000003 + number;
		out->address[i].host = (uint32_t)i;
		out->address[i].addr = (struct addr){ .family = 4, .b = { 10, 0, (uint8_t)(i >> 8), (uint8_t)i } };
	}
}

static int snapshot(void *ctx, struct snapshot *out)
{
	struct fixture *f = ctx;

	make_snapshot(out, f->hosts, ++f->snapshots);
	out->ready = f->is_ready;
	return 0;
}

static bool ready(void *ctx)
{
	return ((struct fixture *)ctx)->is_ready;
}

static void stop(void *ctx)
{
	loop_stop(ctx);
}

static void start(struct fixture *f, size_t hosts, size_t limit)
{
	pages_free(f->pages);
	f->hosts = hosts;
	f->pages = pages_new(f->loop, &f->source, limit);
	assert_non_null(f->pages);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->loop = loop_new();
	f->timer = loop_timer_add(f->loop, stop, f->loop);
	f->source = (struct endpoints_source){ .ctx = f, .snapshot = snapshot, .ready = ready };
	f->is_ready = true;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pages_free(f->pages);
	loop_free(f->loop);
	free(f);
	return 0;
}

static void turn(struct fixture *f, uint64_t ns)
{
	loop_timer_set(f->timer, ns);
	loop_run(f->loop);
}

/* Until nobody shares what was made so far. */
static void grow_old(struct fixture *f)
{
	turn(f, ENDPOINTS_SHARE_NS + ENDPOINTS_SHARE_NS / 2);
}

static struct http_shared open_page(struct fixture *f, enum page page)
{
	struct pages_wish wish = { .page = page };
	struct http_shared body;

	assert_int_equal(pages_open(f->pages, &wish, &body), 0);
	return body;
}

static void check_bound(const struct fixture *f)
{
	const struct pages_usage usage = pages_usage(f->pages);

	assert_in_range(usage.bytes, 0, usage.limit);
}

/* At most so many bytes more; the number that came, 0 at the end. */
static size_t read_more(struct fixture *f, const struct http_shared *body, struct buf *out, size_t most)
{
	long got;

	if (!body->read) {
		buf_add(out, body->data, body->len);
		return 0;
	}
	while ((got = body->read(body->ctx, out->len, buf_reserve(out, most), most)) == -EAGAIN)
		turn(f, 0);
	assert_true(got >= 0);
	buf_commit(out, (size_t)got);
	check_bound(f);
	return (size_t)got;
}

static struct buf read_all(struct fixture *f, const struct http_shared *body, size_t step)
{
	struct buf out = BUF_INIT;

	while (read_more(f, body, &out, step))
		continue;
	return out;
}

static struct buf whole(size_t hosts, enum page page, unsigned int number)
{
	struct cursor cursor = { 0 };
	struct snapshot s;
	struct buf out = BUF_INIT;

	make_snapshot(&s, hosts, number);
	if (page == PAGE_TEXT || page == PAGE_OPENMETRICS)
		prometheus_render(&out, &s, page == PAGE_TEXT ? PROMETHEUS_TEXT : PROMETHEUS_OPENMETRICS);
	else
		api_hosts_some(&out, &s, page == PAGE_HOSTS, &cursor, SIZE_MAX);
	snapshot_clear(&s);
	return out;
}

static void assert_same(const struct buf *got, const struct buf *want)
{
	assert_int_equal(got->len, want->len);
	assert_memory_equal(got->data, want->data, want->len);
}

static void a_page_in_pieces_is_the_page(void **state)
{
	static const size_t steps[] = { 16384, 1000, 1000000 };
	struct fixture *f = *state;

	for (int page = 0; page <= PAGE_HOSTS_WAN; page++) {
		struct buf want = whole(MANY, (enum page)page, 1), got;
		struct http_shared body;

		start(f, MANY, 64 * MIB);
		f->snapshots = 0;
		body = open_page(f, (enum page)page);
		assert_in_range(want.len, MIB, 64 * MIB);
		got = read_all(f, &body, steps[page % 3]);
		assert_same(&got, &want);
		body.release(body.ctx);
		buf_free(&got);
		buf_free(&want);
	}
}

static void a_small_page_is_read_where_it_is(void **state)
{
	struct fixture *f = *state;
	struct http_shared a, b;
	struct buf want = whole(3, PAGE_TEXT, 1);

	start(f, 3, 8 * MIB);
	a = open_page(f, PAGE_TEXT);
	b = open_page(f, PAGE_TEXT);
	assert_null(a.read);
	assert_ptr_equal(a.data, b.data);
	assert_int_equal(a.len, want.len);
	assert_memory_equal(a.data, want.data, want.len);
	a.release(a.ctx);
	b.release(b.ctx);
	buf_free(&want);
}

/* The page has several times the bound. Each reader gets all of its own snapshot's, at whatever speed. */
static void slow_readers_get_their_page_within_the_bound(void **state)
{
	struct fixture *f = *state;
	struct http_shared body[3];
	struct buf got[3] = { BUF_INIT, BUF_INIT, BUF_INIT };
	bool goes_on = true;

	start(f, MANY, 7 * MIB);
	for (int i = 0; i < 3; i++) {
		body[i] = open_page(f, PAGE_TEXT);
		read_more(f, &body[i], &got[i], 10000);
		grow_old(f);
	}
	assert_int_equal(f->snapshots, 3);
	while (goes_on) {
		goes_on = read_more(f, &body[0], &got[0], 300);
		goes_on |= read_more(f, &body[1], &got[1], 50000);
		goes_on |= read_more(f, &body[2], &got[2], 200000);
	}
	for (unsigned int i = 0; i < 3; i++) {
		struct buf want = whole(MANY, PAGE_TEXT, i + 1);

		assert_in_range(3 * want.len, 14 * MIB, 64 * MIB);
		assert_same(&got[i], &want);
		body[i].release(body[i].ctx);
		buf_free(&want);
		buf_free(&got[i]);
	}
}

/* Whoever comes when the memory is in use gets the newest snapshot, while it is young enough. */
static void what_does_not_fit_is_shared(void **state)
{
	struct fixture *f = *state;
	struct pages_wish wish = { .page = PAGE_TEXT };
	struct http_shared body[20];
	unsigned int fits = 0, shares = 0;

	start(f, MANY, 8 * MIB);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(pages_open(f->pages, &wish, &body[i]), 0);
		shares += wish.is_old;
		assert_int_equal(f->snapshots + shares, i + 1);
		check_bound(f);
		grow_old(f);
	}
	fits = f->snapshots;
	assert_in_range(fits, 3, 7);
	assert_ptr_equal(body[19].ctx, body[fits - 1].ctx);
	assert_int_equal(pages_usage(f->pages).refused, 0);
	turn(f, PAGES_OLDEST_NS - (20 - fits) * 3 / 2 * ENDPOINTS_SHARE_NS + ENDPOINTS_SHARE_NS);
	assert_int_equal(pages_open(f->pages, &wish, &body[0]), -EAGAIN);
	assert_int_equal(pages_usage(f->pages).refused, 1);
	/* One snapshot less, and there is room again. */
	body[1].release(body[1].ctx);
	assert_int_equal(pages_open(f->pages, &wish, &body[1]), 0);
	assert_false(wish.is_old);
	assert_int_equal(f->snapshots, fits + 1);
	for (int i = 0; i < 20; i++)
		body[i].release(body[i].ctx);
}

static void who_reads_already_shares_when_half_is_used(void **state)
{
	struct fixture *f = *state;
	struct pages_wish greedy = { .page = PAGE_TEXT, .answers = 1 }, other = { .page = PAGE_TEXT };
	struct http_shared body[20];
	unsigned int had;

	start(f, MANY, 16 * MIB);
	for (int i = 0; i < 12; i++) {
		assert_int_equal(pages_open(f->pages, &greedy, &body[i]), 0);
		grow_old(f);
	}
	assert_true(greedy.is_old);
	had = f->snapshots;
	assert_in_range(pages_usage(f->pages).bytes, 7 * MIB, 11 * MIB);
	assert_int_equal(pages_open(f->pages, &other, &body[12]), 0);
	assert_false(other.is_old);
	assert_int_equal(f->snapshots, had + 1);
	for (int i = 0; i < 13; i++)
		body[i].release(body[i].ctx);
}

static void what_never_fits_is_refused(void **state)
{
	struct fixture *f = *state;
	struct pages_wish wish = { .page = PAGE_TEXT };
	struct http_shared body;

	start(f, MANY, MIB);
	for (unsigned int i = 1; i <= 3; i++) {
		assert_int_equal(pages_open(f->pages, &wish, &body), -EAGAIN);
		assert_int_equal(pages_usage(f->pages).refused, i);
		assert_int_equal(pages_usage(f->pages).bytes, 0);
	}
}

static void all_memory_is_given_back(void **state)
{
	struct fixture *f = *state;
	struct http_shared body[4];

	start(f, MANY, 64 * MIB);
	assert_int_equal(pages_usage(f->pages).bytes, 0);
	for (int i = 0; i < 4; i++) {
		struct pages_wish wish = { .page = (enum page)i, .gzip = i % 2 };
		struct buf got;

		assert_int_equal(pages_open(f->pages, &wish, &body[i]), 0);
		got = read_all(f, &body[i], 16384);
		buf_free(&got);
		if (i == 1)
			grow_old(f);
	}
	assert_in_range(pages_usage(f->pages).bytes, 4 * MIB, 64 * MIB);
	grow_old(f);
	for (int i = 0; i < 4; i++)
		body[i].release(body[i].ctx);
	assert_int_equal(pages_usage(f->pages).bytes, 0);
	/* Who still reads may do so to the end. */
	body[0] = open_page(f, PAGE_TEXT);
	pages_free(f->pages);
	f->pages = NULL;
	assert_int_equal(body[0].read(body[0].ctx, 0, (char[16]){ 0 }, 16), 16);
	body[0].release(body[0].ctx);
}

static void compressed_pages_are_the_page(void **state)
{
	struct fixture *f = *state;
	struct pages_wish wish = { .page = PAGE_TEXT, .gzip = true };
	struct buf want = whole(MANY, PAGE_TEXT, 1), back = BUF_INIT, got, again;
	struct http_shared a, b;
	z_stream stream = { 0 };

	start(f, MANY, 8 * MIB);
	assert_int_equal(pages_open(f->pages, &wish, &a), 0);
	assert_true(wish.gzip);
	assert_int_equal(pages_open(f->pages, &wish, &b), 0);
	got = read_all(f, &a, 16384);
	again = read_all(f, &b, 100);
	assert_same(&again, &got);
	stream.next_in = (Bytef *)got.data;
	stream.avail_in = (uInt)got.len;
	stream.next_out = buf_reserve(&back, want.len + 1);
	stream.avail_out = (uInt)want.len + 1;
	assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
	assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
	buf_commit(&back, stream.total_out);
	inflateEnd(&stream);
	assert_same(&back, &want);
	a.release(a.ctx);
	b.release(b.ctx);
	buf_free(&got);
	buf_free(&again);
	buf_free(&back);
	buf_free(&want);
}

/* A client without chunks is told the length first. It takes several turns. */
static void the_length_is_known_before(void **state)
{
	struct fixture *f = *state;
	struct pages_wish wish = { .page = PAGE_TEXT, .length = true };
	struct buf want = whole(10 * MANY, PAGE_TEXT, 1), got;
	struct http_shared body;
	int turns = 0;
	long len;

	start(f, 10 * MANY, 32 * MIB);
	assert_int_equal(pages_open(f->pages, &wish, &body), 0);
	assert_non_null(body.measure);
	while ((len = body.measure(body.ctx)) == -EAGAIN) {
		check_bound(f);
		turn(f, 0);
		turns++;
	}
	assert_int_equal(len, want.len);
	assert_in_range(turns, 2, 100000);
	got = read_all(f, &body, 16384);
	assert_same(&got, &want);
	body.release(body.ctx);
	buf_free(&got);
	buf_free(&want);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_page_in_pieces_is_the_page),
		TEST(a_small_page_is_read_where_it_is),
		TEST(slow_readers_get_their_page_within_the_bound),
		TEST(what_does_not_fit_is_shared),
		TEST(who_reads_already_shares_when_half_is_used),
		TEST(what_never_fits_is_refused),
		TEST(all_memory_is_given_back),
		TEST(compressed_pages_are_the_page),
		TEST(the_length_is_known_before),
	};

	pages_free(NULL);
	return cmocka_run_group_tests_name("pages", tests, NULL, NULL);
}
