/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A meter that answers each request with the next of the given replies, and what is logged meanwhile. */
#pragma once

#include "hostmeter/base/log.h"

#include "scratch_dir.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* A UNIX socket at this path that listens. */
static inline int fake_meter_listen(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof(address)) || listen(fd, 8)) {
		perror(path);
		abort();
	}
	return fd;
}

/* Answers in another process, which ends after the last reply (NULL). The requests' first lines go to "asked". */
static inline pid_t fake_meter_start(void **state, const char *const *replies)
{
	int listener = fake_meter_listen(scratch_path(state, "socket"));
	pid_t pid = fork();

	if (pid == 0)
		alarm(10); /* a reply that nobody asks for ends it too */
	for (; pid == 0; replies++) {
		char request[1024] = "";
		int client;

		if (!*replies)
			_exit(0);
		client = accept(listener, NULL, NULL);
		if (read(client, request, sizeof(request) - 1) < 0)
			_exit(1);
		request[strcspn(request, "\r")] = '\0';
		strcat(request, "\n");
		scratch_write(state, "asked", "a", request);
		if (write(client, *replies, strlen(*replies)) < 0)
			_exit(1);
		close(client);
	}
	close(listener);
	return pid;
}

/* Whether it was asked for all replies. */
static inline bool fake_meter_ended(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && status == 0;
}

/* Lines of the log go to a file of the scratch directory. */
static inline void fake_meter_log(void **state)
{
	log_set_fd(open(scratch_path(state, "log"), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
	log_for_people();
}

/* The text of a file in the scratch directory, valid until the next call; "" where there is none. */
static inline const char *scratch_read(void **state, const char *name)
{
	static char text[65536];
	FILE *file = fopen(scratch_path(state, name), "r");
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

	text[len] = '\0';
	if (file)
		fclose(file);
	return text;
}
