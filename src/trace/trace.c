/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/trace/trace.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/os/file.h"

#include <byteswap.h>
#include <endian.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAGIC_MICRO UINT32_C(0xa1b2c3d4)
#define MAGIC_NANO UINT32_C(0xa1b23c4d)

enum {
	PCAP_VERSION_MAJOR = 2,
	PCAP_VERSION_MINOR = 4,
	LINKTYPE_NETLINK = 253,
	ARPHRD = 824,         /* ARPHRD_NETLINK */
	TO_USER = 6,          /* PACKET_USER */
	TO_KERNEL = 7,        /* PACKET_KERNEL */
	RECORD_MAX = 1 << 18, /* Wireshark's own limit */
	NOTE_MAX = 256,
};

struct file_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t reserved[2];
	uint32_t snaplen;
	uint32_t linktype;
};

static const struct file_header file_head = {
	.magic = MAGIC_NANO,
	.major = PCAP_VERSION_MAJOR,
	.minor = PCAP_VERSION_MINOR,
	.snaplen = RECORD_MAX,
	.linktype = LINKTYPE_NETLINK,
};

struct record_header {
	uint32_t seconds;
	uint32_t fraction; /* micro- or nanoseconds */
	uint32_t stored;
	uint32_t original;
};

/* The header of a datagram in LINKTYPE_NETLINK, in network byte order. */
struct cooked {
	uint16_t direction, arphrd;
	unsigned char unused[10];
	uint16_t protocol;
};

enum { COOKED_LEN = sizeof(struct cooked), DATAGRAM_MAX = RECORD_MAX - COOKED_LEN };

struct trace_writer {
	FILE *file;
	int error;
};

struct trace_reader {
	FILE *file;
	bool swapped;
	uint32_t fraction_ns; /* nanoseconds per unit of the fraction */
	uint64_t next;        /* offset of the next record */
	uint64_t offset;      /* of the one read last */
	bool ahead;           /* trace_open() has read the first record, into result and first */
	int result;
	struct trace_datagram first;
	_Alignas(8) unsigned char data[DATAGRAM_MAX];
};

/* The error of a stdio call that failed; never 0. */
static int file_error(void)
{
	return errno ? -errno : -EIO;
}

static int put(struct trace_writer *writer, const void *data, size_t len)
{
	errno = 0;
	if (!writer->error && len && fwrite(data, len, 1, writer->file) != 1)
		writer->error = file_error();
	return writer->error;
}

int trace_create(struct trace_writer **out, const char *path)
{
	struct trace_writer *writer = calloc(1, sizeof(*writer));
	int fd, error = -ENOMEM;

	if (!writer)
		return error;
	/* Readable for its owner only: it shows who talked to whom. */
	fd = file_create(path);
	writer->file = fd < 0 ? NULL : fdopen(fd, "w");
	if (!writer->file) {
		error = fd < 0 ? fd : -errno;
		if (fd >= 0)
			close(fd);
		free(writer);
		return error;
	}
	put(writer, &file_head, sizeof(file_head));
	*out = writer;
	return 0;
}

/* What precedes each datagram. */
struct heads {
	struct record_header record;
	struct cooked cooked;
};

static int make_heads(const struct trace_datagram *datagram, struct heads *heads)
{
	if (datagram->len > DATAGRAM_MAX)
		return -EMSGSIZE;
	*heads = (struct heads){
		.record = {
			.seconds = (uint32_t)(datagram->real_ns / CLOCK_NS_PER_S),
			.fraction = (uint32_t)(datagram->real_ns % CLOCK_NS_PER_S),
			.stored = (uint32_t)(COOKED_LEN + datagram->len),
			.original = (uint32_t)(COOKED_LEN + datagram->len),
		},
		.cooked = {
			.direction = htobe16(datagram->outgoing ? TO_KERNEL : TO_USER),
			.arphrd = htobe16(ARPHRD),
			.protocol = htobe16(datagram->protocol),
		},
	};
	return 0;
}

int trace_write(struct trace_writer *writer, const struct trace_datagram *datagram)
{
	struct heads heads;
	int error = make_heads(datagram, &heads);

	if (error && !writer->error)
		writer->error = error;
	put(writer, &heads, sizeof(heads));
	return put(writer, datagram->data, datagram->len);
}

size_t trace_size(const struct trace_datagram *datagram)
{
	return sizeof(struct heads) + datagram->len;
}

void trace_append_head(struct buf *out)
{
	buf_add(out, &file_head, sizeof(file_head));
}

int trace_append(struct buf *out, const struct trace_datagram *datagram)
{
	struct heads heads;
	int error = make_heads(datagram, &heads);

	if (error)
		return error;
	buf_add(out, &heads, sizeof(heads));
	buf_add(out, datagram->data, datagram->len);
	return 0;
}

void trace_append_note(struct buf *out, uint64_t real_ns, const char *text)
{
	struct {
		struct nlmsghdr head;
		char text[NOTE_MAX];
	} note = { .head = { .nlmsg_type = NLMSG_NOOP } };
	const struct trace_datagram datagram = { real_ns, NETLINK_USERSOCK, false, &note, sizeof(note) };

	note.head.nlmsg_len = sizeof(note);
	snprintf(note.text, sizeof(note.text), "%s", text);
	trace_append(out, &datagram);
}

bool trace_is_note(const struct trace_datagram *datagram, char *text, size_t size)
{
	const struct nlmsghdr *head = datagram->data;

	if (datagram->protocol != NETLINK_USERSOCK || datagram->len < sizeof(*head) || head->nlmsg_type != NLMSG_NOOP)
		return false;
	snprintf(text, size, "%.*s", (int)(datagram->len - sizeof(*head)),
		(const char *)datagram->data + sizeof(*head));
	return true;
}

int trace_close(struct trace_writer *writer)
{
	int error;

	if (!writer)
		return 0;
	error = writer->error;
	errno = 0;
	if (fclose(writer->file) != 0 && !error)
		error = file_error();
	free(writer);
	return error;
}

/* 1; 0 at the end of the file; -EBADMSG if the file ends within these bytes; -errno. */
static int get(struct trace_reader *reader, void *to, size_t len)
{
	size_t got;

	errno = 0;
	got = fread(to, 1, len, reader->file);
	reader->next += got;
	if (got == len)
		return 1;
	if (ferror(reader->file))
		return file_error();
	return got ? -EBADMSG : 0;
}

/* As get(), but at the end of the file -EBADMSG. */
static int get_rest(struct trace_reader *reader, void *to, size_t len)
{
	int got = len ? get(reader, to, len) : 1;

	return got ? got : -EBADMSG;
}

static uint32_t to_host(const struct trace_reader *reader, uint32_t value)
{
	return reader->swapped ? bswap_32(value) : value;
}

static int read_file_header(struct trace_reader *reader)
{
	struct file_header header;
	int got = get_rest(reader, &header, sizeof(header));
	uint32_t magic;
	uint16_t major;

	if (got < 0)
		return got;
	reader->swapped = header.magic == bswap_32(MAGIC_MICRO) || header.magic == bswap_32(MAGIC_NANO);
	magic = to_host(reader, header.magic);
	major = reader->swapped ? bswap_16(header.major) : header.major;
	if ((magic != MAGIC_MICRO && magic != MAGIC_NANO) || major != PCAP_VERSION_MAJOR)
		return -EBADMSG;
	reader->fraction_ns = magic == MAGIC_MICRO ? 1000 : 1;
	/* The upper half is about frame check sequences. */
	return (to_host(reader, header.linktype) & 0xffff) == LINKTYPE_NETLINK ? 0 : -EPROTONOSUPPORT;
}

static int read_record(struct trace_reader *reader, struct trace_datagram *datagram)
{
	struct record_header header;
	struct cooked cooked;
	uint32_t stored;
	int got;

	reader->offset = reader->next;
	got = get(reader, &header, sizeof(header));
	if (got <= 0)
		return got;
	stored = to_host(reader, header.stored);
	/* A datagram that was cut by a snapshot length would give wrong counts. */
	if (stored < COOKED_LEN || stored > RECORD_MAX || stored != to_host(reader, header.original))
		return -EBADMSG;
	got = get_rest(reader, &cooked, sizeof(cooked));
	if (got < 0)
		return got;
	*datagram = (struct trace_datagram){
		.real_ns = to_host(reader, header.seconds) * CLOCK_NS_PER_S +
			(uint64_t)to_host(reader, header.fraction) * reader->fraction_ns,
		.protocol = be16toh(cooked.protocol),
		.outgoing = be16toh(cooked.direction) == TO_KERNEL,
		.data = reader->data,
		.len = stored - COOKED_LEN,
	};
	return get_rest(reader, reader->data, datagram->len);
}

/*
 * Whether the netlink headers of a datagram have the other byte order. The order of the file does not say it: a tool
 * that rewrites a capture uses its own. Messages are shorter than 256 KiB, so a length in the wrong order does not fit.
 */
static bool is_foreign(const struct trace_datagram *datagram)
{
	const struct nlmsghdr *message = datagram->data;

	if (datagram->len < sizeof(*message) || message->nlmsg_len <= datagram->len)
		return false;
	return bswap_32(message->nlmsg_len) >= sizeof(*message) && bswap_32(message->nlmsg_len) <= datagram->len;
}

int trace_open_stream(struct trace_reader **out, FILE *stream)
{
	struct trace_reader *reader = calloc(1, sizeof(*reader));
	int error;

	if (!reader) {
		fclose(stream);
		return -ENOMEM;
	}
	reader->file = stream;
	error = read_file_header(reader);
	if (!error)
		reader->result = read_record(reader, &reader->first);
	reader->ahead = true;
	if (reader->result == 1 && is_foreign(&reader->first))
		error = -EXDEV;
	if (error)
		trace_reader_free(reader);
	else
		*out = reader;
	return error;
}

int trace_open(struct trace_reader **out, const char *path)
{
	FILE *file = fopen(path, "re");

	return file ? trace_open_stream(out, file) : -errno;
}

int trace_read(struct trace_reader *reader, struct trace_datagram *datagram)
{
	if (reader->ahead) {
		reader->ahead = false;
		*datagram = reader->first;
	} else if (reader->result == 1) {
		reader->result = read_record(reader, datagram);
	}
	return reader->result;
}

uint64_t trace_offset(const struct trace_reader *reader)
{
	return reader->offset;
}

void trace_log_error(const char *name, int error, const struct trace_reader *reader)
{
	const char *cause = error == -EBADMSG ? "damaged, or no pcap file" :
		error == -EPROTONOSUPPORT     ? "a capture, but not of netlink (link type 253)" :
		error == -EXDEV               ? "recorded on a machine of the other byte order" :
						strerror(-error);

	if (reader && reader->offset)
		log_error("%s: %s, at byte %" PRIu64, name, cause, reader->offset);
	else
		log_error("%s: %s", name, cause);
}

void trace_reader_free(struct trace_reader *reader)
{
	if (!reader)
		return;
	if (reader->file)
		fclose(reader->file);
	free(reader);
}
