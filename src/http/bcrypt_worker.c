/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bcrypt_worker.h"

#include "hostmeter/base/clock.h"
#include "hostmeter/os/child.h"
#include "hostmeter/os/loop.h"

#include <crypt.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

struct verifier {
	struct loop *loop;
	void (*done)(void *ctx, int matches);
	void *ctx;
	pid_t pid; /* -1: none */
	int fd;    /* our end; -1 if there is no child */
	struct loop_io *io;
	struct loop_timer *deadline;
	bool busy;
};

/* One datagram to the child, between two copies of one program: the answer is a byte, 0 or 1. */
struct question {
	char password[VERIFIER_PASSWORD + 1], hash[VERIFIER_HASH + 1];
};

/* --- The child's side */

static bool matches(const struct question *question, struct crypt_data *data)
{
	const char *made = crypt_r(question->password, question->hash, data);
	size_t len = strlen(question->hash);
	unsigned char differ = 0;

	if (!made || strlen(made) != len || made[0] == '*')
		return false;
	for (size_t i = 0; i < len; i++)
		differ |= (unsigned char)(made[i] ^ question->hash[i]);
	return !differ;
}

static void run(void *ctx, int error)
{
	static struct crypt_data data; /* 32 KiB in libxcrypt */
	const int *fd = ctx;
	struct question question;

	if (error)
		return;
	setpriority(PRIO_PROCESS, 0, VERIFIER_NICE);
	while (recv(*fd, &question, sizeof(question), 0) == (ssize_t)sizeof(question)) {
		char answer = matches(&question, &data);

		explicit_bzero(&question, sizeof(question));
		explicit_bzero(&data, sizeof(data));
		if (send(*fd, &answer, 1, MSG_NOSIGNAL) != 1)
			break;
	}
}

/* --- The meter's side */

static void drop_child(struct verifier *verifier)
{
	loop_io_del(verifier->io);
	verifier->io = NULL;
	if (verifier->fd >= 0)
		close(verifier->fd);
	verifier->fd = -1;
	child_end(&verifier->pid);
}

static void end_check(struct verifier *verifier, int outcome)
{
	if (!verifier->busy)
		return;
	verifier->busy = false;
	loop_timer_stop(verifier->deadline);
	verifier->done(verifier->ctx, outcome);
}

static void on_deadline(void *ctx)
{
	struct verifier *verifier = ctx;

	drop_child(verifier);
	end_check(verifier, -ETIMEDOUT);
}

static void on_answer(void *ctx, int events)
{
	struct verifier *verifier = ctx;
	char answer = 0;
	ssize_t len = recv(verifier->fd, &answer, 1, MSG_DONTWAIT);

	(void)events;
	if (len < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (len != 1)
		drop_child(verifier);
	end_check(verifier, len == 1 ? answer == 1 : -ECHILD);
}

int verifier_start(struct verifier *verifier)
{
	int fds[2];
	const struct child_plan plan = {
		.name = "hostmeter-check",
		.keep = &fds[1],
		.keeps = 1,
		.run = run,
		.ctx = &fds[1],
	};
	pid_t pid;

	if (verifier->fd >= 0)
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	pid = child_fork(&plan);
	close(fds[1]);
	verifier->fd = fds[0];
	verifier->pid = pid < 0 ? -1 : pid;
	if (pid > 0)
		verifier->io = loop_io_add(verifier->loop, fds[0], LOOP_READ, on_answer, verifier);
	if (verifier->io)
		return 0;
	drop_child(verifier);
	return pid < 0 ? pid : -ENOMEM;
}

int verifier_check(struct verifier *verifier, const char *password, const char *hash)
{
	size_t password_len = strlen(password), hash_len = strlen(hash);
	struct question question = { 0 };
	int error;

	if (verifier->busy)
		return -EBUSY;
	if (password_len > VERIFIER_PASSWORD || hash_len > VERIFIER_HASH)
		return -EMSGSIZE;
	error = verifier_start(verifier);
	if (error)
		return error;
	memcpy(question.password, password, password_len);
	memcpy(question.hash, hash, hash_len);
	if (send(verifier->fd, &question, sizeof(question), MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(question))
		error = -errno;
	explicit_bzero(&question, sizeof(question));
	if (error) {
		drop_child(verifier);
		return error;
	}
	verifier->busy = true;
	loop_timer_set(verifier->deadline, VERIFIER_DEADLINE_MS * CLOCK_NS_PER_MS);
	return 0;
}

struct verifier *verifier_new(struct loop *loop, void (*done)(void *ctx, int matches), void *ctx)
{
	struct verifier *verifier = malloc(sizeof(*verifier));

	if (!verifier)
		return NULL;
	*verifier = (struct verifier){ .loop = loop, .done = done, .ctx = ctx, .pid = -1, .fd = -1 };
	verifier->deadline = loop_timer_add(loop, on_deadline, verifier);
	if (verifier->deadline)
		return verifier;
	free(verifier);
	return NULL;
}

void verifier_free(struct verifier *verifier)
{
	if (!verifier)
		return;
	drop_child(verifier);
	loop_timer_del(verifier->deadline);
	free(verifier);
}

bool verifier_busy(const struct verifier *verifier)
{
	return verifier->busy;
}

pid_t verifier_pid(const struct verifier *verifier)
{
	return verifier->pid;
}
