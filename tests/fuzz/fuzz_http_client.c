/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answer of whoever listens on the socket: a status and a part of it as the body, or an error and no body. */
#include "hostmeter/http/client.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char directory[] = "/tmp/fuzz-http-client-XXXXXX";
static struct sockaddr_un address = { .sun_family = AF_UNIX };

static void clear(void)
{
	unlink(address.sun_path);
	rmdir(directory);
}

static int open_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0 || !mkdtemp(directory))
		abort();
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/socket", directory);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 1))
		abort();
	atexit(clear);
	return fd;
}

/* The input comes in two pieces. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int server = -1;
	struct http_fetch *fetch;
	struct buf body = BUF_INIT;
	size_t first = size ? data[0] % size : 0;
	int client, result;

	if (server < 0)
		server = open_socket();
	/* It waits longer than any machine is busy. */
	if (http_fetch_start(&fetch, address.sun_path, "/metrics", 600000))
		abort();
	client = accept(server, NULL, NULL);
	if (client < 0 || write(client, data, first) != (ssize_t)first)
		abort();
	result = http_fetch_step(fetch, &body);
	if (result || write(client, data + first, size - first) != (ssize_t)(size - first))
		abort();
	close(client);
	result = http_fetch_step(fetch, &body);
	if (result > 0 ? result < 200 || result > 599 || body.len > size : body.len || !result)
		abort();
	if (body.len && !memmem(data, size, body.data, body.len))
		abort();
	http_fetch_free(fetch);
	buf_free(&body);
	return 0;
}
