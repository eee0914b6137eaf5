/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hang_guard.h"

#include "hostmeter/base/log.h"
#include "hostmeter/os/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CHECKS = 4,    /* in a row without a beat make a silence */
	HURRY_MS = 50, /* between looks at the table of a meter that hangs: it fills within a second or two */
};

struct hang_guard {
	pid_t pid; /* -1: gone, and reaped */
	int heart;
};

/* All that the child uses; it lives on its stack. */
struct post {
	int heart, count, max, socket;
	double fill_percent;
	unsigned int silence_ms;
};

/* --- The child's side */

/* The file's number, or -1. */
static int64_t read_number(int fd)
{
	char text[16]; /* so it cannot overflow */
	ssize_t len = pread(fd, text, sizeof(text), 0);
	int64_t value = 0;

	if (len <= 0)
		return -1;
	for (ssize_t i = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++)
		value = value * 10 + (text[i] - '0');
	return value;
}

/* Where a number cannot be read, forwarding comes before counting. */
static bool is_nearly_full(const struct post *post)
{
	int64_t count = read_number(post->count), max = read_number(post->max);

	if (count < 0 || max < 0)
		return true;
	return max && (double)count * 100 > (double)max * post->fill_percent;
}

static bool is_reliable(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	return getsockopt(fd, SOL_NETLINK, NETLINK_BROADCAST_ERROR, &on, &len) == 0 && on;
}

static void let_go(const struct post *post)
{
	int off = 0;

	/* First this: the line may have to wait for whoever reads it. */
	if (is_reliable(post->socket) &&
		setsockopt(post->socket, SOL_NETLINK, NETLINK_BROADCAST_ERROR, &off, sizeof(off)) == 0)
		log_warning("the meter hangs and the connection table is nearly full: reliable delivery is off");
}

/* Reads the beats that came. */
static bool heard(int heart)
{
	bool any = false;
	char beats[64];
	ssize_t len;

	while ((len = recv(heart, beats, sizeof(beats), MSG_DONTWAIT)) > 0)
		any = true;
	return any;
}

/* Beats do not wake it: they are looked for a few times per silence. Only the meter's end does. */
static void stand_guard(const struct post *post)
{
	struct pollfd meter = { .fd = post->heart };
	unsigned int step = post->silence_ms / CHECKS + 1, silent = 0;

	while (poll(&meter, 1, silent < CHECKS ? (int)step : HURRY_MS) <= 0) {
		silent = heard(post->heart) ? 0 : silent + (silent < CHECKS);
		if (silent == CHECKS && is_nearly_full(post))
			let_go(post);
	}
}

static void run(void *ctx, int error)
{
	const struct post *post = ctx;

	if (send(post->heart, &error, sizeof(error), MSG_NOSIGNAL) == sizeof(error) && !error)
		stand_guard(post);
}

/* --- The meter's side */

void hang_guard_free(struct hang_guard *guard)
{
	if (!guard)
		return;
	child_end(&guard->pid);
	if (guard->heart >= 0)
		close(guard->heart);
	free(guard);
}

static int fork_guard(struct hang_guard *guard, struct post *post)
{
	const int keep[] = { post->heart, post->count, post->max, post->socket };
	const struct child_plan plan = {
		.name = "hostmeter-guard",
		.keep = keep,
		.keeps = sizeof(keep) / sizeof(keep[0]),
		.run = run,
		.ctx = post,
	};
	pid_t pid = child_fork(&plan);

	guard->pid = pid < 0 ? -1 : pid;
	return pid < 0 ? pid : 0;
}

static int await_word(const struct hang_guard *guard)
{
	int word;
	ssize_t len;

	do {
		len = recv(guard->heart, &word, sizeof(word), MSG_WAITALL);
	} while (len < 0 && errno == EINTR);
	return len == sizeof(word) ? word : -ECHILD;
}

static void close_all(const int *fds, int count)
{
	for (int i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static int start(struct hang_guard *guard, const struct hang_guard_watch *watch)
{
	enum { METER, GUARD, COUNT, MAX, FDS };
	int fds[FDS] = { -1, -1, -1, -1 };
	struct post post;
	int error = 0;

	if (watch->socket < 0)
		return -EBADF;
	fds[COUNT] = open(watch->count_path, O_RDONLY | O_CLOEXEC);
	if (fds[COUNT] >= 0)
		fds[MAX] = open(watch->max_path, O_RDONLY | O_CLOEXEC);
	if (fds[MAX] < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds)) {
		error = -errno;
		goto out;
	}
	post = (struct post){ .heart = fds[GUARD],
		.count = fds[COUNT],
		.max = fds[MAX],
		.socket = watch->socket,
		.fill_percent = watch->fill_percent,
		.silence_ms = watch->silence_ms };
	guard->heart = fds[METER];
	fds[METER] = -1;
	error = fork_guard(guard, &post);
out:
	/* The child's end above all: else its death would not be seen. */
	close_all(fds, FDS);
	return error ? error : await_word(guard);
}

int hang_guard_start(struct hang_guard **guard, const struct hang_guard_watch *watch)
{
	int error;

	*guard = malloc(sizeof(**guard));
	if (!*guard)
		return -ENOMEM;
	**guard = (struct hang_guard){ .pid = -1, .heart = -1 };
	error = start(*guard, watch);
	if (error) {
		hang_guard_free(*guard);
		*guard = NULL;
	}
	return error;
}

int hang_guard_beat(struct hang_guard *guard)
{
	if (!guard)
		return 0;
	if (guard->pid < 0)
		return -ECHILD;
	if (send(guard->heart, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 || errno != EPIPE)
		return 0;
	/*
	 * Its end of the pair is closed: it is dead, or about to be. A guard that was killed is no zombie for longer
	 * than a beat.
	 */
	child_end(&guard->pid);
	return -ECHILD;
}

pid_t hang_guard_pid(const struct hang_guard *guard)
{
	return guard->pid;
}
