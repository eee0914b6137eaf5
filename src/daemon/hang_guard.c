/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hang_guard.h"

#include "hostmeter/base/log.h"
#include "hostmeter/os/child.h"
#include "hostmeter/os/ct_sysctl.h"

#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CHECKS = 4,    /* that find no beat make a silence */
	HURRY_MS = 50, /* between checks of a meter that hangs: the table fills within a second or two */
};

struct hang_guard {
	pid_t pid;    /* -1: dead, and reaped */
	int beats_fd; /* the meter's end of the socket pair */
};

/* --- In the child */

struct child {
	struct hang_guard_watch watch;
	int beats_fd;
};

/* A number that cannot be read counts as full: forwarding comes before counting. */
static bool is_nearly_full(const struct hang_guard_watch *watch)
{
	uint64_t count = ct_sysctl_read_fd(watch->count_fd), max = ct_sysctl_read_fd(watch->max_fd);

	if (count == CT_SYSCTL_NONE || max == CT_SYSCTL_NONE)
		return true;
	return max && (double)count * 100 > (double)max * watch->fill_percent;
}

static void switch_off(int fd)
{
	int on = 0, off = 0;
	socklen_t len = sizeof(on);

	if (getsockopt(fd, SOL_NETLINK, NETLINK_BROADCAST_ERROR, &on, &len) || !on)
		return;
	/* The log line comes second: it may have to wait for its reader. */
	if (!setsockopt(fd, SOL_NETLINK, NETLINK_BROADCAST_ERROR, &off, sizeof(off)))
		log_warning("the meter hangs and the connection table is nearly full: reliable delivery is off");
}

/* Reads the beats that came: whether there were any. */
static bool read_beats(int fd)
{
	bool any = false;
	char beats[64];

	while (recv(fd, beats, sizeof(beats), MSG_DONTWAIT) > 0)
		any = true;
	return any;
}

/* poll() waits for the end of the meter alone: beats do not wake the guard. */
static void run(void *ctx, int error)
{
	const struct child *child = ctx;
	struct pollfd meter = { .fd = child->beats_fd };
	unsigned int step = child->watch.silence_ms / CHECKS + 1, silent = 0;

	if (send(child->beats_fd, &error, sizeof(error), MSG_NOSIGNAL) != sizeof(error) || error)
		return;
	while (poll(&meter, 1, silent < CHECKS ? (int)step : HURRY_MS) <= 0) {
		silent = read_beats(child->beats_fd) ? 0 : silent + (silent < CHECKS);
		if (silent == CHECKS && is_nearly_full(&child->watch))
			switch_off(child->watch.socket);
	}
}

/* --- In the meter */

void hang_guard_free(struct hang_guard *guard)
{
	if (!guard)
		return;
	child_end(&guard->pid);
	if (guard->beats_fd >= 0)
		close(guard->beats_fd);
	free(guard);
}

static int fork_child(struct hang_guard *guard, struct child *child)
{
	const struct hang_guard_watch *watch = &child->watch;
	const int keep[] = { child->beats_fd, watch->count_fd, watch->max_fd, watch->socket };
	const struct child_plan plan = {
		.name = "hostmeter-guard",
		.keep = keep,
		.keeps = sizeof(keep) / sizeof(keep[0]),
		.run = run,
		.ctx = child,
	};

	guard->pid = child_fork(&plan);
	return guard->pid < 0 ? guard->pid : 0;
}

/* The child's first word is 0, or the -errno of its start. */
static int await_start(const struct hang_guard *guard)
{
	int error;
	ssize_t len;

	do {
		len = recv(guard->beats_fd, &error, sizeof(error), MSG_WAITALL);
	} while (len < 0 && errno == EINTR);
	return len == sizeof(error) ? error : -ECHILD;
}

static int start(struct hang_guard *guard, const struct hang_guard_watch *watch)
{
	int pair[2], error;

	if (watch->socket < 0)
		return -EBADF;
	if (watch->count_fd < 0 || watch->max_fd < 0)
		return watch->count_fd < 0 ? watch->count_fd : watch->max_fd;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -errno;
	guard->beats_fd = pair[0];
	error = fork_child(guard, &(struct child){ .watch = *watch, .beats_fd = pair[1] });
	close(pair[1]); /* else the death of the child would not be seen */
	return error ? error : await_start(guard);
}

int hang_guard_start(struct hang_guard **guard, const struct hang_guard_watch *watch)
{
	int error;

	*guard = malloc(sizeof(**guard));
	if (!*guard)
		return -ENOMEM;
	**guard = (struct hang_guard){ .pid = -1, .beats_fd = -1 };
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
	if (send(guard->beats_fd, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 || errno != EPIPE)
		return 0;
	child_end(&guard->pid);
	return -ECHILD;
}

pid_t hang_guard_pid(const struct hang_guard *guard)
{
	return guard->pid;
}
