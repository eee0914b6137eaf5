/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The meter sends its trace by the UNIX socket and this process writes the file: so no path is opened with the meter's
 * rights, and a full or slow disk does not delay the meter.
 */
#include "hostmeter/base/clock.h"
#include "hostmeter/base/file_error.h"
#include "hostmeter/base/log.h"
#include "hostmeter/cmd/cmd.h"
#include "hostmeter/config/config.h"
#include "hostmeter/http/client.h"
#include "hostmeter/trace/anonymize.h"
#include "hostmeter/trace/trace.h"
#include "no_answer.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

enum { ANSWER_MS = 10000, TEXT_SIZE = 256, BUFFER_SIZE = 1 << 18 };

struct recording {
	const struct config *config; /* with config->replay a trace is copied; else the running meter is recorded */
	struct trace_reader *reader;
	struct trace_writer *writer;
	struct anonymizer *anonymizer; /* NULL without --anonymize */
	struct buf anonymized;
	uint64_t datagrams, bytes;
	int fd, signals; /* the meter's answer; a signalfd; or -1 */
	bool begun;
	bool ended; /* by a signal, not by the meter */
	bool cut;   /* the meter says that it left out the rest */
};

/* --- The running meter */

static ssize_t read_answer(void *ctx, char *to, size_t size)
{
	struct recording *r = ctx;
	struct pollfd fds[] = { { .fd = r->signals, .events = POLLIN }, { .fd = r->fd, .events = POLLIN } };
	ssize_t got;

	do {
		poll(fds, 2, -1);
		r->ended = fds[0].revents;
		if (r->ended)
			return 0;
		got = read(r->fd, to, size);
	} while (got < 0 && (errno == EINTR || errno == EAGAIN));
	return got;
}

/* A signalfd for what ends a recording: a signal from outside, or the timer of --seconds. */
static int open_signals(uint64_t duration_ns)
{
	const struct itimerval timer = { .it_value = { (time_t)(duration_ns / CLOCK_NS_PER_S),
						 (suseconds_t)(duration_ns % CLOCK_NS_PER_S / 1000) } };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static int ask(struct recording *r)
{
	int status = http_open(r->config->socket, "/api/v1/record", &r->fd, ANSWER_MS);
	char reason[TEXT_SIZE];
	ssize_t len = -1;

	if (status == 200)
		return 0;
	if (status < 0) {
		no_answer_log(r->config->socket, status, "hostmeter --trace FILE records from the meter's own start");
		return status;
	}
	if (poll(&(struct pollfd){ .fd = r->fd, .events = POLLIN }, 1, ANSWER_MS) > 0)
		len = read(r->fd, reason, sizeof(reason) - 1);
	reason[len > 0 ? len : 0] = '\0';
	no_answer_log_refusal(r->config->socket, status, "--record", reason);
	return -EBUSY;
}

static int open_meter(struct recording *r)
{
	const cookie_io_functions_t calls = { .read = read_answer };
	FILE *file;
	int error = ask(r);

	if (error)
		return error;
	r->signals = open_signals(r->config->record_ns);
	file = r->signals < 0 ? NULL : fopencookie(r, "r", calls);
	if (!file) {
		error = -errno;
		log_error("--record: %s", strerror(-error));
		return error;
	}
	setvbuf(file, NULL, _IOFBF, BUFFER_SIZE); /* few large reads: a slow reader loses the rest */
	error = trace_open_stream(&r->reader, file);
	if (error && r->ended)
		log_error("--record: ended before the meter had sent anything");
	else if (error)
		trace_log_error("--record: the meter's answer", error, NULL);
	return error;
}

/* --- The file */

/* 1: go on; 0: --record-limit is reached; -errno of the file that is written. */
static int copy_datagram(struct recording *r, struct trace_datagram *datagram)
{
	const struct config *config = r->config;
	char note[TEXT_SIZE];
	int error;

	if (trace_is_note(datagram, note, sizeof(note))) {
		log_error("%s: %s", config->record, note);
		r->cut = true;
		return 1;
	}
	/* The recording begins with the request for a dump, the baseline of the recording. */
	if (!config->replay && !r->begun && datagram->outgoing && datagram->protocol == NETLINK_NETFILTER) {
		r->begun = true;
		log_info("%s: recording; Ctrl-C ends it", config->record);
	}
	if (r->anonymizer) {
		buf_reset(&r->anonymized);
		anonymize_datagram(r->anonymizer, datagram->protocol, datagram->outgoing, datagram->data, datagram->len,
			&r->anonymized);
		if (buf_error(&r->anonymized))
			return -ENOMEM;
		datagram->data = r->anonymized.data;
		datagram->len = r->anonymized.len;
		if (!datagram->len)
			return 1;
	}
	if (!config->replay && r->bytes + trace_size(datagram) > config->record_limit * UINT64_C(1000000))
		return 0;
	r->bytes += trace_size(datagram);
	r->datagrams++;
	error = trace_write(r->writer, datagram);
	return error ? error : 1;
}

/* Returns the exit status. */
static int copy_trace(struct recording *r)
{
	const struct config *config = r->config;
	struct trace_datagram datagram;
	int got = 1, copied = 1;

	while (copied > 0 && (got = trace_read(r->reader, &datagram)) > 0)
		copied = copy_datagram(r, &datagram);
	log_info("%s: %" PRIu64 " datagrams, %" PRIu64 " bytes", config->record, r->datagrams, r->bytes);
	if (r->anonymizer && anonymize_left_out(r->anonymizer))
		log_info("%" PRIu64 " messages were left out: the meter does not use them",
			anonymize_left_out(r->anonymizer));
	if (copied == 0)
		log_info("%s: the size of --record-limit is reached", config->record);
	if (copied < 0) {
		log_error("%s: %s", config->record, strerror(-copied));
		return CMD_FAILED;
	}
	if (copied == 0 || r->ended)
		return r->cut ? CMD_FAILED : CMD_OK;
	if (config->replay && got < 0)
		trace_log_error(config->replay, got, r->reader);
	else if (!config->replay && !r->cut)
		log_error("%s: the meter ended, and the recording with it", config->record);
	return got < 0 || !config->replay ? CMD_FAILED : CMD_OK;
}

static int open_writer(struct recording *r)
{
	struct hash_key key;
	int error = trace_create(&r->writer, r->config->record);

	if (error) {
		log_error("%s: %s", r->config->record, file_error_writing(error));
		return error;
	}
	if (!r->config->anonymize)
		return 0;
	error = hash_key_random(&key);
	r->anonymizer = error ? NULL : anonymize_new(&key);
	if (!r->anonymizer)
		log_error("--anonymize: %s", strerror(error ? -error : ENOMEM));
	return r->anonymizer ? 0 : -ENOMEM;
}

static int open_reader(struct recording *r)
{
	int error;

	if (!r->config->replay)
		return open_meter(r);
	error = trace_open(&r->reader, r->config->replay);
	if (error)
		trace_log_error(r->config->replay, error, NULL);
	return error;
}

static bool is_same_file(const char *a, const char *b)
{
	struct stat x, y;

	return !stat(a, &x) && !stat(b, &y) && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int cmd_record(const struct config *config, struct buf *out)
{
	struct recording recording = { .config = config, .fd = -1, .signals = -1 };
	int status = CMD_FAILED, error;

	(void)out;
	/* Opening it for writing would empty it. */
	if (config->replay && is_same_file(config->replay, config->record)) {
		log_error("%s is the trace that is read: choose another file for --record", config->record);
		return CMD_FAILED;
	}
	if (!open_reader(&recording) && !open_writer(&recording))
		status = copy_trace(&recording);
	trace_reader_free(recording.reader);
	error = trace_close(recording.writer);
	if (error && status == CMD_OK) {
		log_error("%s: %s", config->record, strerror(-error));
		status = CMD_FAILED;
	}
	if (recording.fd >= 0)
		close(recording.fd);
	if (recording.signals >= 0)
		close(recording.signals);
	anonymize_free(recording.anonymizer);
	buf_free(&recording.anonymized);
	return status;
}
