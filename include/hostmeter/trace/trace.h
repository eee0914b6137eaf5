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

/* Creates path, or empties it if it is ours. 0, or -errno as file_create(). The file is host byte order, as pcap files
 * are.
 */
int trace_create(struct trace_writer **writer, const char *path);

/* The same in memory. Append the file header; append one datagram: 0, or -EMSGSIZE and nothing is appended. */
void trace_append_head(struct buf *out);
int trace_append(struct buf *out, const struct trace_datagram *datagram);

/* How many bytes the datagram takes in the file. */
size_t trace_size(const struct trace_datagram *datagram);

/* A note in the trace, which replays and Wireshark skip. trace_is_note(): true for a note, with its text cut to size.
 */
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

/* The same from an open stream, which is closed with the reader, and also if this fails. */
int trace_open_stream(struct trace_reader **reader, FILE *stream);

/* The next datagram: 1, 0 at the end, -EBADMSG if the file is damaged or cut (trace_offset() says where), -errno. */
int trace_read(struct trace_reader *reader, struct trace_datagram *datagram);

/* Where in the file the record begins that was read last, in bytes. */
uint64_t trace_offset(const struct trace_reader *reader);

/* Logs the error of the trace called name; with the offset if reader is not NULL and has read a record. */
void trace_log_error(const char *name, int error, const struct trace_reader *reader);

void trace_reader_free(struct trace_reader *reader);
