/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run_program.h"

#include "hostmeter/base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CHUNK = 65536 };

/* An ordinary user's PATH lacks them. */
static const char directories[] = "/usr/sbin:/sbin:/usr/local/sbin";

static bool find_in(const char *list, const char *name, char path[static PATH_MAX])
{
	while (list && *list) {
		size_t len = strcspn(list, ":");

		/* Whatever lies in the current directory is not meant. */
		if (len && *list == '/' && snprintf(path, PATH_MAX, "%.*s/%s", (int)len, list, name) < PATH_MAX &&
			!access(path, X_OK))
			return true;
		list += len + (list[len] == ':');
	}
	return false;
}

/* In the child. */
static void become(const char *path, const char *const argv[], int output)
{
	int null = open("/dev/null", O_RDWR);

	if (null >= 0 && dup2(null, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 &&
		dup2(null, STDERR_FILENO) >= 0) {
		setenv("LC_ALL", "C", 1);
		execv(path, (char *const *)argv);
	}
	_exit(127);
}

/* Reads until its end or the deadline. */
static int take(int fd, struct buf *out, size_t limit, uint64_t deadline)
{
	size_t most = out->len + limit;

	for (;;) {
		struct pollfd pollfd = { .fd = fd, .events = POLLIN };
		uint64_t now = clock_mono_ns();
		int left = now < deadline ? (int)((deadline - now) / CLOCK_NS_PER_MS) + 1 : 0;
		ssize_t got;
		void *room;

		if (!left || poll(&pollfd, 1, left) == 0)
			return -ETIMEDOUT;
		room = buf_reserve(out, CHUNK);
		if (!room)
			return -ENOMEM;
		got = read(fd, room, CHUNK);
		if (got == 0)
			return 0;
		if (got < 0 && errno != EINTR)
			return -errno;
		if (got > 0)
			buf_commit(out, (size_t)got);
		if (out->len > most) {
			out->len = most;
			return -EFBIG;
		}
	}
}

int run_program(const char *const argv[], struct buf *out, size_t limit, unsigned int timeout_ms)
{
	uint64_t deadline = clock_mono_ns() + timeout_ms * CLOCK_NS_PER_MS;
	char path[PATH_MAX];
	int pipes[2], status, error;
	pid_t child;

	if (!find_in(getenv("PATH"), argv[0], path) && !find_in(directories, argv[0], path))
		return -ENOENT;
	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	child = fork();
	if (child == 0)
		become(path, argv, pipes[1]);
	error = child < 0 ? -errno : 0;
	close(pipes[1]);
	if (!error) {
		error = take(pipes[0], out, limit, deadline);
		if (error)
			kill(child, SIGKILL);
		while (waitpid(child, &status, 0) < 0 && errno == EINTR)
			;
		if (!error && (!WIFEXITED(status) || WEXITSTATUS(status)))
			error = -EIO;
	}
	close(pipes[0]);
	return error;
}
