/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/guard.h"

#include "hostmeter/clock.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_AGAIN_MS = 100 }; /* while heartbeats fail */

struct guard {
	pid_t pid;
	int beat; /* the pipe's end to write to */
};

/* --- In the child: no allocation, nothing that the parent's threads or libraries might hold */

/* What the child keeps, at fixed places, so that all else can be closed. */
enum { FD_BEAT = 3, FD_SOCKET, FD_COUNT, FD_MAX, FD_REST };

static void keep_only(int beat, const struct guard_options *o)
{
	const int wanted[] = { beat, o->socket, o->count_fd, o->max_fd };
	int high[4];

	/* First out of the way, or one could overwrite another. */
	for (int i = 0; i < 4; i++)
		high[i] = fcntl(wanted[i], F_DUPFD, FD_REST + 4);
	for (int i = 0; i < 4; i++)
		dup2(high[i], FD_BEAT + i);
	close_range(FD_REST, ~0U, 0);
}

static void be_nobody(void)
{
	sigset_t all;

	prctl(PR_SET_NAME, "hostmeter-guard");
	/* A Ctrl-C is for the meter, which then closes the pipe. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	capng_clear(CAPNG_SELECT_BOTH);
	capng_apply(CAPNG_SELECT_CAPS);
}

static double read_number(int fd)
{
	char text[24];
	ssize_t got = pread(fd, text, sizeof(text) - 1, 0);

	if (got <= 0)
		return 0;
	text[got] = 0;
	return strtod(text, NULL);
}

static bool is_nearly_full(double fill_percent)
{
	double max = read_number(FD_MAX);

	return max > 0 && read_number(FD_COUNT) * 100 > max * fill_percent;
}

static void let_go(void)
{
	int off = 0;

	setsockopt(FD_SOCKET, SOL_NETLINK, NETLINK_BROADCAST_ERROR, &off, sizeof(off));
}

static void watch(const struct guard_options *o)
{
	int patience_ms = (int)(o->patience_ns / CLOCK_NS_PER_MS);
	int wait_ms = patience_ms;

	for (;;) {
		struct pollfd pipe = { .fd = FD_BEAT, .events = POLLIN };
		int ready = poll(&pipe, 1, wait_ms);
		char beats[64];

		if (ready > 0) {
			if (read(FD_BEAT, beats, sizeof(beats)) <= 0)
				return; /* the meter is gone */
			wait_ms = patience_ms;
		} else if (ready == 0) {
			wait_ms = LOOK_AGAIN_MS;
			if (is_nearly_full(o->fill_percent))
				let_go();
		} else if (errno != EINTR) {
			return;
		}
	}
}

/* --- In the meter */

struct guard *guard_start(const struct guard_options *options)
{
	struct guard *guard = calloc(1, sizeof(*guard));
	int ends[2];

	if (!guard)
		return NULL;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK)) {
		free(guard);
		return NULL;
	}
	guard->beat = ends[1];
	guard->pid = fork();
	if (guard->pid == 0) {
		keep_only(ends[0], options);
		be_nobody();
		watch(options);
		_exit(0);
	}
	close(ends[0]);
	if (guard->pid > 0)
		return guard;
	close(ends[1]);
	free(guard);
	return NULL;
}

void guard_beat(struct guard *guard)
{
	/* A full pipe holds beats enough; a child that is gone is no harm to the meter. */
	if (guard && write(guard->beat, "", 1) < 0)
		return;
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	close(guard->beat);
	while (waitpid(guard->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(guard);
}
