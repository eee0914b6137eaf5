/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The meter sends its trace by the UNIX socket and this process writes the file: so no path is opened with the meter's
 * rights, and a full disk or a slow one is none of its business.
 */
#include "hostmeter/base/clock.h"
#include "hostmeter/base/log.h"
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"
#include "hostmeter/http/client.h"
#include "hostmeter/trace/anonymize.h"
#include "hostmeter/trace/trace.h"
#include "no_answer.h"
#include "replay.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ANSWER_MS = 10000, WORD = 256, READ_MOST = 1 << 18 };

/* The meter's answer, until it is time to end. */
struct stream {
	int fd, signals;
	uint64_t deadline; /* monotonic; 0: none */
	bool ended;        /* by us, not by the meter */
};

struct copy {
	const struct config *config;
	struct trace_reader *reader;
	struct trace_writer *writer;
	struct anonymizer *anonymizer; /* NULL: as it is */
	struct buf changed;
	uint64_t datagrams, bytes, limit;
	bool begun;
	bool cut; /* the meter said so */
};

/* --- The running meter's */

static int patience(const struct stream *stream)
{
	uint64_t now = clock_mono_ns();

	if (!stream->deadline)
		return -1;
	return now < stream->deadline ? (int)((stream->deadline - now) / CLOCK_NS_PER_MS + 1) : 0;
}

static ssize_t read_stream(void *ctx, char *to, size_t size)
{
	struct stream *stream = ctx;
	struct pollfd fds[] = { { .fd = stream->signals, .events = POLLIN }, { .fd = stream->fd, .events = POLLIN } };
	ssize_t got;

	do {
		int ready = poll(fds, 2, patience(stream));

		stream->ended = fds[0].revents || (stream->deadline && clock_mono_ns() >= stream->deadline);
		if (stream->ended)
			return 0;
		got = ready > 0 ? read(stream->fd, to, size) : -1;
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	return got;
}

static int close_stream(void *ctx)
{
	struct stream *stream = ctx;

	close(stream->fd);
	close(stream->signals);
	return 0;
}

/* The signals that end a recording wait to be read. */
static int open_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd >= 0)
		sigprocmask(SIG_BLOCK, &set, NULL);
	return fd;
}

/* Logs what the meter says with a refusal. */
static void log_refusal(const struct config *config, int status, int fd)
{
	struct pollfd pollfd = { .fd = fd, .events = POLLIN };
	char text[WORD];
	ssize_t len = -1;

	if (poll(&pollfd, 1, ANSWER_MS) > 0)
		len = read(fd, text, sizeof(text) - 1);
	text[len > 0 ? len : 0] = '\0';
	no_answer_log_refusal(config->socket, status, "--record", text);
}

static int ask(const struct config *config, struct stream *stream)
{
	int status = http_open(config->socket, "/api/v1/record", &stream->fd, ANSWER_MS);

	if (status == 200)
		return 0;
	if (status < 0) {
		no_answer_log(config->socket, status, "hostmeter --trace FILE records from the meter's own start");
		return status;
	}
	log_refusal(config, status, stream->fd);
	close(stream->fd);
	return -EBUSY;
}

/* 0 or -errno, told. */
static int open_meter(const struct config *config, struct stream *stream, struct trace_reader **reader)
{
	const cookie_io_functions_t calls = { .read = read_stream, .close = close_stream };
	FILE *file;
	int error = ask(config, stream);

	if (error)
		return error;
	stream->signals = open_signals();
	if (config->record_ns)
		stream->deadline = clock_mono_ns() + config->record_ns;
	file = stream->signals < 0 ? NULL : fopencookie(stream, "r", calls);
	if (!file) {
		error = -errno;
		close(stream->fd);
		log_error("--record: %s", strerror(-error));
		return error;
	}
	setvbuf(file, NULL, _IOFBF, READ_MOST); /* the meter must not wait for many small steps */
	error = trace_open_stream(reader, file);
	if (error && stream->ended)
		log_error("--record: the end came before the meter had sent anything");
	else if (error)
		log_error("--record: the meter's answer: %s", replay_reason(error));
	return error;
}

/* --- The file */

/* 1: go on; 0: it is enough; -errno of the file that is written. */
static int take(struct copy *c, const struct trace_datagram *read)
{
	struct trace_datagram datagram = *read;
	char word[WORD];
	int error;

	if (trace_is_note(read, word, sizeof(word))) {
		log_error("%s: %s", c->config->record, word);
		c->cut = true;
		return 1;
	}
	/* Our own request is the first of the kind: the dump that is the recording's baseline. */
	if (!c->config->replay && !c->begun && read->outgoing && read->protocol == NETLINK_NETFILTER) {
		c->begun = true;
		log_info("%s: recording; Ctrl-C ends it", c->config->record);
	}
	if (c->anonymizer) {
		buf_reset(&c->changed);
		anonymize_datagram(c->anonymizer, read->protocol, read->outgoing, read->data, read->len, &c->changed);
		datagram.data = c->changed.data;
		datagram.len = c->changed.len;
		if (buf_error(&c->changed))
			return -ENOMEM;
		if (!datagram.len)
			return 1;
	}
	if (c->limit && c->bytes + trace_size(&datagram) > c->limit)
		return 0;
	error = trace_write(c->writer, &datagram);
	c->bytes += trace_size(&datagram);
	c->datagrams++;
	return error ? error : 1;
}

static void say_done(const struct copy *c)
{
	uint64_t left_out = c->anonymizer ? anonymize_left_out(c->anonymizer) : 0;

	log_info("%s: %" PRIu64 " datagrams, %" PRIu64 " bytes", c->config->record, c->datagrams, c->bytes);
	if (left_out)
		log_info("%" PRIu64 " messages were left out that say nothing to the meter", left_out);
}

/* Writing it would empty it first. */
static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* The exit status. stream: NULL where the trace is a file. */
static int run_copy(struct copy *c, const struct stream *stream)
{
	struct trace_datagram datagram;
	int got = 1, error = 1;

	while (error > 0 && (got = trace_read(c->reader, &datagram)) > 0)
		error = take(c, &datagram);
	say_done(c);
	if (error == 0)
		log_info("%s: as large as it may be (--record-limit)", c->config->record);
	if (error < 0) {
		log_error("%s: %s", c->config->record, strerror(-error));
		return CMD_FAILED;
	}
	if (error == 0 || (stream && stream->ended))
		return c->cut ? CMD_FAILED : CMD_OK;
	if (!stream && got < 0)
		log_error("%s: %s, at byte %" PRIu64, c->config->replay, replay_reason(got), trace_offset(c->reader));
	else if (stream && !c->cut)
		log_error("%s: the meter ended, and the recording with it", c->config->record);
	return got < 0 || stream ? CMD_FAILED : CMD_OK;
}

static int open_writer(struct copy *c)
{
	struct hash_key key;
	int error = trace_create(&c->writer, c->config->record);

	if (error) {
		log_error("%s: %s", c->config->record, strerror(-error));
		return error;
	}
	if (!c->config->anonymize)
		return 0;
	error = hash_key_random(&key);
	c->anonymizer = error ? NULL : anonymize_new(&key);
	if (!c->anonymizer)
		log_error("--anonymize: %s", strerror(error ? -error : ENOMEM));
	return c->anonymizer ? 0 : -ENOMEM;
}

static int open_reader(struct copy *c, struct stream *stream)
{
	int error;

	if (!c->config->replay) {
		c->limit = c->config->record_limit * UINT64_C(1000000);
		return open_meter(c->config, stream, &c->reader);
	}
	error = trace_open(&c->reader, c->config->replay);
	if (error)
		log_error("%s: %s", c->config->replay, replay_reason(error));
	return error;
}

int cmd_record(const struct config *config, struct buf *out)
{
	struct copy copy = { .config = config };
	struct stream stream = { .fd = -1 };
	int status = CMD_FAILED, error;

	(void)out;
	if (config->replay && is_same_file(config->replay, config->record)) {
		log_error("%s: is what is read: choose another file for --record", config->record);
		return CMD_FAILED;
	}
	if (!open_reader(&copy, &stream) && !open_writer(&copy))
		status = run_copy(&copy, config->replay ? NULL : &stream);
	trace_reader_free(copy.reader);
	error = trace_close(copy.writer);
	if (error && status == CMD_OK) {
		log_error("%s: %s", config->record, strerror(-error));
		status = CMD_FAILED;
	}
	anonymize_free(copy.anonymizer);
	buf_free(&copy.changed);
	return status;
}
