/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * trace: netlink datagrams with time stamps in a file: pcap (draft-ietf-opsawg-pcap) with nanoseconds and link type
 * NETLINK (253, https://www.tcpdump.org/linktypes/LINKTYPE_NETLINK.html), as a capture on an nlmon interface gives, so
 * Wireshark opens it too. An overrun is a datagram of one NLMSG_OVERRUN message, so that a replay sees it too.
 */
#pragma once

#include "hostmeter/base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct trace_writer;
struct trace_reader;

/* One recorded datagram. data is aligned for struct nlmsghdr and borrowed until the next trace_read(). */
struct trace_datagram {
	uint64_t real_ns;  /* when, since 1970 */
	uint16_t protocol; /* NETLINK_NETFILTER, NETLINK_ROUTE */
	bool outgoing;     /* a request of ours */
	const void *data;
	size_t len;
};

/* Creates or truncates path. 0 or -errno. The file is host byte order, as pcap files are. */
int trace_create(struct trace_writer **writer, const char *path);

/* The same file in memory, piece by piece: the file's head; one datagram, 0 or -EMSGSIZE and nothing appended. */
void trace_append_head(struct buf *out);
int trace_append(struct buf *out, const struct trace_datagram *datagram);

/* The bytes it takes in the file. */
size_t trace_size(const struct trace_datagram *datagram);

/* A note for the reader, which replays and Wireshark skip. trace_is_note(): true, and the text cut to size, for one. */
void trace_append_note(struct buf *out, uint64_t real_ns, const char *text);
bool trace_is_note(const struct trace_datagram *datagram, char *text, size_t size);

/* Appends one datagram; buffered. 0 or -errno; after an error every later call gives the same error. */
int trace_write(struct trace_writer *writer, const struct trace_datagram *datagram);

/* Flushes and closes. 0 or -errno of the first thing that failed. NULL is fine. */
int trace_close(struct trace_writer *writer);

/*
 * Opens a trace: pcap in either byte order, micro- or nanoseconds. 0; -errno; -EBADMSG for a file that is no pcap;
 * -EPROTONOSUPPORT for another link type. Netlink headers inside are in the recording machine's byte order: -EXDEV if
 * that is not ours.
 */
int trace_open(struct trace_reader **reader, const char *path);

/* The same from an open stream, which it takes over, also where it fails. */
int trace_open_stream(struct trace_reader **reader, FILE *stream);

/* The next datagram: 1, 0 at the end, -EBADMSG if the file is damaged or cut (trace_offset() says where), -errno. */
int trace_read(struct trace_reader *reader, struct trace_datagram *datagram);

/* Byte offset in the file of the record read last. */
uint64_t trace_offset(const struct trace_reader *reader);

/* Logs what went wrong with the trace called name, and at which offset if reader is not NULL and has read a record. */
void trace_log_error(const char *name, int error, const struct trace_reader *reader);

void trace_reader_free(struct trace_reader *reader);
