/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/trace/trace.h"

#include <byteswap.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum { FILE_HEADER = 24, RECORD_HEADER = 16, COOKED = 16, FIRST = 20, SECOND = 36 };

/* The trace of two datagrams that most tests start from, as bytes, and the file to put them in. */
struct fixture {
	char path[32];
	unsigned char bytes[512];
	size_t len;
};

static void store(const struct fixture *f, const void *bytes, size_t len)
{
	int fd = open(f->path, O_WRONLY | O_TRUNC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static void load(struct fixture *f)
{
	int fd = open(f->path, O_RDONLY);
	ssize_t len;

	assert_true(fd >= 0);
	len = read(fd, f->bytes, sizeof(f->bytes));
	assert_true(len > 0);
	f->len = (size_t)len;
	close(fd);
}

static const struct nlmsghdr first = { .nlmsg_len = FIRST, .nlmsg_type = 0x101, .nlmsg_seq = 7 };
static const struct nlmsghdr second = { .nlmsg_len = SECOND, .nlmsg_type = 0x102 };

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	unsigned char data[SECOND] = { 0 };
	struct trace_writer *writer;
	struct trace_datagram datagram = { .data = data };

	strcpy(f->path, "/tmp/test_trace.XXXXXX");
	close(mkstemp(f->path));
	assert_int_equal(trace_create(&writer, f->path), 0);
	memcpy(data, &first, sizeof(first));
	datagram.real_ns = UINT64_C(1700000000123456789);
	datagram.protocol = NETLINK_NETFILTER;
	datagram.outgoing = true;
	datagram.len = FIRST;
	assert_int_equal(trace_write(writer, &datagram), 0);
	memcpy(data, &second, sizeof(second));
	memset(data + sizeof(second), 0xab, SECOND - sizeof(second));
	/* After 2038: seconds are unsigned. */
	datagram.real_ns = UINT64_C(4000000000999999999);
	datagram.protocol = NETLINK_ROUTE;
	datagram.outgoing = false;
	datagram.len = SECOND;
	assert_int_equal(trace_write(writer, &datagram), 0);
	assert_int_equal(trace_close(writer), 0);
	load(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	unlink(((struct fixture *)*state)->path);
	free(*state);
	return 0;
}

static void check_first(const struct trace_datagram *d, uint64_t real_ns)
{
	assert_int_equal(d->real_ns, real_ns);
	assert_int_equal(d->protocol, NETLINK_NETFILTER);
	assert_true(d->outgoing);
	assert_int_equal(d->len, FIRST);
	assert_int_equal((uintptr_t)d->data % 8, 0);
	assert_memory_equal(d->data, &first, sizeof(first));
}

/* Reads the whole file, which must hold the two datagrams. */
static void check_both(const struct fixture *f, uint64_t first_ns, uint64_t second_ns)
{
	struct trace_reader *reader;
	struct trace_datagram d;

	assert_int_equal(trace_open(&reader, f->path), 0);
	assert_int_equal(trace_read(reader, &d), 1);
	check_first(&d, first_ns);
	assert_int_equal(trace_offset(reader), FILE_HEADER);
	assert_int_equal(trace_read(reader, &d), 1);
	assert_int_equal(trace_offset(reader), FILE_HEADER + RECORD_HEADER + COOKED + FIRST);
	assert_int_equal(d.real_ns, second_ns);
	assert_int_equal(d.protocol, NETLINK_ROUTE);
	assert_false(d.outgoing);
	assert_int_equal(d.len, SECOND);
	assert_int_equal(((const unsigned char *)d.data)[SECOND - 1], 0xab);
	assert_int_equal(trace_read(reader, &d), 0);
	assert_int_equal(trace_read(reader, &d), 0);
	trace_reader_free(reader);
}

static void what_was_written_is_read(void **state)
{
	check_both(*state, UINT64_C(1700000000123456789), UINT64_C(4000000000999999999));
}

/* Byte for byte what the two drafts say, so that other programs read it too. */
static void file_is_pcap_of_link_type_netlink(void **state)
{
	static const unsigned char cooked[COOKED] = { 0, 7, 824 >> 8, 824 & 0xff, [15] = NETLINK_NETFILTER };
	const struct fixture *f = *state;
	uint32_t header[6], record[4];

	memcpy(header, f->bytes, sizeof(header));
	assert_int_equal(header[0], 0xa1b23c4d);
	assert_int_equal(((const uint16_t *)header)[2], 2);
	assert_int_equal(((const uint16_t *)header)[3], 4);
	assert_int_equal(header[2], 0);
	assert_int_equal(header[3], 0);
	assert_int_equal(header[4], 262144);
	assert_int_equal(header[5], 253);
	memcpy(record, f->bytes + FILE_HEADER, sizeof(record));
	assert_int_equal(record[0], 1700000000);
	assert_int_equal(record[1], 123456789);
	assert_int_equal(record[2], COOKED + FIRST);
	assert_int_equal(record[3], COOKED + FIRST);
	assert_memory_equal(f->bytes + FILE_HEADER + RECORD_HEADER, cooked, COOKED);
	assert_int_equal(f->len, FILE_HEADER + 2 * (RECORD_HEADER + COOKED) + FIRST + SECOND);
}

static void swap_words(unsigned char *at, int count)
{
	for (int i = 0; i < count; i++) {
		uint32_t word;

		memcpy(&word, at + 4 * i, 4);
		word = bswap_32(word);
		memcpy(at + 4 * i, &word, 4);
	}
}

/* The file in the other byte order, as a tool on another machine writes it; what is inside the records stays. */
static void swap_file(unsigned char *bytes)
{
	unsigned char version[4] = { bytes[5], bytes[4], bytes[7], bytes[6] };

	swap_words(bytes, 6);
	memcpy(bytes + 4, version, 4);
	swap_words(bytes + FILE_HEADER, 4);
	swap_words(bytes + FILE_HEADER + RECORD_HEADER + COOKED + FIRST, 4);
}

static void either_byte_order_is_read(void **state)
{
	struct fixture *f = *state;

	swap_file(f->bytes);
	store(f, f->bytes, f->len);
	check_both(f, UINT64_C(1700000000123456789), UINT64_C(4000000000999999999));
}

static void microseconds_are_read(void **state)
{
	static const uint32_t magic = 0xa1b2c3d4, micros[2] = { 123456, 999999 };
	struct fixture *f = *state;

	memcpy(f->bytes, &magic, 4);
	memcpy(f->bytes + FILE_HEADER + 4, &micros[0], 4);
	memcpy(f->bytes + FILE_HEADER + RECORD_HEADER + COOKED + FIRST + 4, &micros[1], 4);
	store(f, f->bytes, f->len);
	check_both(f, UINT64_C(1700000000123456000), UINT64_C(4000000000999999000));
	swap_file(f->bytes);
	store(f, f->bytes, f->len);
	check_both(f, UINT64_C(1700000000123456000), UINT64_C(4000000000999999000));
}

static void foreign_netlink_headers_are_refused(void **state)
{
	struct fixture *f = *state;
	struct trace_reader *reader = NULL;

	swap_words(f->bytes + FILE_HEADER + RECORD_HEADER + COOKED, 1);
	store(f, f->bytes, f->len);
	assert_int_equal(trace_open(&reader, f->path), -EXDEV);
	assert_null(reader);
	swap_file(f->bytes);
	store(f, f->bytes, f->len);
	assert_int_equal(trace_open(&reader, f->path), -EXDEV);
}

static void cut_anywhere_is_noticed(void **state)
{
	struct fixture *f = *state;
	const size_t second_at = FILE_HEADER + RECORD_HEADER + COOKED + FIRST;
	struct trace_reader *reader;
	struct trace_datagram d;

	for (size_t len = 0; len < f->len; len++) {
		store(f, f->bytes, len);
		if (len < FILE_HEADER) {
			assert_int_equal(trace_open(&reader, f->path), -EBADMSG);
			continue;
		}
		assert_int_equal(trace_open(&reader, f->path), 0);
		if (len >= second_at)
			assert_int_equal(trace_read(reader, &d), 1);
		assert_int_equal(trace_read(reader, &d), len == FILE_HEADER || len == second_at ? 0 : -EBADMSG);
		assert_int_equal(trace_offset(reader), len >= second_at ? second_at : FILE_HEADER);
		assert_int_equal(trace_read(reader, &d), len == FILE_HEADER || len == second_at ? 0 : -EBADMSG);
		trace_reader_free(reader);
	}
}

static int open_with_word(struct fixture *f, size_t at, uint32_t word)
{
	unsigned char bytes[sizeof(f->bytes)];
	struct trace_reader *reader;
	int error;

	memcpy(bytes, f->bytes, f->len);
	memcpy(bytes + at, &word, 4);
	store(f, bytes, f->len);
	error = trace_open(&reader, f->path);
	if (!error)
		trace_reader_free(reader);
	return error;
}

static void other_files_are_refused(void **state)
{
	struct fixture *f = *state;
	struct trace_reader *reader;

	assert_int_equal(open_with_word(f, 20, 1), -EPROTONOSUPPORT);
	assert_int_equal(open_with_word(f, 20, 253 | 0x10000000), 0);
	assert_int_equal(open_with_word(f, 0, 0x0a0d0d0a), -EBADMSG);
	assert_int_equal(open_with_word(f, 4, 0x00030003), -EBADMSG);
	assert_int_equal(trace_open(&reader, "/nonexistent/trace"), -ENOENT);
	assert_int_equal(trace_open(&reader, "/tmp"), -EISDIR);
}

/* The file is long enough to overrun any buffer of the reader's that believes the length. */
static void hostile_lengths_are_refused(void **state)
{
	static const uint32_t lengths[] = { 0, COOKED - 1, (1 << 18) + 1, 0x7fffffff, 0xffffffff };
	static unsigned char bytes[1 << 20];
	struct fixture *f = *state;
	struct trace_reader *reader;
	struct trace_datagram d;

	memcpy(bytes, f->bytes, f->len);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		memcpy(bytes + FILE_HEADER + 8, &lengths[i], 4);
		memcpy(bytes + FILE_HEADER + 12, &lengths[i], 4);
		store(f, bytes, sizeof(bytes));
		assert_int_equal(trace_open(&reader, f->path), 0);
		assert_int_equal(trace_read(reader, &d), -EBADMSG);
		trace_reader_free(reader);
	}
}

static void record_cut_by_a_snapshot_length_is_refused(void **state)
{
	static const uint32_t original = COOKED + FIRST + 1;
	struct fixture *f = *state;
	struct trace_reader *reader;
	struct trace_datagram d;

	memcpy(f->bytes + FILE_HEADER + 12, &original, 4);
	store(f, f->bytes, f->len);
	assert_int_equal(trace_open(&reader, f->path), 0);
	assert_int_equal(trace_read(reader, &d), -EBADMSG);
	trace_reader_free(reader);
}

static void datagram_without_a_byte_is_kept(void **state)
{
	struct fixture *f = *state;
	const struct trace_datagram empty = { .protocol = NETLINK_ROUTE };
	struct trace_writer *writer;
	struct trace_reader *reader;
	struct trace_datagram d;

	assert_int_equal(trace_create(&writer, f->path), 0);
	assert_int_equal(trace_write(writer, &empty), 0);
	assert_int_equal(trace_close(writer), 0);
	assert_int_equal(trace_open(&reader, f->path), 0);
	assert_int_equal(trace_read(reader, &d), 1);
	assert_int_equal(d.len, 0);
	assert_int_equal(trace_read(reader, &d), 0);
	trace_reader_free(reader);
}

/* What goes over a socket is the same file, byte for byte. */
static void memory_has_what_the_file_has(void **state)
{
	struct fixture *f = *state;
	unsigned char data[SECOND] = { 0 };
	struct trace_datagram d = { UINT64_C(1700000000123456789), NETLINK_NETFILTER, true, data, FIRST };
	struct buf out = BUF_INIT;

	trace_append_head(&out);
	memcpy(data, &first, sizeof(first));
	assert_int_equal(trace_append(&out, &d), 0);
	assert_int_equal(out.len, FILE_HEADER + trace_size(&d));
	memcpy(data, &second, sizeof(second));
	memset(data + sizeof(second), 0xab, SECOND - sizeof(second));
	d = (struct trace_datagram){ UINT64_C(4000000000999999999), NETLINK_ROUTE, false, data, SECOND };
	assert_int_equal(trace_append(&out, &d), 0);
	assert_int_equal(out.len, f->len);
	assert_memory_equal(out.data, f->bytes, f->len);
	d.len = 1 << 18;
	assert_int_equal(trace_append(&out, &d), -EMSGSIZE);
	assert_int_equal(out.len, f->len);
	buf_free(&out);
}

static void note_is_known_and_passed_over(void **state)
{
	struct fixture *f = *state;
	struct trace_reader *reader;
	struct trace_datagram d;
	struct buf out = BUF_INIT;
	char text[32];

	trace_append_head(&out);
	trace_append_note(&out, 5, "read too slowly");
	store(f, out.data, out.len);
	assert_int_equal(trace_open_stream(&reader, fopen(f->path, "r")), 0);
	assert_int_equal(trace_read(reader, &d), 1);
	assert_true(trace_is_note(&d, text, sizeof(text)));
	assert_string_equal(text, "read too slowly");
	assert_true(trace_is_note(&d, text, 5));
	assert_string_equal(text, "read");
	d.len = 15;
	assert_false(trace_is_note(&d, text, sizeof(text)));
	trace_reader_free(reader);
	store(f, f->bytes, f->len);
	assert_int_equal(trace_open(&reader, f->path), 0);
	assert_int_equal(trace_read(reader, &d), 1);
	assert_false(trace_is_note(&d, text, sizeof(text)));
	trace_reader_free(reader);
	buf_free(&out);
}

static void writing_errors_stay(void **state)
{
	struct fixture *f = *state;
	static unsigned char data[1 << 18];
	struct trace_datagram d = { .data = data, .len = sizeof(data) };
	struct trace_writer *writer;
	int error = 0;

	assert_int_equal(trace_create(&writer, "/nonexistent/trace"), -ENOENT);
	assert_int_equal(trace_close(NULL), 0);
	assert_int_equal(trace_create(&writer, f->path), 0);
	assert_int_equal(trace_write(writer, &d), -EMSGSIZE);
	d.len = 20;
	assert_int_equal(trace_write(writer, &d), -EMSGSIZE);
	assert_int_equal(trace_close(writer), -EMSGSIZE);
	/* What a buffer held back is only noticed missing at the end. */
	assert_int_equal(trace_create(&writer, "/dev/full"), 0);
	assert_int_equal(trace_write(writer, &d), 0);
	assert_int_equal(trace_close(writer), -ENOSPC);
	assert_int_equal(trace_create(&writer, "/dev/full"), 0);
	d.len = 100000;
	for (int i = 0; i < 3 && !error; i++)
		error = trace_write(writer, &d);
	assert_int_equal(error, -ENOSPC);
	assert_int_equal(trace_write(writer, &d), -ENOSPC);
	assert_int_equal(trace_close(writer), -ENOSPC);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_written_is_read),
		TEST(file_is_pcap_of_link_type_netlink),
		TEST(either_byte_order_is_read),
		TEST(microseconds_are_read),
		TEST(foreign_netlink_headers_are_refused),
		TEST(cut_anywhere_is_noticed),
		TEST(other_files_are_refused),
		TEST(hostile_lengths_are_refused),
		TEST(record_cut_by_a_snapshot_length_is_refused),
		TEST(datagram_without_a_byte_is_kept),
		TEST(memory_has_what_the_file_has),
		TEST(note_is_known_and_passed_over),
		TEST(writing_errors_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
