/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bcrypt_worker.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/os/child.h"
#include "hostmeter/os/loop.h"

#include <crypt.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct bcrypt_worker {
	struct loop *loop;
	void (*done)(void *ctx, int matches);
	void *ctx;
	pid_t pid; /* -1: no child */
	int fd;    /* our end; -1: no child */
	struct loop_io *io;
	struct loop_timer *deadline;
	bool busy;
};

/* A datagram to the child; the answer is one byte, 0 or 1. Both ends are the same program. */
struct question {
	char password[BCRYPT_WORKER_PASSWORD + 1], hash[BCRYPT_WORKER_HASH + 1];
};

/* The child. */
static void run(void *ctx, int error)
{
	static struct crypt_data data; /* 32 KiB in libxcrypt */
	const int *fd = ctx;
	struct question question;

	if (error)
		return;
	setpriority(PRIO_PROCESS, 0, BCRYPT_WORKER_NICE);
	while (recv(*fd, &question, sizeof(question), 0) == (ssize_t)sizeof(question)) {
		const char *made = crypt_r(question.password, question.hash, &data);
		/* The time of strcmp() reveals nothing: a client that guesses does not know the salt. */
		char answer = made && made[0] != '*' && strcmp(made, question.hash) == 0;

		explicit_bzero(&question, sizeof(question));
		explicit_bzero(&data, sizeof(data));
		if (send(*fd, &answer, 1, MSG_NOSIGNAL) != 1)
			break;
	}
}

static void drop_child(struct bcrypt_worker *worker)
{
	loop_io_del(worker->io);
	worker->io = NULL;
	if (worker->fd >= 0)
		close(worker->fd);
	worker->fd = -1;
	child_end(&worker->pid);
}

/* Ends the check that runs, if one does. outcome below 0: the child is of no use any more. */
static void end_check(struct bcrypt_worker *worker, int outcome)
{
	bool was_busy = worker->busy;

	if (outcome < 0)
		drop_child(worker);
	worker->busy = false;
	loop_timer_stop(worker->deadline);
	if (was_busy)
		worker->done(worker->ctx, outcome);
}

static void on_deadline(void *ctx)
{
	end_check(ctx, -ETIMEDOUT);
}

static void on_answer(void *ctx, int events)
{
	struct bcrypt_worker *worker = ctx;
	char answer = 0;
	ssize_t len = recv(worker->fd, &answer, 1, MSG_DONTWAIT);

	(void)events;
	if (len >= 0 || (errno != EAGAIN && errno != EINTR))
		end_check(worker, len == 1 ? answer : -ECHILD);
}

int bcrypt_worker_start(struct bcrypt_worker *worker)
{
	int fds[2];
	const struct child_plan plan = { "hostmeter-check", .keep = &fds[1], .keeps = 1, .run = run, .ctx = &fds[1] };
	int error;

	if (worker->fd >= 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	worker->pid = child_fork(&plan);
	worker->fd = fds[0];
	close(fds[1]);
	if (worker->pid > 0)
		worker->io = loop_io_add(worker->loop, fds[0], LOOP_READ, on_answer, worker);
	if (worker->io)
		return 0;
	error = worker->pid < 0 ? worker->pid : -ENOMEM;
	drop_child(worker);
	return error;
}

int bcrypt_worker_check(struct bcrypt_worker *worker, const char *password, const char *hash)
{
	struct question question = { 0 };
	int error;

	if (worker->busy)
		return -EBUSY;
	if (strlen(password) >= sizeof(question.password) || strlen(hash) >= sizeof(question.hash))
		return -EMSGSIZE;
	error = bcrypt_worker_start(worker);
	if (error)
		return error;
	strcpy(question.password, password);
	strcpy(question.hash, hash);
	if (send(worker->fd, &question, sizeof(question), MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(question))
		error = -errno;
	explicit_bzero(&question, sizeof(question));
	if (error) {
		drop_child(worker);
		return error;
	}
	worker->busy = true;
	loop_timer_set(worker->deadline, 60 * CLOCK_NS_PER_S);
	return 0;
}

struct bcrypt_worker *bcrypt_worker_new(struct loop *loop, void (*done)(void *ctx, int matches), void *ctx)
{
	struct bcrypt_worker *worker = malloc(sizeof(*worker));

	if (!worker)
		return NULL;
	*worker = (struct bcrypt_worker){ .loop = loop, .done = done, .ctx = ctx, .pid = -1, .fd = -1 };
	worker->deadline = loop_timer_add(loop, on_deadline, worker);
	if (worker->deadline)
		return worker;
	free(worker);
	return NULL;
}

void bcrypt_worker_free(struct bcrypt_worker *worker)
{
	if (!worker)
		return;
	drop_child(worker);
	loop_timer_del(worker->deadline);
	free(worker);
}
