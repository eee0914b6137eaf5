/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostmeter/guard.h"

#include "hostmeter/log.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	CHECKS = 4,    /* in a row without a beat make a silence */
	HURRY_MS = 50, /* between looks at the table of a meter that hangs: it fills within a second or two */
};

struct guard {
	pid_t pid; /* -1: gone, and reaped */
	int heart;
};

/* All that the child uses; it lives on its stack. */
struct post {
	int heart, count, max, socket;
	double fill_percent;
	unsigned int silence_ms;
};

/* --- The child's side. All signals are blocked. */

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Whatever else the meter holds open, sockets above all, ends with the meter. */
static int close_others(const struct post *post)
{
	int keep[] = { STDERR_FILENO, post->heart, post->count, post->max, post->socket };
	const int kept = sizeof(keep) / sizeof(keep[0]);
	unsigned int from = 0;

	qsort(keep, (size_t)kept, sizeof(keep[0]), compare_fds);
	for (int i = 0; i <= kept; i++) {
		unsigned int end = i < kept ? (unsigned int)keep[i] : ~0U;

		/* By number: not every libc has a wrapper. */
		if (end > from && syscall(SYS_close_range, from, end - 1, 0))
			return -errno;
		from = end + 1;
	}
	return 0;
}

static int settle_in(const struct post *post)
{
	setsid();
	prctl(PR_SET_NAME, "hostmeter-guard");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	capng_clear(CAPNG_SELECT_CAPS);
	if (capng_apply(CAPNG_SELECT_CAPS))
		return -EPERM;
	/* Last, for a change of credentials may undo it. The socket pair tells of a meter that is dead already. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		return -errno;
	return close_others(post);
}

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

__attribute__((noreturn)) static void child(const struct post *post)
{
	int error = settle_in(post);

	if (send(post->heart, &error, sizeof(error), MSG_NOSIGNAL) == sizeof(error) && !error)
		stand_guard(post);
	/* Not exit(): what is registered for that is the meter's. */
	_exit(0);
}

/* --- The meter's side */

/* A guard that was killed is no zombie for longer than a beat. */
static void reap(struct guard *guard)
{
	pid_t pid;

	do {
		pid = waitpid(guard->pid, NULL, 0);
	} while (pid < 0 && errno == EINTR);
	guard->pid = -1;
}

static void end(struct guard *guard)
{
	if (guard->pid <= 0)
		return;
	/* A guard that is stopped itself would not see the socket pair's end. */
	kill(guard->pid, SIGKILL);
	reap(guard);
}

void guard_free(struct guard *guard)
{
	if (!guard)
		return;
	end(guard);
	if (guard->heart >= 0)
		close(guard->heart);
	free(guard);
}

/* Signals are blocked around it, so that no handler of the meter ever runs in the child. Waits for the child's word. */
static int fork_child(struct guard *guard, const struct post *post)
{
	int word = 0;
	sigset_t all, before;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	guard->pid = fork();
	if (guard->pid == 0)
		child(post);
	if (guard->pid < 0)
		word = -errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return word;
}

static int await_word(const struct guard *guard)
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

static int start(struct guard *guard, const struct guard_watch *watch)
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
	error = fork_child(guard, &post);
out:
	/* The child's end above all: else its death would not be seen. */
	close_all(fds, FDS);
	return error ? error : await_word(guard);
}

int guard_start(struct guard **guard, const struct guard_watch *watch)
{
	int error;

	*guard = malloc(sizeof(**guard));
	if (!*guard)
		return -ENOMEM;
	**guard = (struct guard){ .pid = -1, .heart = -1 };
	error = start(*guard, watch);
	if (error) {
		guard_free(*guard);
		*guard = NULL;
	}
	return error;
}

int guard_beat(struct guard *guard)
{
	if (!guard)
		return 0;
	if (guard->pid < 0)
		return -ECHILD;
	if (send(guard->heart, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL) == 1 || errno != EPIPE)
		return 0;
	/* Its end of the pair is closed: it is dead, or about to be. */
	end(guard);
	return -ECHILD;
}

pid_t guard_pid(const struct guard *guard)
{
	return guard->pid;
}
